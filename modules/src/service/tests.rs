#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex, MutexGuard};

use holdfast_schemas::resource::{Kind, Spec};
use serde_json::{Value, json};

use crate::harness::{Enforced, enforce, observe, refresh};
use crate::host::fake::FakeHost;
use crate::host::fake::programs::{Systemd, Unit};
use crate::host::{Facility, Host, HostError};
use crate::module::Refreshed;
use crate::testing::{assert_in_sync, converge, lines, refused};

struct Fixture {
    host: FakeHost,
    systemd: Arc<Mutex<Systemd>>,
}

impl Fixture {
    fn new(units: &[(&str, Unit)]) -> Self {
        let units = units
            .iter()
            .map(|(name, unit)| ((*name).to_owned(), unit.clone()))
            .collect();
        let systemd = Arc::new(Mutex::new(Systemd {
            units,
            ..Systemd::default()
        }));
        let host = FakeHost::new();
        host.install(&["systemctl", "journalctl"], systemd.clone());
        Self { host, systemd }
    }

    fn systemd(&self) -> MutexGuard<'_, Systemd> {
        self.systemd.lock().unwrap()
    }

    fn unit(&self, name: &str) -> Unit {
        self.systemd().units[name].clone()
    }
}

fn service(json: Value) -> Spec {
    crate::testing::spec(Kind::Service, json)
}

fn running(name: &str) -> Spec {
    service(json!({"name": name, "state": "running"}))
}

fn failure(spec: &Spec, host: &FakeHost) -> String {
    match enforce(spec, host) {
        Enforced::Failed { error, .. } => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// S01
#[test]
fn a_stopped_unit_is_enabled_and_started() {
    let fixture = Fixture::new(&[("nginx.service", Unit::stopped("disabled"))]);
    let nginx = service(json!({"name": "nginx", "state": "running", "enabled": true}));
    let shown = converge(&nginx, &fixture.host);
    assert_eq!(
        lines(&shown),
        ["enabled: disabled -> enabled", "state: stopped -> running"]
    );
    let unit = fixture.unit("nginx.service");
    assert_eq!(
        (unit.active.as_str(), unit.file_state.as_str(), unit.starts),
        ("active", "enabled", 1)
    );
    let off = service(json!({"name": "nginx", "state": "stopped", "enabled": false}));
    converge(&off, &fixture.host);
}

#[test]
fn a_failed_unit_is_stopped_enough() {
    let mut unit = Unit::stopped("disabled");
    unit.active = "failed".into();
    let fixture = Fixture::new(&[("a.service", unit)]);
    assert_in_sync(
        &service(json!({"name": "a", "state": "stopped"})),
        &fixture.host,
    );
    let shown = converge(&running("a"), &fixture.host);
    assert_eq!(lines(&shown), ["state: failed (exit-code) -> running"]);
}

/// S05
#[test]
fn an_indirect_unit_is_enabled_by_those_it_names() {
    let mut main = Unit::stopped("indirect");
    main.fragment = "/lib/systemd/system/uuidd.service".into();
    let fixture = Fixture::new(&[
        ("uuidd.service", main),
        ("uuidd.socket", Unit::stopped("disabled")),
    ]);
    fixture
        .systemd()
        .also
        .insert("uuidd.service".into(), vec!["uuidd.socket".into()]);
    fixture.host.edit(|files| {
        files.write(
            "/lib/systemd/system/uuidd.service",
            "[Service]\n[Install]\nAlso=uuidd.socket\n",
        );
    });
    converge(
        &service(json!({"name": "uuidd", "enabled": true})),
        &fixture.host,
    );
    assert_eq!(fixture.unit("uuidd.socket").file_state, "enabled");
    converge(
        &service(json!({"name": "uuidd", "enabled": false})),
        &fixture.host,
    );
}

#[test]
fn a_template_can_be_enabled_but_not_run() {
    let fixture = Fixture::new(&[("tunnel@.service", Unit::stopped("disabled"))]);
    let enabled = service(json!({"name": "tunnel@", "enabled": true}));
    assert_eq!(
        lines(&converge(&enabled, &fixture.host)),
        ["enabled: disabled -> enabled"]
    );
    refused(&running("tunnel@"), &fixture.host);
    let missing = refused(
        &service(json!({"name": "no@", "enabled": true})),
        &fixture.host,
    );
    assert!(matches!(missing, HostError::NoSuchUnit { .. }));
}

#[test]
fn an_alias_is_enabled_by_its_own_name() {
    let fixture = Fixture::new(&[("ssh.service", Unit::stopped("disabled"))]);
    fixture
        .systemd()
        .aliases
        .insert("sshd.service".into(), "ssh.service".into());
    converge(
        &service(json!({"name": "sshd", "enabled": true})),
        &fixture.host,
    );
    assert_eq!(fixture.unit("ssh.service").file_state, "enabled");
}

#[test]
fn what_cannot_be_enabled_says_why() {
    let mut masked = Unit::stopped("masked");
    masked.load = "masked".into();
    let fixture = Fixture::new(&[
        ("static.service", Unit::stopped("static")),
        ("masked.service", masked),
    ]);
    let error = refused(
        &service(json!({"name": "static", "enabled": true})),
        &fixture.host,
    );
    assert!(
        error.to_string().contains("no [Install] section"),
        "{error}"
    );
    assert_in_sync(
        &service(json!({"name": "static", "enabled": false})),
        &fixture.host,
    );
    let error = refused(&running("masked"), &fixture.host);
    assert!(error.to_string().contains("unmask"), "{error}");
    assert_in_sync(
        &service(json!({"name": "masked", "state": "stopped", "enabled": false})),
        &fixture.host,
    );
}

#[test]
fn a_unit_that_does_not_exist_can_only_be_stopped() {
    let fixture = Fixture::new(&[]);
    let error = refused(&running("nosuch"), &fixture.host);
    assert!(matches!(error, HostError::NoSuchUnit { .. }));
    assert_in_sync(
        &service(json!({"name": "nosuch", "state": "stopped", "enabled": false})),
        &fixture.host,
    );
}

#[test]
fn a_new_unit_file_is_read_before_its_unit_is_started() {
    let fixture = Fixture::new(&[]);
    fixture
        .host
        .edit(|files| files.write("/etc/systemd/system/app.service", "[Service]\n"));
    converge(
        &service(json!({"name": "app", "state": "running", "enabled": true})),
        &fixture.host,
    );
    fixture
        .systemd()
        .units
        .get_mut("app.service")
        .unwrap()
        .outdated = true;
    refresh(&running("app"), &fixture.host).unwrap();
    assert!(!fixture.unit("app.service").outdated);
}

#[test]
fn a_unit_that_takes_its_time_is_waited_for() {
    let mut unit = Unit::stopped("enabled");
    unit.arrives_after = 2;
    let fixture = Fixture::new(&[("slow.service", unit)]);
    converge(&running("slow"), &fixture.host);
}

#[test]
fn a_unit_that_dies_at_once_has_failed_and_its_log_is_told() {
    for kind in ["simple", "forking"] {
        let mut unit = Unit::stopped("enabled");
        (unit.dies, unit.kind) = (true, kind.into());
        unit.journal = "nginx: [emerg] unknown directive \"sever\"\n".into();
        let fixture = Fixture::new(&[("nginx.service", unit)]);
        let error = failure(&running("nginx"), &fixture.host);
        assert!(error.contains("unknown directive"), "{error}");
    }
}

#[test]
fn a_oneshot_that_ends_cannot_be_kept_running() {
    let mut unit = Unit::stopped("enabled");
    unit.kind = "oneshot".into();
    let fixture = Fixture::new(&[("job.service", unit)]);
    let error = failure(&running("job"), &fixture.host);
    assert!(error.contains("oneshot"), "{error}");
}

#[test]
fn a_notification_restarts_what_is_to_run() {
    let fixture = Fixture::new(&[
        ("up.service", Unit::running("enabled")),
        ("down.service", Unit::stopped("enabled")),
    ]);
    let deliver = |json| refresh(&service(json), &fixture.host).unwrap();
    assert_eq!(
        deliver(json!({"name": "up", "state": "running"})),
        Refreshed::Done
    );
    assert_eq!(
        deliver(json!({"name": "up", "enabled": true})),
        Refreshed::Done
    );
    assert_eq!(fixture.unit("up.service").starts, 2);
    assert_eq!(
        deliver(json!({"name": "up", "on_refresh": "reload"})),
        Refreshed::Done
    );
    assert_eq!(fixture.unit("up.service").reloads, 1);
    assert_eq!(
        deliver(json!({"name": "down", "enabled": true})),
        Refreshed::NothingToDo
    );
    assert_eq!(
        deliver(json!({"name": "up", "state": "stopped"})),
        Refreshed::NothingToDo
    );
}

#[test]
fn a_host_without_systemd_is_never_in_sync() {
    let host = FakeHost::new();
    host.lack(Facility::Systemd, "not booted by systemd");
    let look = observe(
        &service(json!({"name": "a", "state": "stopped"})),
        host.as_probe(),
    );
    assert!(matches!(look, Err(HostError::Unsupported(_))));
}
