//! systemctl and journalctl over units that start, stop, die and take their time.

use std::collections::BTreeMap;

use super::{ended, options};
use crate::host::Output;
use crate::host::fake::{Call, FakeProgram, Files};

/// A unit of a fake systemd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// `loaded`, `not-found`, `masked`, …
    pub load: String,
    /// `active`, `inactive`, `failed`, `activating`, …
    pub active: String,
    /// `enabled`, `disabled`, `static`, …
    pub file_state: String,
    /// `simple`, `notify`, `oneshot`, …
    pub kind: String,
    /// Where its unit file is.
    pub fragment: String,
    /// Whether its file is newer than what systemd read.
    pub outdated: bool,
    /// Looks after which it becomes active, for one that is activating.
    pub arrives_after: u32,
    /// Whether its process dies as soon as it runs.
    pub dies: bool,
    /// How many times it was started.
    pub starts: u32,
    /// How many times it was reloaded.
    pub reloads: u32,
    /// What it logged.
    pub journal: String,
}

impl Unit {
    /// A service that is loaded, stopped, and in this state of enablement.
    pub fn stopped(file_state: &str) -> Self {
        Self {
            load: "loaded".into(),
            active: "inactive".into(),
            file_state: file_state.into(),
            kind: "notify".into(),
            fragment: String::new(),
            outdated: false,
            arrives_after: 0,
            dies: false,
            starts: 0,
            reloads: 0,
            journal: String::new(),
        }
    }

    /// The same, running.
    pub fn running(file_state: &str) -> Self {
        Self {
            active: "active".into(),
            ..Self::stopped(file_state)
        }
    }

    fn start(&mut self) {
        self.starts += 1;
        self.active = match (self.dies, self.kind.as_str()) {
            (true, "simple") => "dying".into(), // seen alive once, then not
            (true, _) => "failed".into(),
            (false, "oneshot") => "inactive".into(),
            (false, _) if self.arrives_after > 0 => "activating".into(),
            (false, _) => "active".into(),
        };
    }

    /// What a look finds; time passes from one look to the next.
    fn look(&mut self) -> String {
        match (self.active.as_str(), self.arrives_after) {
            ("dying", _) => {
                self.active = "failed".into();
                return "active".into();
            }
            ("activating", 0) => self.active = "active".into(),
            ("activating", _) => self.arrives_after -= 1,
            _ => {}
        }
        self.active.clone()
    }

    fn shown(&mut self, id: &str) -> String {
        let active = self.look();
        let sub = match active.as_str() {
            "active" => "running",
            "inactive" => "dead",
            "activating" => "start",
            other => other,
        };
        let result = if active == "failed" {
            "exit-code"
        } else {
            "success"
        };
        format!(
            "Type={}\nRemainAfterExit=no\nResult={result}\nId={id}\nLoadState={}\nActiveState={active}\n\
             SubState={sub}\nFragmentPath={}\nUnitFileState={}\nNeedDaemonReload={}\n",
            self.kind,
            self.load,
            self.fragment,
            self.file_state,
            if self.outdated { "yes" } else { "no" },
        )
    }
}

/// systemd of a fake host.
#[derive(Debug, Default)]
pub struct Systemd {
    /// Units by their own names.
    pub units: BTreeMap<String, Unit>,
    /// Other names of units.
    pub aliases: BTreeMap<String, String>,
    /// Units that `Also=` of another names, enabled with it.
    pub also: BTreeMap<String, Vec<String>>,
}

const FOLDER: &str = "/etc/systemd/system";

impl FakeProgram for Systemd {
    fn run(&mut self, call: &Call<'_>, files: &mut Files) -> Output {
        let (options, rest) = options(&call.words[1..], &[]);
        if call.words[0] == "journalctl" {
            let unit = options
                .iter()
                .find_map(|option| option.strip_prefix("--unit="));
            let journal = unit
                .and_then(|name| self.units.get(name))
                .map(|unit| unit.journal.clone());
            return ended(0, journal.unwrap_or_default(), "");
        }
        match rest[..] {
            ["daemon-reload"] => self.reload_files(files),
            ["is-enabled", name] => self.is_enabled(name),
            ["show", name] => self.show(name),
            [verb, name] => self.act(verb, name),
            _ => ended(1, "", "Unknown command verb.\n"),
        }
    }
}

impl Systemd {
    fn show(&mut self, name: &str) -> Output {
        let id = self
            .aliases
            .get(name)
            .map_or(name, String::as_str)
            .to_owned();
        match self.units.get_mut(&id) {
            Some(unit) => ended(0, unit.shown(&id), ""),
            None => ended(
                0,
                format!(
                    "Id={id}\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n\
                     FragmentPath=\nUnitFileState=\nNeedDaemonReload=no\n"
                ),
                "",
            ),
        }
    }

    fn is_enabled(&self, name: &str) -> Output {
        match self.units.get(name).map(|unit| unit.file_state.as_str()) {
            Some(state @ ("enabled" | "static" | "indirect")) => ended(0, format!("{state}\n"), ""),
            Some(state) => ended(1, format!("{state}\n"), ""),
            None => {
                let why = "No such file or directory";
                ended(
                    1,
                    "",
                    format!("Failed to get unit file state for {name}: {why}\n"),
                )
            }
        }
    }

    fn reload_files(&mut self, files: &Files) -> Output {
        for unit in self.units.values_mut() {
            unit.outdated = false;
        }
        let names = files
            .list(FOLDER)
            .into_iter()
            .filter(|name| name.ends_with(".service"));
        for name in names {
            self.units
                .entry(name)
                .or_insert_with(|| Unit::stopped("disabled"));
        }
        ended(0, "", "")
    }

    fn act(&mut self, verb: &str, name: &str) -> Output {
        if self.aliases.contains_key(name) && matches!(verb, "enable" | "disable") {
            return ended(
                1,
                "",
                format!(
                    "Failed to {verb} unit: Refusing to operate on alias name or linked unit file: {name}\n"
                ),
            );
        }
        let state = match verb {
            "enable" => Some("enabled"),
            "disable" => Some("disabled"),
            _ => None,
        };
        if let Some(state) = state {
            let with_it = self.also.get(name).cloned().unwrap_or_default();
            for name in with_it.iter().map(String::as_str).chain([name]) {
                let unit = self
                    .units
                    .get_mut(name)
                    .filter(|unit| !matches!(unit.file_state.as_str(), "static" | "indirect"));
                if let Some(unit) = unit {
                    unit.file_state = state.into();
                }
            }
            return ended(0, "", "");
        }
        let Some(unit) = self
            .units
            .get_mut(name)
            .filter(|unit| unit.load == "loaded")
        else {
            return ended(
                5,
                "",
                format!("Failed to {verb} {name}: Unit {name} not found.\n"),
            );
        };
        match verb {
            "start" | "restart" => unit.start(),
            "reload-or-restart" => unit.reloads += 1,
            "stop" | "reset-failed" => unit.active = "inactive".into(),
            _ => return ended(1, "", format!("Unknown command verb {verb}.\n")),
        }
        match (unit.active.as_str(), verb) {
            ("failed", _) => ended(
                1,
                "",
                format!(
                    "Job for {name} failed because the control process exited with error code.\n\
                     See \"systemctl status {name}\" and \"journalctl -xeu {name}\" for details.\n"
                ),
            ),
            _ => ended(0, "", ""),
        }
    }
}
