//! The compiler over a site of a thousand hosts, in process, as the whole `holdfast check`, and as
//! the whole `holdfast diff` of two revisions.
//!
//! `cargo build --release && cargo bench -p holdfast-testkit --bench compile`
//!
//! The site: 1000 hosts in 4 IDCs and 20 Sets, four layers (global, IDC, Set, host), 40 variables a
//! host of which two are merged maps, and about 200 resources a host of which 40 are templates.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;

use holdfast_catalog::HostInput;
use holdfast_catalog::site::{Entry, Site, Snapshot};
use holdfast_testkit::measure::{
    Contender, answer_measure, in_turn, median, print_row, release_program, text,
};

/// Hosts of the site.
const HOSTS: usize = 1000;
/// Resources of a host that are templates.
const TEMPLATES: usize = 40;
/// Resources of a host that are not.
const PLAIN: usize = 160;
/// Counted runs.
const ROUNDS: usize = 7;

fn main() {
    answer_measure();
    let snapshot = site();
    let scratch = tempfile::tempdir().unwrap();
    write(&snapshot, scratch.path());
    in_process(&snapshot);
    let check = [Contender {
        who: "holdfast",
        prepare: Box::new(|| ()),
        command: vec![
            text(&release_program("holdfast")),
            "check".into(),
            "--site".into(),
            text(scratch.path()),
        ],
        accepted: &[0],
    }];
    print_row("check of 1000 hosts", &in_turn(&check, ROUNDS));
    let repo = tempfile::tempdir().unwrap();
    revisions(&snapshot, repo.path());
    let cases = [
        ("diff of nothing", "HEAD..HEAD", 0),
        ("diff of a variable of 50 hosts", "HEAD~2..HEAD~1", 4),
        ("diff of a line of every template", "HEAD~1..HEAD", 4),
    ];
    for (what, range, exit) in cases {
        let diff = [Contender {
            who: "holdfast",
            prepare: Box::new(|| ()),
            command: vec![
                text(&release_program("holdfast")),
                "diff".into(),
                range.into(),
                "--site".into(),
                text(repo.path()),
            ],
            accepted: &[exit],
        }];
        print_row(what, &in_turn(&diff, ROUNDS));
    }
}

/// A repository of three commits: the site, a variable of one Set changed, and then a line of the
/// template that makes forty files of every host.
fn revisions(snapshot: &Snapshot, folder: &Path) {
    let git = |args: &[&str]| {
        let done = std::process::Command::new("git")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args(["-c", "user.name=bench", "-c", "user.email=bench@localhost"])
            .current_dir(folder)
            .args(args)
            .status();
        assert!(done.unwrap().success(), "git {args:?}");
    };
    let commit = || {
        git(&["add", "-A"]);
        git(&["commit", "-q", "-m", "bench"]);
    };
    let change = |path: &str, from: &str, to: &str| {
        let path = folder.join(path);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(path, text.replace(from, to)).unwrap();
        commit();
    };
    git(&["init", "-q"]);
    write(snapshot, folder);
    commit();
    change("groups/set7.yaml", "of set 7", "of set seven");
    change("roles/base/templates/t.conf.j2", "[labels]", "[Labels]");
}

/// One host and all of them, without the start of a process and without reading files.
fn in_process(snapshot: &Snapshot) {
    let (mut parse, mut one, mut all) = (Vec::new(), Vec::new(), Vec::new());
    let mut resources = 0;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let site = Site::parse(snapshot).expect("the bench's site is sound");
        parse.push(millis(began));
        let inputs: Vec<HostInput> = site
            .hosts()
            .map(|name| HostInput::new(name.clone()))
            .collect();
        assert_eq!(inputs.len(), HOSTS);
        let began = Instant::now();
        resources = site
            .compile(&inputs[0])
            .expect("it compiles")
            .catalog
            .resources
            .len();
        one.push(millis(began));
        let began = Instant::now();
        let next = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    loop {
                        let place = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        let Some(input) = inputs.get(place) else {
                            break;
                        };
                        std::hint::black_box(
                            site.compile(input).expect("it compiles").catalog.to_bytes(),
                        );
                    }
                });
            }
        });
        all.push(millis(began));
    }
    println!("parse of the site          {:>9.2} ms", median(parse));
    println!("one host, {resources} resources   {:>9.3} ms", median(one));
    let all = median(all);
    println!(
        "{HOSTS} hosts, to bytes      {all:>9.2} ms   {:>9.0} catalogs/s",
        HOSTS as f64 / all * 1e3
    );
}

fn millis(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}

fn write(snapshot: &Snapshot, folder: &Path) {
    for (path, entry) in &snapshot.files {
        let Entry::Text(bytes) = entry else {
            panic!("the bench's site is all text")
        };
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn site() -> Snapshot {
    let mut snapshot = Snapshot {
        revision: "bench".into(),
        ..Default::default()
    };
    let mut put = |path: String, text: String| {
        snapshot
            .files
            .insert(path, Entry::Text(text.into_bytes().into()));
    };
    put(
        "holdfast.yaml".into(),
        "merge:\n  limits: deep\n  labels: deep\n".into(),
    );
    let mut globals = String::from(
        "vars:\n  limits: { files: 1024, processes: 512 }\n  labels: { fleet: bench }\n",
    );
    for place in 0..38 {
        writeln!(globals, "  setting_{place}: global {place}").unwrap();
    }
    globals.push_str("roles: [base]\n");
    put("globals.yaml".into(), globals);
    for idc in 0..4 {
        let vars = format!(
            "tier: idc\npriority: 10\nmatch: host.idc == \"idc{idc}\"\nvars:\n  limits: {{ files: {} }}\n  labels: {{ idc: idc{idc} }}\n  setting_{idc}: of idc {idc}\n",
            2048 + idc
        );
        put(format!("groups/idc{idc}.yaml"), vars);
    }
    for set in 0..20 {
        let vars = format!(
            "tier: set\npriority: 10\nmatch: host.set == \"set{set}\"\nvars:\n  labels: {{ set: set{set} }}\n  setting_{}: of set {set}\n",
            10 + set
        );
        put(format!("groups/set{set}.yaml"), vars);
    }
    for host in 0..HOSTS {
        let (idc, set) = (host % 4, host % 20);
        put(
            format!("hosts/host-{host}.yaml"),
            format!(
                "idc: idc{idc}\nset: set{set}\naddress: 10.{idc}.{set}.{}\ntags: [bench]\nvars:\n  limits: {{ processes: {host} }}\n  setting_37: of host {host}\n",
                host % 250
            ),
        );
    }
    let mut role = String::from("resources:\n");
    for place in 0..TEMPLATES {
        writeln!(
            role,
            "  - file: /etc/bench/t{place}.conf\n    template: t.conf.j2\n    mode: \"0644\""
        )
        .unwrap();
    }
    for place in 0..PLAIN {
        writeln!(
            role,
            "  - file: /etc/bench/p{place}.conf\n    content: \"name = {{{{ inventory_hostname }}}}\\nvalue = {{{{ setting_{} }}}}\\n\"\n    mode: \"0640\"",
            place % 38
        )
        .unwrap();
    }
    put("roles/base/role.yaml".into(), role);
    let mut template = String::from(
        "# {{ inventory_hostname }} in {{ host.idc }}\n[limits]\n{% for name, value in limits.items() %}\n{{ name }} = {{ value }}\n{% endfor %}\n[labels]\n{% for name, value in labels.items() %}\n{{ name }} = {{ value }}\n{% endfor %}\n",
    );
    for place in 0..20 {
        writeln!(template, "setting_{place} = {{{{ setting_{place} }}}}").unwrap();
    }
    put("roles/base/templates/t.conf.j2".into(), template);
    snapshot
}
