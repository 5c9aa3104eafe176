//! Python's methods of text, numbers, lists and mappings.

use minijinja::value::{Kwargs, Rest, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::filters::{Filter, refused};
use super::format;
use super::mutable;
use super::python;

mod text;

/// Calls a method that the value itself does not have.
pub(super) fn call(
    state: &mut State,
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let found = match value.kind() {
        ValueKind::String if name == "format" => {
            let (positional, named): (Rest<Value>, Kwargs) = from_args(arguments)?;
            let text = value.as_str().unwrap_or_default();
            return format::braces(text, &positional, &named).map(Value::from);
        }
        ValueKind::String => text::METHODS.iter().find(|method| method.name == name),
        ValueKind::Seq | ValueKind::Iterable => LISTS.iter().find(|method| method.name == name),
        ValueKind::Map => MAPPINGS.iter().find(|method| method.name == name),
        _ => None,
    };
    if let Some(method) = found {
        let (positional, named): (Rest<Value>, Kwargs) = from_args(arguments)?;
        return method.call(state, value.clone(), (positional.0, &named));
    }
    let changes = changes(name)
        && matches!(
            value.kind(),
            ValueKind::Seq | ValueKind::Map | ValueKind::Iterable
        );
    let known = minijinja_contrib::pycompat::unknown_method_callback(state, value, name, arguments);
    match known {
        Err(error) if changes && error.kind() == ErrorKind::UnknownMethod => {
            Err(mutable::fixed(name))
        }
        known => known,
    }
}

/// Whether a method is one that changes what it is called on.
pub(super) fn changes(name: &str) -> bool {
    mutable::METHODS.contains(&name)
}

/// Whether a method leaves what it is called on as it is, whatever that is.
pub(super) fn leaves(name: &str) -> bool {
    let tables = [text::METHODS, LISTS, MAPPINGS];
    let known = tables
        .into_iter()
        .flatten()
        .any(|method| method.name == name);
    !changes(name) && (known || PLAIN.contains(&name))
}

const fn method(
    name: &'static str,
    arguments: &'static [&'static str],
    run: super::filters::Run,
) -> Filter {
    Filter {
        name,
        arguments,
        run,
    }
}

/// Methods that are the engine's or are called otherwise.
const PLAIN: [&str; 6] = ["cycle", "format", "get", "items", "keys", "values"];

const LISTS: &[Filter] = &[
    method("copy", &[], |call| Ok(call.value.clone())),
    method("count", &["x"], |call| {
        let wanted = call.needed("x")?;
        call.walked(wanted)?;
        let items = call.items()?;
        Ok(Value::from(
            items.iter().filter(|item| *item == wanted).count(),
        ))
    }),
    method("index", &["x"], |call| {
        let wanted = call.needed("x")?;
        call.walked(wanted)?;
        let at = call.items()?.iter().position(|item| item == wanted);
        let text = python::abbreviated(wanted);
        at.map(Value::from)
            .ok_or_else(|| refused(format!("`{text}` is not in the list")))
    }),
];

const MAPPINGS: &[Filter] = &[
    method("copy", &[], |call| Ok(call.value.clone())),
    method("get", &["key", "default"], |call| {
        let held = call.value.get_item(call.needed("key")?)?;
        Ok(match held.is_undefined() {
            false => held,
            true => call
                .argument("default")
                .cloned()
                .unwrap_or_else(|| Value::from(())),
        })
    }),
];
