//! Guards around secrets, in sites that have any.
//!
//! A handle is handed on freely; whatever would look into what it stands for is guarded, and so is
//! every place where facts, which hosts report, would decide which secret a host gets. The guards
//! are filters ([`filters`]) that the walk through a program ([`walk`]) puts behind its parts, so
//! that what a value is decides when it is there, and only what it depends on is decided here.

mod calls;
mod chains;
mod depends;
mod expr;
mod filters;
mod names;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::guard::Guard;
use super::prepare::{AllPlain, Plain};
use super::programs::{Kind, ProgramId, Programs};
pub(super) use chains::{in_expr, in_stmt, path};
pub(crate) use depends::{ByFacts, Depends, ITEM};
pub(super) use filters::add;
pub(crate) use filters::secret_in;
use names::Names;
use walk::Walk;

/// What has to be known of a site to guard its secrets.
#[derive(Debug, Default)]
pub(crate) struct Secrecy {
    pub(crate) by_facts: ByFacts,
    /// The names that loops of resources give to items, and the lists.
    pub(crate) items: Vec<(Arc<str>, ProgramId)>,
}

/// What the walk through all programs found.
#[derive(Debug, Default)]
pub(super) struct Guarded {
    /// Guards of the programs, and how these depend on facts.
    pub(super) programs: Vec<(Vec<Guard>, Depends)>,
    pub(super) templates: Vec<Vec<Guard>>,
}

/// A program or a template.
struct Text<'p> {
    plain: &'p Plain,
    /// In a file that applies by facts.
    chosen: bool,
}

impl Secrecy {
    /// Walks through everything, as often as it takes until it is known what names stand for.
    pub(super) fn guard(&self, programs: &Programs, plain: &AllPlain) -> Guarded {
        let mut names: BTreeMap<Unit<'_>, Names> = BTreeMap::new();
        loop {
            let before = names.clone();
            let guarded = self.walk(programs, plain, &mut names);
            if names == before {
                return guarded;
            }
        }
    }

    fn walk<'p>(
        &self,
        programs: &'p Programs,
        plain: &'p AllPlain,
        names: &mut BTreeMap<Unit<'p>, Names>,
    ) -> Guarded {
        let mut guarded = Guarded::default();
        let both = programs.list.iter().zip(&plain.programs);
        for (place, (program, plain)) in both.enumerate() {
            let unit = unit_of(program.span.path(), place);
            let names = names.entry(unit).or_default();
            let text = Text {
                plain,
                chosen: self.by_facts.given.contains(&place)
                    || (self.by_facts.files.contains(program.span.path())
                        && program.kind != Kind::Match),
            };
            let (guards, depends) = self.one(&text, unit, names);
            let lists = self.items.iter();
            for (name, _) in lists.filter(|(_, id)| id.0 as usize == place) {
                names.local(name, depends.part());
            }
            guarded.programs.push((guards, depends));
        }
        for template in &plain.templates {
            let source = &programs.templates[template.place].source;
            let unit = unit_of(source.path(), usize::MAX);
            let text = Text {
                plain: &template.plain,
                chosen: false,
            };
            let names = names.entry(unit).or_default();
            let (guards, depends) = self.one(&text, unit, names);
            names.included(depends);
            guarded.templates.push(guards);
        }
        guarded
    }

    fn one(&self, text: &Text<'_>, unit: Unit<'_>, names: &mut Names) -> (Vec<Guard>, Depends) {
        let role = match unit {
            Unit::Role(role) => Some(role),
            Unit::Program(_) => None,
        };
        let mut walk = Walk::new(text, (&self.by_facts, role), names);
        let depends = walk.program();
        (walk.guards, depends)
    }
}

/// What shares names: the templates and programs of a role; any other program is by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit<'p> {
    Role(&'p str),
    Program(usize),
}

fn unit_of(path: &str, place: usize) -> Unit<'_> {
    match path
        .strip_prefix("roles/")
        .and_then(|rest| rest.split_once('/'))
    {
        Some((role, _)) => Unit::Role(role),
        None => Unit::Program(place),
    }
}

/// How a program depends on facts, going by everything that it reads.
pub(crate) fn depends(by_facts: &ByFacts, programs: &Programs, id: ProgramId) -> Depends {
    let program = &programs.list[id.0 as usize];
    let role = match unit_of(program.span.path(), 0) {
        Unit::Role(role) => Some(role),
        Unit::Program(_) => None,
    };
    let paths = chains::reads(&Plain::of_scalar(program.kind, &program.text));
    let paths = paths.iter().map(|path| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        by_facts.path(&path, role)
    });
    paths.max().unwrap_or_default().throughout()
}
