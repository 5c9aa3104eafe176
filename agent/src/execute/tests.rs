#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod veil;

use std::sync::{Arc, Mutex};

use holdfast_modules::host::fake::programs::{Apt, Offer, Systemd, Unit};
use holdfast_modules::host::fake::{Call, FakeHost, FakeProgram, Fault, Files, Node};
use holdfast_modules::host::{Output, Owner};
use holdfast_schemas::catalog::{CATALOG_FORMAT, Enforcement};
use holdfast_schemas::report::{Cause, Certainty, Outcome, ResourceReport, RunStatus};
use holdfast_schemas::resource::{Command, Ensure, File, Kind, OnRefresh, Service, ServiceState};
use nix::errno::Errno;

use super::*;

/// A fake host with a running nginx, and a state folder.
struct World {
    host: FakeHost,
    systemd: Arc<Mutex<Systemd>>,
    ledger: tempfile::TempDir,
    stop: Stop,
}

/// A shell whose every command fails while it is told to.
struct Shell(Arc<Mutex<bool>>);

impl FakeProgram for Shell {
    fn run(&mut self, _: &Call<'_>, _: &mut Files) -> Output {
        Output {
            code: Some(i32::from(*self.0.lock().unwrap())),
            signal: None,
            stdout: String::new(),
            stderr: String::new(),
            truncated: false,
        }
    }
}

impl World {
    fn new() -> Self {
        let host = FakeHost::new();
        let mut systemd = Systemd::default();
        let unit = Unit::running("enabled");
        systemd.units.insert("nginx.service".to_owned(), unit);
        let systemd = Arc::new(Mutex::new(systemd));
        host.install(&["systemctl", "journalctl"], systemd.clone());
        host.edit(|files| files.make_directory("/run/systemd/system"));
        Self {
            host,
            systemd,
            ledger: tempfile::tempdir().unwrap(),
            stop: Stop::default(),
        }
    }

    fn run(&self, resources: &[Resource], mode: RunMode) -> Execution {
        let catalog = Catalog {
            format: CATALOG_FORMAT,
            host: "web-1".parse().unwrap(),
            enforcement: Enforcement::Enforce,
            resources: resources.to_vec(),
            health: Vec::new(),
        };
        catalog.check().unwrap();
        let task = Task {
            catalog: &catalog,
            digest: Digest::of(catalog.to_bytes()),
            host: &self.host,
            ledger: self.ledger.path(),
            unwell: &self.ledger.path().join("unwell.json"),
            missing: Knowledge::Whole,
            omitted: &BTreeMap::new(),
            stop: &self.stop,
        };
        execute(&task, mode).unwrap()
    }

    fn enforce(&self, resources: &[Resource]) -> Execution {
        self.run(resources, RunMode::Enforce)
    }

    fn starts(&self) -> u32 {
        self.systemd.lock().unwrap().units["nginx.service"].starts
    }

    fn owed(&self) -> usize {
        let memory = ledger::recall(self.ledger.path(), Knowledge::Whole).unwrap();
        memory.owed().len()
    }
}

fn id(kind: Kind, title: &str) -> ResourceId {
    ResourceId::new(kind, title).unwrap()
}

fn resource(title: &str, spec: Spec) -> Resource {
    Resource {
        id: id(spec.kind(), title),
        spec,
        requires: Vec::new(),
        subscribes: Vec::new(),
    }
}

fn file(path: &str, content: &str) -> Resource {
    let spec = File {
        path: path.parse().unwrap(),
        ensure: Ensure::Present,
        content: Some(Content::Text(content.to_owned())),
        owner: None,
        group: None,
        mode: None,
        validate: None,
        replace: true,
        force: false,
    };
    resource(path, Spec::File(spec))
}

fn nginx(subscribes: &[&Resource]) -> Resource {
    let spec = Service {
        name: "nginx".to_owned(),
        state: Some(ServiceState::Running),
        enabled: None,
        on_refresh: OnRefresh::Restart,
    };
    let mut nginx = resource("nginx", Spec::Service(spec));
    nginx.subscribes = subscribes.iter().map(|one| one.id.clone()).collect();
    nginx
}

fn told<'a>(execution: &'a Execution, title: &str) -> &'a ResourceReport {
    let line = execution.lines.iter().find(|line| line.id.title() == title);
    line.unwrap_or_else(|| panic!("nothing about {title}: {execution:#?}"))
}

#[test]
fn many_notify_and_one_restart_follows() {
    let world = World::new();
    let (one, two) = (file("/etc/one", "1"), file("/etc/two", "2"));
    let catalog = [one.clone(), two.clone(), nginx(&[&one, &two])];
    let before = world.starts();

    let plan = world.run(&catalog, RunMode::NoOp);
    assert_eq!(world.starts(), before);
    assert!(told(&plan, "nginx").refreshed);
    let sources = vec![one.id.clone(), two.id.clone()];
    assert_eq!(
        told(&plan, "nginx").certainty,
        Some(Certainty::After(sources))
    );

    let run = world.enforce(&catalog);
    assert_eq!(run.status(), RunStatus::Changed);
    let line = told(&run, "nginx");
    assert!(line.refreshed);
    assert_eq!((line.outcome, line.cause), (Outcome::Changed, None));
    assert_eq!(world.starts(), before + 1);
    assert_eq!(world.enforce(&catalog).status(), RunStatus::InSync);
    assert_eq!(world.starts(), before + 1);
}

#[test]
fn a_restart_that_is_skipped_is_owed_and_done_by_the_next_run() {
    let world = World::new();
    let (conf, broken) = (file("/etc/conf", "1"), file("/etc/missing/file", "2"));
    let mut service = nginx(&[&conf]);
    service.requires = vec![broken.id.clone()];
    let catalog = [conf, broken, service];
    let before = world.starts();

    let run = world.enforce(&catalog);
    assert_eq!(run.status(), RunStatus::Failed);
    assert_eq!(told(&run, "nginx").outcome, Outcome::Skipped);
    assert_eq!(run.pending[0].resource, id(Kind::Service, "nginx"));
    assert_eq!((world.starts(), world.owed()), (before, 1));

    world
        .host
        .edit(|files| files.make_directory("/etc/missing"));
    let run = world.enforce(&catalog);
    assert!(told(&run, "nginx").refreshed);
    assert!(run.pending.is_empty());
    assert_eq!((world.starts(), world.owed()), (before + 1, 0));
}

#[test]
fn a_restart_that_fails_fails_the_run_and_what_needs_it_is_skipped() {
    let world = World::new();
    let conf = file("/etc/conf", "1");
    let service = nginx(&[&conf]);
    let mut after = file("/etc/after", "1");
    after.requires = vec![service.id.clone()];
    let catalog = [conf, service, after];
    world
        .systemd
        .lock()
        .unwrap()
        .units
        .get_mut("nginx.service")
        .unwrap()
        .dies = true;

    let run = world.enforce(&catalog);
    assert_eq!(told(&run, "nginx").outcome, Outcome::Failed);
    let skipped = told(&run, "/etc/after").skipped_because.clone().unwrap();
    assert_eq!(skipped, "requires service[nginx], which failed");
    assert_eq!((run.pending.len(), world.owed()), (1, 1));
    assert_eq!(world.host.files().get("/etc/after"), None);
}

#[test]
fn a_service_that_was_just_started_is_not_restarted() {
    let world = World::new();
    let unit = Unit::stopped("enabled");
    world
        .systemd
        .lock()
        .unwrap()
        .units
        .insert("nginx.service".to_owned(), unit);
    let conf = file("/etc/conf", "1");
    let run = world.enforce(&[conf.clone(), nginx(&[&conf])]);
    assert_eq!(told(&run, "nginx").outcome, Outcome::Changed);
    assert!(!told(&run, "nginx").refreshed);
    assert_eq!((world.starts(), world.owed()), (1, 0));
}

#[test]
fn a_failure_that_changed_nothing_owes_nothing() {
    let world = World::new();
    let conf = file("/etc/conf", "1");
    let catalog = [conf.clone(), nginx(&[&conf])];
    let errno = Errno::ENOSPC;
    world.host.set_fault(Some(Fault { after: 0, errno }));
    let run = world.enforce(&catalog);
    assert_eq!(told(&run, "/etc/conf").outcome, Outcome::Failed);
    assert_eq!(world.owed(), 0);
    world.host.set_fault(None);
    let run = world.enforce(&catalog);
    assert_eq!(told(&run, "/etc/conf").cause, Some(Cause::New));
    assert!(told(&run, "nginx").refreshed);
}

#[test]
fn a_crash_between_act_and_record_keeps_the_restart() {
    let world = World::new();
    let conf = file("/etc/conf", "1");
    let catalog = [conf.clone(), nginx(&[&conf])];
    let mut ledger = Ledger::open(world.ledger.path(), Knowledge::Whole).unwrap();
    let intent = ledger::Act {
        id: conf.id.clone(),
        spec: ledger::mark(&conf.spec),
        notifies: vec![id(Kind::Service, "nginx")],
        makes: true,
    };
    ledger.intend(vec![intent]).unwrap();
    drop(ledger);
    world.host.edit(|files| files.write("/etc/conf", "1"));
    world.host.edit(|files| {
        files.change("/etc/conf", |entry| entry.mode = "0644".parse().unwrap());
    });

    let before = world.starts();
    let run = world.enforce(&catalog);
    assert!(told(&run, "nginx").refreshed, "{run:#?}");
    assert_eq!((world.starts(), world.owed()), (before + 1, 0));
}

#[test]
fn a_command_that_is_notified_notifies_in_its_turn() {
    let world = World::new();
    let fails = Arc::new(Mutex::new(false));
    world.host.install(
        &["/bin/sh", "sh"],
        Arc::new(Mutex::new(Shell(fails.clone()))),
    );
    let conf = file("/etc/conf", "1");
    let mut command = crate::report::tests::an_exec("rebuild");
    if let Spec::Exec(exec) = &mut command.spec {
        exec.always = false;
        exec.refresh_only = true;
    }
    command.subscribes = vec![conf.id.clone()];
    let catalog = [conf, command.clone(), nginx(&[&command])];
    let before = world.starts();
    *fails.lock().unwrap() = true;
    let run = world.enforce(&catalog);
    assert_eq!(told(&run, "rebuild").outcome, Outcome::Failed);
    assert_eq!(told(&run, "nginx").outcome, Outcome::Skipped);
    *fails.lock().unwrap() = false;
    let run = world.enforce(&catalog);
    assert!(told(&run, "rebuild").refreshed);
    assert!(told(&run, "nginx").refreshed);
    assert_eq!((world.starts(), world.owed()), (before + 1, 0));
}

#[test]
fn a_run_that_is_to_end_says_so_and_touches_no_more() {
    let world = World::new();
    world.stop.ask();
    let run = world.enforce(&[file("/etc/conf", "1")]);
    assert_eq!(run.status(), RunStatus::Failed);
    assert_eq!(told(&run, "/etc/conf").outcome, Outcome::Skipped);
    assert!(run.error.is_some());
    assert_eq!(world.host.files().get("/etc/conf"), None);
}

fn from_json(kind: Kind, title: &str, json: serde_json::Value) -> Resource {
    resource(title, Spec::from_value(kind, json).unwrap())
}

#[test]
fn what_an_earlier_resource_may_bring_is_no_failure_of_a_no_op_run() {
    let world = World::new();
    world.systemd.lock().unwrap().units.clear();
    let apt = Apt {
        offers: vec![Offer::new("nginx", "1.0")],
        ..Apt::default()
    };
    let status = |files: &mut Files| files.write("/var/lib/dpkg/status", "");
    world.host.edit(status);
    let programs = ["apt-get", "apt-cache", "dpkg"];
    world.host.install(&programs, Arc::new(Mutex::new(apt)));

    let package = from_json(
        Kind::Package,
        "nginx",
        serde_json::json!({ "name": "nginx" }),
    );
    let group = from_json(Kind::Group, "www", serde_json::json!({ "name": "www" }));
    let owned = serde_json::json!({ "path": "/etc/owned", "owner": "deploy", "group": "www" });
    let packaged =
        serde_json::json!({ "path": "/etc/nginx/nginx.conf", "content": { "text": "1" } });
    let user = from_json(
        Kind::User,
        "deploy",
        serde_json::json!({ "name": "deploy" }),
    );
    let catalog = [
        package,
        group,
        user,
        from_json(Kind::File, "/etc/owned", owned),
        from_json(Kind::File, "/etc/nginx/nginx.conf", packaged),
        nginx(&[]),
    ];
    let plan = world.run(&catalog, RunMode::NoOp);
    assert_eq!(plan.status(), RunStatus::Drifted, "{plan:#?}");
    assert_eq!((plan.counts.failed, plan.counts.drifted), (0, 6));
    assert_eq!(
        told(&plan, "/etc/owned").certainty,
        Some(Certainty::Certain)
    );
    for title in ["/etc/nginx/nginx.conf", "nginx"] {
        let line = plan.lines.iter().rfind(|line| line.id.title() == title);
        let certainty = line.unwrap().certainty.clone();
        assert!(
            matches!(certainty, Some(Certainty::Unknown(_))),
            "{certainty:?}"
        );
    }
    assert_eq!(plan.lines[0].certainty, Some(Certainty::Certain));
    let unknown = serde_json::json!({ "name": "no-such-package" });
    let unknown = [from_json(Kind::Package, "no-such-package", unknown)];
    let doubt = world.run(&unknown, RunMode::NoOp);
    let why = doubt.lines[0].certainty.clone();
    assert!(matches!(&why, Some(Certainty::Unknown(why)) if why.contains("apt has no plan")));
    // Alone, the same resources fail, and a plan says so.
    let alone = world.run(&catalog[4..], RunMode::NoOp);
    assert_eq!((alone.counts.failed, alone.counts.drifted), (2, 0));
}

#[test]
fn why_a_package_counts_as_installed_is_told_in_every_run() {
    let world = World::new();
    let status = "Package: exim4\nStatus: install ok installed\nArchitecture: amd64\n\
                  Version: 4.96\nProvides: mail-transport-agent\n\n";
    world
        .host
        .edit(|files| files.write("/var/lib/dpkg/status", status));
    let wanted = serde_json::json!({ "name": "mail-transport-agent" });
    let package = from_json(Kind::Package, "mail-transport-agent", wanted);
    let apt = Arc::new(Mutex::new(Apt::default()));
    world.host.install(&["apt-get", "apt-cache", "dpkg"], apt);
    let quiet = file("/etc/conf", "1");
    for mode in [
        RunMode::NoOp,
        RunMode::Enforce,
        RunMode::Enforce,
        RunMode::NoOp,
    ] {
        let run = world.run(&[quiet.clone(), package.clone()], mode);
        let line = told(&run, "mail-transport-agent");
        assert_eq!(line.message.as_deref(), Some("provided by exim4"));
        assert_eq!((line.outcome, run.counts.total), (Outcome::InSync, 2));
    }
}

#[test]
fn a_unit_file_brings_its_unit_without_an_edge() {
    let world = World::new();
    world.systemd.lock().unwrap().units.clear();
    world
        .host
        .edit(|files| files.make_directory("/etc/systemd/system"));
    let unit = file("/etc/systemd/system/nginx.service", "[Service]\n");
    let plan = world.run(&[unit, nginx(&[])], RunMode::NoOp);
    let line = told(&plan, "nginx");
    assert_eq!(line.outcome, Outcome::Drifted);
    assert_eq!(line.certainty, Some(Certainty::Certain));
}

#[test]
fn two_names_of_one_file_do_not_pass_for_converged() {
    let world = World::new();
    world.host.edit(|files| {
        files.make_directory("/etc/real");
        let mode = "0777".parse().unwrap();
        let link = Node::Symlink("real".to_owned());
        files.put("/etc/alias", link, mode, Owner::default());
    });
    let catalog = [
        file("/etc/real/conf", "one"),
        file("/etc/alias/conf", "two"),
    ];
    for _ in 0..3 {
        let run = world.enforce(&catalog);
        assert_eq!(run.status(), RunStatus::Failed);
        let undone = run.counts.not_converged;
        assert_eq!(undone, 1, "{run:#?}");
    }
}

#[test]
fn a_command_as_an_account_that_is_still_to_be_made_is_unknown() {
    let world = World::new();
    let user = from_json(
        Kind::User,
        "deploy",
        serde_json::json!({ "name": "deploy" }),
    );
    let guarded = serde_json::json!({
        "command": "true", "unless": "false", "run_as": "deploy",
    });
    let command = from_json(Kind::Exec, "build", guarded);
    let plan = world.run(&[user, command.clone()], RunMode::NoOp);
    assert_eq!(told(&plan, "build").outcome, Outcome::Drifted, "{plan:#?}");
    let alone = world.run(&[command], RunMode::NoOp);
    assert_eq!(told(&alone, "build").outcome, Outcome::Failed);
}
