//! Who includes whom, checked without any host: roles that are there, parameters that they have,
//! no role in itself, and what a role that may be there several times takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::veil::Veil;
use super::yaml::Field;
use super::{Included, Parts, Role};
use crate::diag::{Code, Diagnostic, Diagnostics, did_you_mean, listed};
use crate::graph::cycles::{components, shortest};
use crate::render::Programs;

/// Most roles that include each other in a row: a reader is lost at five.
const MAX_DEPTH: usize = 32;

/// What includes give as it is read, with the roles that they give it to, in their order.
pub(super) type Given = Vec<(Arc<str>, Option<Field>)>;

/// Takes what includes give out of the roles: which of it is sensitive is known when all roles are.
pub(super) fn take_given(roles: &mut BTreeMap<Arc<str>, Role>) -> Given {
    let mut given = Vec::new();
    let elements = roles.values_mut().flat_map(|role| &mut role.resources);
    for element in elements {
        element.each_include(&mut |include| {
            given.push((Arc::clone(&include.role), include.take_unread()));
        });
    }
    given
}

/// Puts it back, fit to be evaluated.
pub(super) fn put_given(
    given: Given,
    roles: &mut BTreeMap<Arc<str>, Role>,
    programs: &mut Programs,
) {
    let mut given = given.into_iter();
    let elements = roles.values_mut().flat_map(|role| &mut role.resources);
    for element in elements {
        element.each_include(&mut |include| {
            if let Some((_, Some(field))) = given.next() {
                include.read_params(&field, programs);
            }
        });
    }
}

/// Veils what of it is sensitive.
pub(super) fn veil_given(given: &mut Given, veil: &Veil<'_>, wrong: &mut Diagnostics) {
    for (role, field) in given {
        if let Some(field) = field {
            veil.given(role, &mut field.node, wrong);
        }
    }
}

/// Checks every include, and every role that a host is given.
pub(super) fn check(parts: &Parts, wrong: &mut Diagnostics) {
    let groups = parts.groups.iter().map(|group| &group.file);
    let hosts = parts.hosts.values().map(|host| &host.file);
    let files = groups.chain(hosts).chain([&parts.globals]);
    for (name, span) in files.flat_map(|file| &file.roles) {
        if let Some(role) = parts.roles.get(name).filter(|role| role.repeatable) {
            let message = format!("role `{name}` is repeatable, and only other roles include it");
            let told = Diagnostic::new(Code::InvalidValue, message, span);
            wrong.push(
                told.also(&role.span, "`repeatable: true` here")
                    .help(format!(
                        "a role of its own includes it, with a title: `- role: {name}`"
                    )),
            );
        }
    }
    let roles: Vec<&Role> = parts.roles.values().collect();
    let includes: Vec<Vec<Included<'_>>> = roles.iter().map(|role| role.includes()).collect();
    let mut graph: Vec<Vec<usize>> = Vec::with_capacity(roles.len());
    for (role, included) in roles.iter().zip(&includes) {
        let mut leads = Vec::new();
        for one in included {
            let found = roles.binary_search_by(|other| other.name.cmp(&one.include.role));
            match found {
                Ok(place) => {
                    leads.push(place);
                    check_one(role, one, roles[place], wrong);
                }
                Err(_) => wrong.push(unknown(parts, one)),
            }
        }
        graph.push(leads);
    }
    let cycles = shortest(&graph);
    for cycle in &cycles {
        let told = told(cycle, &roles, &includes);
        told.into_iter().for_each(|told| wrong.push(told));
    }
    if cycles.is_empty() {
        check_depth(&graph, &roles, wrong);
    }
}

/// One include, of a role that is there.
fn check_one(by: &Role, included: &Included<'_>, role: &Role, wrong: &mut Diagnostics) {
    let include = included.include;
    let name = &role.name;
    let mut refuse = |code, message: String, help: String| {
        let told = Diagnostic::new(code, message, &include.span);
        wrong.push(told.help(help));
    };
    match (role.repeatable, &include.title) {
        (true, None) => refuse(
            Code::MissingKey,
            format!("role `{name}` is repeatable, so each time it is included it has a title"),
            "give it a `title`, as in `title: \"{{ site.name }}\"`".to_owned(),
        ),
        (false, Some(_)) => refuse(
            Code::UnknownKey,
            format!("role `{name}` is there once, and has no title"),
            format!("say `repeatable: true` in roles/{name}/role.yaml, or leave `title` out"),
        ),
        (false, None) if included.loops().next().is_some() => refuse(
            Code::InvalidValue,
            format!("role `{name}` is there once, however often a loop includes it"),
            format!("say `repeatable: true` in roles/{name}/role.yaml, or put the loop into it"),
        ),
        (false, None) if by.repeatable && include.params().is_some() => refuse(
            Code::InvalidValue,
            format!(
                "role `{name}` is there once, and `{}` is repeatable: it cannot say what holds for all",
                by.name
            ),
            format!("set `{name}: {{ … }}` as a variable, or in a role that is there once"),
        ),
        _ => {}
    }
}

fn unknown(parts: &Parts, included: &Included<'_>) -> Diagnostic {
    let name = &included.include.role;
    let known = || parts.roles.keys().map(|role| &**role);
    let help = did_you_mean(name, known());
    let help = help.unwrap_or_else(|| format!("the roles are {}", listed(known())));
    let message = format!("there is no role `{name}`");
    Diagnostic::new(Code::UnknownName, message, &included.include.span).help(help)
}

/// Shows a circle of roles, from the one that is first by name.
fn told(cycle: &[usize], roles: &[&Role], includes: &[Vec<Included<'_>>]) -> Option<Diagnostic> {
    let names = cycle.iter().chain(cycle.first());
    let names: Vec<&str> = names.map(|&place| &*roles[place].name).collect();
    let message = format!("roles include each other: {}", names.join(" -> "));
    let mut told: Option<Diagnostic> = None;
    for (&from, next) in cycle.iter().zip(&names[1..]) {
        let mut steps = includes[from].iter();
        let step = steps.find(|one| *one.include.role == **next)?;
        let span = &step.include.span;
        let label = format!("`{}` includes `{next}`", roles[from].name);
        told = Some(match told {
            None => Diagnostic::new(Code::IncludeCycle, message.as_str(), span).label(label),
            Some(told) => told.also(span, label),
        });
    }
    told.map(|told| told.help("move what they share into a role that includes neither"))
}

/// Refuses roles that include each other in too long a row.
fn check_depth(graph: &[Vec<usize>], roles: &[&Role], wrong: &mut Diagnostics) {
    // Without circles the components are the places, those that are led to first.
    let numbers = components(graph);
    let mut order: Vec<usize> = (0..graph.len()).collect();
    order.sort_unstable_by_key(|&place| numbers[place]);
    let mut depth = vec![0_usize; graph.len()];
    for place in order {
        let below = graph[place].iter().map(|&to| depth[to] + 1);
        depth[place] = below.max().unwrap_or(0);
        if depth[place] == MAX_DEPTH + 1 {
            let name = &roles[place].name;
            let message = format!(
                "under role `{name}`, more than {MAX_DEPTH} roles include each other in a row"
            );
            let told = Diagnostic::new(Code::Limit, message, &roles[place].span);
            wrong.push(told);
        }
    }
}

/// Every role that may come to hosts by these: themselves, and what they include, whatever the
/// host is.
pub(crate) fn reachable<'a>(parts: &'a Parts, from: &[&'a Role]) -> Vec<&'a Role> {
    let mut found: Vec<&Role> = from.to_vec();
    let mut place = 0;
    while let Some(role) = found.get(place).copied() {
        for one in role.includes() {
            let role = parts.roles.get(&one.include.role);
            found.extend(role.filter(|role| !found.iter().any(|one| one.name == role.name)));
        }
        place += 1;
    }
    found
}
