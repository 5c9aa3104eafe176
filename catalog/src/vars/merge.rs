//! Merging: the layers of a host, from the lowest to the highest, folded into one tree whose
//! leaves remember their layer. Nothing is evaluated here.
//!
//! Where two groups of one tier and priority say different things, neither wins: a conflict stands
//! in the tree, and is an error unless a higher layer takes its place.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Form, Layer, MergeRule, Rules, Term};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};

/// A merged value.
#[derive(Debug, Clone)]
pub(crate) enum Merged {
    /// What one layer says.
    Leaf(Leaf),
    /// What several layers say together.
    Map(IndexMap<Arc<str>, Arc<Merged>>),
    /// Items of several layers.
    List(Vec<Leaf>),
    /// Two layers, between which nothing decides, disagree.
    Conflict(Leaf, Leaf),
}

/// A value and the layer that says it.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// Its place in the list of layers.
    pub(crate) layer: usize,
    pub(crate) term: Arc<Term>,
}

type Tree = IndexMap<Arc<str>, Arc<Merged>>;

/// Merges layers, which come sorted from the lowest to the highest.
pub(crate) fn merge(layers: &[Layer], rules: &Rules, wrong: &mut Diagnostics) -> Tree {
    let mut tree = Tree::new();
    let mut merging = Merging {
        layers,
        rules,
        wrong,
        path: Vec::new(),
    };
    for equals in layers.chunk_by(|a, b| a.rank == b.rank) {
        for unset in equals.iter().flat_map(|layer| &layer.unset) {
            remove(&mut tree, &unset.path);
        }
        merging.unset_ties(equals);
        for layer in equals {
            let number = layers
                .iter()
                .position(|one| std::ptr::eq(one, layer))
                .unwrap_or(0);
            for (name, field) in layer.vars.as_map().into_iter().flatten() {
                let leaf = Leaf {
                    layer: number,
                    term: Arc::clone(&field.term),
                };
                merging.set(&mut tree, name, leaf);
            }
        }
    }
    for (name, value) in &tree {
        merging.path = vec![Arc::clone(name)];
        merging.tell_conflicts(value);
    }
    tree
}

/// Takes away what stands at a path.
fn remove(tree: &mut Tree, path: &[Arc<str>]) {
    match path {
        [] => {}
        [name] => {
            tree.shift_remove(name);
        }
        [name, rest @ ..] => {
            let Some(value) = tree.get_mut(name) else {
                return;
            };
            if let Some(mut inner) = opened(value) {
                remove(&mut inner, rest);
                *value = Arc::new(Merged::Map(inner));
            }
        }
    }
}

/// A mapping as entries of their own.
fn opened(value: &Merged) -> Option<Tree> {
    match value {
        Merged::Map(tree) => Some(tree.clone()),
        Merged::Leaf(leaf) => {
            let fields = leaf.term.as_map()?.iter();
            let entries = fields.map(|(name, field)| {
                let leaf = Leaf {
                    layer: leaf.layer,
                    term: Arc::clone(&field.term),
                };
                (Arc::clone(name), Arc::new(Merged::Leaf(leaf)))
            });
            Some(entries.collect())
        }
        Merged::List(_) | Merged::Conflict(..) => None,
    }
}

struct Merging<'a> {
    layers: &'a [Layer],
    rules: &'a Rules,
    wrong: &'a mut Diagnostics,
    path: Vec<Arc<str>>,
}

impl Merging<'_> {
    fn set(&mut self, tree: &mut Tree, name: &Arc<str>, leaf: Leaf) {
        self.path.push(Arc::clone(name));
        let old = tree.get(name).cloned();
        let new = match self.rules.holds_variables(&self.path) {
            true => self.by_key(old.as_deref(), leaf),
            false => self.by_rule(old.as_deref(), leaf, self.rules.of(&self.path)),
        };
        self.path.pop();
        tree.insert(Arc::clone(name), Arc::new(new));
    }

    /// A mapping that holds variables.
    fn by_key(&mut self, old: Option<&Merged>, leaf: Leaf) -> Merged {
        let Some(fields) = leaf.term.as_map() else {
            return self.by_rule(old, leaf, MergeRule::Replace);
        };
        let mut tree = old.and_then(opened).unwrap_or_default();
        for (name, field) in fields {
            let inner = Leaf {
                layer: leaf.layer,
                term: Arc::clone(&field.term),
            };
            self.set(&mut tree, name, inner);
        }
        Merged::Map(tree)
    }

    fn by_rule(&mut self, old: Option<&Merged>, leaf: Leaf, rule: MergeRule) -> Merged {
        let Some(old) = old else {
            return Merged::Leaf(leaf);
        };
        if let Some(told) = self.cannot_unite(old, &leaf, rule) {
            self.wrong.push(told);
            return Merged::Leaf(leaf);
        }
        match rule {
            MergeRule::Replace => self.replaced(old, leaf),
            MergeRule::Deep => match (opened(old), leaf.term.as_map()) {
                (Some(tree), Some(_)) => self.deep(tree, &leaf),
                _ if is_list(old) && matches!(leaf.term.form, Form::List(_)) => {
                    self.listed(old, leaf, MergeRule::Unique)
                }
                _ => self.replaced(old, leaf),
            },
            MergeRule::Append | MergeRule::Unique => match &leaf.term.form {
                Form::List(_) if is_list(old) => self.listed(old, leaf, rule),
                _ => self.replaced(old, leaf),
            },
        }
    }

    /// What is united has to be there as written: an expression has no items before hosts are
    /// compiled, and to let it replace the rest would be a guess.
    fn cannot_unite(&self, old: &Merged, leaf: &Leaf, rule: MergeRule) -> Option<Diagnostic> {
        let lists = matches!(rule, MergeRule::Append | MergeRule::Unique);
        let (below, above) = (shape(old), of_form(&leaf.term.form));
        let hidden = [below, above].contains(&Shape::Expression);
        let several = [below, above].contains(&Shape::Several);
        // Parts of a mapping that is united deeply replace each other, unless both hold something.
        let top = self.rules.of(&self.path) == rule;
        let what = match rule {
            MergeRule::Replace => return None,
            _ if hidden && (several || lists || (top && below == above)) => {
                "an expression has no parts to unite"
            }
            _ if lists && [below, above].contains(&Shape::One) => "only lists are united so",
            _ => return None,
        };
        let path = self.path.join(".");
        let message = format!("`{path}` is merged by `{rule}`, and {what}");
        let told = Diagnostic::new(Code::InvalidValue, message, &leaf.term.span)
            .label(format!("set by {}", self.layers[leaf.layer].source));
        let told = match old.first_leaf() {
            Some(first) => {
                let words = format!("and by {}", self.layers[first.layer].source);
                told.also(&first.term.span, words)
            }
            None => told,
        };
        Some(told.help(match hidden {
            true => "put expressions into the parts: `[\"{{ a }}\"]`, `{ a: \"{{ b }}\" }`",
            false => "write a list, or declare `replace` for the variable",
        }))
    }

    fn replaced(&mut self, old: &Merged, leaf: Leaf) -> Merged {
        match self.equal_in(old, leaf.layer) {
            // A third voice does not settle it.
            Some(_) if matches!(old, Merged::Conflict(..)) => old.clone(),
            Some(other) if !other.term.same(&leaf.term) => Merged::Conflict(other, leaf),
            _ => Merged::Leaf(leaf),
        }
    }

    fn deep(&mut self, mut tree: Tree, leaf: &Leaf) -> Merged {
        for (name, field) in leaf.term.as_map().into_iter().flatten() {
            self.path.push(Arc::clone(name));
            let inner = Leaf {
                layer: leaf.layer,
                term: Arc::clone(&field.term),
            };
            let old = tree.get(name).cloned();
            let new = self.by_rule(old.as_deref(), inner, MergeRule::Deep);
            self.path.pop();
            tree.insert(Arc::clone(name), Arc::new(new));
        }
        Merged::Map(tree)
    }

    fn listed(&mut self, old: &Merged, leaf: Leaf, rule: MergeRule) -> Merged {
        let equal = self.equal_in(old, leaf.layer);
        if let Some(other) = equal {
            // Equal sets unite in any order; lists that follow each other do not.
            if rule == MergeRule::Append || !other.term.same(&leaf.term) {
                return Merged::Conflict(other, leaf);
            }
        }
        let mut items = leaves(old);
        for item in leaves(&Merged::Leaf(leaf)) {
            let known =
                rule == MergeRule::Unique && items.iter().any(|one| one.term.same(&item.term));
            if !known {
                items.push(item);
            }
        }
        Merged::List(items)
    }

    /// What a layer of the same rank says in a value.
    fn equal_in(&self, value: &Merged, layer: usize) -> Option<Leaf> {
        let equal = |leaf: &Leaf| {
            leaf.layer != layer && self.layers[leaf.layer].rank == self.layers[layer].rank
        };
        match value {
            Merged::Leaf(leaf) => equal(leaf).then(|| leaf.clone()),
            Merged::Map(tree) => tree.values().find_map(|inner| self.equal_in(inner, layer)),
            Merged::List(items) => items.iter().find(|leaf| equal(leaf)).map(|leaf| {
                // The whole list of the other layer, where it is still to be had.
                let layer = &self.layers[leaf.layer];
                let whole = layer.vars.as_map().and_then(|vars| vars.get(&self.path[0]));
                let whole = whole.and_then(|field| field.term.at(&self.path[1..]));
                Leaf {
                    layer: leaf.layer,
                    term: whole
                        .map_or_else(|| Arc::clone(&leaf.term), |term| Arc::new(term.clone())),
                }
            }),
            Merged::Conflict(first, second) => [first, second]
                .into_iter()
                .find(|leaf| equal(leaf))
                .cloned(),
        }
    }

    /// One group takes away what another of the same rank sets.
    fn unset_ties(&mut self, equals: &[Layer]) {
        for (place, layer) in equals.iter().enumerate() {
            for unset in &layer.unset {
                let others = equals
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != place);
                for (_, other) in others {
                    if let Some(term) = other.vars.at(&unset.path) {
                        let spans = (&unset.span, &term.span);
                        let told = tie(&unset.path, spans, (layer, other));
                        self.wrong.push(told);
                    }
                }
            }
        }
    }

    fn tell_conflicts(&mut self, value: &Merged) {
        match value {
            Merged::Leaf(_) | Merged::List(_) => {}
            Merged::Map(tree) => {
                for (name, inner) in tree {
                    self.path.push(Arc::clone(name));
                    self.tell_conflicts(inner);
                    self.path.pop();
                }
            }
            Merged::Conflict(first, second) => {
                let spans = (&first.term.span, &second.term.span);
                let layers = (&self.layers[first.layer], &self.layers[second.layer]);
                self.wrong.push(tie(&self.path, spans, layers));
            }
        }
    }
}

fn tie(path: &[Arc<str>], spans: (&Span, &Span), layers: (&Layer, &Layer)) -> Diagnostic {
    let path = path.join(".");
    let message = format!(
        "{} and {} disagree on `{path}`, and nothing decides between them",
        layers.0.source, layers.1.source
    );
    Diagnostic::new(Code::Tie, message, spans.0)
        .label(format!("{} says this", layers.0.source))
        .also(spans.1, format!("{} says this", layers.1.source))
        .help("give one of the groups a higher `priority` or another `tier`, or set the variable in the host")
}

/// What a value is, as far as merging goes.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// Nothing, which takes away what is below.
    Nothing,
    One,
    Several,
    Expression,
}

fn of_form(form: &Form) -> Shape {
    match form {
        Form::Scalar(value) if value.is_none() => Shape::Nothing,
        Form::Scalar(_) => Shape::One,
        Form::Program { .. } => Shape::Expression,
        Form::List(_) | Form::Map(_) => Shape::Several,
    }
}

fn shape(value: &Merged) -> Shape {
    match value {
        Merged::Leaf(leaf) | Merged::Conflict(leaf, _) => of_form(&leaf.term.form),
        Merged::Map(_) | Merged::List(_) => Shape::Several,
    }
}

fn is_list(value: &Merged) -> bool {
    match value {
        Merged::List(_) => true,
        Merged::Leaf(leaf) => matches!(leaf.term.form, Form::List(_)),
        Merged::Map(_) | Merged::Conflict(..) => false,
    }
}

fn leaves(value: &Merged) -> Vec<Leaf> {
    match value {
        Merged::List(items) => items.clone(),
        Merged::Leaf(leaf) => match &leaf.term.form {
            Form::List(items) => items
                .iter()
                .map(|item| Leaf {
                    layer: leaf.layer,
                    term: Arc::clone(item),
                })
                .collect(),
            _ => Vec::new(),
        },
        Merged::Map(_) | Merged::Conflict(..) => Vec::new(),
    }
}

impl Merged {
    /// What stands at a path.
    pub(crate) fn at(tree: &Tree, path: &[Arc<str>]) -> Option<Arc<Merged>> {
        let (name, rest) = path.split_first()?;
        let value = tree.get(name)?;
        match rest.is_empty() {
            true => Some(Arc::clone(value)),
            false => Self::at(&opened(value)?, rest),
        }
    }

    /// The names in it, where it is a mapping.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        opened(self).map_or_else(Vec::new, |tree| tree.into_keys().collect())
    }

    /// What stands in it by a name.
    pub(crate) fn part(&self, name: &str) -> Option<Arc<Merged>> {
        opened(self)?.get(name).cloned()
    }

    /// What stands first in it.
    pub(crate) fn first_leaf(&self) -> Option<&Leaf> {
        match self {
            Self::Leaf(leaf) | Self::Conflict(leaf, _) => Some(leaf),
            Self::Map(tree) => tree.values().find_map(|inner| inner.first_leaf()),
            Self::List(items) => items.first(),
        }
    }

    /// What stands last in it, by the highest layer where several have a part.
    pub(crate) fn last_leaf(&self) -> Option<&Leaf> {
        match self {
            Self::Leaf(leaf) | Self::Conflict(_, leaf) => Some(leaf),
            Self::Map(tree) => {
                let leaves = tree.values().filter_map(|inner| inner.last_leaf());
                leaves.max_by_key(|leaf| leaf.layer)
            }
            Self::List(items) => items.iter().max_by_key(|leaf| leaf.layer),
        }
    }

    /// The layers that have a part in it.
    pub(crate) fn layers(&self) -> Vec<usize> {
        let mut layers = match self {
            Self::Leaf(leaf) => vec![leaf.layer],
            Self::Map(tree) => tree.values().flat_map(|inner| inner.layers()).collect(),
            Self::List(items) => items.iter().map(|leaf| leaf.layer).collect(),
            Self::Conflict(first, second) => vec![first.layer, second.layer],
        };
        layers.sort_unstable();
        layers.dedup();
        layers
    }
}
