//! `for_each` carried out: over lists, mappings and ranges, one in another, with the place in the
//! loop as `loop`.

use std::sync::Arc;

use holdfast_schemas::catalog::MAX_RESOURCES;
use minijinja::Value;
use minijinja::value::{Enumerator, Object, ValueKind};

use super::context::{Context, list};
use crate::diag::{Code, Diagnostic, Span};
use crate::render::Handle;
use crate::site::{Loop, Names, describe};

/// Most items of one `for_each`.
const MAX_ITEMS: usize = 50_000;

/// Most rounds of all loops of a host, those in others included: each may give a resource.
const MAX_ROUNDS: usize = MAX_RESOURCES;

/// How loops ended.
#[must_use]
pub(super) enum Went {
    Through,
    /// What they go over is wrong, which is told.
    Wrong,
}

/// Does something for every item of loops in one another.
pub(super) fn each<'s>(
    loops: &'s [Loop],
    context: &mut Context<'s, '_>,
    body: &mut dyn FnMut(&mut Context<'s, '_>),
) -> Went {
    let Some((first, inner)) = loops.split_first() else {
        body(context);
        return Went::Through;
    };
    let Some(items) = items(first, context) else {
        return Went::Wrong;
    };
    context.made.rounds += items.len();
    if context.made.rounds > MAX_ROUNDS {
        let message = format!("the `for_each` of a host go over more than {MAX_ROUNDS} items");
        let span = context.engine().span(first.over);
        context.tell(Diagnostic::new(Code::Limit, message, span));
        return Went::Wrong;
    }
    let length = items.len();
    for (index, named) in items.into_iter().enumerate() {
        let position = (
            Arc::from("loop"),
            Value::from_object(Position { index, length }),
        );
        let scope = context
            .scope
            .with_items(named.into_iter().chain([position]));
        if let Went::Wrong = each(inner, &mut context.with(scope), body) {
            return Went::Wrong;
        }
    }
    Went::Through
}

/// What each round of a loop names.
type Named = Vec<(Arc<str>, Value)>;

fn items(one: &Loop, context: &Context<'_, '_>) -> Option<Vec<Named>> {
    let value = context.engine().eval(one.over, &context.value);
    let value = value.map_err(|failing| context.failed(failing)).ok()?;
    let span = context.engine().span(one.over);
    let tell = |code, message, help: Option<&str>| {
        let told = Diagnostic::new(code, message, span);
        context.tell(told.maybe_help(help.map(str::to_owned)));
    };
    if let Some(handle) = Handle::in_value(&value) {
        let message = format!("{} cannot be gone through", handle.names());
        let help = "what it is is not known while compiling; go through a variable of its own";
        tell(Code::Secret, message, Some(help));
        return None;
    }
    let items = match &one.names {
        Names::One(name) => match list(&value) {
            Some(items) => {
                let named = items.into_iter().map(|item| vec![(Arc::clone(name), item)]);
                named.collect()
            }
            None => {
                let message = format!("`for_each` goes over a list, found {}", describe(&value));
                let help = "over a mapping, write `key, value in …`";
                let mapping = value.kind() == ValueKind::Map;
                tell(Code::WrongType, message, mapping.then_some(help));
                return None;
            }
        },
        Names::Two(first, second) => pairs((first, second), &value, span, context)?,
    };
    if items.len() > MAX_ITEMS {
        let count = items.len();
        let message = format!("`for_each` over {count} items; {MAX_ITEMS} are accepted");
        tell(Code::Limit, message, None);
        return None;
    }
    Some(items)
}

/// The entries of a mapping, or the items of a list of pairs.
fn pairs(
    names: (&Arc<str>, &Arc<str>),
    value: &Value,
    span: &Span,
    context: &Context<'_, '_>,
) -> Option<Vec<Named>> {
    let named = |left, right| vec![(Arc::clone(names.0), left), (Arc::clone(names.1), right)];
    if value.kind() == ValueKind::Map {
        let keys = value.try_iter().ok()?;
        let entry = |key: Value| {
            let inner = value.get_item(&key).unwrap_or_default();
            named(key, inner)
        };
        return Some(keys.map(entry).collect());
    }
    let wrong = |found: String| {
        let message = format!("`for_each` with two names goes over a mapping or pairs, {found}");
        context.tell(Diagnostic::new(Code::WrongType, message, span));
    };
    let Some(items) = list(value) else {
        wrong(format!("found {}", describe(value)));
        return None;
    };
    let mut all = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        match list(item).as_deref() {
            Some([left, right]) => all.push(named(left.clone(), right.clone())),
            _ => {
                wrong(format!("item {place} is {}", describe(item)));
                return None;
            }
        }
    }
    Some(all)
}

/// The place in a loop, under the names that Jinja has for it.
#[derive(Debug)]
struct Position {
    index: usize,
    length: usize,
}

impl Object for Position {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "index" => Value::from(self.index + 1),
            "index0" => Value::from(self.index),
            "revindex" => Value::from(self.length - self.index),
            "revindex0" => Value::from(self.length - self.index - 1),
            "first" => Value::from(self.index == 0),
            "last" => Value::from(self.index + 1 == self.length),
            "length" => Value::from(self.length),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&[
            "index",
            "index0",
            "revindex",
            "revindex0",
            "first",
            "last",
            "length",
        ])
    }
}
