//! What layers have written, held against what parameters and variables may be: each value at its
//! place, whether it wins in some host or not. What expressions have to give is kept for later.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::declaration::{self, Declaration, Subject};
use super::schema::{Expected, Extent, Seen, Walk};
use super::{Parts, Role};
use crate::diag::{Code, Diagnostic, Diagnostics, did_you_mean, listed};
use crate::render::ProgramId;
use crate::vars::{Layer, LayerSource, TermField};

/// What an expression in a value has to give.
#[derive(Debug)]
pub(crate) struct Demand {
    pub(crate) subject: Subject,
    pub(crate) expected: Expected,
}

/// What the expressions of a site have to give.
pub(crate) type Demands = HashMap<ProgramId, Demand>;

/// Holds everything that is written against what it may be.
pub(super) fn check(parts: &Parts, wrong: &mut Diagnostics) -> Demands {
    let mut checking = Checking {
        parts,
        wrong,
        demands: Demands::new(),
    };
    for layer in layers(parts) {
        for (name, field) in layer.vars.as_map().into_iter().flatten() {
            match parts.roles.get(name).filter(|role| !role.params.is_empty()) {
                Some(role) => checking.parameters(role, field, &layer.source),
                None => checking.variable(name, field, &layer.source),
            }
        }
    }
    checking.demands
}

/// Every layer of every host.
pub(crate) fn layers(parts: &Parts) -> impl Iterator<Item = Layer> {
    let roles = parts.roles.values().map(Layer::role);
    let includes = parts.roles.values().flat_map(|by| {
        let included = by.includes().into_iter();
        included.filter_map(|one| {
            let vars = Arc::clone(one.include.layer.as_ref()?);
            Some(Layer::include(by, &one.include.role, (0, vars)))
        })
    });
    let groups = parts.groups.iter().map(Layer::group);
    let hosts = parts.hosts.values().map(|host| Layer::host(&host.file));
    [Layer::declared(&parts.variables)]
        .into_iter()
        .chain(roles)
        .chain(includes)
        .chain([Layer::global(&parts.globals)])
        .chain(groups)
        .chain(hosts)
}

struct Checking<'a> {
    parts: &'a Parts,
    wrong: &'a mut Diagnostics,
    demands: Demands,
}

impl Checking<'_> {
    /// A value for a parameter that a role does not have is a typo, not a variable.
    fn parameters(&mut self, role: &Role, field: &TermField, by: &LayerSource) {
        let Some(values) = field.term.as_map() else {
            let message = format!("`{0}` holds the parameters of role `{0}`", role.name);
            let told = Diagnostic::new(Code::WrongType, message, &field.term.span);
            self.wrong
                .push(told.help("it is a mapping from parameters to values"));
            return;
        };
        for (name, field) in values {
            let Some(param) = role.params.get(name) else {
                let known: Vec<&str> = role.params.keys().map(|name| &**name).collect();
                let told = declaration::unknown(name, &role.name, &field.key, &known);
                self.wrong.push(told);
                continue;
            };
            let subject = Subject::Parameter {
                role: Arc::clone(&role.name),
                name: Arc::clone(name),
            };
            self.value((param, &subject), field, by);
        }
    }

    fn variable(&mut self, name: &Arc<str>, field: &TermField, by: &LayerSource) {
        let variables = &self.parts.variables;
        if let Some(declared) = variables.declared.get(name) {
            let subject = Subject::Variable(Arc::clone(name));
            return self.value((declared, &subject), field, by);
        }
        let Some(strict) = &variables.strict else {
            return;
        };
        let roles = self.parts.roles.values();
        let roles = roles.filter(|role| !role.params.is_empty());
        let known: BTreeSet<&str> = variables
            .declared
            .keys()
            .chain(roles.map(|role| &role.name))
            .map(|name| &**name)
            .collect();
        let help = did_you_mean(name, known.iter().copied());
        let help = help.unwrap_or_else(|| format!("there is {}", listed(known.iter().copied())));
        let message = format!("variables.yaml does not declare `{name}`");
        self.wrong.push(
            Diagnostic::new(Code::UndeclaredVariable, message, &field.key)
                .also(strict, "nothing else is a variable")
                .help(help),
        );
    }

    fn value(
        &mut self,
        (declared, subject): (&Declaration, &Subject),
        field: &TermField,
        by: &LayerSource,
    ) {
        let extent = match by {
            LayerSource::Declared | LayerSource::RoleDefault { .. } => Extent::Whole,
            LayerSource::Include { role, .. } if self.parts.repeats(role) => Extent::Whole,
            _ => Extent::Part,
        };
        let seen = Seen::Written(&field.term, None);
        let walk = Walk::over(&declared.schema, &seen, extent);
        for misfit in walk.misfits {
            let told = subject.told(misfit, Some(by), &field.term.span);
            self.wrong.push(told);
        }
        for expected in walk.expressions {
            let demand = Demand {
                subject: subject.clone(),
                expected,
            };
            self.demands.insert(demand.expected.program, demand);
        }
    }
}
