//! A resource as a role declares it: one type key, attributes, conditions and edges.

use std::sync::Arc;

use holdfast_schemas::resource::Kind as ResourceKind;
use indexmap::IndexMap;

use super::fields::{Fields, text, unknown_key};
use super::group::bare;
use super::names::{RESERVED, is_identifier};
use super::yaml::{Field, Node};
use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean, listed};
use crate::lower::attributes;
use crate::render::{Kind, ProgramId, Programs};
use crate::vars::{Term, TermField};

/// Keys that every type of resource has.
const EVERY: [&str; 5] = ["before", "for_each", "notify", "requires", "when"];

/// A resource as declared.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) kind: ResourceKind,
    pub(crate) title: Arc<Term>,
    pub(crate) attributes: IndexMap<Arc<str>, TermField>,
    pub(crate) when: Option<ProgramId>,
    pub(crate) each: Option<(Arc<str>, ProgramId)>,
    pub(crate) requires: Option<Arc<Term>>,
    pub(crate) before: Option<Arc<Term>>,
    pub(crate) notify: Option<Arc<Term>>,
}

impl Declared {
    /// Reads one entry of `resources`.
    pub(crate) fn read(
        node: &Node,
        programs: &mut Programs,
        wrong: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::of(node, "a resource", wrong)?;
        let (kind, typed) = read_kind(&mut fields, node, wrong)?;
        let mut term = |field: Option<&Field>| field.map(|field| Term::of(&field.node, programs));
        let (requires, before, notify) = (
            term(fields.get("requires")),
            term(fields.get("before")),
            term(fields.get("notify")),
        );
        let title = Term::of(&typed.node, programs);
        let when = fields.get("when").and_then(|field| {
            bare(
                &field.node,
                Kind::Expression,
                "when",
                (&mut *programs, &mut *wrong),
            )
        });
        let each = fields
            .get("for_each")
            .and_then(|field| read_each(&field.node, programs, wrong));
        let known = attributes(kind);
        let mut given = IndexMap::new();
        for (name, field) in fields.rest() {
            if !known.contains(&&**name) {
                wrong.push(unknown_attribute(kind, name, &field.key));
                continue;
            }
            let entry = TermField {
                key: field.key.clone(),
                term: Term::of(&field.node, programs),
            };
            given.insert(Arc::clone(name), entry);
        }
        Some(Self {
            kind,
            title,
            attributes: given,
            when,
            each,
            requires,
            before,
            notify,
        })
    }
}

fn unknown_attribute(kind: ResourceKind, name: &str, span: &Span) -> Diagnostic {
    let known: Vec<&str> = attributes(kind).iter().chain(&EVERY).copied().collect();
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
fn read_kind<'a>(
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
        let known = attributes(ResourceKind::File).contains(&&**name) || EVERY.contains(&&**name);
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

/// `name in expression`.
fn read_each(
    node: &Node,
    programs: &mut Programs,
    wrong: &mut Diagnostics,
) -> Option<(Arc<str>, ProgramId)> {
    let (written, span) = text(node, wrong)?;
    let parts = written
        .split_once(" in ")
        .map(|(name, list)| (name.trim(), list.trim()));
    let parts = parts.filter(|(name, list)| is_identifier(name) && !list.is_empty());
    let Some((name, list)) = parts.filter(|(_, list)| !list.starts_with("{{")) else {
        let message = "`for_each` is written `name in expression`";
        let told = Diagnostic::new(Code::Syntax, message, &span);
        wrong.push(told.help("for example `for_each: vhost in params.vhosts`"));
        return None;
    };
    if RESERVED.contains(&name) {
        let message = format!("`{name}` is a name that the language keeps for itself");
        wrong.push(Diagnostic::new(Code::ReservedName, message, &span));
        return None;
    }
    Some((name.into(), programs.add(Kind::Expression, list, &span)))
}
