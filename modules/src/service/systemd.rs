//! The systemd provider: systemctl, and waiting for what it set off.
//!
//! systemctl waits for its job to end, but for some services that means no more than that a
//! process was forked. Such a one is watched for a moment, because a service that dies of its
//! configuration does so at once.

use std::thread;
use std::time::{Duration, Instant};

use super::unit::Unit;
use crate::host::{Host, HostError, Probe};
use crate::programs;

/// How long a look waits for a unit that someone else set in motion.
pub(super) const GLANCE: Duration = Duration::from_secs(2);

/// How long a unit that was set in motion here may take to arrive after systemctl returned.
const ARRIVAL: Duration = Duration::from_secs(30);

/// How long a service must stay up before a start counts: long enough for a program to read its
/// configuration and refuse it.
const PROBATION: Duration = Duration::from_millis(400);

/// Pause between two looks at a unit that moves.
const POLL: Duration = Duration::from_millis(50);

/// Deadline of systemctl: above systemd's own limit for a start or a stop (90 s) and room for a
/// database that sets itself more.
const DEADLINE: Duration = Duration::from_secs(600);

/// Deadline of a question to the journal.
const JOURNAL_DEADLINE: Duration = Duration::from_secs(10);

/// Lines of the journal that are told of a service that failed.
const JOURNAL_LINES: &str = "--lines=10";

/// Looks at a unit once it stands still, or when `patience` is over.
pub(super) fn settled(
    name: &str,
    probe: &dyn Probe,
    patience: Duration,
) -> Result<Unit, HostError> {
    let end = Instant::now() + patience;
    loop {
        let unit = Unit::look(name, probe)?;
        if !unit.moves() || Instant::now() >= end {
            return Ok(unit);
        }
        thread::sleep(POLL);
    }
}

/// The unit, after systemd has read its files again where it has to.
pub(super) fn prepared(name: &str, found: &Unit, host: &dyn Host) -> Result<Unit, HostError> {
    if !found.outdated {
        return Ok(found.clone());
    }
    systemctl(&["daemon-reload"], host)?;
    let unit = Unit::look(name, host.as_probe())?;
    match unit.load.as_str() {
        "not-found" => Err(HostError::NoSuchUnit {
            unit: name.to_owned(),
        }),
        _ => Ok(unit),
    }
}

/// Has a unit start at boot. By its own name: systemd refuses to enable an alias.
pub(super) fn enable(unit: &Unit, host: &dyn Host) -> Result<(), HostError> {
    systemctl(&["enable", "--", &unit.id], host)
}

/// Has a unit not start at boot.
pub(super) fn disable(unit: &Unit, host: &dyn Host) -> Result<(), HostError> {
    systemctl(&["disable", "--", &unit.id], host)
}

/// Stops a unit.
pub(super) fn stop(unit: &Unit, host: &dyn Host) -> Result<(), HostError> {
    systemctl(&["stop", "--", &unit.id], host)?;
    settled(&unit.id, host.as_probe(), ARRIVAL).map(drop)
}

/// Starts a unit and sees that it stays up.
pub(super) fn start(unit: &Unit, host: &dyn Host) -> Result<(), HostError> {
    if unit.active == "failed" {
        // Forgets how often it was started, or systemd would refuse to try again.
        systemctl(&["reset-failed", "--", &unit.id], host)?;
    }
    set_in_motion("start", unit, host)
}

/// Stops a unit and starts it, and sees that it stays up.
pub(super) fn restart(unit: &Unit, host: &dyn Host) -> Result<(), HostError> {
    set_in_motion("restart", unit, host)
}

/// Has a unit read its configuration, by a restart where it knows no other way.
pub(super) fn reload(unit: &Unit, host: &dyn Host) -> Result<(), HostError> {
    set_in_motion("reload-or-restart", unit, host)
}

fn set_in_motion(verb: &'static str, unit: &Unit, host: &dyn Host) -> Result<(), HostError> {
    let tried = systemctl(&[verb, "--", &unit.id], host);
    let program = || format!("systemctl {verb} {}", unit.id);
    if let Err(HostError::Program { status, output, .. }) = tried {
        return Err(HostError::Program {
            program: program(),
            status,
            output: with_journal(&output, unit, host),
        });
    }
    tried?;
    let seen = watched(unit, host.as_probe())?;
    if seen.runs() || (verb != "start" && seen.passes() && seen.active != "failed") {
        return Ok(());
    }
    let hint = match seen.passes() && seen.active == "inactive" {
        true => {
            "its type is oneshot without RemainAfterExit: it ends when its work is done, so \
                 it cannot be kept running; declare its timer, or an exec"
        }
        false => "",
    };
    Err(HostError::Program {
        program: program(),
        status: format!("a unit that does not stay up: it is {}", seen.state()),
        output: with_journal(hint, unit, host),
    })
}

/// Watches a unit that was started until it has stayed up for long enough, or has fallen.
fn watched(unit: &Unit, probe: &dyn Probe) -> Result<Unit, HostError> {
    let mut seen = settled(&unit.id, probe, ARRIVAL)?;
    // These tell systemd themselves when they are up.
    let proven = matches!(
        seen.kind.as_str(),
        "notify" | "notify-reload" | "dbus" | "oneshot"
    );
    let end = Instant::now() + PROBATION;
    while !proven && seen.runs() && Instant::now() < end {
        thread::sleep(POLL);
        seen = Unit::look(&unit.id, probe)?;
    }
    Ok(seen)
}

fn systemctl(arguments: &[&str], host: &dyn Host) -> Result<(), HostError> {
    let mut argv = programs::argv(&["systemctl", "--no-ask-password", "--no-pager"]);
    argv.extend(programs::argv(arguments));
    programs::run(host, &programs::invocation(argv, DEADLINE)).map(drop)
}

/// A message, and below it the last lines that the unit logged. A journal that cannot be read
/// takes nothing from the message.
fn with_journal(message: &str, unit: &Unit, host: &dyn Host) -> String {
    let id = format!("--unit={}", unit.id);
    let argv = [
        "journalctl",
        "--no-pager",
        "--quiet",
        "--output=cat",
        JOURNAL_LINES,
        id.as_str(),
    ];
    let invocation = programs::invocation(programs::argv(&argv), JOURNAL_DEADLINE);
    match host.run(&invocation) {
        Ok(output) if output.success() && !output.stdout.trim().is_empty() => {
            format!("{message}\n{}", programs::tail(&output.stdout))
        }
        _ => message.to_owned(),
    }
}
