//! Whether a unit starts at boot: the many answers of systemctl(1), `is-enabled`, as few.

use holdfast_schemas::HostPath;

use super::unit::{Unit, full_name};
use crate::host::{HostError, Probe};

/// Longest unit file that is read.
const MAX_UNIT_FILE: usize = 1024 * 1024;

/// Whether a unit starts at boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Boot {
    /// It does.
    Enabled,
    /// It does not.
    Disabled,
    /// Until the next boot, or under another name, or only some of the units that go with it.
    Partly,
    /// It is masked: neither started at boot nor to be enabled.
    Masked,
    /// It cannot be enabled, for this reason; whether it starts is decided elsewhere.
    Cannot(&'static str),
}

impl Boot {
    /// Reads what systemd shows, and where that does not suffice the files it is about.
    pub(super) fn of(unit: &Unit, probe: &dyn Probe) -> Result<Self, HostError> {
        Ok(match unit.file_state.as_str() {
            "enabled" | "alias" => Self::Enabled,
            "disabled" | "linked" | "linked-runtime" => Self::Disabled,
            "enabled-runtime" => Self::Partly,
            "masked" | "masked-runtime" => Self::Masked,
            "indirect" => indirect(unit, probe)?,
            "generated" => generated(unit, probe)?,
            "static" => Self::Cannot("its unit file has no [Install] section (it is static)"),
            "transient" => Self::Cannot("it is transient: it has no unit file of its own"),
            "bad" => Self::Cannot("its unit file is invalid"),
            _ => Self::Cannot("it has no unit file"),
        })
    }

    /// The word for it in a report.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Partly => "partly enabled",
            Self::Masked => "masked",
            Self::Cannot(_) => "not to be enabled",
        }
    }
}

/// A unit that is enabled by enabling those that its `Also=` names. Without `Also=` it is enabled
/// under another name, or by another instance of its template.
fn indirect(unit: &Unit, probe: &dyn Probe) -> Result<Boot, HostError> {
    let Ok(path) = unit.fragment.parse::<HostPath>() else {
        return Ok(Boot::Partly);
    };
    let text = probe.read(&path, MAX_UNIT_FILE)?;
    let mut seen = Vec::new();
    for name in also(&String::from_utf8_lossy(&text)) {
        let state = Unit::look(&full_name(name)?, probe)?.file_state;
        seen.push(match state.as_str() {
            "enabled" | "alias" => Boot::Enabled,
            "disabled" => Boot::Disabled,
            _ => continue, // static ones go with the unit and cannot be enabled
        });
    }
    Ok(match seen.first() {
        Some(&first) if seen.iter().all(|boot| *boot == first) => first,
        _ => Boot::Partly,
    })
}

/// The units that `Also=` in the section `[Install]` names.
fn also(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    let lines = text.lines().map(str::trim).filter(move |line| {
        if line.starts_with('[') {
            inside = *line == "[Install]";
        }
        inside
    });
    let values = lines.filter_map(|line| line.split_once('='));
    values
        .filter(|(key, _)| key.trim() == "Also")
        .flat_map(|(_, value)| value.split_whitespace())
}

/// A unit that a generator made: for a script in `/etc/init.d` the links of the run levels tell.
fn generated(unit: &Unit, probe: &dyn Probe) -> Result<Boot, HostError> {
    let Some(script) = unit.source.strip_prefix("/etc/init.d/") else {
        return Ok(Boot::Cannot(
            "a generator makes it from other configuration",
        ));
    };
    let linked = probe.any_matches(&format!("/etc/rc[2345].d/S[0-9][0-9]{script}"))?;
    Ok(if linked {
        Boot::Enabled
    } else {
        Boot::Disabled
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn also_counts_only_under_install() {
        let text = "[Unit]\nAlso=no.service\n[Install]\n# Also=no.socket\nAlso=a.socket b.timer\nAlso = c.path\n";
        assert_eq!(
            also(text).collect::<Vec<_>>(),
            ["a.socket", "b.timer", "c.path"]
        );
    }
}
