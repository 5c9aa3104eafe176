//! A host: its attributes, tags, roles and own variables.

use std::sync::Arc;

use holdfast_schemas::catalog::Enforcement;
use indexmap::IndexMap;
use minijinja::Value;

use super::fields::{Fields, unknown_key};
use super::secret;
use super::settings::read_mode;
use super::varfile::VarFile;
use super::yaml::{Field, Node};
use crate::diag::{Code, Diagnostic, Diagnostics, nearest};
use crate::render::Programs;
use crate::vars::Term;

/// Attributes that an expression may name though no host has them yet.
pub(crate) const WELL_KNOWN: [&str; 6] = ["address", "business", "idc", "product", "rack", "set"];

/// What the record of a host holds beside its attributes.
pub(crate) const RECORD: [&str; 4] = ["groups", "name", "roles", "tags"];

const KEYS: [&str; 6] = ["attributes", "mode", "roles", "tags", "unset", "vars"];

/// A host that the repo declares.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) attributes: IndexMap<Arc<str>, Value>,
    pub(crate) tags: Vec<Arc<str>>,
    pub(crate) mode: Option<Enforcement>,
    pub(crate) file: VarFile,
}

impl Host {
    /// Reads `hosts/NAME.yaml`. A key that is none of the language's is an attribute.
    pub(crate) fn read(
        node: &Node,
        programs: &mut Programs,
        wrong: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::of(node, "a host", wrong)?;
        let tags = fields.texts("tags", wrong);
        let mode = read_mode(&mut fields, wrong);
        let file = VarFile::read(&mut fields, programs, wrong);
        let mut host = Self {
            attributes: IndexMap::new(),
            tags: tags.into_iter().map(|(tag, _)| tag).collect(),
            mode,
            file,
        };
        let given = fields.get("attributes");
        let given = given.and_then(|field| Fields::of(&field.node, "the attributes", wrong));
        for (name, field) in given.iter().flat_map(Fields::rest) {
            host.attribute(name, field, wrong);
        }
        for (name, field) in fields.rest() {
            match nearest(name, KEYS) {
                Some(key) if !WELL_KNOWN.contains(&&**name) => {
                    let told = unknown_key(name, &field.key, "a host", &[key]);
                    let help = format!(
                        "an attribute of this name goes under `attributes:`, as in `attributes: {{ {name}: … }}`"
                    );
                    wrong.push(told.help(help));
                }
                _ => host.attribute(name, field, wrong),
            }
        }
        Some(host)
    }

    fn attribute(&mut self, name: &Arc<str>, field: &Field, wrong: &mut Diagnostics) {
        if RECORD.contains(&&**name) {
            let message = format!("`{name}` of a host cannot be set as an attribute");
            wrong.push(Diagnostic::new(Code::ReservedName, message, &field.key));
            return;
        }
        let mut none = Programs::default();
        match &Term::of(&field.node, &mut none).constant {
            Some(_) if !none.secrets.is_empty() => {
                let help = "attributes decide the groups of a host; use a variable, under `vars:`";
                let what = format!("attribute `{name}`");
                wrong.push(secret::misplaced(&what, help, &field.node.span));
            }
            Some(value) => {
                self.attributes.insert(Arc::clone(name), value.clone());
            }
            None => {
                let message = format!("attribute `{name}` holds an expression");
                let told = Diagnostic::new(Code::InvalidValue, message, &field.node.span);
                wrong.push(told.help("attributes decide the groups of a host, so they are plain values; use a variable"));
            }
        }
    }
}
