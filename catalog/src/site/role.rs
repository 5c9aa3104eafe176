//! A role: parameters, resources, templates and content files.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_schemas::Digest;
use indexmap::IndexMap;

use super::declaration::{Declaration, Subject};
use super::defaults::Defaults;
use super::element::Element;
use super::fields::{Fields, wrong_type};
use super::include::{Include, Included};
use super::names::is_identifier;
use super::probe::Probe;
use super::secret::Secret;
use super::yaml::{Map, Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::render::Programs;
use crate::vars::Term;

/// Under this name a repeatable role finds, among its parameters, what it is called.
pub(crate) const TITLE: &str = "title";

/// A role.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: Arc<str>,
    /// Where it is declared.
    pub(crate) span: Span,
    /// Whether it is there once per title, by includes alone.
    pub(crate) repeatable: bool,
    pub(crate) params: IndexMap<Arc<str>, Declaration>,
    /// The defaults of the parameters as a layer: `{ ROLE: { PARAM: default } }`.
    pub(crate) defaults: Arc<Term>,
    /// What its list `include` names comes first.
    pub(crate) resources: Vec<Element>,
    /// What all of it waits for.
    pub(crate) requires: Option<Arc<Term>>,
    /// What waits for all of it.
    pub(crate) before: Option<Arc<Term>>,
    /// What tells whether it is well.
    pub(crate) probes: Vec<Probe>,
    /// By path under `files/`.
    pub(crate) files: BTreeMap<String, ContentFile>,
    /// Paths under `templates/`.
    pub(crate) templates: Vec<String>,
}

/// A content file of a role.
#[derive(Debug)]
pub(crate) enum ContentFile {
    /// As it goes to hosts.
    Plain {
        digest: Digest,
        size: u64,
        inline: Option<Arc<str>>,
    },
    /// What age encrypted.
    Secret(Arc<Secret>),
}

impl Role {
    /// Reads `roles/NAME/role.yaml`.
    pub(crate) fn read(
        name: &str,
        node: &Node,
        programs: &mut Programs,
        wrong: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::of(node, "a role", wrong)?;
        let _ = fields.get("description");
        let mut params: IndexMap<Arc<str>, Declaration> = IndexMap::new();
        if let Some(field) = fields.get("params") {
            let role = name.into();
            read_params(
                (&role, &field.node),
                &mut params,
                (&mut *programs, &mut *wrong),
            );
        }
        let common = fields.get("defaults");
        let common = common.map(|field| Defaults::default().read(&field.node, programs, wrong));
        let includes = fields.get("include");
        let includes =
            includes.map(|field| Include::read_all(&field.node, (&mut *programs, &mut *wrong)));
        let mut resources = includes.unwrap_or_default();
        if let Some(field) = fields.get("resources") {
            let both = (&mut *programs, &mut *wrong);
            let common = common.unwrap_or_default();
            resources.extend(Element::read_all(&field.node, &common, both));
        }
        let probes = fields.get("probes");
        let probes = probes.map(|field| Probe::read_all(&field.node, programs, wrong));
        let [requires, before] = ["requires", "before"].map(|key| {
            let field = fields.get(key)?;
            Some(Term::of(&field.node, programs))
        });
        let repeatable = fields.flag("repeatable", wrong).unwrap_or(false);
        if let Some(param) = params.get(TITLE).filter(|_| repeatable) {
            let message = "`title` of a repeatable role is what it is called, and no parameter";
            wrong.push(Diagnostic::new(Code::ReservedName, message, &param.span));
        }
        fields.finish(wrong);
        Some(Self {
            name: name.into(),
            span: node.span.clone(),
            repeatable,
            defaults: defaults(name, node, &params),
            params,
            resources,
            requires,
            before,
            probes: probes.unwrap_or_default(),
            files: BTreeMap::new(),
            templates: Vec::new(),
        })
    }

    /// The roles that it includes, in the order written.
    pub(crate) fn includes(&self) -> Vec<Included<'_>> {
        let (mut found, mut around) = (Vec::new(), Vec::new());
        for element in &self.resources {
            element.add_includes(&mut around, &mut found);
        }
        found
    }
}

fn read_params(
    (role, node): (&Arc<str>, &Node),
    params: &mut IndexMap<Arc<str>, Declaration>,
    (programs, wrong): (&mut Programs, &mut Diagnostics),
) {
    let Yaml::Map(map) = &node.value else {
        wrong.push(wrong_type("a mapping of parameters", node));
        return;
    };
    for (name, field) in map {
        if !is_identifier(name) {
            let message = format!("`{name}` cannot be the name of a parameter");
            let told = Diagnostic::new(Code::InvalidValue, message, &field.key);
            wrong.push(told.help("a name is a letter or `_`, then letters, digits and `_`"));
            continue;
        }
        let both = (&mut *programs, &mut *wrong);
        let subject = Subject::Parameter {
            role: Arc::clone(role),
            name: Arc::clone(name),
        };
        if let Some(param) = Declaration::read(&field.key, &field.node, &subject, both) {
            params.insert(Arc::clone(name), param);
        }
    }
}

/// The layer of a role's defaults; its places are those of the defaults.
fn defaults(name: &str, node: &Node, params: &IndexMap<Arc<str>, Declaration>) -> Arc<Term> {
    let given = params.iter().filter_map(|(name, param)| {
        Some((
            Arc::clone(name),
            &param.span,
            Arc::clone(param.default.as_ref()?),
        ))
    });
    let inner: Vec<(Arc<str>, Span, Arc<Term>)> = given
        .map(|(name, span, term)| (name, span.clone(), term))
        .collect();
    let empty = Node {
        span: node.span.clone(),
        value: Yaml::Map(Map::new()),
    };
    if inner.is_empty() {
        return Term::of(&empty, &mut Programs::default());
    }
    let inner = Term::mapping(&node.span, inner);
    Term::mapping(&node.span, [(name.into(), node.span.clone(), inner)])
}
