//! When and how often something is declared: `for_each` and `when`, of resources, of blocks of
//! them and of probes.

use std::sync::Arc;

use super::fields::{Fields, text, wrong_type};
use super::group::bare;
use super::names::{RESERVED, is_identifier};
use super::yaml::{Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::render::{Kind, ProgramId, Programs};

/// Most loops in one another; a reader loses count at three.
const MAX_LOOPS: usize = 8;

/// When and how often something is declared.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// The outermost first.
    pub(crate) loops: Vec<Loop>,
    /// Asked for every item of the loops.
    pub(crate) when: Option<ProgramId>,
}

/// One clause of a `for_each`.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) names: Names,
    pub(crate) over: ProgramId,
}

/// What an item is called.
#[derive(Debug)]
pub(crate) enum Names {
    /// `item in list`.
    One(Arc<str>),
    /// `key, value in mapping`, or `left, right in pairs`.
    Two(Arc<str>, Arc<str>),
}

impl Steps {
    /// The keys that are read.
    pub(super) const KEYS: [&'static str; 2] = ["for_each", "when"];

    /// Reads `for_each` and `when`.
    pub(super) fn read(
        fields: &mut Fields<'_>,
        programs: &mut Programs,
        wrong: &mut Diagnostics,
    ) -> Self {
        let when = fields.get("when").and_then(|field| {
            let both = (&mut *programs, &mut *wrong);
            bare(&field.node, Kind::Expression, "when", both)
        });
        let clauses: &[Node] = match fields.get("for_each").map(|field| &field.node) {
            None => &[],
            Some(node) => match &node.value {
                Yaml::List(clauses) => clauses,
                _ => std::slice::from_ref(node),
            },
        };
        if let Some(beyond) = clauses.get(MAX_LOOPS) {
            let message = format!("at most {MAX_LOOPS} loops stand in one another");
            wrong.push(Diagnostic::new(Code::Limit, message, &beyond.span));
        }
        let clauses = clauses.iter().take(MAX_LOOPS);
        Self {
            loops: clauses
                .filter_map(|clause| Loop::read(clause, programs, wrong))
                .collect(),
            when,
        }
    }
}

impl Loop {
    /// Reads `name in expression` or `key, value in expression`.
    fn read(node: &Node, programs: &mut Programs, wrong: &mut Diagnostics) -> Option<Self> {
        let form = "`for_each` is written `name in expression`";
        if !matches!(node.value, Yaml::Text(_)) {
            let told = wrong_type("`name in expression`", node);
            wrong.push(told.help("for example `for_each: vhost in params.vhosts`"));
            return None;
        }
        let (written, span) = text(node, wrong)?;
        let parts = written.split_once(" in ");
        let parts = parts.map(|(names, over)| (names.trim(), over.trim()));
        let parts = parts.filter(|(_, over)| !over.is_empty() && !over.starts_with("{{"));
        let names = parts.map(|(names, _)| names.split(',').map(str::trim).collect::<Vec<&str>>());
        let names = names.filter(|names| names.iter().all(|name| is_identifier(name)));
        let (Some((_, over)), Some(names @ ([_] | [_, _]))) = (parts, names.as_deref()) else {
            let told = Diagnostic::new(Code::Syntax, form, &span);
            wrong.push(told.help(
                "for example `vhost in params.vhosts`, or `key, value in params.limits` over a mapping",
            ));
            return None;
        };
        if let Some(name) = names.iter().find(|name| RESERVED.contains(name)) {
            let message = format!("`{name}` is a name that the language keeps for itself");
            wrong.push(Diagnostic::new(Code::ReservedName, message, &span));
            return None;
        }
        if let [first, second] = names
            && first == second
        {
            let message = format!("`{first}` cannot name both");
            wrong.push(Diagnostic::new(Code::Syntax, message, &span));
            return None;
        }
        let names = match *names {
            [key, value] => Names::Two(key.into(), value.into()),
            _ => Names::One(names[0].into()),
        };
        let over = programs.add(Kind::Expression, over, &span);
        Some(Self { names, over })
    }
}
