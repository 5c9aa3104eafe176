//! What facts decide about a site: the groups whose `match` reads them, and all that those bring.
//!
//! A host reports its facts, so it could choose the groups that facts put it into, and with them
//! its secrets. Such a group has no secrets, and what its variables, tags and roles decide counts
//! as decided by facts everywhere else.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Element, Group, Host, Included, Names, Role, Settings, VarFile, Variables};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::render::{ByFacts, Depends, Handle, ITEM, ProgramId, Programs, Secrecy, depends};
use crate::vars::{Form, MergeRule, Rules, Term};
use holdfast_schemas::HostName;

/// The parts of a site before its programs are compiled.
pub(super) struct Declared<'a> {
    pub(super) settings: &'a Settings,
    pub(super) variables: &'a Variables,
    pub(super) globals: &'a VarFile,
    pub(super) groups: &'a [Group],
    pub(super) hosts: &'a BTreeMap<HostName, Host>,
    pub(super) roles: &'a BTreeMap<Arc<str>, Role>,
    pub(super) programs: &'a Programs,
}

impl Declared<'_> {
    /// What guards the site's secrets.
    pub(super) fn secrecy(&self) -> Secrecy {
        let mut by_facts = ByFacts::default();
        loop {
            let before = by_facts.clone();
            self.add_variables(&mut by_facts);
            for group in self.groups {
                if self.is_by_facts(group, &by_facts) {
                    self.add_group(group, &mut by_facts);
                }
            }
            for role in self.roles.values() {
                for one in role.includes() {
                    self.add_include((role, &one), &mut by_facts);
                }
            }
            if by_facts == before {
                break;
            }
        }
        let mut items = Vec::new();
        for role in self.roles.values() {
            role.resources
                .iter()
                .for_each(|one| add_items(one, &mut items));
        }
        Secrecy { by_facts, items }
    }

    /// Tells of secrets in groups that facts put hosts into, and of those that are given to roles
    /// where facts decide.
    pub(super) fn refuse(&self, secrecy: &Secrecy, wrong: &mut Diagnostics) {
        for role in self.roles.values() {
            for one in role.includes() {
                self.refuse_given((role, &one), &secrecy.by_facts, wrong);
            }
        }
        for group in self.groups {
            if !secrecy.by_facts.listed("groups", &group.name) {
                continue;
            }
            let mut places = Vec::new();
            secrets_in(&group.file.vars, &mut places);
            for (names, place) in places {
                let message = format!(
                    "{names} would depend on facts, which the host reports: they put it into group `{}`",
                    group.name
                );
                let told = Diagnostic::new(Code::ChosenSecret, message, &place);
                let told = match group.matching {
                    Some(id) => told.also(
                        &self.programs.list[id.0 as usize].span,
                        "this depends on facts",
                    ),
                    None => told,
                };
                wrong.push(told.help(
                    "let the repo decide: move it to the globals, a host, or a group with `hosts:` or by attributes",
                ));
            }
        }
    }

    fn refuse_given(
        &self,
        (by, one): (&Role, &Included<'_>),
        by_facts: &ByFacts,
        wrong: &mut Diagnostics,
    ) {
        let mut places = Vec::new();
        if let Some(layer) = one
            .include
            .layer
            .as_ref()
            .filter(|_| self.decided(by, one, by_facts))
        {
            secrets_in(layer, &mut places);
        }
        for (names, place) in places {
            let role = &one.include.role;
            let message = format!(
                "{names} would depend on facts, which the host reports: they decide whether `{}` includes `{role}`",
                by.name
            );
            let told = Diagnostic::new(Code::ChosenSecret, message, &place);
            wrong.push(told.help(format!(
                "let the repo decide: set `{role}` in the globals, a host, or a group with `hosts:` or by attributes"
            )));
        }
    }

    /// Whether facts decide that a role includes another.
    fn decided(&self, by: &Role, one: &Included<'_>, by_facts: &ByFacts) -> bool {
        let mut deciding = one.conditions().chain(one.loops());
        by_facts.listed("roles", &by.name)
            || by_facts.included.contains(&by.name)
            || deciding.any(|id| depends(by_facts, self.programs, id) > Depends::Not)
    }

    /// What a role gives another one that it includes.
    fn add_include(&self, (by, one): (&Role, &Included<'_>), by_facts: &mut ByFacts) {
        let role = &one.include.role;
        let decided = self.decided(by, one, by_facts);
        for (name, field) in one.include.params().into_iter().flatten() {
            let mut path = vec![Arc::clone(role), Arc::clone(name)];
            match decided {
                true => {
                    let mut programs = Vec::new();
                    programs_in(&field.term, &mut programs);
                    by_facts.given.extend(programs);
                    by_facts.variables.insert(path);
                }
                false => self.add_programs(&field.term, &mut path, by_facts),
            }
        }
        if decided {
            by_facts.included.insert(Arc::clone(role));
            let declared = self.roles.get(role).into_iter();
            let names = declared.flat_map(|role| role.params.keys());
            let paths = names.map(|name| vec![Arc::clone(role), Arc::clone(name)]);
            by_facts.variables.extend(paths);
        }
    }

    fn is_by_facts(&self, group: &Group, by_facts: &ByFacts) -> bool {
        let mut nested = group.nested.iter();
        nested.any(|(name, _)| by_facts.listed("groups", name))
            || group
                .matching
                .is_some_and(|id| depends(by_facts, self.programs, id) > Depends::Not)
    }

    fn add_variables(&self, by_facts: &mut ByFacts) {
        let roles = self.roles.values().map(|role| &role.defaults);
        let groups = self.groups.iter().map(|group| &group.file.vars);
        let hosts = self.hosts.values().map(|host| &host.file.vars);
        let lowest = [&self.variables.defaults, &self.globals.vars];
        let layers = roles.chain(lowest).chain(groups).chain(hosts);
        for vars in layers {
            let mut path = Vec::new();
            self.add_programs(vars, &mut path, by_facts);
        }
    }

    /// The paths of programs that depend on facts.
    fn add_programs(&self, term: &Term, path: &mut Vec<Arc<str>>, by_facts: &mut ByFacts) {
        match &term.form {
            Form::Scalar(_) => {}
            Form::Program { id, .. } => {
                if depends(by_facts, self.programs, *id) > Depends::Not {
                    by_facts.variables.insert(path.clone());
                }
            }
            Form::List(items) => {
                path.push(ITEM.into());
                items
                    .iter()
                    .for_each(|item| self.add_programs(item, path, by_facts));
                path.pop();
            }
            Form::Map(map) => {
                for (name, field) in map {
                    path.push(Arc::clone(name));
                    self.add_programs(&field.term, path, by_facts);
                    path.pop();
                }
            }
        }
    }

    /// All that a group which applies by facts brings along.
    fn add_group(&self, group: &Group, by_facts: &mut ByFacts) {
        if let Some(file) = group.file.vars.span.source().path().strip_prefix("groups/") {
            by_facts.files.insert(format!("groups/{file}"));
        }
        let mut list = |name: &'static str, words: &mut dyn Iterator<Item = &Arc<str>>| {
            let known = by_facts.record.entry(name).or_default();
            known.extend(words.cloned());
        };
        list("groups", &mut [&group.name].into_iter());
        if !group.tags.is_empty() {
            list("tags", &mut group.tags.iter());
        }
        let everywhere = |name: &str| self.globals.roles.iter().any(|(role, _)| **role == *name);
        let roles = group.file.roles.iter().map(|(name, _)| name);
        let roles: Vec<&Arc<str>> = roles.filter(|name| !everywhere(name)).collect();
        if !roles.is_empty() {
            list("roles", &mut roles.iter().copied());
        }
        let defaults = roles.into_iter().filter_map(|name| self.roles.get(name));
        for (role, fields) in defaults.flat_map(|role| role.defaults.as_map()).flatten() {
            for name in fields.term.as_map().into_iter().flat_map(|map| map.keys()) {
                by_facts
                    .variables
                    .insert(vec![Arc::clone(role), Arc::clone(name)]);
            }
        }
        for unset in &group.file.unset {
            by_facts.variables.insert(unset.path.clone());
        }
        let mut path = Vec::new();
        set_by(&group.file.vars, &self.settings.rules, &mut path, by_facts);
    }
}

/// The paths of what a layer replaces: whole variables, unless they are merged part by part.
fn set_by(term: &Term, rules: &Rules, path: &mut Vec<Arc<str>>, by_facts: &mut ByFacts) {
    let parts =
        path.is_empty() || rules.holds_variables(path) || rules.deciding(path) == MergeRule::Deep;
    match term.as_map().filter(|_| parts) {
        Some(map) => {
            for (name, field) in map {
                path.push(Arc::clone(name));
                set_by(&field.term, rules, path, by_facts);
                path.pop();
            }
        }
        None => {
            by_facts.variables.insert(path.clone());
        }
    }
}

/// The names that loops of resources give to items, and what they go over.
fn add_items(element: &Element, items: &mut Vec<(Arc<str>, ProgramId)>) {
    for one in &element.steps().loops {
        match &one.names {
            Names::One(name) => items.push((Arc::clone(name), one.over)),
            Names::Two(key, value) => {
                items.extend([key, value].map(|name| (Arc::clone(name), one.over)));
            }
        }
    }
    if let Element::Block { elements, .. } = element {
        elements.iter().for_each(|inner| add_items(inner, items));
    }
}

fn programs_in(term: &Term, found: &mut Vec<usize>) {
    match &term.form {
        Form::Scalar(_) => {}
        Form::Program { id, .. } => found.push(id.0 as usize),
        Form::List(items) => items.iter().for_each(|item| programs_in(item, found)),
        Form::Map(map) => map
            .values()
            .for_each(|field| programs_in(&field.term, found)),
    }
}

fn secrets_in(term: &Term, found: &mut Vec<(String, Span)>) {
    match &term.form {
        Form::Scalar(value) => {
            found.extend(Handle::in_value(value).map(|one| (one.names(), term.span.clone())));
        }
        Form::Program { .. } => {}
        Form::List(items) => items.iter().for_each(|item| secrets_in(item, found)),
        Form::Map(map) => map
            .values()
            .for_each(|field| secrets_in(&field.term, found)),
    }
}
