//! Roles carried out: those a host is given, and where these include others, those there.
//!
//! A role stands in a catalog once, at the first place that names it; a repeatable one once per
//! title.

use std::sync::Arc;

use minijinja::Value;

use super::absent::Why;
use super::agree::{Given, differing};
use super::context::{Chosen, Context, Made, Purpose};
use super::expand;
use super::frame::Frame;
use super::wanted::{Edges, Waits, edges};
use super::{params, probe};
use crate::diag::{Code, Diagnostic, Span};
use crate::render::Handle;
use crate::site::{Include, Role, TITLE, describe};
use crate::vars::{HostState, Scope, Term};

/// Most roles in the catalog of a host, the repeatable ones by their titles.
const MAX_FRAMES: usize = 50_000;

/// One include of a role that is there once, that holds for a host.
#[derive(Debug, Clone)]
pub(super) struct Holding<'s> {
    pub(super) include: &'s Include,
    /// The role that includes it; of repeatable ones, the one around them.
    pub(super) by: &'s Role,
    /// What depends on facts, where they decide that it does.
    pub(super) chosen: Option<Chosen>,
}

/// One of a repeatable role.
pub(super) struct Instance<'s> {
    frame: usize,
    given: Vec<Given<'s>>,
    span: &'s Span,
}

/// Where a role's resources are lowered from.
pub(super) struct Place<'s> {
    /// What depends on facts, where they decide that the role is there.
    pub(super) chosen: Option<Chosen>,
    /// The role that is there once, and that this is a part of.
    pub(super) owner: &'s Role,
    pub(super) title: Option<Arc<str>>,
}

/// Carries out a role that is there once, unless that is done; its frame.
pub(super) fn once<'s>(
    role: &'s Role,
    chosen: Option<Chosen>,
    (state, made): (&Arc<HostState>, &mut Made<'s>),
) -> usize {
    if let Some(&frame) = made.once.get(&*role.name) {
        return frame;
    }
    let params = match made.purpose {
        Purpose::Catalog => params::values(state, role),
        Purpose::Includes => params::params_of(state, role),
    };
    made.once.insert(&role.name, made.frames.len());
    let place = Place {
        chosen,
        owner: role,
        title: None,
    };
    carry_out(role, (params, place), (state, made))
}

fn carry_out<'s>(
    role: &'s Role,
    (params, place): (Value, Place<'s>),
    (state, made): (&Arc<HostState>, &mut Made<'s>),
) -> usize {
    let frame = made.frames.len();
    made.frames.push(Frame {
        role: Arc::clone(&role.name),
        title: place.title,
        contains: Vec::new(),
        edges: Edges::default(),
    });
    let scope = Scope::role(state, params);
    let mut context = Context {
        state,
        role,
        owner: place.owner,
        frame,
        value: scope.value(),
        scope,
        made,
        chosen: place.chosen,
    };
    if context.made.purpose == Purpose::Catalog {
        let waits = Waits {
            requires: role.requires.as_deref(),
            before: role.before.as_deref(),
            ..Waits::default()
        };
        let edges = edges(&waits, &context).unwrap_or_default();
        context.made.frames[frame].edges.extend(edges);
    }
    for element in &role.resources {
        expand::element(element, &mut context);
    }
    if context.made.purpose == Purpose::Catalog {
        for one in &role.probes {
            probe::probe(one, &mut context);
        }
    }
    frame
}

/// Carries out an include whose conditions hold.
pub(super) fn include<'s>(include: &'s Include, context: &mut Context<'s, '_>) {
    // A site without this role does not parse.
    let Some(role) = context.made.parts.roles.get(&include.role) else {
        return;
    };
    if context.made.frames.len() >= MAX_FRAMES {
        let message = format!("the roles of a host include more than {MAX_FRAMES} others");
        return context.tell(Diagnostic::new(Code::Limit, message, &include.span));
    }
    let frame = match &include.title {
        Some(title) => repeated(role, (include, title), context),
        None => Some(single(role, include, context)),
    };
    let Some(frame) = frame else {
        return context.made.absent.skip_role(&role.name, Why::Wrong);
    };
    let around = context.frame;
    context.made.frames[around].contains.push(frame);
    if context.made.purpose == Purpose::Catalog {
        let waits = Waits {
            requires: include.requires.as_deref(),
            before: include.before.as_deref(),
            notify: include.notify.as_deref(),
            subscribes: None,
        };
        let edges = edges(&waits, context).unwrap_or_default();
        context.made.frames[frame].edges.extend(edges);
    }
}

fn single<'s>(role: &'s Role, include: &'s Include, context: &mut Context<'s, '_>) -> usize {
    let chosen = match context.made.purpose {
        // Who is to blame is found when all that include it are known.
        Purpose::Includes => {
            context.made.holding.push(Holding {
                include,
                by: context.owner,
                chosen: context.chosen.clone(),
            });
            None
        }
        Purpose::Catalog => context.made.chosen.get(&*role.name).cloned(),
    };
    once(role, chosen, (context.state, &mut *context.made))
}

/// One of a repeatable role; the one of that title, where there is one and it is the same.
fn repeated<'s>(
    role: &'s Role,
    (include, title): (&'s Include, &'s Term),
    context: &mut Context<'s, '_>,
) -> Option<usize> {
    let title = title_of(role, title, context)?;
    let given = include.params().into_iter().flatten();
    let given =
        given.map(|(name, field)| Some((name, context.eval(&field.term)?, &field.term.span)));
    // All that is wrong in them is told.
    let given: Vec<Option<Given<'s>>> = given.collect();
    let given: Vec<Given<'s>> = given.into_iter().collect::<Option<_>>()?;
    let key = (Arc::clone(&role.name), Arc::clone(&title));
    if let Some(known) = context.made.instances.get(&key) {
        let what = format!("role[{}/{title}]", role.name);
        let first = (&*known.given, known.span);
        let told = differing((&what, role), first, (&given, &include.span));
        told.into_iter().for_each(|told| context.tell(told));
        return Some(known.frame);
    }
    let params = params_of_one(role, (&title, &given), context);
    let instance = Instance {
        frame: context.made.frames.len(),
        given,
        span: &include.span,
    };
    context.made.instances.insert(key, instance);
    let place = Place {
        chosen: context.chosen.clone(),
        owner: context.owner,
        title: Some(title),
    };
    let made = (context.state, &mut *context.made);
    Some(carry_out(role, (params, place), made))
}

/// What one of a repeatable role is called.
fn title_of(role: &Role, title: &Term, context: &Context<'_, '_>) -> Option<Arc<str>> {
    let value = context.eval(title)?;
    let text = match (value.as_str(), Handle::in_value(&value)) {
        (Some(text), None) => Some(text.to_owned()),
        _ => value.is_integer().then(|| value.to_string()),
    };
    let text = text.filter(|text| !text.is_empty() && !text.contains(char::is_control));
    if text.is_none() {
        let found = describe(&value);
        let message = format!(
            "the title of role `{}` is a string of printable characters, found {found}",
            role.name
        );
        context.tell(Diagnostic::new(Code::WrongType, message, &title.span));
    }
    text.map(Arc::from)
}

/// The parameters of one of a repeatable role: as given; else as the layers have them for all.
fn params_of_one(
    role: &Role,
    (title, given): (&Arc<str>, &[Given<'_>]),
    context: &Context<'_, '_>,
) -> Value {
    let values = role.params.iter().map(|(name, param)| {
        let own = given.iter().find(|(known, ..)| *known == name);
        let value = match own {
            None => params::value(context.state, role, (name, param)),
            Some((_, value, span)) => {
                let whose = (context.role, role, name);
                params::given(context.state, whose, (value, span))
            }
        };
        (Value::from(Arc::clone(name)), value)
    });
    let title = (Value::from(TITLE), Value::from(Arc::clone(title)));
    Value::from_pairs(values.chain([title]))
}
