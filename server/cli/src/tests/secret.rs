//! `holdfast secret`: a site whose secrets are made, changed, handed over, and looked for.

use std::fs;
use std::path::PathBuf;

use holdfast_secrets::{Form, Keyring, Recipients, values};
use tempfile::TempDir;

use super::transcript;
use crate::exit::Exit;

/// A site with two people who can read its secrets, and their identities beside it.
struct World {
    folder: TempDir,
    ada: Keyring,
    bob: Keyring,
}

impl World {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let made = ["ada", "bob"].map(|name| {
            let made = Keyring::generate();
            fs::write(folder.path().join(name), &*made.file).unwrap();
            Keyring::parse(&made.file).unwrap()
        });
        let [ada, bob] = made;
        let world = Self { folder, ada, bob };
        world.write("hosts/web-1.yaml", "{}\n");
        world.name(&["ada"]);
        world
    }

    fn site(&self) -> String {
        self.folder.path().join("site").display().to_string()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("site").join(path)
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn keyring(&self, name: &str) -> &Keyring {
        match name {
            "ada" => &self.ada,
            _ => &self.bob,
        }
    }

    /// Names the recipients in `holdfast.yaml`.
    fn name(&self, names: &[&str]) {
        let mut text = "secrets:\n  recipients:\n".to_owned();
        for name in names {
            let recipient = &self.keyring(name).recipients()[0];
            text.push_str(&format!("    {name}: {recipient}\n"));
        }
        self.write("holdfast.yaml", text);
    }

    fn encrypt(&self, to: &str, secret: &str, form: Form) -> Vec<u8> {
        let recipient = &self.keyring(to).recipients()[0];
        let to = Recipients::parse([&**recipient]).unwrap();
        to.encrypt(secret.as_bytes(), form).unwrap()
    }

    /// A value as it stands in a YAML file.
    fn value(&self, path: &str, secret: &str) -> String {
        let armored = self.encrypt("ada", secret, Form::Armored);
        values::pasteable(path, &String::from_utf8(armored).unwrap())
    }

    fn run(&self, who: &str, words: &[&str]) -> super::Transcript {
        let (site, identity) = (self.site(), self.folder.path().join(who));
        let identity = identity.to_str().unwrap();
        let tail = ["--site", &site, "--identity", identity];
        transcript(&[&["secret"], words, &tail].concat())
    }

    /// What somebody reads in a YAML file, by the values' places.
    fn opened(&self, who: &str, path: &str) -> Vec<(String, String)> {
        let found = values::find(&self.read(path)).unwrap();
        let opened = found.into_iter().map(|value| {
            let plain = self.keyring(who).open(value.armored.as_bytes());
            let text = plain.map(|plain| String::from_utf8(plain.expose().to_vec()).unwrap());
            (value.path, text.unwrap_or_else(|error| error.to_string()))
        });
        opened.collect()
    }
}

#[test]
fn a_file_is_encrypted_beside_itself_to_those_who_are_named() {
    let world = World::new();
    world.write("roles/web/files/tls.key", b"key\n\xff");
    let site = world.site();
    let open = world.path("roles/web/files/tls.key");
    let open = open.to_str().unwrap();
    let told = transcript(&["secret", "encrypt", "--file", open, "--site", &site]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    assert_eq!(told.answer, format!("{open}.age\n"));
    assert!(told.asides.contains("remove it"), "{told}");
    let encrypted = fs::read(format!("{open}.age")).unwrap();
    assert_eq!(world.ada.open(&encrypted).unwrap().expose(), b"key\n\xff");
    assert!(world.bob.open(&encrypted).is_err());
}

#[test]
fn where_nobody_is_named_nothing_is_encrypted() {
    let world = World::new();
    world.write("holdfast.yaml", "{}\n");
    world.write("plain", "s3cret");
    let (site, plain) = (world.site(), world.path("plain"));
    let plain = plain.to_str().unwrap();
    let told = transcript(&["secret", "encrypt", "--file", plain, "--site", &site]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
    assert!(told.asides.contains("recipients: {ada: age1"), "{told}");
    assert!(!world.path("plain.age").exists());
    for wrong in ["a b", "a..b", ".a", "a:", "é"] {
        let told = transcript(&["secret", "encrypt", wrong, "--site", &site]);
        assert!(told.asides.contains("no variable's name"), "{told}");
    }
}

#[test]
fn an_edited_value_changes_and_nothing_around_it() {
    let world = World::new();
    let before = format!(
        "# ours\nvars:\n  port: 80 # open\n{}  last: 1\n",
        indent(&world.value("db.password", "hunter1"))
    );
    world.write("globals.yaml", &before);
    let place = format!("{}:db.password", world.path("globals.yaml").display());
    let told = world.run("ada", &["edit", &place, "--editor", "sed -i s/1/2/"]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    assert!(!format!("{told}").contains("hunter"), "{told}");
    let opened = world.opened("ada", "globals.yaml");
    let expected = ("vars.db.password".to_owned(), "hunter2".to_owned());
    assert_eq!(opened, [expected]);
    let after = world.read("globals.yaml");
    assert!(after.starts_with("# ours\nvars:\n  port: 80 # open\n  db:\n    password: |\n"));
    assert!(after.ends_with("  last: 1\n"), "{after}");

    let told = world.run("ada", &["edit", &place, "--editor", "true"]);
    assert!(told.answer.contains("as it was"), "{told}");
    assert_eq!(world.read("globals.yaml"), after, "not encrypted anew");
    let told = world.run("ada", &["edit", &place, "--editor", "false"]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
    assert_eq!(world.read("globals.yaml"), after);
    let told = world.run("bob", &["edit", &place, "--editor", "true"]);
    assert!(told.asides.contains("secret rotate"), "{told}");
}

#[test]
fn nothing_and_what_is_encrypted_already_are_refused() {
    let world = World::new();
    world.write("empty", "");
    world.write("twice", world.encrypt("ada", "1", Form::Armored));
    let site = world.site();
    for (name, says) in [("empty", "nothing to encrypt"), ("twice", "already")] {
        let file = world.path(name);
        let file = file.to_str().unwrap();
        let told = transcript(&["secret", "encrypt", "--file", file, "--site", &site]);
        assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
        assert!(told.asides.contains(says), "{told}");
    }
    let value = indent(&world.value("a", "1"));
    world.write("globals.yaml", format!("vars:\n{value}"));
    let before = world.read("globals.yaml");
    let file = world.path("globals.yaml");
    let told = world.run("ada", &["edit", file.to_str().unwrap(), "--editor", ": >"]);
    assert!(told.asides.contains("nothing to encrypt"), "{told}");
    assert_eq!(world.read("globals.yaml"), before);
}

#[test]
fn a_value_that_is_not_named_well_is_told_with_those_there_are() {
    let world = World::new();
    let two = indent(&(world.value("a.key", "1") + &world.value("b.key", "2")));
    world.write("globals.yaml", format!("vars:\n{two}"));
    let file = world.path("globals.yaml").display().to_string();
    for wrong in [&*file, &format!("{file}:key"), &format!("{file}:c")] {
        let told = world.run("ada", &["edit", wrong, "--editor", "true"]);
        assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
        let named = format!("{file}:vars.a.key, {file}:vars.b.key");
        assert!(told.asides.contains(&named), "{told}");
    }
}

#[test]
fn a_new_file_is_made_by_editing_it() {
    let world = World::new();
    world.write("roles/web/files/readme", "");
    let file = world.path("roles/web/files/tls.key.age");
    let file = file.to_str().unwrap();
    let told = world.run("ada", &["edit", file, "--editor", "echo key >"]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    let opened = world.ada.open(&fs::read(file).unwrap()).unwrap();
    assert_eq!(opened.expose(), b"key\n");
}

#[test]
fn rotation_hands_every_secret_over_or_none() {
    let world = World::new();
    world.write(
        "globals.yaml",
        format!("vars:\n{}", indent(&world.value("a", "1"))),
    );
    world.write(
        "groups/g.yaml",
        format!("vars:\n{}", indent(&world.value("b", "2"))),
    );
    world.write("notes.txt", "no secret\n");
    let file = world.encrypt("ada", "3", Form::Binary);
    world.write("scripts/key.age", &file);
    world.name(&["bob"]);
    let told = world.run("bob", &["rotate"]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
    assert!(
        told.asides.contains("globals.yaml:vars.a cannot be opened"),
        "{told}"
    );

    let told = world.run("ada", &["rotate"]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    assert_eq!(told.answer, "encrypted 3 secrets in 3 files anew\n");
    assert_eq!(world.opened("bob", "globals.yaml")[0].1, "1");
    assert_eq!(world.opened("bob", "groups/g.yaml")[0].1, "2");
    let file = fs::read(world.path("scripts/key.age")).unwrap();
    assert_eq!(world.bob.open(&file).unwrap().expose(), b"3");
    assert!(
        world.opened("ada", "globals.yaml")[0]
            .1
            .contains("recipients")
    );

    world.write("scripts/other.age", world.encrypt("ada", "4", Form::Binary));
    let before = world.read("globals.yaml");
    let told = world.run("bob", &["rotate"]);
    assert!(told.asides.contains("other.age cannot be opened"), "{told}");
    assert_eq!(world.read("globals.yaml"), before, "nothing was written");
}

#[test]
fn an_identity_is_private_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    let told = transcript(&["secret", "keygen", path.to_str().unwrap()]);
    assert_eq!(told.exit, Exit::Fine, "{told}");
    let text = fs::read_to_string(&path).unwrap();
    let keyring = Keyring::parse(&text).unwrap();
    assert_eq!(told.answer.trim(), keyring.recipients()[0]);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let told = transcript(&["secret", "keygen", path.to_str().unwrap()]);
    assert_eq!(told.exit, Exit::CouldNotRun, "{told}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn without_an_identity_it_is_said_how_to_name_one() {
    let world = World::new();
    let site = world.site();
    let told = transcript(&["secret", "rotate", "--site", &site]);
    assert!(told.asides.contains("HOLDFAST_IDENTITY"), "{told}");
    fs::write(world.folder.path().join("carl"), "hunter2\n").unwrap();
    let told = world.run("carl", &["rotate"]);
    assert!(told.asides.contains("line 1"), "{told}");
    assert!(!told.asides.contains("hunter2"), "{told}");
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
