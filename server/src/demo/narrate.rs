//! What the demo says: a line per step with the time it took, and below it what is to be seen.
//!
//! Colours go only to a terminal. A reader who goes away (`| head`) does not stop the demo.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use anstream::AutoStream;
use owo_colors::OwoColorize;

use super::error::DemoError;
use super::stage::{Cleared, Stage};

/// Column at which a step's time ends: that of the narrowest terminal in use.
const WIDTH: usize = 80;

/// Width of the column of step names.
const NAMES: usize = 10;

/// The voice of the demo.
pub(super) struct Narrator {
    out: AutoStream<std::io::Stdout>,
    step: usize,
}

impl Narrator {
    pub(super) fn new() -> Self {
        Self {
            out: AutoStream::auto(std::io::stdout()),
            step: 0,
        }
    }

    /// The title and where everything is.
    pub(super) fn opens(&mut self, stage: &Stage) {
        self.line("");
        let title = "Holdfast: a commit reaches three hosts; drift is found and mended.";
        self.line(&title.bold().to_string());
        let folder = stage.folder().display();
        let place = format!("All of it lives in {folder}; nothing else here is touched.");
        self.line(&place.dimmed().to_string());
        self.line("");
    }

    /// A step that happened, and how long it took.
    pub(super) fn step(&mut self, name: &str, what: &str, took: Duration) {
        self.step += 1;
        let time = spoken(took);
        let used = 4 + NAMES + what.chars().count();
        let gap = WIDTH.saturating_sub(used + time.chars().count()).max(2);
        let line = format!(
            "{:>2}  {}{what}{:gap$}{}",
            self.step.dimmed(),
            format!("{name:<NAMES$}").green().bold(),
            "",
            time.cyan()
        );
        self.line(&line);
    }

    /// A remark on the step above.
    pub(super) fn remark(&mut self, text: &str) {
        let indent = 4 + NAMES;
        self.line(&format!("{:indent$}{text}", ""));
    }

    /// Lines of a file on a host.
    pub(super) fn excerpt<'t>(&mut self, of: &str, lines: impl IntoIterator<Item = &'t str>) {
        self.remark(&of.dimmed().to_string());
        for line in lines {
            let bar = "│".dimmed();
            self.remark(&format!("{bar} {line}"));
        }
        self.line("");
    }

    /// A unified diff.
    pub(super) fn diff(&mut self, of: &str, diff: &str) {
        self.remark(&of.dimmed().to_string());
        let told = |line: &&str| !line.starts_with("---") && !line.starts_with("+++");
        for line in diff.lines().filter(told) {
            let drawn = match line.as_bytes().first() {
                Some(b'-') => line.red().to_string(),
                Some(b'+') => line.green().to_string(),
                _ => line.dimmed().to_string(),
            };
            let bar = "│".dimmed();
            self.remark(&format!("{bar} {drawn}"));
        }
        self.line("");
    }

    /// Every step happened.
    pub(super) fn told(&mut self, took: Duration) {
        let text = format!("Every step happened, in {}.", spoken(took));
        self.line(&text.bold().to_string());
    }

    /// What to try while everything stays up.
    pub(super) fn invite(&mut self, stage: &Stage) {
        self.line("");
        self.line(
            &"It all stays up. To try, in another terminal:"
                .bold()
                .to_string(),
        );
        self.line("");
        for (command, why) in stage.suggestions() {
            self.line(&format!("  {}", format!("# {why}").dimmed()));
            self.line(&format!("  {command}"));
        }
        self.line("");
        if let Some(endpoints) = stage.endpoints() {
            self.line(&format!("  operators  {}", endpoints.operators));
            self.line(&format!("  agents     {}", endpoints.agents));
            self.line("");
        }
        self.line(&"Ctrl-C ends it.".dimmed().to_string());
    }

    /// What became of the folder.
    pub(super) fn cleared(&mut self, cleared: &Cleared) {
        let text = match cleared {
            Cleared::Removed(path) => format!("All processes ended; {} removed.", path.display()),
            Cleared::Left(path) => format!("All processes ended; {} left.", path.display()),
        };
        self.line(&text.dimmed().to_string());
    }

    /// Why it ended early, on stderr.
    pub(super) fn failed(&mut self, error: &DemoError) {
        let mut text = format!("\n{} {error}\n", "error:".red().bold());
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(&format!("  {} {error}\n", "caused by:".dimmed()));
            cause = error.source();
        }
        if let Some(log) = error.log().filter(|log| !log.is_empty()) {
            text.push_str(&format!("  {}\n", "the end of its log:".dimmed()));
            for line in log.lines() {
                text.push_str(&format!("  {} {line}\n", "│".dimmed()));
            }
        }
        if let Some(hint) = error.hint() {
            text.push_str(&format!("{} {hint}\n", "hint:".cyan().bold()));
        }
        let _ = anstream::stderr().write_all(text.as_bytes());
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{}", text.trim_end());
        let _ = self.out.flush();
    }
}

/// `3 ms`, `1.24 s`.
fn spoken(time: Duration) -> String {
    match time.as_millis() {
        0 => "under 1 ms".to_owned(),
        millis @ 1..1000 => format!("{millis} ms"),
        _ => format!("{:.2} s", time.as_secs_f64()),
    }
}
