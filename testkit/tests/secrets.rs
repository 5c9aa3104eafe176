//! A secret from the repo to a host's file, with the real programs: where it is written, and where
//! it is found on no account.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use holdfast_schemas::Digest;
use holdfast_testkit::{Agent, Server, Site, program, wait_until};

/// Far longer than anything here takes; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(60);

const FIRST: &str = "correct-horse-battery";
const SECOND: &str = "staple-of-another-kind";

/// A value that was changed by hand on the host, and so is no secret of the repo.
const TAMPERED: &str = "password = tampered\n";

const ROLE: &str = "\
resources:
  - file: /etc/app.conf
    template: app.conf.j2
  - file: /etc/plain.conf
    content: \"greeting = hello\\n\"
    mode: \"0644\"
";

/// A repo with a secret, its server, and whom it is encrypted to.
struct World {
    site: Site,
    server: Server,
}

impl World {
    fn new() -> Self {
        let site = Site::new().unwrap();
        site.write("hosts/web.yaml", "{}\n").unwrap();
        site.write("hosts/db.yaml", "{}\n").unwrap();
        site.commit("two hosts").unwrap();
        let server = Server::start(site.path()).unwrap();
        let world = Self { site, server };
        let recipient = world.recipient();
        let settings = format!("secrets:\n  recipients:\n    server: {recipient}\n");
        world.site.write("holdfast.yaml", &settings).unwrap();
        world.site.write("roles/app/role.yaml", ROLE).unwrap();
        let template = "password = {{ db.password }}\n";
        let path = "roles/app/templates/app.conf.j2";
        world.site.write(path, template).unwrap();
        world
            .site
            .write("hosts/web.yaml", "roles: [app]\n")
            .unwrap();
        world
    }

    /// Whom the server reads as.
    fn recipient(&self) -> String {
        let identity = fs::read_to_string(self.server.folder().join("age-identity")).unwrap();
        let line = identity
            .lines()
            .find_map(|line| line.strip_prefix("# public key: "));
        line.unwrap().to_owned()
    }

    fn secret(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program("holdfast").unwrap());
        command.arg("secret").args(words).arg("--site");
        command.arg(self.site.path()).env("NO_COLOR", "1");
        command
    }

    /// Encrypts a password as an operator does, and commits it.
    fn commit_password(&self, password: &str) {
        let mut encrypt = self.secret(&["encrypt", "db.password"]);
        let mut encrypt = encrypt
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = encrypt.stdin.take().unwrap();
        writeln!(stdin, "{password}").unwrap();
        drop(stdin);
        let output = encrypt.wait_with_output().unwrap();
        assert!(output.status.success());
        let pasted = String::from_utf8(output.stdout).unwrap();
        let vars: String = pasted.lines().map(|line| format!("  {line}\n")).collect();
        self.site
            .write("globals.yaml", &format!("vars:\n{vars}"))
            .unwrap();
        self.commit();
    }

    fn commit(&self) {
        let revision = self.site.commit("a change").unwrap();
        let served = || {
            let status = self.server.ask(["status", "--json"]).unwrap();
            let status: serde_json::Value = serde_json::from_str(&status).unwrap();
            assert_eq!(status["refused"], serde_json::Value::Null, "{status:#}");
            status["active"] == revision.as_str()
        };
        assert!(wait_until(PATIENCE, served), "{}", self.server.log());
    }

    /// Everything that is kept or said of a run, searched for a secret.
    fn assert_nowhere(&self, hosts: &[&Agent], secret: &str) {
        let mut searched = 0;
        for folder in hosts.iter().map(|host| host.state()) {
            searched += assert_not_below(&folder, secret);
        }
        searched += assert_not_below(self.server.folder(), secret);
        assert!(searched > 20, "the folders are others: {searched} files");
        let said = [
            self.server.log(),
            self.server.ask(["drift", "--json"]).unwrap(),
            self.server.ask(["reports", "--json"]).unwrap(),
            self.server.ask(["hosts", "--json"]).unwrap(),
        ];
        for text in said.into_iter().chain(hosts.iter().map(|host| host.log())) {
            assert!(!text.contains(secret), "{text}");
        }
        assert_not_around(self.server.pid().unwrap(), secret);
        // What a digest is of can be guessed: of the content there is none on the way either.
        let digest = Digest::of(content(secret)).to_string();
        assert_not_below(self.server.folder(), &digest);
        assert!(!self.server.log().contains(&digest));
        let said = self.server.ask(["reports", "--json"]).unwrap();
        assert!(!said.contains(&digest), "{said}");
    }
}

/// What the host's file holds.
fn content(secret: &str) -> String {
    format!("password = {secret}\n")
}

/// What everybody on the machine sees of a process does not hold the secret, nor its environment.
fn assert_not_around(pid: u32, secret: &str) {
    for file in ["cmdline", "environ", "comm"] {
        let seen = fs::read(format!("/proc/{pid}/{file}")).unwrap();
        assert!(!seen.is_empty(), "{file} of {pid} tells nothing");
        let mut windows = seen.windows(secret.len());
        assert!(!windows.any(|at| at == secret.as_bytes()), "{file}");
    }
}

/// How many files of a folder were searched; none of them holds the secret.
fn assert_not_below(folder: &Path, secret: &str) -> usize {
    let mut searched = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            searched += assert_not_below(&path, secret);
        } else if let Ok(bytes) = fs::read(&path) {
            let mut windows = bytes.windows(secret.len());
            let found = windows.any(|at| at == secret.as_bytes());
            assert!(!found, "{} holds the secret", path.display());
            searched += 1;
        }
    }
    searched
}

/// Runs a host once, and expects an exit code and nothing of the secrets in what it says.
#[track_caller]
fn once(host: &Agent, more: &[&str], code: i32) -> String {
    let ran = host.once(more).unwrap();
    let said = ran.stdout + &ran.stderr;
    assert_eq!(ran.code, Some(code), "{said}");
    for secret in [FIRST, SECOND] {
        assert!(!said.contains(secret), "{said}");
    }
    said
}

#[test]
fn a_secret_is_in_the_hosts_file_and_nowhere_else() {
    let world = World::new();
    world.commit_password(FIRST);
    let web = Agent::enrolled(&world.server, "web").unwrap();
    let db = Agent::enrolled(&world.server, "db").unwrap();
    once(&db, &[], 0);
    let said = once(&web, &["--no-op", "--json"], 2);
    assert!(said.contains("secret:db.password"), "{said}");
    once(&web, &["--json"], 2);
    assert_eq!(web.read("/etc/app.conf").unwrap(), content(FIRST));
    let mode = fs::metadata(web.path("/etc/app.conf"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600, "nobody else reads it");
    once(&web, &["--json"], 0);
    world.assert_nowhere(&[&web, &db], FIRST);

    // Drift is seen and mended without a word about what it should be.
    fs::write(web.path("/etc/app.conf"), TAMPERED).unwrap();
    once(&web, &["--json"], 2);
    assert_eq!(web.read("/etc/app.conf").unwrap(), content(FIRST));

    // Another version is an intended change; neither is shown.
    world.commit_password(SECOND);
    once(&web, &[], 2);
    assert_eq!(web.read("/etc/app.conf").unwrap(), content(SECOND));
    once(&web, &[], 0);
    // An agent that stays says no more, and neither does the server to whom it answers.
    let running = web.run(&["--interval", "1s"]).unwrap();
    fs::write(web.path("/etc/app.conf"), TAMPERED).unwrap();
    let mended = || web.read("/etc/app.conf").unwrap() == content(SECOND);
    assert!(wait_until(PATIENCE, mended), "{}", web.log());
    for secret in [FIRST, SECOND] {
        world.assert_nowhere(&[&web, &db], secret);
        assert_not_around(running.pid(), secret);
    }
}

#[test]
fn recipients_come_and_go_without_a_word_to_hosts() {
    let world = World::new();
    world.commit_password(FIRST);
    let web = Agent::enrolled(&world.server, "web").unwrap();
    once(&web, &[], 2);
    let before = world.server.ask(["hosts", "--json"]).unwrap();
    let keys = tempfile::tempdir().unwrap();
    let ada = keys.path().join("ada");
    let made = Command::new(program("holdfast").unwrap())
        .args(["secret", "keygen"])
        .arg(&ada)
        .output()
        .unwrap();
    let recipient = String::from_utf8(made.stdout).unwrap();
    let settings = format!(
        "secrets:\n  recipients:\n    ada: {recipient}    server: {}\n",
        world.recipient()
    );
    world.site.write("holdfast.yaml", &settings).unwrap();
    let identity = world.server.folder().join("age-identity");
    let rotated = world
        .secret(&["rotate"])
        .arg("--identity")
        .arg(identity)
        .status();
    assert!(rotated.unwrap().success());
    world.commit();
    once(&web, &[], 0);
    let wants = |hosts: &str| {
        let hosts: serde_json::Value = serde_json::from_str(hosts).unwrap();
        let web = hosts
            .as_array()
            .unwrap()
            .iter()
            .find(|host| host["name"] == "web");
        web.unwrap()["wants"].clone()
    };
    let after = world.server.ask(["hosts", "--json"]).unwrap();
    assert_eq!(wants(&before), wants(&after), "no new generation");

    // Who joined reads it, too.
    let globals = world.site.path().join("globals.yaml");
    let place = format!("{}:db.password", globals.display());
    let copy = keys.path().join("copy");
    let editor = format!("f() {{ cp \"$1\" {}; }}; f", copy.display());
    let edited = world
        .secret(&["edit", &place, "--editor", &editor])
        .arg("--identity")
        .arg(&ada)
        .status();
    assert!(edited.unwrap().success());
    assert_eq!(fs::read_to_string(copy).unwrap(), FIRST);
}

#[test]
fn a_server_without_the_identity_refuses_the_commit_and_says_whom_to_add() {
    let world = World::new();
    let keys = tempfile::tempdir().unwrap();
    let ada = keys.path().join("ada");
    let made = Command::new(program("holdfast").unwrap())
        .args(["secret", "keygen"])
        .arg(&ada)
        .output()
        .unwrap();
    let recipient = String::from_utf8(made.stdout).unwrap();
    let settings = format!("secrets:\n  recipients:\n    ada: {recipient}");
    world.site.write("holdfast.yaml", &settings).unwrap();
    let mut encrypt = world.secret(&["encrypt", "db.password"]);
    let mut encrypt = encrypt
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    encrypt
        .stdin
        .take()
        .unwrap()
        .write_all(FIRST.as_bytes())
        .unwrap();
    let pasted = String::from_utf8(encrypt.wait_with_output().unwrap().stdout).unwrap();
    let vars: String = pasted.lines().map(|line| format!("  {line}\n")).collect();
    world
        .site
        .write("globals.yaml", &format!("vars:\n{vars}"))
        .unwrap();
    let revision = world.site.commit("a secret").unwrap();
    let mut told = String::new();
    let refused = wait_until(PATIENCE, || {
        let status = world.server.ask(["status", "--json"]).unwrap();
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        told = status["refused"]["diagnostics"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        status["refused"]["revision"] == revision.as_str()
    });
    assert!(refused, "{}", world.server.log());
    for part in ["globals.yaml:", "secret:db.password", &world.recipient()] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains(FIRST));
}
