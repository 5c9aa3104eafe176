//! Deciding, for one host, which groups it is in.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_schemas::HostName;
use minijinja::Value;
use minijinja::value::{Enumerator, Object, Serde};

use super::Standing;
use crate::compile::HostInput;
use crate::diag::{Diagnostic, Diagnostics};
use crate::site::{Group, Parts, Role, Sought};
use crate::vars::{HostState, Ingredients, Layer, Missing, Scope};

/// The groups of a host, in the order in which they apply. `None` where one cannot be known,
/// which is told.
pub(crate) fn members<'a>(
    parts: &'a Arc<Parts>,
    host: &HostInput,
    wrong: &mut Diagnostics,
) -> Option<Vec<&'a Group>> {
    let decided = decide(parts, host);
    let known = decided.wrong.is_empty();
    decided.wrong.into_iter().for_each(|one| wrong.push(one));
    let standing = parts.groups.iter().zip(decided.standing);
    let members = standing.filter(|(_, standing)| *standing == Standing::In);
    known.then(|| members.map(|(group, _)| group).collect())
}

/// How a host stands to every group, in the order of the site's list.
pub(crate) fn standing(parts: &Arc<Parts>, host: &HostInput) -> Vec<Standing> {
    decide(parts, host).standing
}

/// How a host stands to every group, in the order of the list of the site, with what a reason is
/// made of.
pub(crate) struct Decided {
    pub(crate) standing: Vec<Standing>,
    pub(crate) wrong: Vec<Diagnostic>,
    /// What a `match` sees.
    pub(crate) context: Value,
    /// What the context reads.
    state: Arc<HostState>,
}

impl Decided {
    /// The scope of a `match`.
    pub(super) fn scope(&self) -> Scope {
        Scope::variables(&self.state)
    }
}

/// Decides about every group.
pub(crate) fn decide(parts: &Arc<Parts>, host: &HostInput) -> Decided {
    let sought = sought(parts, host);
    let candidate = Arc::new(Candidate {
        fixed: attributes(parts, host, Attributes::Known),
        joined: Mutex::new(Joined {
            groups: Vec::new(),
            tags: own_tags(parts, host).cloned().collect(),
        }),
    });
    let state = HostState::new(Ingredients {
        parts: Arc::clone(parts),
        name: host.name.clone(),
        layers: vec![Layer::global(&parts.globals)],
        tree: Default::default(),
        record: Value::from_dyn_object(Arc::clone(&candidate)),
        facts: facts(host),
        // A `match` prints nothing.
        nonce: "".into(),
    });
    let scope = Scope::variables(&state);
    let context = scope.value();
    let mut standing = vec![Standing::Out; parts.groups.len()];
    for &place in &parts.order.sequence {
        let group = &parts.groups[place];
        standing[place] = match listed(group, &sought) {
            Some(standing) => standing,
            None => match nested(parts, place, &standing) {
                Standing::In => Standing::In,
                from_nested => match (
                    matched(parts, place, &standing, (&state, &context)),
                    from_nested,
                ) {
                    (Standing::Out, unknown) => unknown,
                    (decided, _) => decided,
                },
            },
        };
        if standing[place] == Standing::In {
            candidate.join(group);
        }
    }
    Decided {
        standing,
        wrong: state.take_wrong(),
        context,
        state,
    }
}

/// What its lists say; `None` where they say nothing.
fn listed(group: &Group, host: &Sought<'_>) -> Option<Standing> {
    if group.exclude.entry(host).is_some() {
        return Some(Standing::Out);
    }
    group.hosts.entry(host).map(|_| Standing::In)
}

fn nested(parts: &Parts, place: usize, standing: &[Standing]) -> Standing {
    let others = parts.order.nested[place].iter();
    let others = others.map(|(other, _)| standing[*other]);
    others.fold(Standing::Out, |known, other| match (known, other) {
        (Standing::In, _) | (_, Standing::In) => Standing::In,
        (Standing::Unknown, _) | (_, Standing::Unknown) => Standing::Unknown,
        _ => Standing::Out,
    })
}

fn matched(
    parts: &Parts,
    place: usize,
    standing: &[Standing],
    (state, context): (&Arc<HostState>, &Value),
) -> Standing {
    let Some(program) = parts.groups[place].matching else {
        return Standing::Out;
    };
    let mut asked = parts.order.asked[place].iter();
    if asked.any(|other| standing[*other] == Standing::Unknown) {
        return Standing::Unknown;
    }
    match parts.engine.eval(program, context) {
        Ok(value) if value.is_true() => Standing::In,
        Ok(_) => Standing::Out,
        Err(failing) => {
            if failing.recorded.is_none() {
                state.record(Scope::variables(state).diagnostic(failing));
            }
            Standing::Unknown
        }
    }
}

/// A host as the lists of groups see it.
pub(crate) fn sought<'a>(parts: &'a Parts, host: &'a HostInput) -> Sought<'a> {
    let declared = parts.hosts.get(&host.name);
    let address = declared.and_then(|host| host.attributes.get("address")?.as_str());
    Sought::new(host.name.as_str(), address)
}

/// The name of a host that no repo means: `.invalid` is nobody's (RFC 2606).
const NOBODY: &str = "nobody.invalid";

/// Whether a host that the repo does not declare is in some group for its name: in one that a host
/// of a name that nobody means is not in.
pub(crate) fn by_name(parts: &Arc<Parts>, host: &HostName) -> bool {
    let Ok(nobody) = NOBODY.parse() else {
        return false;
    };
    let standing = |name: &HostName| decide(parts, &HostInput::new(name.clone())).standing;
    let mut both = standing(host).into_iter().zip(standing(&nobody));
    both.any(|(its, theirs)| its == Standing::In && theirs != Standing::In)
}

/// The facts of a host, as `facts`.
pub(crate) fn facts(host: &HostInput) -> Value {
    match &host.facts {
        Some(facts) => Value::from(Serde(&**facts)),
        None => Value::from_object(Missing),
    }
}

/// The record of a host while its groups are decided: `groups` and `tags` grow.
#[derive(Debug)]
struct Candidate {
    fixed: Value,
    joined: Mutex<Joined>,
}

#[derive(Debug)]
struct Joined {
    groups: Vec<Arc<str>>,
    tags: BTreeSet<Arc<str>>,
}

impl Candidate {
    fn join(&self, group: &Group) {
        let mut joined = self.joined.lock().unwrap_or_else(PoisonError::into_inner);
        joined.groups.push(Arc::clone(&group.name));
        joined.tags.extend(group.tags.iter().cloned());
    }
}

impl Object for Candidate {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let joined = || self.joined.lock().unwrap_or_else(PoisonError::into_inner);
        match key {
            "groups" => Some(list(&joined().groups)),
            "tags" => Some(list(&joined().tags)),
            _ => {
                let value = self.fixed.get_attr(key).ok()?;
                (!value.is_undefined()).then_some(value)
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let fixed = self.fixed.try_iter().into_iter().flatten();
        let beside = ["groups", "tags"].map(Value::from);
        Enumerator::Values(fixed.chain(beside).collect())
    }
}

fn list<'a>(names: impl IntoIterator<Item = &'a Arc<str>>) -> Value {
    let names = names.into_iter();
    names.map(|name| Value::from(Arc::clone(name))).collect()
}

fn own_tags<'a>(parts: &'a Parts, host: &HostInput) -> impl Iterator<Item = &'a Arc<str>> {
    let declared = parts.hosts.get(&host.name);
    declared.into_iter().flat_map(|host| &host.tags)
}

/// Which attributes a record has.
#[derive(Clone, Copy, PartialEq)]
enum Attributes {
    /// The host's own.
    Own,
    /// All that any host has; what this one has not is none.
    Known,
}

/// The name and the attributes of a host.
fn attributes(parts: &Parts, host: &HostInput, which: Attributes) -> Value {
    Value::from_pairs(attribute_pairs(parts, host, which))
}

fn attribute_pairs(parts: &Parts, host: &HostInput, which: Attributes) -> Vec<(Value, Value)> {
    let own = parts.hosts.get(&host.name).map(|host| &host.attributes);
    let mut pairs = vec![(Value::from("name"), Value::from(host.name.as_str()))];
    for (name, value) in own.into_iter().flatten() {
        pairs.push((Value::from(Arc::clone(name)), value.clone()));
    }
    if which == Attributes::Known {
        let lacking = parts.attributes.iter();
        let lacking = lacking.filter(|name| !own.is_some_and(|own| own.contains_key(*name)));
        pairs.extend(lacking.map(|name| (Value::from(Arc::clone(name)), Value::from(()))));
    }
    pairs
}

/// The record of a host whose groups and roles are known, as `host`.
pub(crate) fn record(parts: &Parts, host: &HostInput, groups: &[&Group], roles: &[&Role]) -> Value {
    let given = groups.iter().flat_map(|group| &group.tags);
    let tags: BTreeSet<&Arc<str>> = own_tags(parts, host).chain(given).collect();
    let mut pairs = vec![
        (Value::from("tags"), list(tags)),
        (
            Value::from("groups"),
            list(groups.iter().map(|group| &group.name)),
        ),
        (
            Value::from("roles"),
            list(roles.iter().map(|role| &role.name)),
        ),
    ];
    pairs.extend(attribute_pairs(parts, host, Attributes::Own));
    Value::from_pairs(pairs)
}
