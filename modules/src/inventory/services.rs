//! Services of the init system: one bounded question to systemd.
//!
//! Outside of `Probe` because it is no resource's question: it reads, is refused nothing, and
//! its failure leaves the list empty and nothing else.

#![allow(
    clippy::disallowed_types,
    reason = "one bounded question that belongs to no resource and changes nothing"
)]

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use holdfast_schemas::inventory::KnownService;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::tree::{Scope, Tree};

/// How long systemd may take. It answers in milliseconds; one that does not is in trouble, and
/// an inventory without services is better than an agent that waits.
const DEADLINE: Duration = Duration::from_secs(5);

/// Most bytes of its answer that are read: ten thousand units.
const MAX_ANSWER: u64 = 2 * 1024 * 1024;

/// The services that systemd knows, sorted; none where it does not run.
pub(super) fn known(tree: &Tree) -> Vec<KnownService> {
    match tree.scope() == Scope::Machine && tree.has("run/systemd/system") {
        true => parse(&list().unwrap_or_default()),
        false => Vec::new(),
    }
}

/// Reads `systemctl list-units --plain --no-legend`: unit, load, active and sub states, then the
/// description. Units that are only mentioned by others (`not-found`) are no services.
fn parse(text: &str) -> Vec<KnownService> {
    let mut services: Vec<KnownService> = text.lines().filter_map(service).collect();
    services.sort();
    services.dedup();
    services
}

fn service(line: &str) -> Option<KnownService> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next()?.strip_suffix(".service")?;
    if words.next()? == "not-found" {
        return None;
    }
    Some(KnownService {
        name: name.to_owned(),
        active: words.next()?.to_owned(),
        sub: words.next()?.to_owned(),
    })
}

fn list() -> Option<String> {
    let mut command = Command::new("systemctl");
    command
        .args([
            "list-units",
            "--type=service",
            "--all",
            "--plain",
            "--no-legend",
            "--no-pager",
            "--full",
        ])
        .env("LC_ALL", "C.UTF-8")
        .env_remove("SYSTEMD_COLORS")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    answer(command.spawn().ok()?)
}

/// Waits for a program's answer until the deadline; then it dies with its process group.
fn answer(mut child: Child) -> Option<String> {
    let output = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = output.take(MAX_ANSWER).read_to_end(&mut bytes);
        // Nobody listens any more after the deadline, and then the answer is of no use.
        let _ = sender.send(read.map(|_| bytes));
    });
    let bytes = receiver.recv_timeout(DEADLINE).ok().and_then(Result::ok);
    if let Ok(group) = i32::try_from(child.id()) {
        // It has closed its output, or is overdue; one that has ended is not there to be killed.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    child.wait().ok()?;
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn loaded_services_are_read_and_mentioned_ones_are_not() {
        let text = "dbus.service loaded active running D-Bus System Message Bus\n\
                    plymouth.service not-found inactive dead plymouth.service\n\
                    nginx.service loaded failed failed A high performance web server\n\
                    dbus.socket loaded active running D-Bus\ncron.service loaded\n\n";
        let found = parse(text);
        let names: Vec<_> = found
            .iter()
            .map(|s| (&*s.name, &*s.active, &*s.sub))
            .collect();
        assert_eq!(
            names,
            [("dbus", "active", "running"), ("nginx", "failed", "failed")]
        );
    }

    #[test]
    fn an_answer_is_read_to_its_end() {
        let mut command = Command::new("printf");
        command
            .arg("a.service loaded active running")
            .stdout(Stdio::piped())
            .process_group(0);
        let text = answer(command.spawn().unwrap()).unwrap();
        assert_eq!(parse(&text).len(), 1);
    }
}
