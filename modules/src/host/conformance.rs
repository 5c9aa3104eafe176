//! One suite, every host: what is promised by `Probe` and `Host` holds for the fake, for a tree in
//! a folder, and for the machine itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

use std::sync::Arc;

use holdfast_schemas::resource::{Content, Mode};
use holdfast_schemas::secret::Commitment;
use holdfast_schemas::{Digest, HostPath};
use zeroize::Zeroizing;

use super::fake::FakeHost;
use super::{
    ContentSource, Displace, FileType, Host, HostError, NewContent, NewFile, Owner, RealHost,
    RootedHost,
};

/// A host under test, and a folder on it that is the test's own.
struct Bench {
    host: Box<dyn Host>,
    base: HostPath,
    _folder: Option<tempfile::TempDir>,
}

impl Bench {
    fn path(&self, below: &str) -> HostPath {
        format!("{}/{below}", self.base).parse().unwrap()
    }

    fn write(&self, path: &HostPath, text: &str) -> Result<(), HostError> {
        self.write_as(path, NewContent::Bytes(text.as_bytes()), Displace::File)
    }

    fn write_as(
        &self,
        path: &HostPath,
        content: NewContent<'_>,
        displace: Displace,
    ) -> Result<(), HostError> {
        let new = NewFile {
            content,
            mode: Mode::from_bits(0o640),
            owner: Owner::default(),
            validate: None,
            displace,
        };
        self.host.write_file(path, &new)
    }

    fn directory(&self, path: &HostPath) {
        let mode = Mode::from_bits(0o750);
        self.host
            .make_directory(path, mode, Owner::default())
            .unwrap();
    }

    fn file_type(&self, path: &HostPath) -> Option<FileType> {
        self.host.stat(path).unwrap().map(|stat| stat.file_type)
    }

    fn text(&self, path: &HostPath) -> String {
        String::from_utf8(self.host.read(path, 1000).unwrap()).unwrap()
    }

    fn names(&self) -> Vec<String> {
        self.host.list(&self.base).unwrap()
    }
}

/// A source that gives something else than what was asked for.
struct Liar;

impl ContentSource for Liar {
    fn unseal(&self, _commitment: &Commitment) -> std::io::Result<Zeroizing<Vec<u8>>> {
        Err(std::io::Error::from(std::io::ErrorKind::NotFound))
    }

    fn open(&self, _: &Digest) -> std::io::Result<Box<dyn std::io::Read + Send>> {
        Ok(Box::new(&b"something else"[..]))
    }
}

fn benches() -> Vec<(&'static str, Bench)> {
    let fake = FakeHost::new();
    fake.edit(|files| files.make_directory("/srv"));
    fake.add_blob(Digest::of("wanted"), "something else");
    let folder = || tempfile::tempdir().unwrap();
    let (rooted, real) = (folder(), folder());
    std::fs::create_dir(rooted.path().join("srv")).unwrap();
    let base: HostPath = real
        .path()
        .canonicalize()
        .unwrap()
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    vec![
        (
            "fake",
            Bench {
                host: Box::new(fake),
                base: "/srv".parse().unwrap(),
                _folder: None,
            },
        ),
        (
            "rooted",
            Bench {
                host: Box::new(RootedHost::new(rooted.path(), Arc::new(Liar)).unwrap()),
                base: "/srv".parse().unwrap(),
                _folder: Some(rooted),
            },
        ),
        (
            "real",
            Bench {
                host: Box::new(RealHost::new(Arc::new(Liar), Arc::default()).unwrap()),
                base,
                _folder: Some(real),
            },
        ),
    ]
}

fn on_every_host(check: impl Fn(&Bench)) {
    for (name, bench) in benches() {
        eprintln!("on the {name} host");
        check(&bench);
    }
}

#[test]
fn a_file_appears_with_content_and_mode() {
    on_every_host(|bench| {
        let path = bench.path("motd");
        assert_eq!(bench.host.stat(&path).unwrap(), None);
        bench.write(&path, "hello\n").unwrap();
        let stat = bench.host.stat(&path).unwrap().unwrap();
        assert_eq!((stat.file_type, stat.size), (FileType::File, 6));
        assert_eq!(stat.mode, Mode::from_bits(0o640));
        assert_eq!(bench.text(&path), "hello\n");
        assert_eq!(bench.host.digest(&path).unwrap(), Digest::of("hello\n"));
        let holds = |text: &str| {
            bench
                .host
                .holds(&path, &stat, &Content::Text(text.into()))
                .unwrap()
        };
        assert!(holds("hello\n") && !holds("hullo\n") && !holds("hello"));
        assert_eq!(bench.names(), ["motd"], "no temporary file is left");
    });
}

#[test]
fn a_write_into_a_missing_folder_says_so() {
    on_every_host(|bench| {
        let error = bench.write(&bench.path("no/motd"), "x").unwrap_err();
        assert!(matches!(error, HostError::MissingParent { .. }), "{error}");
    });
}

#[test]
fn content_that_is_not_what_it_is_called_changes_nothing() {
    on_every_host(|bench| {
        let path = bench.path("blob");
        bench.write(&path, "old").unwrap();
        let before = bench.host.stat(&path).unwrap();
        let wanted = Content::Blob {
            digest: Digest::of("wanted"),
            size: 6,
        };
        let content = NewContent::Wanted(&wanted);
        let error = bench
            .write_as(&path, content, Displace::Anything)
            .unwrap_err();
        assert!(matches!(error, HostError::WrongContent { .. }), "{error}");
        assert_eq!(bench.host.stat(&path).unwrap(), before);
        assert_eq!(bench.names(), ["blob"]);
    });
}

#[test]
fn only_by_force_does_a_file_take_the_place_of_something_else() {
    on_every_host(|bench| {
        let (folder, link) = (bench.path("folder"), bench.path("link"));
        bench.directory(&folder);
        bench.write(&bench.path("folder/kept"), "kept").unwrap();
        bench.host.make_symlink(&link, "folder/kept").unwrap();
        for path in [&folder, &link] {
            let error = bench.write(path, "new").unwrap_err();
            assert!(matches!(error, HostError::WrongType { .. }), "{error}");
        }
        assert_eq!(bench.text(&bench.path("folder/kept")), "kept");
        for path in [&link, &folder] {
            bench
                .write_as(path, NewContent::Bytes(b"new"), Displace::Anything)
                .unwrap();
            assert_eq!(bench.text(path), "new");
        }
        assert_eq!(bench.names(), ["folder", "link"]);
    });
}

#[test]
fn a_link_is_read_replaced_and_never_written_through() {
    on_every_host(|bench| {
        let (file, link) = (bench.path("file"), bench.path("link"));
        bench.write(&file, "kept").unwrap();
        bench.host.make_symlink(&link, "file").unwrap();
        assert_eq!(bench.host.read_link(&link).unwrap(), "file");
        bench.host.make_symlink(&link, "nowhere").unwrap();
        assert_eq!(bench.host.read_link(&link).unwrap(), "nowhere");
        assert!(bench.host.make_symlink(&file, "x").is_err());
        assert!(bench.host.read(&link, 10).is_err());
        let _ = bench.host.set_mode(&link, Mode::from_bits(0o600));
        bench.host.remove(&link).unwrap();
        assert_eq!(
            (bench.file_type(&link), bench.text(&file).as_str()),
            (None, "kept")
        );
        let mode = bench.host.stat(&file).unwrap().unwrap().mode;
        assert_eq!(mode, Mode::from_bits(0o640));
    });
}

#[test]
fn links_in_parents_are_followed_and_loops_end() {
    on_every_host(|bench| {
        bench.directory(&bench.path("real"));
        bench
            .host
            .make_symlink(&bench.path("way"), "../../../../../../srv/none/../real")
            .unwrap();
        bench
            .host
            .make_symlink(&bench.path("way"), "./real/../real")
            .unwrap();
        bench.write(&bench.path("way/file"), "through").unwrap();
        assert_eq!(bench.text(&bench.path("real/file")), "through");
        let reach = |target: &str| bench.host.reach(&bench.base, target).unwrap();
        assert_eq!(reach("way"), Some(FileType::Directory));
        assert_eq!(reach("way/file"), Some(FileType::File));
        assert_eq!(reach("way/none"), None);
        let absolute = bench.path("real/file");
        assert_eq!(reach(absolute.as_str()), Some(FileType::File));
        bench
            .host
            .make_symlink(&bench.path("loop"), "loop")
            .unwrap();
        let error = bench.host.stat(&bench.path("loop/x")).unwrap_err();
        assert!(matches!(error, HostError::LinkLoop { .. }), "{error}");
    });
}

#[test]
fn a_folder_is_made_once_emptied_and_removed() {
    on_every_host(|bench| {
        let folder = bench.path("a");
        bench.directory(&folder);
        assert_eq!(
            bench.host.stat(&folder).unwrap().unwrap().mode,
            Mode::from_bits(0o750)
        );
        let mode = Mode::from_bits(0o700);
        assert!(
            bench
                .host
                .make_directory(&folder, mode, Owner::default())
                .is_err()
        );
        bench.directory(&bench.path("a/b"));
        bench.write(&bench.path("a/b/c"), "x").unwrap();
        bench
            .host
            .make_symlink(&bench.path("a/b/out"), "/etc")
            .unwrap();
        assert!(bench.host.remove(&folder).is_err(), "it is not empty");
        bench.host.remove_tree(&folder).unwrap();
        assert_eq!(bench.file_type(&folder), None);
        assert!(bench.host.stat(&"/etc".parse().unwrap()).is_ok());
        let root: HostPath = "/".parse().unwrap();
        assert!(matches!(
            bench.host.remove_tree(&root),
            Err(HostError::Refused { .. })
        ));
    });
}

#[test]
fn modes_and_names_are_exact() {
    on_every_host(|bench| {
        let path = bench.path("größe [1].txt");
        bench.write(&path, "ü").unwrap();
        bench.host.set_mode(&path, Mode::from_bits(0o4711)).unwrap();
        let stat = bench.host.stat(&path).unwrap().unwrap();
        assert_eq!(stat.mode, Mode::from_bits(0o4711));
        let owner = Owner {
            uid: Some(stat.uid),
            gid: Some(stat.gid),
        };
        bench.host.set_owner(&path, owner).unwrap();
        assert_eq!(bench.names(), ["größe [1].txt"]);
        let matches = |pattern: &str| {
            bench
                .host
                .any_matches(&format!("{}/{pattern}", bench.base))
                .unwrap()
        };
        assert!(matches("gr*") && matches("*.t?t") && !matches("*.conf"));
        assert!(!matches("none/*"));
    });
}

#[test]
fn reading_more_than_the_limit_is_refused() {
    on_every_host(|bench| {
        let path = bench.path("long");
        bench.write(&path, "12345").unwrap();
        assert!(bench.host.read(&path, 5).is_ok());
        assert!(matches!(
            bench.host.read(&path, 4),
            Err(HostError::TooLong { .. })
        ));
        let error = bench.host.read(&bench.base, 10).unwrap_err();
        assert!(matches!(error, HostError::WrongType { .. }), "{error}");
    });
}
