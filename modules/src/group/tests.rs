#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use holdfast_schemas::resource::{Kind, Spec};
use serde_json::{Value, json};

use crate::host::Facility;
use crate::host::fake::FakeHost;
use crate::host::fake::programs::{NameService, Shadow};
use crate::testing::{assert_in_sync, converge, lines, refused};

/// The same host twice: one with the programs, one on which only files can be edited.
fn hosts() -> [FakeHost; 2] {
    let with = FakeHost::new();
    with.install(
        &["groupadd", "groupmod", "groupdel"],
        Arc::new(Mutex::new(Shadow)),
    );
    let without = FakeHost::new();
    without.lack(Facility::Programs, "no programs here");
    for host in [&with, &without] {
        host.edit(|files| {
            files.write(
                "/etc/passwd",
                "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/:/bin/sh\n",
            );
            files.write("/etc/group", "root:x:0:\nadm:x:4:ann\nann:x:1000:\n");
        });
    }
    [with, without]
}

fn group(json: Value) -> Spec {
    crate::testing::spec(Kind::Group, json)
}

#[test]
fn a_group_is_made_and_removed() {
    for host in hosts() {
        let shown = converge(&group(json!({"name": "app", "gid": 2000})), &host);
        assert_eq!(
            lines(&shown),
            ["ensure: absent -> present", "gid: - -> 2000"]
        );
        assert!(host.files().text("/etc/group").ends_with("\napp:x:2000:\n"));
        converge(&group(json!({"name": "app", "ensure": "absent"})), &host);
        converge(&group(json!({"name": "next"})), &host);
        assert!(
            host.files()
                .text("/etc/group")
                .ends_with("\nnext:x:1001:\n")
        );
    }
}

#[test]
fn a_new_number_follows_to_its_users() {
    for host in hosts() {
        converge(&group(json!({"name": "ann", "gid": 1500})), &host);
        assert!(
            host.files()
                .text("/etc/passwd")
                .contains("ann:x:1000:1500:")
        );
    }
}

#[test]
fn members_are_left_alone() {
    for host in hosts() {
        assert_in_sync(&group(json!({"name": "adm"})), &host);
        converge(&group(json!({"name": "adm", "gid": 5})), &host);
        assert!(host.files().text("/etc/group").contains("adm:x:5:ann"));
    }
}

#[test]
fn what_would_do_harm_is_refused() {
    for host in hosts() {
        refused(&group(json!({"name": "root", "ensure": "absent"})), &host);
        let error = refused(&group(json!({"name": "ann", "ensure": "absent"})), &host);
        assert!(
            error.to_string().contains("primary group of ann"),
            "{error}"
        );
        let error = refused(&group(json!({"name": "new", "gid": 4})), &host);
        assert!(error.to_string().contains("that of adm"), "{error}");
        refused(&group(json!({"name": "-g"})), &host);
    }
}

#[test]
fn a_group_of_a_directory_is_as_wanted_or_an_error() {
    let [host, _] = hosts();
    let directory = NameService {
        group: "staff:*:10000:jane\n".to_owned(),
        ..NameService::default()
    };
    host.install(&["getent"], Arc::new(Mutex::new(directory)));
    assert_in_sync(&group(json!({"name": "staff"})), &host);
    assert_in_sync(&group(json!({"name": "staff", "gid": 10000})), &host);
    assert_in_sync(&group(json!({"name": "staff", "ensure": "absent"})), &host);
    let error = refused(&group(json!({"name": "staff", "gid": 7})), &host).to_string();
    assert!(error.contains("gid is 10000, not 7"), "{error}");
}
