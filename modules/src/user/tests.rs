#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use holdfast_schemas::resource::{Kind, Spec};
use serde_json::{Value, json};

use crate::harness::{Enforced, enforce};
use crate::host::accounts::Accounts;
use crate::host::fake::FakeHost;
use crate::host::fake::programs::{NameService, Shadow};
use crate::host::{Facility, HostError, NoContent, Probe, RootedHost};
use crate::testing::{assert_in_sync, converge, lines, refused};

const PASSWD: &str =
    "root:x:0:0:root:/root:/bin/bash\n+@admins::::::\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n";
const GROUP: &str = "root:x:0:\nadm:x:4:ann\nsudo:x:27:\nusers:x:100:\nann:x:1000:\n";

/// The same host twice: one with the programs, one on which only files can be edited.
fn hosts() -> [FakeHost; 2] {
    let make = |programs: &[&str]| {
        let host = FakeHost::new();
        host.edit(|files| {
            files.write("/etc/passwd", PASSWD);
            files.write("/etc/group", GROUP);
            files.write("/etc/skel/.profile", "umask 022\n");
            files.make_directory("/home/ann");
            files.change("/home/ann", |entry| (entry.uid, entry.gid) = (1000, 1000));
        });
        match programs {
            [] => host.lack(Facility::Programs, "no programs here"),
            names => host.install(names, Arc::new(Mutex::new(Shadow))),
        }
        host
    };
    [make(&["useradd", "usermod", "userdel"]), make(&[])]
}

fn user(json: Value) -> Spec {
    crate::testing::spec(Kind::User, json)
}

fn accounts(host: &FakeHost) -> Arc<Accounts> {
    host.accounts().unwrap()
}

#[test]
fn a_new_account_has_what_was_declared_and_is_locked() {
    for host in hosts() {
        let bob = user(json!({
            "name": "bob", "uid": 1500, "group": "users", "groups": ["adm", "sudo"],
            "comment": "Bob", "home": "/srv/bob", "shell": "/bin/bash", "manage_home": true,
        }));
        let shown = converge(&bob, &host);
        assert_eq!(
            lines(&shown)[..2],
            ["ensure: absent -> present", "uid: - -> 1500"]
        );
        let files = host.files();
        assert!(
            files
                .text("/etc/passwd")
                .ends_with("\nbob:x:1500:100:Bob:/srv/bob:/bin/bash\n")
        );
        assert!(files.text("/etc/shadow").contains("bob:!:"));
        assert!(
            files
                .text("/etc/group")
                .contains("adm:x:4:ann,bob\nsudo:x:27:bob\n")
        );
        assert_eq!(files.get("/srv/bob").unwrap().uid, 1500);
    }
}

#[test]
fn without_a_group_it_gets_one_of_its_own() {
    for host in hosts() {
        converge(&user(json!({"name": "carl"})), &host);
        let accounts = accounts(&host);
        assert_eq!(accounts.users["carl"].uid, 1001);
        assert_eq!(
            accounts.group_name(accounts.users["carl"].gid),
            Some("carl")
        );
    }
}

#[test]
fn files_keep_the_lines_nobody_manages() {
    let [_, host] = hosts();
    converge(&user(json!({"name": "svc", "system": true})), &host);
    let files = host.files();
    assert!(files.text("/etc/passwd").starts_with(PASSWD));
    assert!(
        files
            .text("/etc/passwd")
            .ends_with("svc:x:999:999::/home/svc:/bin/sh\n")
    );
}

/// U01
#[test]
fn a_home_that_went_missing_is_made_again() {
    for host in hosts() {
        host.edit(|files| files.remove("/home/ann"));
        let shown = converge(&user(json!({"name": "ann", "manage_home": true})), &host);
        assert_eq!(lines(&shown), ["home folder: missing -> present"]);
        let files = host.files();
        assert_eq!(files.get("/home/ann").unwrap().uid, 1000);
        assert_eq!(files.text("/home/ann/.profile"), "umask 022\n");
    }
}

/// U03
#[test]
fn groups_are_exactly_those_declared_or_left_alone() {
    for host in hosts() {
        assert_in_sync(&user(json!({"name": "ann"})), &host);
        converge(
            &user(json!({"name": "ann", "groups": ["adm", "sudo"]})),
            &host,
        );
        let shown = converge(&user(json!({"name": "ann", "groups": ["sudo"]})), &host);
        assert_eq!(lines(&shown), ["groups: adm,sudo -> sudo"]);
        converge(&user(json!({"name": "ann", "groups": []})), &host);
        assert_in_sync(&user(json!({"name": "ann", "groups": ["ann"]})), &host);
    }
}

/// U05
#[test]
fn comments_are_text_whatever_they_look_like() {
    for host in hosts() {
        for comment in ["12345", "", "Änne Müller", "-x"] {
            converge(&user(json!({"name": "ann", "comment": comment})), &host);
            assert_eq!(accounts(&host).users["ann"].comment, comment);
        }
        refused(&user(json!({"name": "ann", "comment": "a:b"})), &host);
    }
}

#[test]
fn properties_change_one_by_one() {
    for host in hosts() {
        let ann = user(
            json!({"name": "ann", "uid": 1200, "group": "100", "shell": "/bin/bash", "home": "/srv/ann"}),
        );
        let expected = [
            "uid: 1000 -> 1200",
            "gid: 1000 -> 100",
            "home: /home/ann -> /srv/ann",
            "shell: /bin/sh -> /bin/bash",
        ];
        assert_eq!(lines(&converge(&ann, &host)), expected);
        assert!(
            host.files()
                .text("/etc/passwd")
                .contains("ann:x:1200:100:Ann:/srv/ann:/bin/bash\n")
        );
    }
}

#[test]
fn removal_takes_the_home_only_where_it_is_managed_and_its_own() {
    for host in hosts() {
        let gone = user(json!({"name": "ann", "ensure": "absent", "manage_home": true}));
        converge(&gone, &host);
        let files = host.files();
        assert!(files.get("/home/ann").is_none());
        assert!(
            !files.text("/etc/passwd").contains("ann") && !files.text("/etc/group").contains("ann")
        );
    }
    for host in hosts() {
        host.edit(|files| _ = files.change("/home/ann", |entry| entry.uid = 0));
        converge(
            &user(json!({"name": "ann", "ensure": "absent", "manage_home": true})),
            &host,
        );
        assert!(
            host.files().get("/home/ann").is_some(),
            "it belongs to root"
        );
    }
}

#[test]
fn what_would_do_harm_is_refused() {
    for host in hosts() {
        refused(&user(json!({"name": "root", "ensure": "absent"})), &host);
        for name in ["-o", "a:b", "a\nb", "0"] {
            refused(&user(json!({"name": name})), &host);
        }
        let error = refused(&user(json!({"name": "bob", "groups": ["wheel"]})), &host);
        assert!(matches!(
            error,
            HostError::NoSuchAccount { what: "group", .. }
        ));
    }
}

#[test]
fn a_root_without_databases_gets_them() {
    let host = FakeHost::new();
    host.lack(Facility::Programs, "no programs here");
    host.edit(|files| files.remove("/etc"));
    converge(&user(json!({"name": "ann", "uid": 1000})), &host);
    let files = host.files();
    assert_eq!(
        files.text("/etc/passwd"),
        "ann:x:1000:1000::/home/ann:/bin/sh\n"
    );
    assert_eq!(files.get("/etc/shadow").unwrap().mode.bits(), 0o640);
}

#[test]
fn a_folder_as_root_takes_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let host = RootedHost::new(folder.path(), Arc::new(NoContent)).unwrap();
    let ann = user(json!({"name": "ann", "uid": 1000, "comment": "Ann"}));
    for _ in 0..2 {
        let outcome = enforce(&ann, &host);
        let fine = matches!(outcome, Enforced::Changed(_) | Enforced::InSync);
        assert!(fine, "{outcome:?}");
    }
    assert!(matches!(enforce(&ann, &host), Enforced::InSync));
    let passwd = std::fs::read_to_string(folder.path().join("etc/passwd")).unwrap();
    assert_eq!(passwd, "ann:x:1000:1000:Ann:/home/ann:/bin/sh\n");
    let gone = user(json!({"name": "ann", "ensure": "absent"}));
    assert!(matches!(enforce(&gone, &host), Enforced::Changed(_)));
    assert!(matches!(enforce(&gone, &host), Enforced::InSync));
}

/// A host with a directory that knows jane, and staff.
fn with_directory() -> FakeHost {
    let [host, _] = hosts();
    let directory = NameService {
        passwd: "jane:*:10001:10000:Jane:/home/jane:/bin/bash\n".to_owned(),
        group: "staff:*:10000:jane\n".to_owned(),
        fails: false,
    };
    host.install(&["getent"], Arc::new(Mutex::new(directory)));
    host
}

#[test]
fn an_account_of_a_directory_is_as_wanted_or_an_error() {
    let host = with_directory();
    for good in [
        json!({"name": "jane"}),
        json!({"name": "jane", "uid": 10001, "group": "staff", "shell": "/bin/bash"}),
    ] {
        assert_in_sync(&user(good.clone()), &host);
        let seen = crate::harness::observe(&user(good), &host).unwrap();
        assert!(seen.remark.unwrap().contains("name service"));
    }
    let other = user(json!({"name": "jane", "uid": 2000, "shell": "/bin/sh"}));
    let error = refused(&other, &host).to_string();
    assert!(
        error.contains("name service") && error.contains("/etc/passwd"),
        "{error}"
    );
    assert!(error.contains("uid is \"10001\", not \"2000\""), "{error}");
    assert_in_sync(&user(json!({"name": "jane", "ensure": "absent"})), &host);
}

#[test]
fn a_group_of_a_directory_is_a_primary_group_and_lists_nobody_here() {
    let host = with_directory();
    host.edit(|files| {
        let passwd = format!("{PASSWD}joe:x:1500:10000:::/bin/sh\n");
        files.write("/etc/passwd", passwd);
    });
    assert_in_sync(&user(json!({"name": "joe", "group": "staff"})), &host);
    let listed = user(json!({"name": "ann", "groups": ["staff"]}));
    let error = refused(&listed, &host).to_string();
    assert!(error.contains("where its members are listed"), "{error}");
}
