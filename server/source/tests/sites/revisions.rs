//! Which state of a site is read: branches, commits, fetched copies, a folder as it is.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::world::{Repo, git, git_in, write};
use crate::{all, open, options, read};
use holdfast_source::{Discard, Options, Revision, Source, SourceError};
use tempfile::TempDir;

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
fn a_site_may_lie_in_a_folder_of_its_repository() {
    let repo = Repo::new();
    repo.write("README", "all of us");
    let without = repo.commit();
    repo.write("ops/site/globals.yaml", "vars: {}");
    repo.write("ops/site/roles/r/files/page", "content");
    let with = repo.commit();
    let source = Source::committed(repo.path().join("ops/site")).unwrap();
    let revision = source.resolve("HEAD").unwrap();
    assert_eq!(revision.as_str(), with);
    let files: Vec<String> = all(&source.read(&revision, &mut Discard).unwrap())
        .into_keys()
        .map(str::to_owned)
        .collect();
    assert_eq!(files, ["globals.yaml", "roles/r/files/page"]);
    let before = source.resolve(&without).unwrap();
    let told = source.read(&before, &mut Discard).unwrap_err();
    assert!(
        matches!(told, SourceError::NoFolder { .. }) && told.to_string().contains("ops/site"),
        "{told}"
    );
    let whole = Source::committed(repo.path()).unwrap();
    let revision = whole.resolve(&without).unwrap();
    assert_eq!(whole.read(&revision, &mut Discard).unwrap().files.len(), 1);
}

#[test]
fn a_folder_outside_of_every_repository_has_no_commits() {
    let folder = TempDir::new().unwrap();
    let told = Source::committed(folder.path()).unwrap_err();
    assert!(matches!(told, SourceError::NoRepository { .. }), "{told}");
}
