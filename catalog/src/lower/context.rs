//! What lowering the resources of a role needs at hand: the scope, the engine, what was made.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use holdfast_schemas::Digest;
use holdfast_schemas::health::HealthProbe;
use minijinja::Value;
use minijinja::value::ValueKind;

use super::absent::Absent;
use super::expand::Built;
use super::frame::Frame;
use super::include::{Holding, Instance};
use crate::diag::{Code, Diagnostic, Span};
use crate::render::{Engine, Failing, Handle, ProgramId};
use crate::sealed::SealedContent;
use crate::site::{Parts, Role};
use crate::vars::{Form, HostState, Scope, Term};

/// What a host's roles are carried out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To see which roles they include.
    Includes,
    /// For their resources.
    Catalog,
}

/// What the roles of a host have given so far; `'s` is the site.
pub(crate) struct Made<'s> {
    pub(crate) purpose: Purpose,
    pub(crate) parts: &'s Parts,
    /// Roles that are in the catalog; none of them twice.
    pub(crate) frames: Vec<Frame>,
    /// The frames of those that are there once.
    pub(super) once: HashMap<&'s str, usize>,
    /// Those of repeatable ones, by role and title.
    pub(super) instances: HashMap<(Arc<str>, Arc<str>), Instance<'s>>,
    /// The includes of roles that are there once.
    pub(super) holding: Vec<Holding<'s>>,
    /// The probes of roles, by frame.
    pub(super) health: Vec<(usize, HealthProbe)>,
    /// The roles that facts bring.
    pub(super) chosen: BTreeMap<&'s str, Chosen>,
    pub(crate) built: Vec<Built<'s>>,
    /// Content that was made and is too long for the catalog.
    pub(crate) blobs: BTreeMap<Digest, Arc<[u8]>>,
    /// Contents with secrets in them, by the digest of their draft.
    pub(crate) sealed: BTreeMap<Digest, SealedContent>,
    /// What is declared and not in the catalog.
    pub(crate) absent: Absent<'s>,
    /// Rounds of all `for_each` together.
    pub(crate) rounds: usize,
}

impl<'s> Made<'s> {
    /// The roles that are there once, in their order.
    pub(super) fn roles(&self) -> Vec<&'s Role> {
        let once = self.frames.iter().filter(|frame| frame.title.is_none());
        let roles = once.filter_map(|frame| self.parts.roles.get(&frame.role));
        roles.collect()
    }

    /// Nothing so far.
    pub(super) fn nothing(purpose: Purpose, parts: &'s Parts, state: &Arc<HostState>) -> Self {
        Self {
            purpose,
            parts,
            frames: Vec::new(),
            once: HashMap::new(),
            instances: HashMap::new(),
            holding: Vec::new(),
            health: Vec::new(),
            chosen: BTreeMap::new(),
            built: Vec::new(),
            blobs: BTreeMap::new(),
            sealed: BTreeMap::new(),
            absent: Absent::of(state),
            rounds: 0,
        }
    }
}

/// A decision that depends on facts.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    /// What it is about, as in "`when`".
    pub(crate) what: &'static str,
    /// Where it stands.
    pub(crate) span: Span,
}

/// The place from which a role's resources are lowered.
pub(crate) struct Context<'s, 'h> {
    pub(crate) state: &'h Arc<HostState>,
    pub(crate) role: &'s Role,
    /// The role that is there once, and that this is a part of.
    pub(super) owner: &'s Role,
    /// The place of the role in the catalog.
    pub(super) frame: usize,
    pub(crate) scope: Scope,
    /// The scope as the engine takes it.
    pub(crate) value: Value,
    pub(crate) made: &'h mut Made<'s>,
    /// What depends on facts, where they decide whether the resource at hand is there.
    pub(crate) chosen: Option<Chosen>,
}

impl<'s> Context<'s, '_> {
    /// The same place with another scope.
    pub(crate) fn with(&mut self, scope: Scope) -> Context<'s, '_> {
        Context {
            state: self.state,
            role: self.role,
            owner: self.owner,
            frame: self.frame,
            value: scope.value(),
            scope,
            made: self.made,
            chosen: self.chosen.clone(),
        }
    }

    /// The engine.
    pub(crate) fn engine(&self) -> &Engine {
        &self.state.parts.engine
    }

    /// Tells that something is wrong in this host.
    pub(crate) fn tell(&self, diagnostic: Diagnostic) {
        self.state.record(diagnostic);
    }

    /// Tells what failed, unless it is told already.
    pub(crate) fn failed(&self, failing: Failing) {
        if failing.recorded.is_none() {
            self.tell(self.scope.diagnostic(failing));
        }
    }

    /// Whether a condition holds; `None` where that failed, which is told.
    pub(crate) fn holds(&self, when: ProgramId) -> Option<bool> {
        let value = self.engine().eval(when, &self.value);
        let value = value.map_err(|failing| self.failed(failing)).ok()?;
        if let Some(handle) = Handle::in_value(&value) {
            let message = format!("{} cannot be asked whether it is true", handle.names());
            let told = Diagnostic::new(Code::Secret, message, self.engine().span(when));
            self.tell(told.help("`when` reads a variable of its own, or `is defined`"));
            return None;
        }
        match value.as_str().filter(|text| means_no(text)) {
            None => Some(value.is_true()),
            Some(text) => {
                let message = format!("`when` gives the string {text:?}, which counts as true");
                let told = Diagnostic::new(Code::WrongType, message, self.engine().span(when));
                self.tell(told.help("make it a boolean with `|bool`, or compare it"));
                None
            }
        }
    }

    /// The value of an attribute; `None` where that failed, which is told.
    pub(crate) fn eval(&self, term: &Term) -> Option<Value> {
        if let Some(value) = &term.constant {
            return Some(value.clone());
        }
        match &term.form {
            Form::Scalar(value) => Some(value.clone()),
            Form::Program { id, .. } => {
                let result = self.engine().eval(*id, &self.value);
                result.map_err(|failing| self.failed(failing)).ok()
            }
            Form::List(items) => {
                let values: Vec<Option<Value>> = items.iter().map(|item| self.eval(item)).collect();
                values
                    .into_iter()
                    .collect::<Option<Vec<Value>>>()
                    .map(Value::from)
            }
            Form::Map(map) => {
                let pairs = map.iter().map(|(name, field)| {
                    Some((Value::from(Arc::clone(name)), self.eval(&field.term)?))
                });
                let pairs: Vec<Option<(Value, Value)>> = pairs.collect();
                let pairs: Option<Vec<(Value, Value)>> = pairs.into_iter().collect();
                pairs.map(Value::from_pairs)
            }
        }
    }
}

/// Whether whoever wrote a text meant no by it.
fn means_no(text: &str) -> bool {
    const WORDS: [&str; 5] = ["0", "false", "n", "no", "off"];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// The items of a list that an expression gives.
pub(crate) fn list(value: &Value) -> Option<Vec<Value>> {
    let list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    value
        .try_iter()
        .ok()
        .filter(|_| list)
        .map(Iterator::collect)
}
