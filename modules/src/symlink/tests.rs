#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use holdfast_schemas::resource::{Kind, Spec};
use serde_json::{Value, json};

use crate::host::fake::FakeHost;
use crate::testing::{assert_in_sync, converge, lines, refused};

fn symlink(json: Value) -> Spec {
    crate::testing::spec(Kind::Symlink, json)
}

#[test]
fn a_link_is_made_and_its_target_changed() {
    let host = FakeHost::new();
    host.edit(|files| files.write("/srv/one", "1"));
    host.edit(|files| files.write("/srv/two", "2"));
    let link = |target: &str| symlink(json!({"path": "/srv/current", "target": target}));
    let shown = converge(&link("/srv/one"), &host);
    assert_eq!(
        lines(&shown),
        ["ensure: absent -> symlink", "target: - -> /srv/one"]
    );
    let shown = converge(&link("two"), &host);
    assert_eq!(lines(&shown), ["target: /srv/one -> two"]);
}

#[test]
fn a_target_that_is_missing_needs_force() {
    let host = FakeHost::new();
    let mut wanted = json!({"path": "/etc/link", "target": "../none"});
    let error = refused(&symlink(wanted.clone()), &host).to_string();
    assert!(
        error.contains("../none") && error.contains("force"),
        "{error}"
    );
    wanted["force"] = true.into();
    converge(&symlink(wanted), &host);
}

#[test]
fn a_link_to_itself_is_a_loop() {
    let host = FakeHost::new();
    let forced = json!({"path": "/etc/loop", "target": "/etc/loop", "force": true});
    converge(&symlink(forced), &host);
    let error = refused(
        &symlink(json!({"path": "/etc/loop", "target": "/etc/loop"})),
        &host,
    );
    assert!(
        error.to_string().contains("more than 40 symbolic links"),
        "{error}"
    );
}

#[test]
fn what_is_no_link_stays_unless_forced() {
    let host = FakeHost::new();
    host.edit(|files| files.write("/etc/full/file", "x"));
    let mut wanted = json!({"path": "/etc/full", "target": "/etc/passwd"});
    assert!(
        refused(&symlink(wanted.clone()), &host)
            .to_string()
            .contains("is a directory")
    );
    wanted["force"] = true.into();
    converge(&symlink(wanted), &host);
    let gone = symlink(json!({"path": "/etc/passwd", "ensure": "absent"}));
    assert!(refused(&gone, &host).to_string().contains("force"));
}

#[test]
fn an_absent_link_goes_and_its_target_stays() {
    let host = FakeHost::new();
    let link = json!({"path": "/etc/link", "target": "passwd"});
    converge(&symlink(link), &host);
    let gone = symlink(json!({"path": "/etc/link", "ensure": "absent"}));
    assert_eq!(
        lines(&converge(&gone, &host)),
        ["ensure: symlink -> absent"]
    );
    assert!(host.files().get("/etc/passwd").is_some());
    assert_in_sync(&gone, &host);
}
