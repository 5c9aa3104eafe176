#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use holdfast_schemas::resource::{Kind, Mode, Spec};
use serde_json::{Value, json};

use crate::host::fake::FakeHost;
use crate::testing::{assert_in_sync, converge, lines, refused};

fn directory(json: Value) -> Spec {
    crate::testing::spec(Kind::Directory, json)
}

#[test]
fn a_new_folder_gets_owner_and_mode() {
    let host = FakeHost::new();
    let folder = directory(json!({"path": "/srv", "owner": "7", "mode": "2750"}));
    let shown = converge(&folder, &host);
    assert_eq!(
        lines(&shown),
        [
            "ensure: absent -> directory",
            "owner: - -> 7",
            "mode: - -> 2750"
        ]
    );
    let plain = directory(json!({"path": "/srv/plain"}));
    converge(&plain, &host);
    assert_eq!(
        host.files().get("/srv/plain").unwrap().mode,
        Mode::from_bits(0o755)
    );
}

#[test]
fn owner_and_mode_are_mended_and_what_is_inside_stays() {
    let host = FakeHost::new();
    host.edit(|files| files.write("/srv/kept", "x"));
    let folder = directory(json!({"path": "/srv", "group": "4", "mode": "0700"}));
    assert_eq!(
        lines(&converge(&folder, &host)),
        ["group: root -> 4", "mode: 0755 -> 0700"]
    );
    assert_eq!(host.files().text("/srv/kept"), "x");
}

#[test]
fn an_absent_folder_goes_only_by_force() {
    let host = FakeHost::new();
    host.edit(|files| files.write("/srv/a/b", "x"));
    let mut gone = json!({"path": "/srv", "ensure": "absent"});
    assert!(
        refused(&directory(gone.clone()), &host)
            .to_string()
            .contains("force")
    );
    gone["force"] = true.into();
    assert_eq!(
        lines(&converge(&directory(gone), &host)),
        ["ensure: directory -> absent"]
    );
    assert!(host.files().get("/srv/a/b").is_none());
}

#[test]
fn a_file_in_its_place_stays_unless_forced() {
    let host = FakeHost::new();
    host.edit(|files| files.write("/srv", "x"));
    let mut wanted = json!({"path": "/srv"});
    assert!(
        refused(&directory(wanted.clone()), &host)
            .to_string()
            .contains("is a file")
    );
    wanted["force"] = true.into();
    assert_eq!(
        lines(&converge(&directory(wanted), &host))[0],
        "ensure: file -> directory"
    );
}

#[test]
fn a_missing_parent_is_told() {
    let host = FakeHost::new();
    let deep = directory(json!({"path": "/srv/a/b"}));
    assert!(refused(&deep, &host).to_string().contains("/srv/a"));
    assert_in_sync(
        &directory(json!({"path": "/srv/a/b", "ensure": "absent"})),
        &host,
    );
}
