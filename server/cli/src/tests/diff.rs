//! `diff`, on repositories made for it.

use super::repo::Repo;
use super::transcript;
use crate::exit::Exit;

const ROLE: &str = "resources:
  - file: /etc/app.conf
    content: \"port = {{ port }}\\n\"
  - file: /etc/terms
    source: terms
";

fn repo() -> Repo {
    Repo::of(&[
        ("globals.yaml", "vars: { port: 80 }\nroles: [app]\n"),
        ("roles/app/role.yaml", ROLE),
        ("roles/app/files/terms", &terms("clause")),
        ("hosts/web-1.yaml", "{}\n"),
        ("hosts/web-2.yaml", "{}\n"),
        ("hosts/db-1.yaml", "vars: { port: 5432 }\n"),
    ])
}

/// A content file that is too long to stand in a catalog.
fn terms(word: &str) -> String {
    let clauses = (0..1000).map(|number| match number {
        500 => format!("{word} of all\n"),
        _ => format!("clause {number}\n"),
    });
    clauses.collect()
}

#[test]
fn nothing_differs_before_anything_is_changed() {
    let repo = repo();
    let told = transcript(&["diff", "--site", repo.path()]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    assert_eq!(told.answer, "no difference in 3 hosts\n");
    repo.write(&[("README.md", "of no matter to a host")]);
    repo.commit();
    let told = transcript(&["diff", "HEAD~1..HEAD", "--site", repo.path()]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
}

#[test]
fn what_is_not_committed_is_compared_with_what_is() {
    let repo = repo();
    repo.write(&[
        ("globals.yaml", "vars: { port: 8080 }\nroles: [app]\n"),
        ("roles/app/files/terms", &terms("article")),
        ("hosts/new-1.yaml", "{}\n"),
    ]);
    repo.remove("hosts/web-2.yaml");
    let told = transcript(&["diff", "--site", repo.path()]);
    insta::assert_snapshot!(told);
    repo.commit();
    let again = transcript(&["diff", "HEAD~1..", "--site", repo.path()]);
    assert_eq!(again.answer, told.answer);
    let back = transcript(&["diff", "HEAD..HEAD~1", "--site", repo.path()]);
    assert!(
        back.answer
            .contains("-article of all\n        +clause of all"),
        "{back}"
    );
}

#[test]
fn hosts_can_be_chosen() {
    let repo = repo();
    repo.write(&[("globals.yaml", "vars: { port: 8080 }\nroles: [app]\n")]);
    let told = transcript(&["diff", "--host", "db-*", "--site", repo.path()]);
    assert_eq!(
        (told.exit, told.answer.as_str()),
        (Exit::Fine, "no difference in 1 host\n")
    );
    let told = transcript(&[
        "diff",
        "--host",
        "web-1",
        "--host",
        "db-1",
        "--site",
        repo.path(),
    ]);
    assert_eq!(told.exit, Exit::Found, "{told}");
    assert!(told.answer.ends_with("1 of 2 hosts differ\n"), "{told}");
    let told = transcript(&["diff", "--host", "wbe-1", "--site", repo.path()]);
    insta::assert_snapshot!(told);
}

#[test]
fn a_host_that_does_not_compile_any_more_is_told_with_its_reason() {
    let repo = repo();
    repo.write(&[("globals.yaml", "roles: [app]\n")]);
    let told = transcript(&["diff", "--site", repo.path()]);
    insta::assert_snapshot!(told);
    repo.write(&[("globals.yaml", "rolls: [app]\nvars: {}\n")]);
    let told = transcript(&["diff", "--site", repo.path()]);
    insta::assert_snapshot!(told);
}

#[test]
fn programs_get_types() {
    let repo = repo();
    repo.write(&[("globals.yaml", "vars: { port: 8080 }\nroles: [app]\n")]);
    let told = transcript(&["diff", "--json", "--site", repo.path()]);
    assert_eq!(told.exit, Exit::Found, "{told}");
    let mut answer: serde_json::Value = serde_json::from_str(&told.answer).unwrap();
    let before = answer["before"].take();
    assert_eq!(before.as_str().unwrap().len(), 10);
    let answer = serde_json::to_string_pretty(&answer).unwrap();
    insta::assert_snapshot!(answer);
}

#[test]
fn a_folder_without_revisions_says_so() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap();
    let told = transcript(&["diff", "--site", path]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
    assert!(told.asides.contains("lies in no Git repository"), "{told}");
    let repo = repo();
    let told = transcript(&["diff", "nowhere..HEAD", "--site", repo.path()]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
    assert!(
        told.asides.contains("there is no revision \"nowhere\""),
        "{told}"
    );
}
