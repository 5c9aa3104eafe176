//! The facts that a test takes of its hosts: written in the test, or in a file of `tests/facts/`,
//! as `holdfast-agent facts --json` prints them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use super::read::{document, plain};
use crate::diag::{Code, Diagnostic, Diagnostics, Source, Span, did_you_mean};
use crate::site::Entry;
use crate::site::fields::wrong_type;
use crate::site::files::text;
use crate::site::yaml::{Node, Yaml};

/// Where files with facts are; no file in it is a test.
pub(super) const FOLDER: &str = "tests/facts/";

/// Facts, shared by the tests that name one file.
type Facts = Arc<JsonMap<String, Json>>;

/// The files with facts, each read when a test first names it.
pub(super) struct FactFiles<'a> {
    entries: &'a BTreeMap<String, Entry>,
    read: BTreeMap<&'a str, Option<Facts>>,
}

impl<'a> FactFiles<'a> {
    /// None read yet.
    pub(super) fn of(entries: &'a BTreeMap<String, Entry>) -> Self {
        Self {
            entries,
            read: BTreeMap::new(),
        }
    }

    /// Reads `facts` of a test: a mapping, or the name of a file.
    pub(super) fn given(&mut self, node: &Node, wrong: &mut Diagnostics) -> Option<Facts> {
        match &node.value {
            Yaml::Text(name) => self.file(name, &node.span, wrong),
            _ => match plain(node) {
                Json::Object(map) => Some(Arc::new(map)),
                _ => {
                    let told = wrong_type("a mapping", node);
                    wrong.push(told.help(format!("or the name of a file in `{FOLDER}`")));
                    None
                }
            },
        }
    }

    fn file(&mut self, name: &str, span: &Span, wrong: &mut Diagnostics) -> Option<Facts> {
        let entries = self.entries;
        let Some((path, entry)) = entries.get_key_value(&format!("{FOLDER}{name}")) else {
            let known = entries.keys().filter_map(|path| path.strip_prefix(FOLDER));
            let message = format!("there is no file `{FOLDER}{name}`");
            let told = Diagnostic::new(Code::UnknownName, message, span);
            wrong.push(told.maybe_help(did_you_mean(name, known)));
            return None;
        };
        let read = self.read.entry(path);
        read.or_insert_with(|| facts(path, entry, wrong)).clone()
    }
}

fn facts(path: &str, entry: &Entry, wrong: &mut Diagnostics) -> Option<Facts> {
    let source = text(path, entry, wrong)?;
    let read = match path.ends_with(".json") {
        true => json(&source, wrong)?,
        false => plain(&document(&source, wrong)?),
    };
    match read {
        Json::Object(map) => Some(Arc::new(map)),
        _ => {
            let message = "facts are a mapping";
            wrong.push(Diagnostic::new(
                Code::WrongType,
                message,
                &Span::whole(&source),
            ));
            None
        }
    }
}

fn json(source: &Arc<Source>, wrong: &mut Diagnostics) -> Option<Json> {
    let error = match serde_json::from_str(source.text()) {
        Ok(read) => return Some(read),
        Err(error) => error,
    };
    let lines = source.text().split_inclusive('\n');
    let before: usize = lines
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let at = before + error.column().saturating_sub(1);
    let message = format!("this is no JSON: {error}");
    wrong.push(Diagnostic::new(
        Code::Syntax,
        message,
        &Span::new(source, at, at + 1),
    ));
    None
}
