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
mod sets;
mod shell;
mod text;
mod times;
mod wrap;
mod yaml;

use std::cmp::Ordering;

use indexmap::IndexMap;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::failure::{ADVICE, NAMED};
use super::format;
use super::mutable;
use super::python;
use super::strict::{GIVEN, HELD, LIGHT, OWN, OWN_ITEMS, PERHAPS, REMAINDER, SPACED, TEXT};
use super::undefined::open;
use super::weight::{Asleep, charge};

pub(super) use call::{BUILTIN, Call, Filter, Run};

/// Longest text that one filter may give, in bytes; the longest template output is as long.
pub(super) const MAX_FILTERED: usize = 16 * 1024 * 1024;

/// Every table of filters.
const TABLES: [&[Filter]; 15] = [
    dicts::FILTERS,
    hashes::FILTERS,
    json::FILTERS,
    lists::FILTERS,
    logic::FILTERS,
    network::FILTERS,
    numbers::FILTERS,
    paths::FILTERS,
    patterns::FILTERS,
    sets::FILTERS,
    shell::FILTERS,
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
    environment.add_filter(REMAINDER, format::remainder);
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

/// Items in the order that Python gives them, which knows none between types.
pub(super) fn sorted(state: &State, mut items: Vec<Value>) -> Result<Vec<Value>, Error> {
    let count = items.len() as u64;
    state.consume_fuel(count.saturating_mul(u64::from(64 - count.leading_zeros())))?;
    let mut wrong = None;
    items.sort_by(|a, b| {
        ordered(a, b).unwrap_or_else(|error| {
            wrong.get_or_insert(error);
            Ordering::Equal
        })
    });
    wrong.map_or(Ok(items), Err)
}

/// The order of two values of one type.
pub(super) fn ordered(a: &Value, b: &Value) -> Result<Ordering, Error> {
    let number = |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
    let sequence = |value: &Value| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    let alike = (number(a) && number(b))
        || (a.as_str().is_some() && b.as_str().is_some())
        || (sequence(a) && sequence(b));
    match alike {
        true => Ok(a.cmp(b)),
        false => Err(refused(format!(
            "{} and {} have no order",
            python::type_name(a),
            python::type_name(b)
        ))),
    }
}
