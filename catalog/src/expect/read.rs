//! Reading `tests/*.yaml`: a list of tests, each with its hosts and what is said of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use super::error::WantedError;
use super::facts::{self, FactFiles};
use super::place::{Only, Wanted};
use super::resource::Expected;
use super::{Claim, Test};
use crate::diag::{Code, Diagnostic, Diagnostics, Source, Span};
use crate::site::Entry;
use crate::site::fields::{Fields, wrong_type};
use crate::site::files::{ending, text};
use crate::site::secret;
use crate::site::yaml::{self, Node, Yaml};

/// What a test says of a catalog, which an error leaves nothing to be said of.
const OF_CATALOG: [&str; 3] = ["expect", "absent", "only"];

/// Reads every test of a repo.
pub(super) fn tests(entries: &BTreeMap<String, Entry>, wrong: &mut Diagnostics) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut facts = FactFiles::of(entries);
    for (path, entry) in entries {
        if path.starts_with(facts::FOLDER) {
            continue;
        }
        if path.ends_with(".yml") {
            wrong.push(ending(path));
        }
        if !path.ends_with(".yaml") {
            continue;
        }
        let Some(source) = text(path, entry, wrong) else {
            continue;
        };
        if let Some(node) = document(&source, wrong) {
            tests.extend(of_file(&node, &mut facts, wrong));
        }
    }
    tests
}

/// Reads a file of a test, which holds nothing that is encrypted.
pub(super) fn document(source: &Arc<Source>, wrong: &mut Diagnostics) -> Option<Node> {
    let mut told = Vec::new();
    let node = yaml::read(source, &mut told);
    told.into_iter().for_each(|one| wrong.push(one));
    let encrypted = node.as_ref().and_then(encrypted);
    if let Some(span) = encrypted {
        let help = "write what stands in for it: whoever runs the tests has no key";
        wrong.push(secret::misplaced("a value in a test", help, span));
        return None;
    }
    node
}

/// The first value that is encrypted.
fn encrypted(node: &Node) -> Option<&Span> {
    match &node.value {
        Yaml::Secret(_) => Some(&node.span),
        Yaml::List(items) => items.iter().find_map(encrypted),
        Yaml::Map(map) => map.values().find_map(|field| encrypted(&field.node)),
        _ => None,
    }
}

fn of_file(node: &Node, facts: &mut FactFiles<'_>, wrong: &mut Diagnostics) -> Vec<Test> {
    match &node.value {
        Yaml::List(items) => {
            let tests = items.iter();
            tests.filter_map(|item| test(item, facts, wrong)).collect()
        }
        // A file with nothing in it, or with one test.
        Yaml::Map(map) if map.is_empty() => Vec::new(),
        Yaml::Map(map) if map.contains_key("test") => {
            test(node, facts, wrong).into_iter().collect()
        }
        _ => {
            wrong.push(wrong_type("a list of tests", node).help("write `- test: NAME`"));
            Vec::new()
        }
    }
}

fn test(node: &Node, files: &mut FactFiles<'_>, wrong: &mut Diagnostics) -> Option<Test> {
    let mut fields = Fields::of(node, "a test", wrong)?;
    let named = fields.text("test", wrong);
    if named.is_none() {
        let message = "a test begins with its name, `test: NAME`";
        wrong.push(Diagnostic::new(Code::MissingKey, message, &node.span));
    }
    let (hosts, groups) = (fields.texts("hosts", wrong), fields.texts("groups", wrong));
    if hosts.is_empty() && groups.is_empty() {
        let message = "a test needs `hosts` or `groups`";
        let told = Diagnostic::new(Code::MissingKey, message, &node.span);
        wrong.push(told.help("`hosts: \"*\"` is every host of the repo"));
    }
    let facts = fields.get("facts");
    let facts = facts.and_then(|field| files.given(&field.node, wrong));
    let vars = mapping(&mut fields, "vars", wrong).unwrap_or_default();
    let claim = claim(&mut fields, node, wrong);
    let _ = fields.get("description");
    fields.finish(wrong);
    let (name, span) = named?;
    Some(Test {
        name,
        span,
        hosts,
        groups,
        facts,
        vars,
        claim: claim?,
    })
}

fn claim(fields: &mut Fields<'_>, node: &Node, wrong: &mut Diagnostics) -> Option<Claim> {
    let error = fields.get("error");
    let said = OF_CATALOG.map(|key| fields.get(key));
    if let (Some(error), Some(other)) = (error, said.iter().flatten().next()) {
        let message = "a host with an error has no catalog to say something of";
        let told = Diagnostic::new(Code::InvalidValue, message, &other.key);
        wrong.push(told.also(&error.key, "the error"));
    }
    if let Some(error) = error {
        return WantedError::read(&error.node, wrong).map(Claim::Error);
    }
    if said.iter().all(Option::is_none) {
        let message = "a test expects something: `expect`, `absent`, `only` or `error`";
        let told = Diagnostic::new(Code::MissingKey, message, &node.span);
        wrong.push(told.help("`expect: []` says that the hosts compile"));
        return None;
    }
    for field in said[1..].iter().flatten() {
        if items(Some(&field.node)).is_empty() {
            let message = "this names nothing, so nothing is looked at";
            wrong.push(Diagnostic::new(Code::MissingKey, message, &field.key));
        }
    }
    let [expect, absent, only] = said.map(|field| items(field.map(|field| &field.node)));
    let expect = expect.iter().flat_map(|item| Expected::read(item, wrong));
    let expect = expect.collect();
    let absent = absent.iter().flat_map(|item| Wanted::read(item, wrong));
    let absent = absent.collect();
    let only = only.iter().flat_map(|item| Only::read(item, wrong));
    Some(Claim::Catalog {
        expect,
        absent,
        only: only.collect(),
    })
}

/// The items of a list; what is none counts as one of one item, and is told by who reads it.
fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|node| (&node.value, node)) {
        None => &[],
        Some((Yaml::List(items), _)) => items,
        Some((_, node)) => std::slice::from_ref(node),
    }
}

fn mapping<'a>(
    fields: &mut Fields<'a>,
    key: &'a str,
    wrong: &mut Diagnostics,
) -> Option<JsonMap<String, Json>> {
    let field = fields.get(key)?;
    match plain(&field.node) {
        Json::Object(map) => Some(map),
        _ => {
            wrong.push(wrong_type("a mapping", &field.node));
            None
        }
    }
}

/// A value as it stands: a test holds no expressions.
pub(super) fn plain(node: &Node) -> Json {
    match &node.value {
        // What is encrypted is refused before.
        Yaml::Null | Yaml::Secret(_) => Json::Null,
        Yaml::Bool(value) => Json::from(*value),
        Yaml::Int(value) => Json::from(*value),
        Yaml::Float(value) => Json::from(*value),
        Yaml::Text(text) => Json::from(&**text),
        Yaml::List(items) => items.iter().map(plain).collect(),
        Yaml::Map(map) => {
            let fields = map.iter();
            let fields = fields.map(|(name, field)| (name.to_string(), plain(&field.node)));
            Json::Object(fields.collect())
        }
    }
}
