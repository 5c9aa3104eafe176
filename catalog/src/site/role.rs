//! A role: parameters, resources, templates and content files.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_schemas::Digest;
use indexmap::IndexMap;

use super::declaration::{Declaration, Subject};
use super::defaults::Defaults;
use super::element::Element;
use super::fields::{Fields, wrong_type};
use super::names::is_identifier;
use super::secret::Secret;
use super::yaml::{Map, Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::render::Programs;
use crate::vars::Term;

/// A role.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: Arc<str>,
    pub(crate) params: IndexMap<Arc<str>, Declaration>,
    /// The defaults of the parameters as a layer: `{ ROLE: { PARAM: default } }`.
    pub(crate) defaults: Arc<Term>,
    pub(crate) resources: Vec<Element>,
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
        let mut params = IndexMap::new();
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
        let resources = fields.get("resources").map(|field| {
            let both = (&mut *programs, &mut *wrong);
            Element::read_all(&field.node, &common.unwrap_or_default(), both)
        });
        fields.finish(wrong);
        Some(Self {
            name: name.into(),
            defaults: defaults(name, node, &params),
            params,
            resources: resources.unwrap_or_default(),
            files: BTreeMap::new(),
            templates: Vec::new(),
        })
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
