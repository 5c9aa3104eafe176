//! The order of values, which Python knows between values of one type only.

use std::cmp::Ordering;

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::call::{Call, Filter, filter};
use super::lists::{items_or_letters, of_path};
use super::{given, refused};
use crate::render::python;

pub(super) const FILTERS: &[Filter] = &[filter(
    "sort",
    &["reverse", "case_sensitive", "attribute"],
    sort,
)];

/// By the items themselves, or by attributes of them, one before the other.
fn sort(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    call.walked(&call.value)?;
    let names: Vec<Value> = match call.some("attribute") {
        Some(names) => match names.as_str() {
            Some(names) => names.split(',').map(Value::from).collect(),
            None => vec![names.clone()],
        },
        None => Vec::new(),
    };
    let mut keyed = Vec::new();
    for item in items_or_letters(call, &call.value)? {
        let parts = names.iter().map(|name| given(of_path(&item, name)?, None));
        let mut key: Vec<Value> = parts.collect::<Result<_, Error>>()?;
        if names.is_empty() {
            key.push(item.clone());
        }
        let key = key.into_iter().map(|part| folded(call, part));
        keyed.push((key.collect::<Vec<Value>>(), item));
    }
    let by_key = |a: &(Vec<Value>, Value), b: &(Vec<Value>, Value)| {
        for (a, b) in a.0.iter().zip(&b.0) {
            match ordered(a, b)? {
                Ordering::Equal => {}
                order => return Ok(order),
            }
        }
        Ok(Ordering::Equal)
    };
    let reverse = call.flag("reverse");
    let keyed = sorted_by(call.state(), keyed, |a, b| {
        by_key(a, b).map(|order| if reverse { order.reverse() } else { order })
    })?;
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

/// Text without regard to case, unless that is asked for.
pub(super) fn folded(call: &Call<'_, '_, '_>, key: Value) -> Value {
    match key.as_str().filter(|_| !call.flag("case_sensitive")) {
        Some(text) => Value::from(text.to_lowercase()),
        None => key,
    }
}

/// Items in the order that Python gives them.
pub(in crate::render) fn sorted(state: &State, items: Vec<Value>) -> Result<Vec<Value>, Error> {
    sorted_by(state, items, ordered)
}

/// The same by an order that is not there between all.
pub(super) fn sorted_by<T>(
    state: &State,
    mut items: Vec<T>,
    order: impl Fn(&T, &T) -> Result<Ordering, Error>,
) -> Result<Vec<T>, Error> {
    let count = items.len() as u64;
    state.consume_fuel(count.saturating_mul(u64::from(64 - count.leading_zeros())))?;
    let mut wrong = None;
    items.sort_by(|a, b| {
        order(a, b).unwrap_or_else(|error| {
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
    if number(a) && number(b) {
        return Ok(as_number(a).cmp(&as_number(b)));
    }
    if a.as_str().is_some() && b.as_str().is_some() {
        return Ok(a.cmp(b));
    }
    if sequence(a) && sequence(b) && a.is_tuple() == b.is_tuple() {
        let (a, b): (Vec<Value>, Vec<Value>) = (a.try_iter()?.collect(), b.try_iter()?.collect());
        for (a, b) in a.iter().zip(&b) {
            if a != b {
                return ordered(a, b);
            }
        }
        return Ok(a.len().cmp(&b.len()));
    }
    Err(refused(format!(
        "{} and {} have no order",
        python::type_name(a),
        python::type_name(b)
    )))
}

/// Booleans are 0 and 1.
fn as_number(value: &Value) -> Value {
    match value.kind() {
        ValueKind::Bool => Value::from(i64::from(value.is_true())),
        _ => value.clone(),
    }
}
