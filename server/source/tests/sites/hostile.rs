//! What whoever may write a site plants in it: it is named, and never followed, opened or run.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use crate::world::{Repo, write};
use crate::{all, open, options, read};
use holdfast_source::{Options, Source};
use nix::sys::stat::Mode;
use tempfile::TempDir;

#[test]
fn links_are_named_and_never_followed() {
    let secret = TempDir::new().unwrap();
    write(secret.path(), "shadow", "root:secret");
    let repo = Repo::new();
    repo.write("real.yaml", "x");
    symlink(secret.path().join("shadow"), repo.path().join("out.yaml")).unwrap();
    symlink(secret.path(), repo.path().join("roles")).unwrap();
    symlink("real.yaml", repo.path().join("inside.yaml")).unwrap();
    symlink("loop", repo.path().join("loop")).unwrap();
    repo.commit();
    let folder = Source::working_tree(repo.path()).unwrap();
    for snapshot in [read(&open(&repo)), read(&folder)] {
        let told = all(&snapshot);
        assert_eq!(told.len(), 5, "{told:?}");
        assert_eq!(told["real.yaml"], "text x");
        assert_eq!(told["inside.yaml"], "link to real.yaml");
        assert_eq!(told["loop"], "link to loop");
        assert_eq!(
            told["roles"],
            format!("link to {}", secret.path().display())
        );
        assert!(told["out.yaml"].starts_with("link to /"));
        assert!(!format!("{told:?}").contains("secret\""));
    }
}

#[test]
fn pipes_sockets_and_bad_names_are_named_and_never_opened() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "globals.yaml", "x");
    nix::unistd::mkfifo(&folder.path().join("pipe"), Mode::S_IRWXU).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let bad = std::ffi::OsStr::from_bytes(b"bad\xff.yaml");
    fs::write(folder.path().join(bad), "x").unwrap();
    let bad = std::ffi::OsStr::from_bytes(b"folder\xfe");
    fs::create_dir(folder.path().join(bad)).unwrap();
    fs::write(folder.path().join(bad).join("inside"), "x").unwrap();
    write(folder.path(), "nested/.git/config", "not of the site");
    let source = Source::open(folder.path().to_str().unwrap(), options(&folder)).unwrap();
    let snapshot = read(&source);
    let expected = BTreeMap::from([
        ("bad\\xff.yaml", "a name that is not UTF-8".to_owned()),
        ("folder\\xfe", "a name that is not UTF-8".to_owned()),
        ("globals.yaml", "text x".to_owned()),
        ("pipe", "a pipe".to_owned()),
        ("socket", "a socket".to_owned()),
    ]);
    assert_eq!(all(&snapshot), expected);
}

#[test]
fn bad_names_and_submodules_in_a_repository_are_named() {
    let repo = Repo::new();
    let bad = std::ffi::OsStr::from_bytes(b"bad\xff.yaml");
    fs::write(repo.path().join(bad), "x").unwrap();
    let commit = repo.commit();
    repo.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{commit},vendor"),
    ]);
    repo.git(&["commit", "-q", "-m", "a submodule"]);
    let snapshot = read(&open(&repo));
    assert_eq!(all(&snapshot)["bad\\xff.yaml"], "a name that is not UTF-8");
    assert_eq!(all(&snapshot)["vendor"], "a submodule");
}

#[test]
fn a_name_that_leads_out_of_the_site_is_only_named() {
    let repo = Repo::new();
    repo.write("good.yaml", "x");
    repo.commit();
    let blob = repo.output(&["rev-parse", "HEAD:good.yaml"]);
    // Git refuses to make such a tree in every ordinary way, so it is written as an object.
    let row = |mode: &str, name: &str, id: &str| {
        let mut row = format!("{mode} {name}\0").into_bytes();
        row.extend(
            (0..20).map(|byte| u8::from_str_radix(&id[byte * 2..byte * 2 + 2], 16).unwrap()),
        );
        row
    };
    let planted = |rows: Vec<Vec<u8>>| {
        fs::write(repo.path().join("tree"), rows.concat()).unwrap();
        repo.output(&["hash-object", "-t", "tree", "--literally", "-w", "tree"])
    };
    let inner = planted(vec![
        row("100644", "..", &blob),
        row("100644", "a/b", &blob),
    ]);
    let tree = planted(vec![
        row("100644", "..", &blob),
        row("40000", "roles", &inner),
    ]);
    let commit = repo.output(&["commit-tree", "-m", "planted", &tree]);
    repo.git(&["update-ref", "refs/heads/main", &commit]);
    let snapshot = read(&open(&repo));
    let told = all(&snapshot);
    assert_eq!(told["roles/.."], "a name that no file can have");
    assert_eq!(told["roles/a/b"], "a name that no file can have");
    // At the top, what begins with a dot is not of the site, whatever it is.
    assert_eq!(told.len(), 2);
}

#[test]
fn nothing_in_a_repository_is_run() {
    let repo = Repo::new();
    let proof = repo.folder.path().join("proof");
    let run = format!("sh -c 'touch {}'", proof.display());
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "filter.evil.smudge",
        "uploadpack.packObjectsHook",
        "core.pager",
    ] {
        repo.git(&["config", key, &run]);
    }
    for hook in ["post-checkout", "reference-transaction", "post-update"] {
        let path = repo.path().join(".git/hooks").join(hook);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\ntouch {}\n", proof.display())).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).unwrap();
    }
    repo.write(".gitattributes", "* filter=evil");
    repo.write("a.yaml", "1");
    repo.commit();
    let _ = fs::remove_file(&proof);
    let source = open(&repo);
    assert_eq!(all(&read(&source)).len(), 1);
    let url = format!("file://{}", repo.path().display());
    let source = Source::open(&url, Options::new(repo.folder.path().join("cache"))).unwrap();
    source.refresh().unwrap();
    assert_eq!(all(&read(&source)).len(), 1);
    assert!(!proof.exists());
}
