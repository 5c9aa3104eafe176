//! The agent against real files, beside the peers that are installed and the floor, in one run.
//!
//! `cargo build --release && cargo bench -p holdfast-testkit --bench host`
//!
//! Rows: no-op of 1000 and 5000 small files, first apply of 1000 (durable: each file fsynced), ten
//! of 1000 tampered, nothing to manage. The files are those of `PEERS.md`: 200 bytes, all
//! different, mode 0644, content in the policy. The floor is this binary doing one lstat, open,
//! read and compare per file, in a process of its own, wanted contents read first.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use holdfast_schemas::Digest;
use holdfast_schemas::catalog::{Bundle, CATALOG_FORMAT, Catalog};
use holdfast_schemas::resource::{Content, Ensure, File, Kind, Resource, ResourceId, Spec};
use holdfast_testkit::measure::{
    Contender, answer_measure, in_turn, installed, print_row, release_program, text,
};

/// First argument by which this binary is called as the floor.
const FLOOR: &str = "--floor";

/// Counted runs of every contender of a row.
const ROUNDS: usize = 9;

fn main() {
    answer_measure();
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|first| first == FLOOR) {
        floor(Path::new(&arguments[2]), Path::new(&arguments[3]));
        return;
    }
    let bench = Bench::new();
    bench.noop(0, "nothing to manage");
    bench.noop(1000, "no-op, 1000 files");
    bench.noop(5000, "no-op, 5000 files");
    bench.first(1000);
    bench.tampered(1000, 10);
}

struct Bench {
    scratch: tempfile::TempDir,
    agent: PathBuf,
    cfengine: Option<PathBuf>,
}

impl Bench {
    fn new() -> Self {
        let scratch = tempfile::Builder::new()
            .prefix("holdfast-bench-")
            .tempdir_in("/tmp")
            .unwrap();
        let cfengine = installed("cf-agent").filter(|_| nix::unistd::geteuid().is_root());
        if cfengine.is_none() {
            println!("cf-agent is not installed, or this is not root: no peer beside the figures");
        }
        Self {
            scratch,
            agent: release_program("holdfast-agent"),
            cfengine,
        }
    }

    fn target(&self) -> PathBuf {
        self.scratch.path().join("target")
    }

    fn noop(&self, count: usize, row: &str) {
        self.seed(count);
        print_row(row, &in_turn(&self.contenders(count, &|| (), true), ROUNDS));
        self.prove(count);
    }

    fn first(&self, count: usize) {
        let clear = || {
            let _ = fs::remove_dir_all(self.target());
            fs::create_dir_all(self.target()).unwrap();
        };
        let row = format!("first apply, {count} files");
        print_row(
            &row,
            &in_turn(&self.contenders(count, &clear, false), ROUNDS),
        );
        self.prove(count);
    }

    fn tampered(&self, count: usize, tampered: usize) {
        self.seed(count);
        let tamper = || {
            for place in 0..tampered {
                fs::write(self.file(place * count / tampered), "tampered\n").unwrap();
            }
        };
        let row = format!("{tampered} of {count} tampered");
        print_row(
            &row,
            &in_turn(&self.contenders(count, &tamper, false), ROUNDS),
        );
        self.prove(count);
    }

    fn contenders<'a>(
        &'a self,
        count: usize,
        prepare: &'a dyn Fn(),
        floor: bool,
    ) -> Vec<Contender<'a>> {
        let mut contenders = vec![Contender {
            who: "holdfast",
            prepare: Box::new(prepare),
            command: vec![
                text(&self.agent),
                "apply".into(),
                text(&self.bundle(count)),
                "--state-dir".into(),
                text(&self.scratch.path().join("state")),
            ],
            accepted: &[0, 2],
        }];
        if let Some(cfengine) = &self.cfengine {
            contenders.push(Contender {
                who: "CFEngine",
                prepare: Box::new(prepare),
                command: vec![
                    text(cfengine),
                    "-K".into(),
                    "-f".into(),
                    text(&self.policy(count)),
                ],
                accepted: &[0],
            });
        }
        if floor {
            let own = std::env::current_exe().unwrap();
            contenders.push(Contender {
                who: "floor",
                prepare: Box::new(prepare),
                command: vec![
                    text(&own),
                    FLOOR.into(),
                    text(&self.target()),
                    text(&self.wanted(count)),
                ],
                accepted: &[0],
            });
        }
        contenders
    }

    fn file(&self, place: usize) -> PathBuf {
        self.target().join(name(place))
    }

    /// Every file as wanted.
    fn seed(&self, count: usize) {
        let _ = fs::remove_dir_all(self.target());
        fs::create_dir_all(self.target()).unwrap();
        for place in 0..count {
            fs::write(self.file(place), content(place)).unwrap();
            fs::set_permissions(self.file(place), fs::Permissions::from_mode(0o644)).unwrap();
        }
    }

    /// Panics unless every file is as wanted: a fast wrong run is worth nothing.
    fn prove(&self, count: usize) {
        assert_eq!(fs::read_dir(self.target()).unwrap().count(), count);
        for place in 0..count {
            assert_eq!(
                fs::read_to_string(self.file(place)).unwrap(),
                content(place)
            );
        }
    }

    fn bundle(&self, count: usize) -> PathBuf {
        let resources = (0..count).map(|place| self.resource(place)).collect();
        let bundle = Bundle {
            catalog: Catalog {
                format: CATALOG_FORMAT,
                host: "bench".parse().unwrap(),
                enforcement: Default::default(),
                resources,
                health: Vec::new(),
            },
            blobs: Default::default(),
            omitted: Default::default(),
        };
        let path = self.scratch.path().join(format!("bundle-{count}.json"));
        fs::write(&path, serde_json::to_vec(&bundle).unwrap()).unwrap();
        path
    }

    fn resource(&self, place: usize) -> Resource {
        let path = text(&self.file(place));
        let file = File {
            path: path.parse().unwrap(),
            ensure: Ensure::Present,
            content: Some(Content::Text(content(place))),
            owner: Some("root".into()).filter(|_| nix::unistd::geteuid().is_root()),
            group: None,
            mode: Some("0644".parse().unwrap()),
            validate: None,
            replace: true,
            force: false,
        };
        Resource {
            id: ResourceId::new(Kind::File, path).unwrap(),
            spec: Spec::File(file),
            requires: Vec::new(),
            subscribes: Vec::new(),
        }
    }

    /// The same desired state for CFEngine, as `PEERS.md` has it.
    fn policy(&self, count: usize) -> PathBuf {
        let mut policy = String::from(
            "body perms p(m,o)\n{\n  mode => \"$(m)\";\n  owners => { \"$(o)\" };\n  rxdirs => \"false\";\n}\n\
             bundle agent main\n{\n",
        );
        policy.push_str(if count == 0 {
            "  reports:\n    \"x\";\n"
        } else {
            "  files:\n"
        });
        for place in 0..count {
            let (path, content) = (text(&self.file(place)), content(place));
            writeln!(
                policy,
                "    \"{path}\"\n      create => \"true\", perms => p(\"0644\",\"root\"),\n      content => \"{content}\";"
            )
            .unwrap();
        }
        policy.push_str("}\n");
        let path = self.scratch.path().join(format!("policy-{count}.cf"));
        fs::write(&path, policy).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A folder with the wanted contents, for the floor.
    fn wanted(&self, count: usize) -> PathBuf {
        let folder = self.scratch.path().join(format!("wanted-{count}"));
        fs::create_dir_all(&folder).unwrap();
        for place in 0..count {
            fs::write(folder.join(name(place)), content(place)).unwrap();
        }
        folder
    }
}

fn name(place: usize) -> String {
    format!("f{place:05}")
}

/// Five lines of 40 bytes, different for every file.
fn content(place: usize) -> String {
    let digits = format!(
        "{}{}{}{}",
        Digest::of(place.to_string()),
        Digest::of("a"),
        Digest::of("b"),
        Digest::of("c")
    );
    digits
        .as_bytes()
        .chunks(39)
        .take(5)
        .fold(String::new(), |mut text, line| {
            text.push_str(std::str::from_utf8(line).unwrap());
            text.push('\n');
            text
        })
}

/// Looks at every file and does no more; fails unless each is as wanted.
fn floor(target: &Path, wanted: &Path) {
    use std::io::Read as _;
    let mut names: Vec<_> = fs::read_dir(wanted)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    let contents: Vec<Vec<u8>> = names
        .iter()
        .map(|name| fs::read(wanted.join(name)).unwrap())
        .collect();
    let mut buffer = vec![0; 64 * 1024];
    for (name, wanted) in names.iter().zip(&contents) {
        let path = target.join(name);
        let stat = fs::symlink_metadata(&path).unwrap();
        assert_eq!(stat.mode() & 0o7777, 0o644);
        let mut file = fs::OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(&path)
            .unwrap();
        let length = file.read(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], wanted);
    }
}
