//! The filters that Ansible's templates use, with the same results.
//!
//! Each is a line in a table: its name, the names of its arguments, and a function. Filters are
//! bounded like everything else: what one gives is at most [`MAX_FILTERED`] bytes, and what it
//! walks through costs steps of the program's fuel.

mod call;
mod dicts;
mod hashes;
mod json;
mod lists;
mod logic;
mod network;
mod numbers;
mod paths;
mod patterns;
mod pretty;
mod random;
mod rows;
mod sets;
mod shell;
mod sorting;
mod text;
mod times;
mod wrap;
mod yaml;

use indexmap::IndexMap;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::failure::{ADVICE, NAMED};
use super::format;
use super::mutable;
use super::python;
use super::strict::{GIVEN, HELD, LIGHT, ORDER, OWN, OWN_ITEMS, PERHAPS, REMAINDER, SPACED, TEXT};
use super::undefined::open;
use super::weight::{Asleep, charge};

pub(super) use call::{BUILTIN, Call, Filter, Run};
pub(super) use rows::Group;
use sorting::ordered;
pub(super) use sorting::sorted;

/// Longest text that one filter may give, in bytes; the longest template output is as long.
pub(super) const MAX_FILTERED: usize = 16 * 1024 * 1024;

/// Every table of filters.
const TABLES: [&[Filter]; 19] = [
    dicts::FILTERS,
    hashes::FILTERS,
    json::FILTERS,
    lists::FILTERS,
    logic::FILTERS,
    network::FILTERS,
    numbers::FILTERS,
    paths::FILTERS,
    patterns::FILTERS,
    pretty::FILTERS,
    random::FILTERS,
    rows::FILTERS,
    sets::FILTERS,
    shell::FILTERS,
    sorting::FILTERS,
    text::FILTERS,
    times::FILTERS,
    wrap::FILTERS,
    yaml::FILTERS,
];

/// The names of all filters in the tables.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().flatten().map(|filter| filter.name)
}

/// Adds all filters to an environment.
pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter(GIVEN, compared);
    environment.add_filter(HELD, |value: Value, name: Option<String>| {
        given(value, name)
    });
    environment.add_filter(TEXT, joined);
    environment.add_filter(
        LIGHT,
        |state: &State, value: Value, _name: Option<String>| {
            charge(state, &value, Asleep::Leave).map(|()| value)
        },
    );
    environment.add_filter(
        OWN,
        |state: &mut State, value: Value, _name: Option<String>| mutable::own(state, value),
    );
    environment.add_filter(
        OWN_ITEMS,
        |state: &mut State, value: Value, _name: Option<String>| mutable::own_items(state, value),
    );
    environment.add_filter(
        SPACED,
        |state: &mut State, value: Value, _name: Option<String>| {
            mutable::in_namespace(state, value)
        },
    );
    environment.add_filter(PERHAPS, open);
    environment.add_filter(ORDER, in_order);
    environment.add_filter(REMAINDER, format::remainder);
    for name in ["d", "default"] {
        environment.add_filter(name, logic::default);
        environment.add_filter(format!("{BUILTIN}{name}"), logic::default);
    }
    for filter in TABLES.into_iter().flatten() {
        filter.add(environment);
    }
    network::add_collections(environment);
}

/// Refuses something, and says behind the sentence what to do instead.
pub(super) fn advised(message: impl std::fmt::Display, help: &str) -> Error {
    refused(format!("{message}{ADVICE}{help}"))
}

/// Refuses something.
pub(super) fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// `a < b`, which Python refuses between types.
fn in_order(left: Value, sign: &str, right: Value) -> Result<bool, Error> {
    let order = ordered(&left, &right).map_err(|_| {
        let (left, right) = (python::type_name(&left), python::type_name(&right));
        advised(
            format!(
                "`{sign}` compares numbers with numbers and text with text, not {left} and {right}"
            ),
            "make one of the other: `| int`, `| string`; versions have a test: `is version(…)`",
        )
    })?;
    Ok(match sign {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    })
}

/// What is compared has to be defined, and is walked.
fn compared(state: &State, value: Value, name: Option<String>) -> Result<Value, Error> {
    let value = given(value, name)?;
    charge(state, &value, Asleep::Wake)?;
    Ok(value)
}

/// What `~` joins has to be defined, and is text as Python's `str` gives it.
fn joined(value: Value, name: Option<String>) -> Result<Value, Error> {
    let value = given(value, name)?;
    match value.as_str().is_some() {
        true => Ok(value),
        false => python::text(&value).map(Value::from),
    }
}

/// What is asked for has to be defined; the error names it.
pub(super) fn given(value: Value, name: Option<String>) -> Result<Value, Error> {
    match (value.is_undefined(), name) {
        (false, _) => Ok(value),
        (true, Some(name)) => Err(Error::new(
            ErrorKind::UndefinedError,
            format!("{NAMED}{name}"),
        )),
        (true, None) => Err(Error::from(ErrorKind::UndefinedError)),
    }
}

/// The keys and values of a mapping, in their order.
pub(super) type Pairs = IndexMap<Value, Value>;

pub(super) fn mapping_pairs(value: &Value) -> Result<Pairs, Error> {
    if value.kind() != ValueKind::Map {
        let kind = python::type_name(value);
        return Err(refused(format!("expected a mapping, found {kind}")));
    }
    let keys = value.try_iter()?;
    keys.map(|key| Ok((key.clone(), value.get_item(&key)?)))
        .collect()
}

/// The items of a list.
pub(super) fn list(value: &Value) -> Result<Vec<Value>, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.checked().collect(),
        _ => {
            let kind = python::type_name(value);
            Err(refused(format!("expected a list, found {kind}")))
        }
    }
}
