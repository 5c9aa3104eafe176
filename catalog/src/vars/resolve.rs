//! The variables of one host: merged once, evaluated when they are asked for, each at most once.
//!
//! Values that hold expressions are objects that evaluate on access, so that `a.y` may be defined
//! by `a.x`. An expression that is asked for while it is being evaluated is a cycle, and told with
//! the whole loop.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use holdfast_schemas::HostName;
use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::merge::Leaf;
use super::scope::Scope;
use super::typed::{self, Unfit};
use super::{Form, Layer, LayerSource, Merged, Term};
use crate::diag::{Code, Diagnostic, Span};
use crate::lower::params_of;
use crate::render::{Failing, ProgramId, abbreviated, carried_value};
use crate::site::Parts;

/// Most variables that refer to each other in a row: what a stack of 2 MiB, the least a thread of
/// the server has, carries several times.
const MAX_CHAIN: usize = 24;

/// The variables of a host while it compiles.
pub(crate) struct HostState {
    pub(crate) parts: Arc<Parts>,
    pub(crate) name: HostName,
    pub(crate) layers: Vec<Layer>,
    pub(crate) tree: IndexMap<Arc<str>, Arc<Merged>>,
    /// The host's record, as `host`.
    pub(crate) record: Value,
    /// The facts, as `facts`.
    pub(crate) facts: Value,
    /// The variables of the lowest layer, as `global`.
    pub(crate) global: Value,
    /// What makes marks of secrets this host's own; empty in a site without secrets.
    pub(crate) nonce: Arc<str>,
    /// The variables that are not what they are declared to be; set before anything is evaluated.
    unfit: OnceLock<Unfit>,
    evaluation: Mutex<Evaluation>,
}

#[derive(Default)]
struct Evaluation {
    known: HashMap<ProgramId, Value>,
    running: Vec<(ProgramId, usize)>,
    wrong: Vec<Diagnostic>,
    /// Which of them tell of a value that is not what it is declared to be.
    misfits: BTreeSet<usize>,
}

/// What a host's variables are made from.
pub(crate) struct Ingredients {
    pub(crate) parts: Arc<Parts>,
    pub(crate) name: HostName,
    pub(crate) layers: Vec<Layer>,
    pub(crate) tree: IndexMap<Arc<str>, Arc<Merged>>,
    pub(crate) record: Value,
    pub(crate) facts: Value,
    pub(crate) nonce: Arc<str>,
}

impl HostState {
    /// Puts a host's variables together.
    pub(crate) fn new(from: Ingredients) -> Arc<Self> {
        Arc::new_cyclic(|state: &Weak<Self>| {
            let global = LazyTerm {
                state: Weak::clone(state),
                layer: from
                    .layers
                    .iter()
                    .position(|layer| matches!(layer.source, LayerSource::Global))
                    .unwrap_or(0),
                term: Arc::clone(&from.parts.globals.vars),
            };
            Self {
                parts: from.parts,
                name: from.name,
                layers: from.layers,
                tree: from.tree,
                record: from.record,
                facts: from.facts,
                global: Value::from_object(global),
                nonce: from.nonce,
                unfit: OnceLock::new(),
                evaluation: Mutex::default(),
            }
        })
    }

    fn evaluation(&self) -> MutexGuard<'_, Evaluation> {
        // What a panic elsewhere left behind is still consistent: every step is one insertion.
        self.evaluation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an error; its number stands for it in the engine.
    pub(crate) fn record(&self, diagnostic: Diagnostic) -> usize {
        let mut evaluation = self.evaluation();
        evaluation.wrong.push(diagnostic.in_host(&self.name));
        evaluation.wrong.len() - 1
    }

    /// Every error that was recorded.
    pub(crate) fn take_wrong(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.evaluation().wrong)
    }

    /// What of a variable of the site is not as it is declared.
    pub(crate) fn unfit_messages(&self, path: &[Arc<str>]) -> Vec<String> {
        let unfit = self.unfit.get().zip(path.first());
        let number = unfit.and_then(|(unfit, name)| unfit.get(name));
        let told = number.and_then(|number| self.told(*number));
        told.map(|told| told.message).into_iter().collect()
    }

    /// A recorded error by its number.
    pub(crate) fn told(&self, number: usize) -> Option<Diagnostic> {
        self.evaluation().wrong.get(number).cloned()
    }

    /// How many errors are recorded.
    pub(crate) fn wrong_count(&self) -> usize {
        self.evaluation().wrong.len()
    }

    /// Records that an expression did not give what it has to.
    pub(crate) fn record_misfit(&self, diagnostic: Diagnostic) -> usize {
        let number = self.record(diagnostic);
        self.evaluation().misfits.insert(number);
        number
    }

    /// Forgets what was recorded from a number on, but for what is wrong whether it is read or
    /// not: circles, and values that are not what they are declared to be.
    pub(crate) fn keep_faults(&self, from: usize) {
        let mut evaluation = self.evaluation();
        let more = evaluation.wrong.split_off(from);
        let misfits = std::mem::take(&mut evaluation.misfits);
        let numbered = (from..).zip(more);
        let faults = numbered
            .filter(|(number, one)| one.code == Code::VariableCycle || misfits.contains(number));
        evaluation.wrong.extend(faults.map(|(_, one)| one));
    }

    /// Holds the merged variables against what they are declared to be.
    pub(crate) fn check_declared(&self) {
        self.unfit.get_or_init(|| typed::unfit(self));
    }

    /// The value of a variable.
    pub(crate) fn variable(self: &Arc<Self>, name: &str) -> Option<Value> {
        let unfit = self.unfit.get().and_then(|unfit| unfit.get(name));
        match unfit {
            // Whatever reads it fails without another word.
            Some(number) => Some(carried_value(*number)),
            None => self.tree.get(name).map(|merged| self.value(merged)),
        }
    }

    /// A merged value.
    pub(crate) fn value(self: &Arc<Self>, merged: &Arc<Merged>) -> Value {
        match &**merged {
            Merged::Leaf(leaf) => self.leaf(leaf),
            Merged::Map(_) => Value::from_object(LazyMap {
                state: Arc::downgrade(self),
                merged: Arc::clone(merged),
            }),
            Merged::List(items) => items.iter().map(|leaf| self.leaf(leaf)).collect(),
            // Told when the layers were merged.
            Merged::Conflict(first, _) => self.leaf(first),
        }
    }

    fn leaf(self: &Arc<Self>, leaf: &Leaf) -> Value {
        self.term(&leaf.term, leaf.layer)
    }

    /// A value as written in a layer.
    pub(crate) fn term(self: &Arc<Self>, term: &Arc<Term>, layer: usize) -> Value {
        if let Some(value) = &term.constant {
            return value.clone();
        }
        match &term.form {
            Form::Scalar(value) => value.clone(),
            Form::Program { id, .. } => self.program(*id, layer),
            Form::List(items) => items.iter().map(|item| self.term(item, layer)).collect(),
            Form::Map(_) => Value::from_object(LazyTerm {
                state: Arc::downgrade(self),
                layer,
                term: Arc::clone(term),
            }),
        }
    }

    fn program(self: &Arc<Self>, id: ProgramId, layer: usize) -> Value {
        if let Some(told) = self.begin(id, layer) {
            return told;
        }
        let scope = self.scope_of(layer);
        let result = self.parts.engine.eval(id, &scope.value());
        let value =
            result.unwrap_or_else(|failing| carried_value(self.tell(&scope, failing, layer)));
        {
            let mut evaluation = self.evaluation();
            evaluation.running.pop();
            evaluation.known.insert(id, value.clone());
        }
        // Now that it is known: what it holds may be defined by itself, part by part.
        let Some(number) = typed::computed(self, (id, layer), &value) else {
            return value;
        };
        let value = carried_value(number);
        self.evaluation().known.insert(id, value.clone());
        value
    }

    /// What the expressions of a layer see: variables, and what a role gives another its own
    /// parameters beside them.
    fn scope_of(self: &Arc<Self>, layer: usize) -> Scope {
        let by = match &self.layers[layer].source {
            LayerSource::Include { by, .. } => self.parts.roles.get(by),
            _ => None,
        };
        match by {
            Some(role) => Scope::role(self, params_of(self, role)),
            None => Scope::variables(self),
        }
    }

    /// Begins an evaluation; a value that is known, or the error that stands in its way.
    fn begin(&self, id: ProgramId, layer: usize) -> Option<Value> {
        let engine = &self.parts.engine;
        let diagnostic = {
            let mut evaluation = self.evaluation();
            if let Some(value) = evaluation.known.get(&id) {
                return Some(value.clone());
            }
            let again = evaluation
                .running
                .iter()
                .position(|(running, _)| *running == id);
            match again {
                None if evaluation.running.len() < MAX_CHAIN => {
                    evaluation.running.push((id, layer));
                    return None;
                }
                None => {
                    let message =
                        format!("more than {MAX_CHAIN} variables refer to each other in a row");
                    Diagnostic::new(Code::Limit, message, engine.span(id))
                }
                Some(from) => {
                    let places = evaluation.running[from..].iter();
                    self.cycle(places.map(|(id, layer)| (engine.span(*id), *layer)))
                }
            }
        };
        Some(carried_value(self.record(diagnostic)))
    }

    fn cycle<'a>(&self, places: impl Iterator<Item = (&'a Span, usize)>) -> Diagnostic {
        // Told from the place that stands first in the repo, wherever evaluation began.
        let mut places: Vec<(&Span, usize)> = places.collect();
        let first = (0..places.len())
            .min_by_key(|place| places[*place].0)
            .unwrap_or(0);
        places.rotate_left(first);
        let mut told: Option<Diagnostic> = None;
        for (place, (span, layer)) in places.iter().enumerate() {
            let said = match (place + 1 == places.len(), place) {
                (true, 0) => "refers to itself".to_owned(),
                (true, _) => "refers to the first".to_owned(),
                (false, _) => format!("refers to the next ({})", self.layers[*layer].source),
            };
            told = Some(match told {
                None => {
                    let message = "variables are defined by each other";
                    Diagnostic::new(Code::VariableCycle, message, span).label(said)
                }
                Some(told) => told.also(span, said),
            });
        }
        told.unwrap_or_else(|| {
            Diagnostic::new(
                Code::VariableCycle,
                "variables are defined by each other",
                &self.parts.globals.vars.span,
            )
        })
    }

    /// Records what went wrong in a variable, unless it is recorded already.
    fn tell(&self, scope: &Scope, failing: Failing, layer: usize) -> usize {
        if let Some(number) = failing.recorded {
            return number;
        }
        let told = scope.diagnostic(failing);
        let told = match told.labels.first() {
            Some(label) if label.text.is_empty() => {
                told.label(format!("set by {}", self.layers[layer].source))
            }
            _ => told,
        };
        self.record(told)
    }
}

/// Whether a value is a mapping whose values are evaluated on access.
pub(crate) fn is_lazy(value: &Value) -> bool {
    value.downcast_object_ref::<LazyMap>().is_some()
        || value.downcast_object_ref::<LazyTerm>().is_some()
}

/// A mapping of several layers, whose values are evaluated on access.
struct LazyMap {
    state: Weak<HostState>,
    merged: Arc<Merged>,
}

impl LazyMap {
    fn tree(&self) -> Option<&IndexMap<Arc<str>, Arc<Merged>>> {
        match &*self.merged {
            Merged::Map(tree) => Some(tree),
            _ => None,
        }
    }
}

impl std::fmt::Debug for LazyMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a mapping")
    }
}

impl Object for LazyMap {
    // The engine's own rendering has no bound, and these may hold themselves.
    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&abbreviated(&Value::from_dyn_object(Arc::clone(self))))
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let merged = self.tree()?.get(key)?;
        Some(self.state.upgrade()?.value(merged))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let keys = self
            .tree()
            .map(|tree| tree.keys().map(|key| Value::from(Arc::clone(key))));
        Enumerator::Values(keys.into_iter().flatten().collect())
    }
}

/// A mapping of one layer with expressions in it, evaluated on access.
struct LazyTerm {
    state: Weak<HostState>,
    layer: usize,
    term: Arc<Term>,
}

impl std::fmt::Debug for LazyTerm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a mapping")
    }
}

impl Object for LazyTerm {
    // The engine's own rendering has no bound, and these may hold themselves.
    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&abbreviated(&Value::from_dyn_object(Arc::clone(self))))
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let field = self.term.as_map()?.get(key)?;
        Some(self.state.upgrade()?.term(&field.term, self.layer))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let map = self.term.as_map();
        let keys = map.map(|map| map.keys().map(|key| Value::from(Arc::clone(key))));
        Enumerator::Values(keys.into_iter().flatten().collect())
    }
}
