#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use holdfast_schemas::resource::Kind;
use serde_json::{Value, json};

use super::Overlay;
use crate::harness::{enforce, observe};
use crate::host::fake::FakeHost;
use crate::host::fake::programs::NameService;
use crate::host::{HostError, Probe};
use crate::testing::{lines, spec};

/// Observes resources one after the other through an overlay, as a no-op run does, then applies
/// them: what was announced is what was done, line for line.
fn plan_equals_apply(host: &FakeHost, resources: &[(Kind, Value)]) {
    let specs: Vec<_> = resources
        .iter()
        .map(|(kind, json)| spec(*kind, json.clone()))
        .collect();
    let before = host.files();
    let mut overlay = Overlay::new(host);
    let mut announced = Vec::new();
    for spec in &specs {
        let observation = observe(spec, &overlay).unwrap();
        if !observation.in_sync() {
            overlay.assume(spec).unwrap();
            assert!(observe(spec, &overlay).unwrap().in_sync(), "{spec:?}");
        }
        announced.push(observation.shown);
    }
    assert_eq!(host.files(), before);
    for (spec, announced) in specs.iter().zip(announced) {
        let done = match enforce(spec, host) {
            crate::harness::Enforced::Changed(shown) => shown,
            crate::harness::Enforced::InSync => crate::Shown::default(),
            other => panic!("{other:?}"),
        };
        assert_eq!(lines(&announced), lines(&done));
    }
}

#[test]
fn folders_files_and_links_build_on_each_other() {
    let host = FakeHost::new();
    host.edit(|files| files.write("/srv/in-the-way", "x"));
    plan_equals_apply(
        &host,
        &[
            (Kind::Directory, json!({"path": "/opt"})),
            (
                Kind::Directory,
                json!({"path": "/opt/app-2", "mode": "0700"}),
            ),
            (
                Kind::File,
                json!({"path": "/opt/app-2/conf", "content": {"text": "a"}}),
            ),
            (
                Kind::Symlink,
                json!({"path": "/opt/app", "target": "app-2"}),
            ),
            (
                Kind::File,
                json!({"path": "/opt/app/conf", "content": {"text": "a"}}),
            ),
            (
                Kind::File,
                json!({"path": "/opt/app/more", "content": {"text": "b"}}),
            ),
            (
                Kind::Directory,
                json!({"path": "/srv/in-the-way", "force": true}),
            ),
            (
                Kind::File,
                json!({"path": "/srv/in-the-way/f", "content": {"text": "c"}}),
            ),
        ],
    );
}

#[test]
fn what_is_removed_is_gone_with_what_is_below() {
    let host = FakeHost::new();
    host.edit(|files| files.write("/srv/a/b", "x"));
    plan_equals_apply(
        &host,
        &[
            (
                Kind::Directory,
                json!({"path": "/srv/a", "ensure": "absent", "force": true}),
            ),
            (Kind::File, json!({"path": "/srv/a/b", "ensure": "absent"})),
            (Kind::Directory, json!({"path": "/srv/a"})),
            (
                Kind::File,
                json!({"path": "/srv/a/b", "content": {"text": "x"}}),
            ),
        ],
    );
}

#[test]
fn an_owner_that_would_be_made_is_known_by_name() {
    let host = FakeHost::new();
    let mut overlay = Overlay::new(&host);
    let file = spec(
        Kind::File,
        json!({"path": "/etc/f", "owner": "app", "group": "app"}),
    );
    let error = observe(&file, &overlay).unwrap_err();
    assert!(matches!(error, HostError::NoSuchAccount { .. }), "{error}");
    let user = json!({"name": "app", "manage_home": true, "home": "/app"});
    overlay.assume(&spec(Kind::User, user)).unwrap();
    let shown = observe(&file, &overlay).unwrap().shown;
    assert!(lines(&shown).contains(&"owner: - -> app".to_owned()));
    overlay.assume(&file).unwrap();
    assert!(observe(&file, &overlay).unwrap().in_sync());
    assert!(
        overlay.stat(&"/app".parse().unwrap()).unwrap().is_some(),
        "the home folder"
    );
    overlay
        .assume(&spec(
            Kind::User,
            json!({"name": "app", "ensure": "absent"}),
        ))
        .unwrap();
    assert!(overlay.accounts().unwrap().uid("app").is_err());
}

#[test]
fn what_packages_and_commands_do_is_remembered_as_unforeseen() {
    let host = FakeHost::new();
    let mut overlay = Overlay::new(&host);
    assert!(overlay.unforeseen().is_empty());
    overlay
        .assume(&spec(Kind::Package, json!({"name": "nginx"})))
        .unwrap();
    let exec = json!({"command": ["make", "world"], "always": true});
    overlay.assume(&spec(Kind::Exec, exec)).unwrap();
    let [package, exec] = overlay.unforeseen() else {
        panic!("{:?}", overlay.unforeseen());
    };
    assert!(package.contains("nginx") && exec.contains("make"));
}

#[test]
fn listings_and_wildcards_see_what_would_be_there() {
    let host = FakeHost::new();
    host.edit(|files| files.write("/srv/old", "x"));
    let mut overlay = Overlay::new(&host);
    for json in [
        json!({"path": "/srv/old", "ensure": "absent"}),
        json!({"path": "/srv/new.conf", "content": {"text": "n"}}),
    ] {
        overlay.assume(&spec(Kind::File, json)).unwrap();
    }
    assert_eq!(
        overlay.list(&"/srv".parse().unwrap()).unwrap(),
        ["new.conf"]
    );
    assert!(overlay.any_matches("/srv/*.conf").unwrap());
    assert!(!overlay.any_matches("/srv/o*").unwrap());
    assert_eq!(
        overlay.read(&"/srv/new.conf".parse().unwrap(), 10).unwrap(),
        b"n"
    );
}

#[test]
fn a_directory_is_asked_through_the_overlay_but_not_for_what_would_be_gone() {
    let host = FakeHost::new();
    let directory = NameService {
        passwd: "jane:*:10001:10000::/:/bin/sh\n".to_owned(),
        ..NameService::default()
    };
    host.install(&["getent"], Arc::new(Mutex::new(directory)));
    host.edit(|files| {
        let passwd = "root:x:0:0::/:/bin/sh\napp:x:7:7::/:/bin/sh\n";
        files.write("/etc/passwd", passwd);
    });
    let mut overlay = Overlay::new(&host);
    let file = |path: &str, owner: &str| spec(Kind::File, json!({"path": path, "owner": owner}));
    let of_jane = file("/etc/jane", "jane");
    overlay.assume(&of_jane).unwrap();
    assert!(observe(&of_jane, &overlay).unwrap().in_sync());
    observe(&file("/etc/app", "app"), &overlay).unwrap();
    let gone = json!({"name": "app", "ensure": "absent"});
    overlay.assume(&spec(Kind::User, gone)).unwrap();
    let error = observe(&file("/etc/app", "app"), &overlay).unwrap_err();
    assert!(matches!(error, HostError::NoSuchAccount { .. }), "{error}");
}
