//! What an expression can see: variables at the top level, `params`, `host`, `facts`, `global`,
//! `inventory_hostname`, and the items of `for_each`.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use minijinja::value::{Enumerator, Object, ValueKind};
use minijinja::{Error, ErrorKind, Value};

use super::{HostState, Merged};
use crate::diag::{Code, Diagnostic, Source, Span, did_you_mean, listed};
use crate::render::{Failing, NONCE};

/// What an expression can see.
#[derive(Clone)]
pub(crate) struct Scope {
    state: Weak<HostState>,
    params: Option<Value>,
    /// What the loops around name, the innermost last.
    items: Vec<(Arc<str>, Value)>,
}

/// Most variables of which it is told where they were set.
const MAX_ORIGINS: usize = 3;

const BESIDE: [&str; 4] = ["facts", "global", "host", "inventory_hostname"];

impl Scope {
    /// The scope of a variable's value.
    pub(crate) fn variables(state: &Arc<HostState>) -> Self {
        Self {
            state: Arc::downgrade(state),
            params: None,
            items: Vec::new(),
        }
    }

    /// The scope of a role.
    pub(crate) fn role(state: &Arc<HostState>, params: Value) -> Self {
        Self {
            params: Some(params),
            ..Self::variables(state)
        }
    }

    /// The same with what one round of a `for_each` names.
    pub(crate) fn with_items(&self, named: impl IntoIterator<Item = (Arc<str>, Value)>) -> Self {
        let mut inner = self.clone();
        inner.items.extend(named);
        inner
    }

    /// As the engine takes it.
    pub(crate) fn value(&self) -> Value {
        Value::from_object(self.clone())
    }

    /// The host whose variables it sees.
    pub(super) fn state(&self) -> Option<Arc<HostState>> {
        self.state.upgrade()
    }

    /// What the loops around name, the outermost first.
    pub(super) fn items(&self) -> impl Iterator<Item = &(Arc<str>, Value)> {
        self.items.iter()
    }

    /// What stands beside the variables.
    pub(super) fn beside(&self, name: &str) -> Option<Value> {
        let state = self.state.upgrade()?;
        match name {
            "params" => self.params.clone(),
            "host" => Some(state.record.clone()),
            "facts" => Some(state.facts.clone()),
            _ => None,
        }
    }

    fn look_up(&self, name: &str) -> Option<Value> {
        let mut items = self.items.iter().rev();
        if let Some((_, item)) = items.find(|(own, _)| &**own == name) {
            return Some(item.clone());
        }
        let state = self.state.upgrade()?;
        match name {
            "params" => self.params.clone(),
            "host" => Some(state.record.clone()),
            "facts" => Some(state.facts.clone()),
            "global" => Some(state.global.clone()),
            NONCE => Some(Value::from(Arc::clone(&state.nonce))),
            "inventory_hostname" => Some(Value::from(state.name.as_str())),
            _ => state.variable(name),
        }
    }

    fn names(&self) -> BTreeSet<String> {
        let state = self.state.upgrade();
        let variables = state
            .iter()
            .flat_map(|state| state.tree.keys().map(ToString::to_string));
        let mut names: BTreeSet<String> = variables.collect();
        names.extend(BESIDE.map(str::to_owned));
        names.extend(self.params.as_ref().map(|_| "params".to_owned()));
        names.extend(self.items.iter().map(|(name, _)| name.to_string()));
        names
    }

    /// From what failed to what the reader is told: the nearest name, the missing facts.
    pub(crate) fn diagnostic(&self, failing: Failing) -> Diagnostic {
        let nowhere = || Span::whole(&Source::new("", ""));
        let span = failing
            .span
            .or_else(|| failing.used.clone())
            .unwrap_or_else(nowhere);
        if failing.message.contains(NEEDS_FACTS) {
            let read = span.text().trim();
            let fact = if read.starts_with("facts") {
                read
            } else {
                "facts"
            };
            let message = format!("this needs `{fact}`, and the facts of the host are not known");
            return Diagnostic::new(Code::NeedsFacts, message, &span).help(
                "facts are known once its agent has reported, or are given with `--facts FILE`",
            );
        }
        let missing = failing
            .undefined
            .as_deref()
            .and_then(|path| self.first_missing(path));
        let told = match missing {
            None => {
                let told = Diagnostic::new(failing.code, failing.message, &span)
                    .maybe_help(failing.help.map(String::from));
                match failing.code {
                    Code::Evaluation => self.with_origins(told, &span),
                    _ => told,
                }
            }
            Some((name, known)) => {
                let last = name.rsplit('.').next().unwrap_or_default();
                let elsewhere = self.elsewhere(&name);
                let near = did_you_mean(last, known.iter().map(String::as_str));
                let help = near.filter(|_| elsewhere.is_none()).or_else(|| {
                    let some = !known.is_empty() && name.contains('.');
                    some.then(|| format!("there is {}", listed(known.iter().map(String::as_str))))
                });
                let message = format!("`{name}` is undefined");
                let told = Diagnostic::new(Code::Undefined, message, &span)
                    .maybe_help(elsewhere)
                    .maybe_help(help);
                match name == "params" {
                    true => told.help("`params` is there in the resources and templates of a role"),
                    false => told,
                }
            }
        };
        match &failing.used {
            Some(used) if *used != span => told.also(used, "rendered for this"),
            _ => told,
        }
    }

    /// Adds where the variables that an expression reads were set: what failed may well be their
    /// fault, and they stand in a layer far away.
    fn with_origins(&self, mut told: Diagnostic, span: &Span) -> Diagnostic {
        let Some(state) = self.state.upgrade() else {
            return told;
        };
        let role = span.path().strip_prefix("roles/");
        let role = role.and_then(|rest| rest.split_once('/'));
        let words = span
            .text()
            .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.');
        let mut known = BTreeSet::new();
        for word in words.filter(|word| known.insert(*word)) {
            let own = role.zip(word.strip_prefix("params."));
            let path = own.map(|((role, _), rest)| format!("{role}.{rest}"));
            let path = path.as_deref().unwrap_or(word).split('.');
            let path: Vec<Arc<str>> = path.map(Arc::from).collect();
            let Some(merged) = Merged::at(&state.tree, &path) else {
                continue;
            };
            if let Merged::Leaf(leaf) = &*merged
                && told.labels.len() <= MAX_ORIGINS
                && told.labels.iter().all(|label| label.span != leaf.term.span)
            {
                let source = &state.layers[leaf.layer].source;
                let words = format!("`{word}` is this, set by {source}");
                told = told.also(&leaf.term.span, words);
            }
        }
        told
    }

    /// The first part of a path that is not there, and what is there instead.
    fn first_missing(&self, path: &str) -> Option<(String, Vec<String>)> {
        let mut parts = path.split('.');
        let first = parts.next().filter(|name| !name.is_empty())?;
        let Some(mut value) = self.look_up(first) else {
            return Some((first.to_owned(), self.names().into_iter().collect()));
        };
        let mut known = first.to_owned();
        for part in parts {
            // An item by number or by key is not told from its neighbours.
            if part.contains('[') {
                return None;
            }
            let inner = value.get_attr(part).ok()?;
            known = format!("{known}.{part}");
            if inner.is_undefined() {
                // Letters are no names.
                if value.kind() != ValueKind::Map {
                    return Some((known, Vec::new()));
                }
                let names = value.try_iter().ok()?;
                let names = names.filter_map(|name| name.as_str().map(str::to_owned));
                return Some((known, names.collect()));
            }
            value = inner;
        }
        None
    }
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the scope")
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.look_up(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.look_up(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.names().into_iter().map(Value::from).collect())
    }
}

/// Marks the error of an expression that reads facts which are not known.
pub(super) const NEEDS_FACTS: &str = "\u{0}needs facts";

/// The facts of a host that has not reported any: to read one is an error of its own kind.
#[derive(Debug)]
pub(crate) struct Missing;

impl Object for Missing {
    fn get_value(self: &Arc<Self>, _: &Value) -> Option<Value> {
        Some(Value::from(Error::new(
            ErrorKind::InvalidOperation,
            NEEDS_FACTS,
        )))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let error = Error::new(ErrorKind::InvalidOperation, NEEDS_FACTS);
        Enumerator::Values(vec![Value::from(error)])
    }
}
