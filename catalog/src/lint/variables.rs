//! Variables that nothing reads, and parameters that their role does not read.
//!
//! A variable is read where a program or a template of any role names it, whether a host has that
//! role or not. Where a part of a mapping is read, the parts beside it are looked at one by one;
//! where a mapping is read as a whole, all of it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reads::{Extent, Reads};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::site::Parts;
use crate::vars::{Form, Term};

/// Most places that are shown of one variable beside the first.
const SHOWN: usize = 3;

/// What layers say of a variable together.
#[derive(Default)]
struct Said {
    places: Vec<Span>,
    parts: BTreeMap<Arc<str>, Said>,
    /// Whether some layer's value is no mapping, so that its parts cannot be looked at.
    whole: bool,
}

/// Tells of variables that nothing reads.
pub(super) fn unused(parts: &Parts, reads: &Reads, told: &mut Diagnostics) {
    let mut said = Said::default();
    for (name, declared) in &parts.variables.declared {
        let part = said.parts.entry(Arc::clone(name)).or_default();
        part.places.push(declared.span.clone());
        // The parts of a declared one are what its schema says.
        part.whole = true;
    }
    let groups = parts.groups.iter().map(|group| &group.file);
    let hosts = parts.hosts.values().map(|host| &host.file);
    for file in [&parts.globals].into_iter().chain(groups).chain(hosts) {
        said.take(&file.vars);
    }
    for (name, said) in &said.parts {
        // What a role does not read of its parameters is told of the role.
        let role = parts.roles.get(name);
        if role.is_none_or(|role| role.params.is_empty()) {
            look(said, &mut vec![Arc::clone(name)], (reads, &mut *told));
        }
    }
}

impl Said {
    fn take(&mut self, term: &Term) {
        let Form::Map(map) = &term.form else {
            self.whole = true;
            return;
        };
        for (name, field) in map {
            let part = self.parts.entry(Arc::clone(name)).or_default();
            part.places.push(field.key.clone());
            part.take(&field.term);
        }
    }
}

fn look(said: &Said, path: &mut Vec<Arc<str>>, (reads, told): (&Reads, &mut Diagnostics)) {
    match reads.extent(path) {
        Extent::All => {}
        Extent::Nothing => told.push(finding(path, &said.places)),
        Extent::Parts if said.whole => {}
        Extent::Parts => {
            for (name, part) in &said.parts {
                path.push(Arc::clone(name));
                look(part, path, (reads, &mut *told));
                path.pop();
            }
        }
    }
}

fn finding(path: &[Arc<str>], places: &[Span]) -> Diagnostic {
    let path = path.join(".");
    let message = format!("nothing reads the variable `{path}`");
    let first = places.first().cloned();
    let first = first.unwrap_or_else(|| Span::whole(&crate::diag::Source::new("", "")));
    let mut told = Diagnostic::new(Code::UnusedVariable, message, &first);
    for place in places.iter().skip(1).take(SHOWN) {
        told = told.also(place, "and here");
    }
    if let Some(more @ 1..) = places.len().checked_sub(1 + SHOWN) {
        told = told.help(format!("{more} more places set it"));
    }
    told.help("take it out, or read it: in a template, a role, a `when` or another variable")
}

/// Tells of parameters that their role does not read.
pub(super) fn unused_parameters(parts: &Parts, reads: &Reads, told: &mut Diagnostics) {
    for role in parts.roles.values() {
        for (name, param) in &role.params {
            if reads.parameter(&role.name, name) {
                continue;
            }
            let message = format!("role `{}` does not read its parameter `{name}`", role.name);
            let one = Diagnostic::new(Code::UnusedParameter, message, &param.span);
            told.push(one.help(format!(
                "take it out, or read it as `params.{name}` in the role or its templates"
            )));
        }
    }
}
