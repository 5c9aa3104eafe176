#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use holdfast_modules::host::fake::programs::{Systemd, Unit};
use holdfast_modules::host::fake::{Call, FakeHost, FakeProgram, Files};
use holdfast_modules::host::{NoContent, Output, RootedHost};
use holdfast_schemas::catalog::{CATALOG_FORMAT, Enforcement};
use holdfast_schemas::health::{Check, CommandCheck, HttpCheck, PortCheck};
use holdfast_schemas::report::{RunMode, RunStatus};
use holdfast_schemas::resource::Command;

use super::*;
use crate::report::line;
use crate::report::tests::an_exec;

/// A shell whose commands fail as often as it is told to, and say so.
struct Shell(Arc<Mutex<u32>>);

impl FakeProgram for Shell {
    fn run(&mut self, _: &Call<'_>, _: &mut Files) -> Output {
        let mut left = self.0.lock().unwrap();
        let code = i32::from(*left > 0);
        *left = left.saturating_sub(1);
        Output {
            code: Some(code),
            signal: None,
            stdout: String::new(),
            stderr: "\nnot yet\n".to_owned(),
            truncated: false,
        }
    }
}

struct World {
    host: FakeHost,
    systemd: Arc<Mutex<Systemd>>,
    failures: Arc<Mutex<u32>>,
    folder: tempfile::TempDir,
    stop: Stop,
}

impl World {
    fn new() -> Self {
        let host = FakeHost::new();
        let systemd = Arc::new(Mutex::new(Systemd::default()));
        host.install(&["systemctl", "journalctl"], systemd.clone());
        host.edit(|files| files.make_directory("/run/systemd/system"));
        let failures = Arc::new(Mutex::new(0));
        host.install(&["/bin/sh"], Arc::new(Mutex::new(Shell(failures.clone()))));
        Self {
            host,
            systemd,
            failures,
            folder: tempfile::tempdir().unwrap(),
            stop: Stop::default(),
        }
    }

    /// What is found after a run with this outcome of the role's one resource.
    fn after(&self, check: Check, outcome: Outcome) -> Execution {
        self.on(&self.host, check, outcome)
    }

    fn on(&self, host: &dyn Host, check: Check, outcome: Outcome) -> Execution {
        let resource = an_exec("a");
        let catalog = Catalog {
            format: CATALOG_FORMAT,
            host: "web-1".parse().unwrap(),
            enforcement: Enforcement::Enforce,
            health: vec![RoleHealth {
                role: "web".to_owned(),
                resources: vec![resource.id.clone()],
                probes: vec![HealthProbe {
                    check,
                    timeout_s: 2,
                    retries: 2,
                    interval_s: 0,
                }],
            }],
            resources: vec![resource],
        };
        catalog.check().unwrap();
        let mut execution = Execution::default();
        execution.push(line(&catalog.resources[0], RunMode::Enforce, outcome));
        let visit = Visit {
            catalog: &catalog,
            host,
            unwell: &self.folder.path().join("unwell.json"),
            stop: &self.stop,
        };
        after(&visit, &mut execution);
        execution
    }
}

fn command() -> Check {
    Check::Command(CommandCheck {
        command: Command::Shell("look".to_owned()),
        run_as: None,
    })
}

fn http(url: &str, status: &[u16], contains: Option<&str>) -> Check {
    Check::Http(HttpCheck {
        url: url.to_owned(),
        status: status.to_vec(),
        contains: contains.map(str::to_owned),
    })
}

fn seen(execution: &Execution) -> (bool, &str, u32) {
    let probe = &execution.health[0];
    (probe.healthy, &probe.seen, probe.attempts)
}

#[test]
fn what_changed_nothing_is_not_asked() {
    let world = World::new();
    for outcome in [Outcome::InSync, Outcome::Failed, Outcome::Skipped] {
        assert!(world.after(command(), outcome).health.is_empty());
    }
    assert_eq!(world.after(command(), Outcome::Changed).health.len(), 1);
}

#[test]
fn a_role_that_is_not_well_fails_the_run_and_is_asked_again_until_it_is() {
    let world = World::new();
    *world.failures.lock().unwrap() = 4;
    let first = world.after(command(), Outcome::Changed);
    assert_eq!(seen(&first), (false, "exit status 1: not yet", 3));
    assert_eq!(first.status(), RunStatus::Failed);
    let second = world.after(command(), Outcome::InSync);
    assert_eq!(seen(&second), (true, "exit status 0", 2));
    assert_eq!(second.status(), RunStatus::InSync);
    assert!(world.after(command(), Outcome::InSync).health.is_empty());
}

#[test]
fn a_run_that_is_to_end_leaves_the_question_to_the_next() {
    let world = World::new();
    world.stop.ask();
    let execution = world.after(command(), Outcome::Changed);
    assert_eq!(
        seen(&execution),
        (false, "not asked: the run was to end", 0)
    );
    let world = World {
        stop: Stop::default(),
        ..world
    };
    assert_eq!(world.after(command(), Outcome::InSync).health.len(), 1);
}

#[test]
fn a_unit_is_well_while_it_is_active() {
    let world = World::new();
    let unit = || Check::Unit("nginx.service".to_owned());
    let absent = world.after(unit(), Outcome::Changed);
    assert!(!absent.health[0].healthy, "{:?}", absent.health);
    let mut systemd = world.systemd.lock().unwrap();
    let name = "nginx.service".to_owned();
    systemd.units.insert(name, Unit::running("enabled"));
    drop(systemd);
    let running = world.after(unit(), Outcome::Changed);
    assert!(running.health[0].healthy, "{:?}", running.health);
    assert!(running.health[0].seen.starts_with("active"));
}

#[test]
fn a_port_is_well_while_something_listens() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let check = || Check::Port(PortCheck { host: None, port });
    let open = world.after(check(), Outcome::Changed);
    let expected = format!("127.0.0.1:{port} accepts connections");
    assert_eq!(seen(&open), (true, expected.as_str(), 1));
    drop(listener);
    let closed = world.after(check(), Outcome::Changed);
    assert!(seen(&closed).1.contains("refused"), "{:?}", closed.health);
    assert_eq!(closed.health[0].attempts, 3);
}

/// A server that gives one answer to everybody.
fn server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/health", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 1024];
            let count = stream.read(&mut asked).unwrap();
            assert!(asked[..count].starts_with(b"GET /health HTTP/1.0\r\nHost: 127.0.0.1:"));
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}

#[test]
fn a_page_is_well_by_its_status_and_its_words() {
    let world = World::new();
    let ok = server("HTTP/1.1 200 OK\r\nServer: x\r\n\r\nstate: ok\n");
    let moved = server("HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n");
    let ill = server("HTTP/1.1 503 Unavailable\r\n\r\nstate: ok\n");
    let other = server("SSH-2.0-OpenSSH_9.2\r\n");
    for (check, expected) in [
        (http(&ok, &[], None), (true, "status 200")),
        (http(&ok, &[], Some("state: ok")), (true, "status 200")),
        (
            http(&ok, &[], Some("Server")),
            (false, "status 200, without \"Server\" in the answer"),
        ),
        (http(&ok, &[204], None), (false, "status 200")),
        (http(&moved, &[], None), (true, "status 301")),
        (http(&ill, &[], None), (false, "status 503")),
        (http(&ill, &[503], None), (true, "status 503")),
        (http(&other, &[], None), (false, "the answer is no HTTP")),
    ] {
        let execution = world.after(check.clone(), Outcome::Changed);
        let (healthy, seen, _) = seen(&execution);
        assert_eq!((healthy, seen), expected, "{check:?}");
    }
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let began = Instant::now();
    let execution = world.after(http(&url, &[], None), Outcome::Changed);
    assert_eq!(seen(&execution), (false, "no answer in time", 3));
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_tree_of_files_is_not_asked() {
    let world = World::new();
    let root = tempfile::tempdir().unwrap();
    let host = RootedHost::new(root.path(), Arc::new(NoContent)).unwrap();
    let execution = world.on(&host, command(), Outcome::Changed);
    assert!(execution.health.is_empty());
}
