//! A resource as a role declares it: one type key, attributes, conditions and edges.

use std::sync::Arc;

use holdfast_schemas::resource::Kind as ResourceKind;
use indexmap::IndexMap;

use super::defaults::Defaults;
use super::fields::{Fields, unknown_key};
use super::steps::Steps;
use super::yaml::{Field, Node};
use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean, listed};
use crate::lower::attributes;
use crate::render::Programs;
use crate::vars::{Term, TermField};

/// Keys that name other resources.
const EDGES: [&str; 4] = ["before", "notify", "requires", "subscribes"];

/// What a resource says of itself, by name.
pub(crate) type Attributes = IndexMap<Arc<str>, TermField>;

/// A resource as declared.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) kind: ResourceKind,
    /// The title, or a list of titles: as many resources alike.
    pub(crate) title: Arc<Term>,
    pub(crate) attributes: Attributes,
    pub(crate) steps: Steps,
    pub(crate) requires: Option<Arc<Term>>,
    pub(crate) before: Option<Arc<Term>>,
    pub(crate) notify: Option<Arc<Term>>,
    pub(crate) subscribes: Option<Arc<Term>>,
}

impl Declared {
    /// Reads one resource.
    pub(super) fn read(
        node: &Node,
        defaults: &Defaults,
        (programs, wrong): (&mut Programs, &mut Diagnostics),
    ) -> Option<Self> {
        let mut fields = Fields::of(node, "a resource", wrong)?;
        let (kind, typed) = read_kind(&mut fields, node, wrong)?;
        let title = Term::of(&typed.node, programs);
        let steps = Steps::read(&mut fields, programs, wrong);
        let mut given = read_attributes(kind, &fields, (programs, wrong));
        for (name, field) in defaults.of(kind).into_iter().flatten() {
            let entry = given.entry(Arc::clone(name));
            entry.or_insert_with(|| field.clone());
        }
        let mut edge = |name: &str| given.shift_remove(name).map(|field| field.term);
        let [before, notify, requires, subscribes] = EDGES.map(&mut edge);
        Some(Self {
            kind,
            title,
            attributes: given,
            steps,
            requires,
            before,
            notify,
            subscribes,
        })
    }
}

/// Whether a change of another resource can do something to one of this type.
pub(crate) const fn refreshes(kind: ResourceKind) -> bool {
    matches!(kind, ResourceKind::Service | ResourceKind::Exec)
}

/// The attributes and edges that stand among the fields; others are told.
pub(super) fn read_attributes(
    kind: ResourceKind,
    fields: &Fields<'_>,
    (programs, wrong): (&mut Programs, &mut Diagnostics),
) -> Attributes {
    let known = attributes(kind);
    let mut given = Attributes::new();
    for (name, field) in fields.rest() {
        if !known.contains(&&**name) && !EDGES.contains(&&**name) {
            wrong.push(unknown_attribute(kind, name, &field.key));
            continue;
        }
        if &**name == "subscribes" && !refreshes(kind) {
            let message =
                format!("a {kind} cannot subscribe: only a service or an exec acts on a change");
            let told = Diagnostic::new(Code::InvalidValue, message, &field.key);
            wrong.push(told.help("`requires` puts it after another resource"));
            continue;
        }
        let entry = TermField {
            key: field.key.clone(),
            term: Term::of(&field.node, programs),
        };
        given.insert(Arc::clone(name), entry);
    }
    given
}

impl Declared {
    /// Whether it says itself what its template does with white space.
    pub(super) fn treats_whitespace(&self) -> bool {
        let named = |name: &str| self.attributes.contains_key(name);
        named("trim_blocks") || named("lstrip_blocks")
    }
}

fn unknown_attribute(kind: ResourceKind, name: &str, span: &Span) -> Diagnostic {
    let known = attributes(kind).iter().chain(&EDGES).chain(&Steps::KEYS);
    let known: Vec<&str> = known.copied().collect();
    let what = format!("a {kind}");
    let told = unknown_key(name, span, &what, &known);
    match ResourceKind::ALL.iter().any(|other| other.as_str() == name) {
        true => told.help(format!(
            "a resource has one type; `{name}` is one of its own, after a `- `"
        )),
        false => told,
    }
}

/// The key that names the type: the first that is one.
pub(crate) fn read_kind<'a>(
    fields: &mut Fields<'a>,
    node: &Node,
    wrong: &mut Diagnostics,
) -> Option<(ResourceKind, &'a Field)> {
    // `group` is an attribute of files and users as well, so the type that is written first wins.
    let kinds = || ResourceKind::ALL.into_iter();
    let first = fields
        .rest()
        .find_map(|(name, _)| kinds().find(|kind| kind.as_str() == &**name));
    if let Some(kind) = first {
        return Some((kind, fields.get(kind.as_str())?));
    }
    let words = || ResourceKind::ALL.iter().map(|kind| kind.as_str());
    let near = fields.rest().find_map(|(name, field)| {
        let known = attributes(ResourceKind::File).iter().chain(&EDGES);
        let known = known.chain(&Steps::KEYS).any(|known| *known == &**name);
        let help = did_you_mean(name, words()).filter(|_| !known)?;
        Some((
            format!("there is no resource type `{name}`"),
            &field.key,
            help,
        ))
    });
    let (message, span, help) = near.unwrap_or_else(|| {
        let first = fields.rest().next();
        let message = match first {
            Some((name, _)) => format!("a resource begins with its type, which `{name}` is not"),
            None => "a resource begins with its type".to_owned(),
        };
        let span = first.map_or(&node.span, |(_, field)| &field.key);
        (message, span, format!("the types are {}", listed(words())))
    });
    wrong.push(Diagnostic::new(Code::UnknownKey, message, span).help(help));
    None
}
