//! What the benches share: whole processes measured from outside, and tables of medians.
//!
//! A command is timed by the wall clock around it and by the kernel's own accounting of the ended
//! process. So that the peak memory is that of one command and not of the largest so far, each run
//! is waited for by a process of its own: this binary again, called with [`MEASURE`].

// A bench that cannot do its work has nothing to go on with.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// First argument by which a bench is called to measure one command.
pub const MEASURE: &str = "--measure-one";

/// What one run of a command cost.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Cost {
    /// Wall time in milliseconds.
    pub wall_ms: f64,
    /// User and system time in milliseconds, of the command and all it waited for.
    pub cpu_ms: f64,
    /// Peak resident memory of the largest process, in MiB.
    pub peak_mib: f64,
    /// Exit code; -1 for a signal.
    pub code: i32,
}

/// Answers a call made by [`measure`]; a bench's `main` begins with it.
pub fn answer_measure() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(MEASURE)) {
        return;
    }
    let program = arguments.next().expect("a program to measure");
    let began = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the program starts");
    let wall = began.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("usage of children");
    let millis =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e3 + time.tv_usec() as f64 / 1e3;
    let cost = Cost {
        wall_ms: wall.as_secs_f64() * 1e3,
        cpu_ms: millis(usage.user_time()) + millis(usage.system_time()),
        peak_mib: usage.max_rss() as f64 / 1024.0,
        code: status.code().unwrap_or(-1),
    };
    println!(
        "{}",
        serde_json::to_string(&cost).expect("a cost serialises")
    );
    std::process::exit(0);
}

/// Runs a command once and tells what it cost.
pub fn measure<S: AsRef<OsStr>>(command: &[S]) -> Cost {
    let output = Command::new(std::env::current_exe().expect("own path"))
        .arg(MEASURE)
        .args(command)
        .stderr(Stdio::inherit())
        .output()
        .expect("the measuring process starts");
    serde_json::from_slice(&output.stdout).expect("the measuring process answers")
}

/// Several runs of one command.
#[derive(Debug)]
pub struct Series {
    /// Who does the work.
    pub who: String,
    /// The runs.
    pub runs: Vec<Cost>,
}

/// One contender of a row: its name, what sets the scene before each run, and its command.
pub struct Contender<'a> {
    /// Who does the work.
    pub who: &'a str,
    /// Sets the scene; not timed.
    pub prepare: Box<dyn Fn() + 'a>,
    /// The command that is timed.
    pub command: Vec<String>,
    /// The exit codes that mean that the work was done.
    pub accepted: &'a [i32],
}

/// Runs the contenders of a row in turn, A B A B …, after one warm-up each.
pub fn in_turn(contenders: &[Contender<'_>], rounds: usize) -> Vec<Series> {
    let mut series: Vec<Series> = contenders
        .iter()
        .map(|each| Series {
            who: each.who.to_owned(),
            runs: Vec::new(),
        })
        .collect();
    for round in 0..=rounds {
        for (contender, series) in contenders.iter().zip(&mut series) {
            (contender.prepare)();
            let cost = measure(&contender.command);
            assert!(
                contender.accepted.contains(&cost.code),
                "{} ended with {}: {:?}",
                contender.who,
                cost.code,
                contender.command
            );
            if round > 0 {
                series.runs.push(cost);
            }
        }
    }
    series
}

/// The median of some figures.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints one row: a line per contender.
pub fn print_row(row: &str, series: &[Series]) {
    for each in series {
        println!(
            "{row:<26} {:<12} wall {:>9.2} ms   cpu {:>9.2} ms   peak {:>7.1} MiB   ({} runs)",
            each.who,
            median(each.runs.iter().map(|run| run.wall_ms)),
            median(each.runs.iter().map(|run| run.cpu_ms)),
            median(each.runs.iter().map(|run| run.peak_mib)),
            each.runs.len(),
        );
    }
}

/// A program built by this workspace in the release profile. Benches of debug builds would lie.
pub fn release_program(name: &str) -> PathBuf {
    let bench = std::env::current_exe().expect("own path");
    let folder = bench
        .ancestors()
        .find(|folder| folder.ends_with("release"))
        .unwrap_or_else(|| {
            panic!(
                "{} is not a release build: use `cargo bench`",
                bench.display()
            )
        });
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is missing: `cargo build --release` first",
        path.display()
    );
    path
}

/// A program of the machine, if it is there.
pub fn installed(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// A path as an argument.
pub fn text(path: &Path) -> String {
    path.to_str().expect("bench paths are UTF-8").to_owned()
}
