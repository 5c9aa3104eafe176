//! Which includes hold for a host, and its variables with what these give.
//!
//! Whether a role is included may depend on variables, and what it is given is among them. So the
//! variables are put together with the includes that hold whatever the host is; it is seen which
//! hold by these variables; and so on, until nothing changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::agree::disagreements;
use super::context::{Chosen, Made, Purpose};
use super::include::{Holding, once};
use crate::compile::HostInput;
use crate::diag::{Code, Diagnostic, Diagnostics, Source};
use crate::groups::{facts, record};
use crate::site::{Group, Parts, Role, reachable};
use crate::vars::{HostState, Ingredients, Layer, Term, merge};

/// How often it is seen which includes hold. Conditions that depend on what an include gives are
/// rare, and those that need more than two rounds are hard to follow.
const MAX_ROUNDS: usize = 8;

/// What a host's variables come of.
pub(super) struct Given<'a, 'g> {
    pub(super) parts: &'a Arc<Parts>,
    pub(super) host: &'g HostInput,
    pub(super) groups: &'g [&'a Group],
    pub(super) roles: &'g [&'a Role],
    /// Those of the roles that only facts bring.
    pub(super) chosen: BTreeMap<&'a str, Chosen>,
    pub(super) nonce: Arc<str>,
}

/// What came of it.
pub(super) struct Found<'a> {
    pub(super) state: Arc<HostState>,
    /// The roles, given or included, that only facts bring.
    pub(super) chosen: BTreeMap<&'a str, Chosen>,
    pub(super) wrong: Diagnostics,
}

/// Finds the includes that hold, and merges the variables.
pub(super) fn included<'a>(given: Given<'a, '_>) -> Found<'a> {
    let reach = reachable(given.parts, given.roles);
    let mut holding = unconditional(given.parts, given.roles);
    let mut round = 0;
    loop {
        let mut wrong = Diagnostics::new();
        let state = variables(&given, (&reach, &holding), &mut wrong);
        if reach.iter().all(|role| role.includes().is_empty()) {
            let chosen = given.chosen;
            return Found {
                state,
                chosen,
                wrong,
            };
        }
        let mut made = Made::nothing(Purpose::Includes, given.parts, &state);
        for role in given.roles {
            once(role, None, (&state, &mut made));
        }
        let changed = first_changed(&holding, &made.holding);
        if changed.is_none() || round == MAX_ROUNDS {
            if let Some(changed) = changed {
                state.record(unsettled(changed));
            }
            for told in disagreements(&state, &holding) {
                state.record(told);
            }
            let chosen = blamed(&given, &made.holding);
            return Found {
                state,
                chosen,
                wrong,
            };
        }
        holding = made.holding;
        round += 1;
    }
}

/// The includes that hold whatever the host is, in the order in which they are met.
fn unconditional<'a>(parts: &'a Parts, roles: &[&'a Role]) -> Vec<Holding<'a>> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for role in roles {
        follow(parts, role, (&mut seen, &mut found));
    }
    found
}

fn follow<'a>(
    parts: &'a Parts,
    by: &'a Role,
    (seen, found): (&mut BTreeSet<&'a str>, &mut Vec<Holding<'a>>),
) {
    if !seen.insert(&by.name) {
        return;
    }
    for one in by.includes() {
        let role = parts.roles.get(&one.include.role);
        let always = one.conditions().next().is_none() && one.loops().next().is_none();
        let Some(role) = role.filter(|role| always && !role.repeatable) else {
            continue;
        };
        found.push(Holding {
            include: one.include,
            by,
            chosen: None,
        });
        follow(parts, role, (&mut *seen, &mut *found));
    }
}

/// The variables of a host to which these includes apply.
fn variables(
    given: &Given<'_, '_>,
    (reach, holding): (&[&Role], &[Holding<'_>]),
    wrong: &mut Diagnostics,
) -> Arc<HostState> {
    let parts = given.parts;
    let host = given.host;
    let declared = Some(&parts.variables).filter(|variables| !variables.declared.is_empty());
    let mut layers: Vec<Layer> = declared.map(Layer::declared).into_iter().collect();
    layers.extend(reach.iter().map(|role| Layer::role(role)));
    layers.extend(layers_of(holding));
    layers.push(Layer::global(&parts.globals));
    layers.extend(given.groups.iter().map(|group| Layer::group(group)));
    let declared = parts.hosts.get(&host.name);
    layers.extend(declared.map(|host| Layer::host(&host.file)));
    if !host.vars.is_empty() {
        let source = Source::new("job", "");
        let vars = serde_json::Value::Object(host.vars.clone());
        layers.push(Layer::job(Term::of_json(&vars, &source)));
    }
    let tree = merge(&layers, &parts.settings.rules, wrong);
    let state = HostState::new(Ingredients {
        parts: Arc::clone(parts),
        name: host.name.clone(),
        layers,
        tree,
        record: record(parts, host, given.groups, given.roles),
        facts: facts(host),
        nonce: Arc::clone(&given.nonce),
    });
    state.check_declared();
    state
}

/// What includes give, as layers. A parameter that several give stands in the first: they agree,
/// or a layer above decides.
fn layers_of(holding: &[Holding<'_>]) -> Vec<Layer> {
    let mut known = BTreeSet::new();
    let mut layers = Vec::new();
    for one in holding {
        let (Some(whole), Some(params)) = (&one.include.layer, one.include.params()) else {
            continue;
        };
        let role = &one.include.role;
        let first = params
            .iter()
            .filter(|(name, _)| known.insert((role, *name)));
        let first = first.map(|(name, field)| {
            let (key, term) = (field.key.clone(), Arc::clone(&field.term));
            (Arc::clone(name), key, term)
        });
        let first: Vec<_> = first.collect();
        let vars = match first.len() == params.len() {
            true => Arc::clone(whole),
            false => {
                let inner = Term::mapping(&whole.span, first);
                Term::mapping(&whole.span, [(Arc::clone(role), whole.span.clone(), inner)])
            }
        };
        layers.push(Layer::include(one.by, role, (layers.len(), vars)));
    }
    layers
}

/// The first include that gives something and holds only before, or only now.
fn first_changed<'a, 'b>(
    before: &'b [Holding<'a>],
    now: &'b [Holding<'a>],
) -> Option<&'b Holding<'a>> {
    let giving = |list: &'b [Holding<'a>]| -> Vec<&'b Holding<'a>> {
        list.iter()
            .filter(|one| one.include.layer.is_some())
            .collect()
    };
    let (before, now) = (giving(before), giving(now));
    let same = |place: usize| match (before.get(place), now.get(place)) {
        (Some(one), Some(other)) => std::ptr::eq(one.include, other.include),
        _ => false,
    };
    let place = (0..before.len().max(now.len())).find(|place| !same(*place))?;
    now.get(place).or(before.get(place)).copied()
}

fn unsettled(one: &Holding<'_>) -> Diagnostic {
    let (role, by) = (&one.include.role, &one.by.name);
    let message = format!(
        "whether role `{by}` includes `{role}` depends on what it gives it, and does not settle"
    );
    Diagnostic::new(Code::IncludeCycle, message, &one.include.span).help(format!(
        "let the condition read no variable that comes of `{role}`'s parameters"
    ))
}

/// The roles that only facts bring: given so, or included by none but such, or where facts decide.
fn blamed<'a>(given: &Given<'a, '_>, holding: &[Holding<'a>]) -> BTreeMap<&'a str, Chosen> {
    if given.parts.secrecy.is_none() {
        return BTreeMap::new();
    }
    let roles = given.roles.iter().map(|role| &*role.name);
    let mut trusted: BTreeSet<&str> = roles
        .filter(|role| !given.chosen.contains_key(role))
        .collect();
    loop {
        let before = trusted.len();
        for one in holding {
            if one.chosen.is_none() && trusted.contains(&*one.by.name) {
                trusted.insert(&one.include.role);
            }
        }
        if trusted.len() == before {
            break;
        }
    }
    let mut blamed = given.chosen.clone();
    blamed.retain(|role, _| !trusted.contains(role));
    // Whoever includes a role is met before it.
    for one in holding {
        let role = &*one.include.role;
        if trusted.contains(role) || blamed.contains_key(role) {
            continue;
        }
        let by = || blamed.get(&*one.by.name).cloned();
        let here = || Chosen {
            what: "the include",
            span: one.include.span.clone(),
        };
        let chosen = one.chosen.clone().or_else(by).unwrap_or_else(here);
        blamed.insert(role, chosen);
    }
    blamed
}
