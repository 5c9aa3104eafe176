//! Comments that silence a finding at its place: `# lint: allow CODE — REASON`, in the line of the
//! finding or in the comment right above it.
//!
//! A reason is asked for, and a comment that silences nothing is a finding itself: what was
//! allowed once and is no more in need of it would hide the next mistake.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::Findings;
use super::seen::Seen;
use crate::diag::{Code, Diagnostic, Diagnostics, Severity, Source, Span, did_you_mean};
use crate::site::Parts;
use crate::site::yaml::{self, Node, Yaml};

/// How such a comment begins, behind its `#`.
const BEGIN: &str = "lint:";

/// What stands between the codes and the reason.
const DASHES: [&str; 4] = ["—", "–", "--", " - "];

/// A finding that a comment silences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Allowed {
    /// Its code.
    pub code: Code,
    /// What would be said.
    pub message: String,
    /// `file:line:column` of the finding.
    pub place: String,
    /// Why it is allowed.
    pub reason: String,
}

/// All such comments of a site.
#[derive(Debug)]
pub(super) struct Comments {
    list: Vec<Comment>,
    /// By file and line of what it is said of.
    by_line: BTreeMap<(String, usize), Vec<usize>>,
}

#[derive(Debug)]
struct Comment {
    codes: Vec<(Code, Span)>,
    reason: String,
}

impl Comments {
    /// Reads the comments; what is wrong with them is told.
    pub(super) fn of(parts: &Parts, told: &mut Diagnostics) -> Self {
        let mut comments = Self {
            list: Vec::new(),
            by_line: BTreeMap::new(),
        };
        for source in parts
            .sources
            .iter()
            .filter(|one| one.text().contains(BEGIN))
        {
            comments.read(source, told);
        }
        comments
    }

    fn read(&mut self, source: &Arc<Source>, told: &mut Diagnostics) {
        let texts = texts_of(source);
        // Comments in lines of their own, for the next line that is none.
        let mut waiting: Vec<usize> = Vec::new();
        let mut from = 0;
        for (number, line) in source.text().split_inclusive('\n').enumerate() {
            let begin = from;
            from += line.len();
            let found = comment_in(line);
            let found = found.filter(|at| !texts.iter().any(|text| text.contains(&(begin + at))));
            if let Some(at) = found {
                let end = begin + line.trim_end().len();
                let comment = comment(&Span::new(source, begin + at, end), told);
                waiting.extend(comment.map(|comment| {
                    self.list.push(comment);
                    self.list.len() - 1
                }));
            }
            if !line.trim_start().starts_with('#') {
                let line = (source.path().to_owned(), number + 1);
                self.by_line.entry(line).or_default().append(&mut waiting);
            }
        }
        // Behind the last line there is nothing to allow.
        waiting.clear();
    }

    /// Takes out what is allowed, and adds what allows nothing.
    pub(super) fn silence(self, found: Diagnostics, seen: &Seen) -> Findings {
        let mut used = vec![Vec::new(); self.list.len()];
        let (mut told, mut allowed) = (Diagnostics::new(), Vec::new());
        for one in found {
            match self.allowing(&one) {
                None => told.push(one),
                Some(number) => {
                    used[number].push(one.code);
                    let place = one.labels.first().map(|label| label.span.to_string());
                    allowed.push(Allowed {
                        code: one.code,
                        message: one.message,
                        place: place.unwrap_or_default(),
                        reason: self.list[number].reason.clone(),
                    });
                }
            }
        }
        for (comment, used) in self.list.iter().zip(&used) {
            let mut idle = comment
                .codes
                .iter()
                .filter(|(code, _)| !used.contains(code));
            // What only hosts can show may be there in one that nobody could look at.
            idle.by_ref()
                .filter(|(code, _)| seen.is_whole() || !needs_hosts(*code))
                .for_each(|(code, span)| told.push(idle_told(*code, span)));
        }
        Findings {
            told: told.sorted(),
            allowed,
        }
    }

    /// The comment that allows a finding, at any of its places.
    fn allowing(&self, found: &Diagnostic) -> Option<usize> {
        let lines = found.labels.iter().map(|label| {
            let (line, _) = label.span.line_column();
            (label.span.path().to_owned(), line)
        });
        let mut comments = lines.flat_map(|line| self.by_line.get(&line).into_iter().flatten());
        let allows = |number: &&usize| {
            let mut codes = self.list[**number].codes.iter();
            codes.any(|(code, _)| *code == found.code)
        };
        comments.find(allows).copied()
    }
}

/// Whether a finding is made by looking at hosts.
fn needs_hosts(code: Code) -> bool {
    matches!(
        code,
        Code::ShadowedValue
            | Code::UnreachableGroup
            | Code::ServiceWithoutPackage
            | Code::NeverRefreshed
    )
}

fn idle_told(code: Code, span: &Span) -> Diagnostic {
    let message = format!("this allows `{code}`, and nothing of it is found here");
    Diagnostic::new(Code::UnusedAllow, message, span).help("take the comment out")
}

/// The ranges of texts in a file, in which a `#` is no comment.
fn texts_of(source: &Arc<Source>) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    if let Some(node) = yaml::read(source, &mut Vec::new()) {
        texts(&node, &mut found);
    }
    found
}

fn texts(node: &Node, found: &mut Vec<std::ops::Range<usize>>) {
    match &node.value {
        Yaml::Text(_) => found.push(node.span.range()),
        Yaml::List(items) => items.iter().for_each(|item| texts(item, found)),
        Yaml::Map(map) => map.values().for_each(|field| texts(&field.node, found)),
        _ => {}
    }
}

/// Where a comment of ours begins in a line: at its `#`.
fn comment_in(line: &str) -> Option<usize> {
    let mut hashes = line.match_indices('#').map(|(at, _)| at);
    hashes.find(|at| {
        let before = line[..*at].chars().next_back();
        before.is_none_or(char::is_whitespace) && line[at + 1..].trim_start().starts_with(BEGIN)
    })
}

/// Reads a comment; one that says nothing is told.
fn comment(span: &Span, told: &mut Diagnostics) -> Option<Comment> {
    let text = span.text();
    let mut wrong = |message: String, help: Option<String>| {
        let one = Diagnostic::new(Code::InvalidAllow, message, span);
        let form = "it is written `# lint: allow CODE — REASON`";
        told.push(one.help(help.unwrap_or_else(|| form.to_owned())));
    };
    let said = text.trim_start_matches('#').trim_start();
    let said = said.strip_prefix(BEGIN).unwrap_or_default().trim();
    let Some(said) = said.strip_prefix("allow ") else {
        wrong("this comment allows nothing".to_owned(), None);
        return None;
    };
    let dash = DASHES
        .iter()
        .filter_map(|dash| Some((said.find(dash)?, dash.len())));
    let (words, reason) = match dash.min() {
        Some((at, length)) => (&said[..at], said[at + length..].trim()),
        None => (said, ""),
    };
    if reason.is_empty() {
        wrong(
            "this allows something, and does not say why".to_owned(),
            None,
        );
        return None;
    }
    let mut codes = Vec::new();
    for word in words.split(',').map(str::trim) {
        let lints = || {
            Code::ALL
                .iter()
                .filter(|code| code.severity() == Severity::Finding)
        };
        match lints().find(|code| code.as_str() == word) {
            Some(code) => {
                let at = text.find(word).unwrap_or_default();
                codes.push((*code, span.within(at..at + word.len())));
            }
            None => {
                let near = did_you_mean(word, lints().map(|code| code.as_str()));
                let message = match word.parse::<Code>() {
                    Ok(_) => format!("`{word}` is an error, which cannot be allowed"),
                    Err(_) => format!("`{word}` is nothing that `holdfast lint` finds"),
                };
                wrong(message, near);
            }
        }
    }
    (!codes.is_empty()).then(|| Comment {
        codes,
        reason: reason.to_owned(),
    })
}
