//! Sites as they come: folders, repositories bare and not, URLs, and what is planted in them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::time::Duration;

use holdfast_catalog::site::{Entry, MAX_CONTENT, MAX_TEXT, Snapshot};
use holdfast_schemas::Digest;
use holdfast_source::{Discard, KeepInMemory, Options, Revision, Source, SourceError};
use nix::sys::stat::Mode;
use tempfile::TempDir;
use world::{Repo, git, git_in, write};

/// What a test says of an entry.
fn told(entry: &Entry) -> String {
    match entry {
        Entry::Text(bytes) => format!("text {}", String::from_utf8_lossy(bytes)),
        Entry::Content { size, inline, .. } => match inline {
            Some(text) => format!("content {text}"),
            None => format!("content of {size}"),
        },
        Entry::TooLarge { size, limit } => format!("{size} is over {limit}"),
        Entry::Link { target } => format!("link to {target}"),
        Entry::Foreign { what } => what.clone(),
    }
}

fn all(snapshot: &Snapshot) -> BTreeMap<&str, String> {
    let files = snapshot.files.iter();
    files.map(|(path, entry)| (&**path, told(entry))).collect()
}

fn read(source: &Source) -> Snapshot {
    source.read(&source.head().unwrap(), &mut Discard).unwrap()
}

fn options(folder: &TempDir) -> Options {
    Options::new(folder.path().join("cache"))
}

fn open(repo: &Repo) -> Source {
    Source::open(repo.path().to_str().unwrap(), options(&repo.folder)).unwrap()
}

#[test]
fn a_repository_is_read_at_its_commit_and_not_at_its_working_tree() {
    let repo = Repo::new();
    repo.write("globals.yaml", "vars: {}");
    repo.write("roles/nginx/files/page.html", "<p>hi</p>");
    repo.write(".gitignore", "target");
    repo.write(".ci/run", "true");
    repo.write("roles/nginx/.hidden", "kept");
    let commit = repo.commit();
    repo.write("globals.yaml", "vars: uncommitted");
    repo.write("new.yaml", "uncommitted");
    let source = open(&repo);
    assert_eq!(source.head().unwrap().as_str(), commit);
    let snapshot = read(&source);
    assert_eq!(snapshot.revision, commit);
    let expected = BTreeMap::from([
        ("globals.yaml", "text vars: {}".to_owned()),
        ("roles/nginx/.hidden", "text kept".to_owned()),
        (
            "roles/nginx/files/page.html",
            "content <p>hi</p>".to_owned(),
        ),
    ]);
    assert_eq!(all(&snapshot), expected);

    let uncommitted = Source::working_tree(repo.path()).unwrap();
    let snapshot = uncommitted
        .read(&Revision::working_tree(), &mut Discard)
        .unwrap();
    assert_eq!(snapshot.revision, "working tree");
    assert_eq!(all(&snapshot)["globals.yaml"], "text vars: uncommitted");
    assert_eq!(all(&snapshot).len(), 4);
}

#[test]
fn a_bare_repository_and_a_named_branch_are_read() {
    let repo = Repo::new();
    repo.write("globals.yaml", "on main");
    repo.commit();
    repo.git(&["checkout", "-q", "-b", "next/one"]);
    repo.write("globals.yaml", "on next");
    repo.commit();
    let bare = TempDir::new().unwrap();
    git(&[
        "clone",
        "-q",
        "--bare",
        repo.path().to_str().unwrap(),
        bare.path().to_str().unwrap(),
    ]);
    git_in(bare.path(), &["symbolic-ref", "HEAD", "refs/heads/main"]);
    let at = |branch: Option<&str>| {
        let options = Options {
            branch: branch.map(str::to_owned),
            ..options(&repo.folder)
        };
        Source::open(bare.path().to_str().unwrap(), options).unwrap()
    };
    let text = |source: &Source| all(&read(source))["globals.yaml"].clone();
    assert_eq!(text(&at(None)), "text on main");
    assert_eq!(text(&at(Some("next/one"))), "text on next");
    assert!(matches!(
        at(Some("none")).head(),
        Err(SourceError::Empty { .. })
    ));
    assert!(matches!(
        at(Some("--x")).head(),
        Err(SourceError::BadBranch(_))
    ));
}

#[test]
fn a_new_commit_moves_the_head_and_the_old_one_stays_readable() {
    let repo = Repo::new();
    repo.write("a.yaml", "1");
    let first = repo.commit();
    let source = open(&repo);
    let before = source.head().unwrap();
    repo.write("a.yaml", "2");
    repo.git(&["rm", "-q", "--cached", "a.yaml"]);
    repo.write("b.yaml", "2");
    let second = repo.commit();
    assert_ne!(first, second);
    assert_eq!(source.head().unwrap().as_str(), second);
    repo.git(&["gc", "-q", "--aggressive"]);
    let old = source.read(&before, &mut Discard).unwrap();
    assert_eq!(all(&old)["a.yaml"], "text 1");
    assert_eq!(source.resolve("main~1").unwrap(), before);
    assert_eq!(source.resolve(&first[..9]).unwrap(), before);
    let unknown = source.resolve("nothing");
    assert!(matches!(unknown, Err(SourceError::UnknownRevision { .. })));
}

#[test]
fn a_repository_without_a_commit_says_so() {
    let repo = Repo::new();
    let refused = open(&repo).head().unwrap_err();
    assert!(matches!(refused, SourceError::Empty { .. }), "{refused:?}");
}

#[test]
fn a_place_that_is_no_site_says_so() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "file", "x");
    for name in ["file", "none"] {
        let path = folder.path().join(name);
        let refused = Source::open(path.to_str().unwrap(), options(&folder));
        assert!(
            matches!(refused, Err(SourceError::File { .. })),
            "{refused:?}"
        );
    }
}

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
fn a_file_that_is_too_large_is_not_read() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "roles/web/files/small", "x");
    let huge = |path: &str, size: u64| {
        let path = folder.path().join(path);
        fs::File::create(path).unwrap().set_len(size).unwrap();
    };
    huge("roles/web/files/huge", 1 << 40);
    huge("roles/web/files/fits", 1 << 20);
    huge("globals.yaml", MAX_TEXT + 1);
    let source = Source::working_tree(folder.path()).unwrap();
    let snapshot = read(&source);
    let told = all(&snapshot);
    assert_eq!(
        told["roles/web/files/huge"],
        format!("{} is over {MAX_CONTENT}", 1u64 << 40)
    );
    assert_eq!(
        told["roles/web/files/fits"],
        format!("content of {}", 1 << 20)
    );
    assert_eq!(
        told["globals.yaml"],
        format!("{} is over {MAX_TEXT}", MAX_TEXT + 1)
    );
}

#[test]
fn a_large_file_in_a_repository_is_not_read() {
    let repo = Repo::new();
    repo.write("roles/web/files/fits", &"x".repeat(1 << 20));
    repo.write(
        "globals.yaml",
        &"#".repeat(usize::try_from(MAX_TEXT).unwrap() + 1),
    );
    repo.commit();
    let snapshot = read(&open(&repo));
    let told = all(&snapshot);
    assert_eq!(
        told["globals.yaml"],
        format!("{} is over {MAX_TEXT}", MAX_TEXT + 1)
    );
    assert_eq!(
        told["roles/web/files/fits"],
        format!("content of {}", 1 << 20)
    );
}

#[test]
fn content_goes_to_the_sink_and_short_text_stays() {
    let repo = Repo::new();
    let long = "long ".repeat(100_000);
    repo.write("roles/web/files/long", &long);
    repo.write("roles/web/files/short", "short");
    fs::write(repo.path().join("roles/web/files/binary"), [0xff, 0, 1]).unwrap();
    repo.commit();
    let folder = Source::working_tree(repo.path()).unwrap();
    for source in [open(&repo), folder] {
        let mut sink = KeepInMemory::new(1 << 20, 1 << 30);
        let head = source.head().unwrap();
        let snapshot = source.read(&head, &mut sink).unwrap();
        assert_eq!(sink.kept.len(), 2);
        assert_eq!(sink.kept[&Digest::of(&long)], long.as_bytes());
        assert_eq!(sink.kept[&Digest::of([0xff, 0, 1])], [0xff, 0, 1]);
        let short = &snapshot.files["roles/web/files/short"];
        assert!(matches!(short, Entry::Content { digest, .. } if *digest == Digest::of("short")));
        let again = source.read(&head, &mut sink).unwrap();
        assert_eq!(all(&again), all(&snapshot));
    }
    let mut small = KeepInMemory::new(1000, 1000);
    let source = open(&repo);
    source.read(&source.head().unwrap(), &mut small).unwrap();
    assert_eq!(small.kept.len(), 1);
}

#[test]
fn a_sink_that_is_full_stops_the_reading() {
    struct Full;
    impl holdfast_source::ContentSink for Full {
        fn has(&mut self, _: &Digest, _: u64) -> Result<bool, holdfast_source::SinkError> {
            Ok(false)
        }
        fn put(
            &mut self,
            _: &Digest,
            _: u64,
            _: &mut dyn std::io::Read,
        ) -> Result<(), holdfast_source::SinkError> {
            Err("no room".into())
        }
    }
    let folder = TempDir::new().unwrap();
    write(folder.path(), "roles/web/files/long", &"x".repeat(10_000));
    let source = Source::working_tree(folder.path()).unwrap();
    let refused = source
        .read(&Revision::working_tree(), &mut Full)
        .unwrap_err();
    assert!(matches!(refused, SourceError::Sink { .. }), "{refused:?}");
}

#[test]
fn a_folder_s_head_moves_with_every_change() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "a.yaml", "1");
    write(folder.path(), "roles/r/role.yaml", "1");
    let source = Source::working_tree(folder.path()).unwrap();
    let mut heads = vec![source.head().unwrap()];
    assert_eq!(source.head().unwrap(), heads[0]);
    let mut moved = |change: &dyn Fn()| {
        change();
        let head = source.head().unwrap();
        assert!(!heads.contains(&head), "{head} again");
        heads.push(head);
    };
    moved(&|| write(folder.path(), "a.yaml", "12"));
    moved(&|| write(folder.path(), "b.yaml", "1"));
    moved(&|| fs::rename(folder.path().join("b.yaml"), folder.path().join("c.yaml")).unwrap());
    moved(&|| fs::create_dir(folder.path().join("empty")).unwrap());
    moved(&|| fs::remove_file(folder.path().join("roles/r/role.yaml")).unwrap());
}

#[test]
fn a_folder_deeper_than_allowed_ends() {
    let folder = TempDir::new().unwrap();
    let deep = "d/".repeat(60);
    write(folder.path(), &format!("{deep}x"), "x");
    let source = Source::working_tree(folder.path()).unwrap();
    let snapshot = read(&source);
    assert_eq!(snapshot.files.len(), 1);
    let (_, entry) = snapshot.files.first_key_value().unwrap();
    assert!(told(entry).starts_with("a folder deeper than"));
    git_in(folder.path(), &["init", "-q", "-b", "main"]);
    git_in(folder.path(), &["add", "."]);
    git_in(folder.path(), &["commit", "-q", "-m", "deep"]);
    let source = Source::open(folder.path().to_str().unwrap(), options(&folder)).unwrap();
    assert_eq!(all(&read(&source)), all(&snapshot));
}

#[test]
fn a_url_is_fetched_and_followed() {
    let repo = Repo::new();
    repo.write("a.yaml", "1");
    let first = repo.commit();
    let url = format!("file://{}", repo.path().display());
    let cache = TempDir::new().unwrap();
    let source = Source::open(&url, Options::new(cache.path())).unwrap();
    assert!(matches!(source.head(), Err(SourceError::Empty { .. })));
    source.refresh().unwrap();
    assert_eq!(source.head().unwrap().as_str(), first);
    repo.write("a.yaml", "2");
    let second = repo.commit();
    source.refresh().unwrap();
    assert_eq!(source.head().unwrap().as_str(), second);
    assert_eq!(all(&read(&source))["a.yaml"], "text 2");
    // History that was rewritten is followed too.
    repo.git(&["reset", "-q", "--hard", &first]);
    source.refresh().unwrap();
    assert_eq!(source.head().unwrap().as_str(), first);
    // A lock that a killed git left is no obstacle after a restart, and the copy is used again.
    let copy = fs::read_dir(cache.path()).unwrap().next().unwrap().unwrap();
    fs::write(copy.path().join("refs/heads/site.lock"), "").unwrap();
    let again = Source::open(&url, Options::new(cache.path())).unwrap();
    assert_eq!(again.head().unwrap().as_str(), first);
    repo.write("a.yaml", "3");
    let third = repo.commit();
    again.refresh().unwrap();
    assert_eq!(again.head().unwrap().as_str(), third);
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1);
}

#[test]
fn what_cannot_be_fetched_leaves_the_last_state() {
    let repo = Repo::new();
    repo.write("a.yaml", "1");
    let first = repo.commit();
    let away = repo.folder.path().join("away");
    let url = format!("file://{}", repo.path().display());
    let cache = TempDir::new().unwrap();
    let source = Source::open(&url, Options::new(cache.path())).unwrap();
    source.refresh().unwrap();
    fs::rename(repo.path(), &away).unwrap();
    let failed = source.refresh().unwrap_err();
    assert!(matches!(failed, SourceError::Git { .. }), "{failed:?}");
    assert_eq!(source.head().unwrap().as_str(), first);
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let cache = TempDir::new().unwrap();
    let options = Options {
        deadline: Duration::from_millis(300),
        ..Options::new(cache.path())
    };
    let source = Source::open(&format!("git://127.0.0.1:{port}/site"), options).unwrap();
    let began = std::time::Instant::now();
    let failed = source.refresh().unwrap_err();
    assert!(matches!(failed, SourceError::Deadline { .. }), "{failed:?}");
    assert!(began.elapsed() < Duration::from_secs(10));
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

#[test]
fn a_large_site_is_read_quickly() {
    let repo = Repo::new();
    for number in 0..7000 {
        let path = match number % 4 {
            0 => format!("roles/r{}/files/f{number}", number % 50),
            1 => format!("roles/r{}/templates/t{number}.j2", number % 50),
            _ => format!("hosts/h{number}.yaml"),
        };
        repo.write(&path, &format!("vars: {{ number: {number} }}\n"));
    }
    repo.commit();
    repo.git(&["gc", "-q"]);
    let folder = Source::working_tree(repo.path()).unwrap();
    for source in [open(&repo), folder] {
        let head = source.head().unwrap();
        let began = std::time::Instant::now();
        let snapshot = source.read(&head, &mut Discard).unwrap();
        let took = began.elapsed();
        assert_eq!(snapshot.files.len(), 7000);
        // Far above what it takes, far below what a quadratic reader would.
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}
