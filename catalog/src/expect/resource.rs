//! A resource that is expected: its attributes, its content, its place and its edges.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_schemas::resource::{Kind, ResourceId, Spec};
use minijinja::value::Serde;
use serde_json::Value as Json;

use super::matching::TextWanted;
use super::read::plain;
use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean, listed};
use crate::lower::{attributes, stated};
use crate::site::fields::{Fields, texts};
use crate::site::read_kind;
use crate::site::yaml::{Field, Node, Yaml};

/// How an expected resource is named with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// It is applied earlier.
    Before,
    /// It is applied later.
    After,
    /// It refreshes the other.
    Notify,
    /// It waits for the other.
    Requires,
    /// It is refreshed by the other.
    Subscribes,
}

impl Relation {
    const ALL: [(&'static str, Self); 5] = [
        ("before", Self::Before),
        ("after", Self::After),
        ("notify", Self::Notify),
        ("requires", Self::Requires),
        ("subscribes", Self::Subscribes),
    ];
}

/// Attributes that say where a role takes content from, which a catalog does not tell.
const ORIGINS: [&str; 2] = ["source", "template"];

/// A resource that is expected.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) kind: Kind,
    pub(super) title: Arc<str>,
    pub(super) span: Span,
    /// As a catalog writes them; nothing where that is what it leaves out.
    pub(super) attributes: Vec<(Arc<str>, Span, Option<Json>)>,
    /// Attributes of which a part is told.
    pub(super) texts: Vec<(Arc<str>, TextWanted)>,
    pub(super) relations: Vec<(Relation, ResourceId, Span)>,
}

impl Expected {
    /// Reads one entry of `expect`: one resource, or several alike.
    pub(super) fn read(node: &Node, wrong: &mut Diagnostics) -> Vec<Self> {
        let Some(mut fields) = Fields::of(node, "an expected resource", wrong) else {
            return Vec::new();
        };
        let Some((kind, typed)) = read_kind(&mut fields, node, wrong) else {
            return Vec::new();
        };
        let titles = texts(&typed.node, wrong).into_iter();
        let expected =
            titles.filter_map(|(title, span)| Self::one(kind, (title, span), &fields, wrong));
        expected.collect()
    }

    fn one(
        kind: Kind,
        (title, span): (Arc<str>, Span),
        fields: &Fields<'_>,
        wrong: &mut Diagnostics,
    ) -> Option<Self> {
        let mut expected = Self {
            kind,
            title,
            span,
            attributes: Vec::new(),
            texts: Vec::new(),
            relations: Vec::new(),
        };
        let mut given: Vec<(&Arc<str>, &Field)> = Vec::new();
        for (name, field) in fields.rest() {
            let relation = Relation::ALL.iter().find(|(word, _)| *word == &**name);
            if let Some((_, relation)) = relation {
                let others = resources(&field.node, wrong).into_iter();
                let others = others.map(|(id, span)| (*relation, id, span));
                expected.relations.extend(others);
            } else if !attributes(kind).contains(&&**name) || ORIGINS.contains(&&**name) {
                wrong.push(unknown(kind, name, &field.key));
            } else if is_text(name, field) {
                let wanted = TextWanted::read(&field.node, wrong);
                let wanted = wanted.map(|wanted| (Arc::clone(name), wanted));
                expected.texts.extend(wanted);
            } else {
                given.push((name, field));
            }
        }
        expected.state(&given, wrong)
    }

    /// Takes the attributes as the type has them.
    fn state(mut self, given: &[(&Arc<str>, &Field)], wrong: &mut Diagnostics) -> Option<Self> {
        let values = given.iter().map(|(name, field)| {
            let value = minijinja::Value::from(Serde(plain(&field.node)));
            (&***name, value, &field.node.span)
        });
        match stated(self.kind, (&self.title, &self.span), values.collect()) {
            Err(told) => {
                told.into_iter().for_each(|one| wrong.push(one));
                None
            }
            Ok(spec) => {
                let mut fields = fields_of(&spec);
                let attributes = given.iter().map(|(name, field)| {
                    let value = fields.remove(&***name);
                    (Arc::clone(name), field.node.span.clone(), value)
                });
                self.attributes = attributes.collect();
                Some(self)
            }
        }
    }

    /// Whether the test says if it is there or taken away.
    pub(super) fn says_whether(&self) -> bool {
        let mut attributes = self.attributes.iter();
        attributes.any(|(name, ..)| matches!(&**name, "ensure" | "state"))
    }

    /// Its name in a message.
    pub(super) fn id(&self) -> String {
        format!("{}[{}]", self.kind, self.title)
    }
}

/// The attributes of a specification as a catalog writes them.
pub(super) fn fields_of(spec: &Spec) -> BTreeMap<String, Json> {
    match serde_json::to_value(spec) {
        Ok(Json::Object(fields)) => fields.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}

/// Whether an attribute is looked into: content always, others where a part is told.
fn is_text(name: &str, field: &Field) -> bool {
    name == "content" || (name != "env" && matches!(field.node.value, Yaml::Map(_)))
}

fn unknown(kind: Kind, name: &str, span: &Span) -> Diagnostic {
    let message = format!("`{name}` of a {kind} cannot be expected");
    let told = Diagnostic::new(Code::UnknownKey, message, span);
    if ORIGINS.contains(&name) {
        return told.help("a catalog holds what came of it: expect `content`");
    }
    let known = attributes(kind).iter().copied();
    let known = known.filter(|name| !ORIGINS.contains(name));
    let known: Vec<&str> = known.chain(Relation::ALL.map(|(word, _)| word)).collect();
    let help = did_you_mean(name, known.iter().copied());
    told.help(help.unwrap_or_else(|| format!("it has {}", listed(known))))
}

/// The resources that a relation names.
fn resources(node: &Node, wrong: &mut Diagnostics) -> Vec<(ResourceId, Span)> {
    let mut ids = Vec::new();
    for (text, span) in texts(node, wrong) {
        match text.parse() {
            Ok(id) => ids.push((id, span)),
            Err(error) => {
                let error: holdfast_schemas::resource::ResourceIdError = error;
                let kinds = Kind::ALL.iter().map(|kind| kind.as_str());
                let word = text.split_once('[').map_or(&*text, |(word, _)| word);
                let told = Diagnostic::new(Code::InvalidValue, error.to_string(), &span);
                wrong.push(told.maybe_help(did_you_mean(word, kinds)));
            }
        }
    }
    ids
}
