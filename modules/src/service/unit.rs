//! A unit as systemd shows it.

use holdfast_schemas::HostPath;

use crate::host::{HostError, Output, Probe, Query};
use crate::programs;

/// What is asked of a unit, in one query. `Type` and what follows exist only for services.
const PROPERTIES: &[&str] = &[
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "NeedDaemonReload",
    "FragmentPath",
    "SourcePath",
    "Result",
    "Type",
    "RemainAfterExit",
];

/// Kinds of unit (systemd.unit(5)); a name that ends with none of them is a service's.
const SUFFIXES: [&str; 11] = [
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".path",
    ".timer",
    ".slice",
    ".scope",
];

/// Folders in which systemd looks for units of the system (systemd.unit(5)).
const FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// Longest unit name, in bytes (`UNIT_NAME_MAX` of systemd).
const MAX_NAME: usize = 255;

/// What systemd shows of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Unit {
    /// Its own name, where the one declared is an alias.
    pub(super) id: String,
    pub(super) load: String,
    pub(super) active: String,
    pub(super) sub: String,
    pub(super) file_state: String,
    pub(super) fragment: String,
    pub(super) source: String,
    pub(super) result: String,
    pub(super) kind: String,
    pub(super) remains: bool,
    /// Whether systemd has to read its files again before it acts.
    pub(super) outdated: bool,
}

impl Unit {
    /// Asks systemd. A unit that it does not know, though its file is there, is outdated.
    pub(super) fn look(name: &str, probe: &dyn Probe) -> Result<Self, HostError> {
        if is_template(name) {
            return Self::look_at_template(name, probe);
        }
        let output = probe.query(&Query::UnitProperties {
            unit: name.to_owned(),
            properties: PROPERTIES,
        })?;
        if !output.success() {
            return Err(programs::failure("systemctl show", &output));
        }
        let mut unit = Self::parse(&output)?;
        if unit.load == "not-found" {
            unit.outdated = has_file(name, probe)?;
        }
        Ok(unit)
    }

    /// A template does not run; its instances do. It can be enabled where it names a default one.
    fn look_at_template(name: &str, probe: &dyn Probe) -> Result<Self, HostError> {
        let output = probe.query(&Query::UnitFileState {
            unit: name.to_owned(),
        })?;
        let state = output.stdout.trim();
        let load = match state {
            "" | "not-found" => "not-found",
            "masked" | "masked-runtime" => "masked",
            _ => "loaded",
        };
        Ok(Self {
            id: name.to_owned(),
            load: load.to_owned(),
            active: "inactive".to_owned(),
            file_state: state.to_owned(),
            outdated: load == "not-found" && has_file(name, probe)?,
            ..Self::default()
        })
    }

    fn parse(output: &Output) -> Result<Self, HostError> {
        let mut unit = Self::default();
        for line in output.stdout.lines().filter(|line| !line.is_empty()) {
            let Some((property, value)) = line.split_once('=') else {
                return Err(garbled(format!("a line without `=`: {line:?}")));
            };
            let value = value.to_owned();
            match property {
                "Id" => unit.id = value,
                "LoadState" => unit.load = value,
                "ActiveState" => unit.active = value,
                "SubState" => unit.sub = value,
                "UnitFileState" => unit.file_state = value,
                "FragmentPath" => unit.fragment = value,
                "SourcePath" => unit.source = value,
                "Result" => unit.result = value,
                "Type" => unit.kind = value,
                "NeedDaemonReload" => unit.outdated = value == "yes",
                "RemainAfterExit" => unit.remains = value == "yes",
                other => return Err(garbled(format!("{other:?} was not asked for"))),
            }
        }
        match unit.load.is_empty() || unit.active.is_empty() {
            true => Err(garbled(
                "it tells no LoadState or no ActiveState".to_owned(),
            )),
            false => Ok(unit),
        }
    }

    /// Whether it runs.
    pub(super) fn runs(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading" | "refreshing")
    }

    /// Whether nothing of it runs.
    pub(super) fn rests(&self) -> bool {
        matches!(self.active.as_str(), "inactive" | "failed")
    }

    /// Whether it is on its way from one state to another.
    pub(super) fn moves(&self) -> bool {
        !matches!(self.active.as_str(), "active" | "inactive" | "failed")
    }

    /// Whether its process is done when its work is done, so that it never stays active.
    pub(super) fn passes(&self) -> bool {
        self.kind == "oneshot" && !self.remains
    }

    /// Its state as a report shows it.
    pub(super) fn state(&self) -> String {
        match (self.load.as_str(), self.active.as_str(), self.sub.as_str()) {
            ("not-found", ..) => "not found".to_owned(),
            (_, "active", "running" | "") => "running".to_owned(),
            (_, "inactive", "dead" | "") => "stopped".to_owned(),
            (_, "failed", _) if !self.result.is_empty() => format!("failed ({})", self.result),
            (_, active, sub) => format!("{active} ({sub})"),
        }
    }
}

/// The full name of a unit, refused when systemd could take it for something else.
pub(super) fn full_name(name: &str) -> Result<String, HostError> {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b":-_.\\@".contains(&b);
    let full = match SUFFIXES
        .iter()
        .any(|suffix| name.len() > suffix.len() && name.ends_with(suffix))
    {
        true => name.to_owned(),
        false => format!("{name}.service"),
    };
    let named = !name.is_empty() && !name.starts_with(['-', '.']) && full.len() <= MAX_NAME;
    match named && name.bytes().all(letter) {
        true => Ok(full),
        false => Err(HostError::refused(
            format!("service {name:?}"),
            "a unit's name is letters, digits and `:-_.\\@`, and does not begin with `-` or `.`",
        )),
    }
}

/// Whether a full name is that of a template, `name@.service`.
pub(super) fn is_template(name: &str) -> bool {
    name.contains("@.")
}

fn has_file(name: &str, probe: &dyn Probe) -> Result<bool, HostError> {
    let template = name.split_once('@').and_then(|(prefix, rest)| {
        let suffix = rest.rsplit_once('.')?.1;
        Some(format!("{prefix}@.{suffix}"))
    });
    let names = [Some(name), template.as_deref()];
    for folder in FOLDERS {
        for name in names.into_iter().flatten() {
            let path: HostPath = format!("{folder}/{name}")
                .parse()
                .map_err(|error| garbled(format!("{error}")))?;
            if probe.stat(&path)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn garbled(detail: String) -> HostError {
    HostError::Garbled {
        what: "systemctl show".to_owned(),
        detail,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn shown(stdout: &str) -> Result<Unit, HostError> {
        Unit::parse(&Output {
            code: Some(0),
            signal: None,
            stdout: stdout.to_owned(),
            stderr: String::new(),
            truncated: false,
        })
    }

    /// As systemd 252 shows it on Debian 12.
    #[test]
    fn recorded_output_is_read() {
        let unit = shown(
            "Type=notify\nRemainAfterExit=no\nResult=success\nId=ssh.service\nLoadState=loaded\n\
             ActiveState=active\nSubState=running\nFragmentPath=/lib/systemd/system/ssh.service\n\
             UnitFileState=enabled\nNeedDaemonReload=yes\n",
        );
        let unit = unit.unwrap();
        assert!(unit.runs() && unit.outdated && !unit.passes());
        assert_eq!(
            (unit.id.as_str(), unit.state().as_str()),
            ("ssh.service", "running")
        );
    }

    #[test]
    fn output_that_tells_no_state_is_an_error() {
        for stdout in ["", "Id=a.service\n", "what is this"] {
            shown(stdout).unwrap_err();
        }
    }

    #[test]
    fn names_get_their_suffix_and_odd_ones_are_refused() {
        assert_eq!(full_name("nginx").unwrap(), "nginx.service");
        assert_eq!(full_name("a.socket").unwrap(), "a.socket");
        assert_eq!(full_name("foo.bar").unwrap(), "foo.bar.service");
        assert_eq!(full_name("getty@tty1").unwrap(), "getty@tty1.service");
        for name in ["", "-H", "a b", "../x", "a\nb", "*"] {
            full_name(name).expect_err(name);
        }
    }
}
