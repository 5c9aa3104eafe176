//! Filters over lists.

use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, Value};

use super::call::{Call, Filter, filter, integer};
use super::given;
use super::sorting::{folded, ordered};
use crate::render::python;

/// Deepest nesting that `flatten` follows.
const MAX_DEPTH: i64 = 64;

pub(super) const FILTERS: &[Filter] = &[
    filter("extract", &["container", "morekeys"], extract),
    filter("flatten", &["levels", "skip_nulls"], flatten),
    filter("join", &["d", "attribute"], join),
    filter("max", &["case_sensitive", "attribute"], max),
    filter("min", &["case_sensitive", "attribute"], min),
    filter("sum", &["attribute", "start"], sum),
    filter("unique", &["case_sensitive", "attribute"], unique),
    filter("wordcount", &[], word_count),
    filter("zip", &["*"], zip),
    filter("zip_longest", &["*", "fillvalue"], zip_longest),
];

/// `['a', true]|join(', ')`, with values as Python's `str` gives them.
fn join(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let separator = call.text_or("d", "")?;
    let mut joined = String::new();
    for (place, item) in items_or_letters(call, &call.value)?.into_iter().enumerate() {
        let item = match call.some("attribute") {
            Some(path) => of_path(&item, path)?,
            None => item,
        };
        if place > 0 {
            joined.push_str(separator);
        }
        let item = given(item, None)?;
        call.walked(&item)?;
        joined.push_str(&python::text(&item)?);
        call.steps(joined.len() >> 20)?;
    }
    call.gives(joined)
}

/// The items of a list, the keys of a mapping, the letters of a text.
pub(super) fn items_or_letters(
    call: &Call<'_, '_, '_>,
    value: &Value,
) -> Result<Vec<Value>, Error> {
    match value.kind() {
        ValueKind::Map | ValueKind::String => value.try_iter()?.checked().collect(),
        _ => call.list(value),
    }
}

/// What stands in a value under a path with dots.
pub(super) fn of_path(value: &Value, path: &Value) -> Result<Value, Error> {
    if let Some(number) = integer(path) {
        return value.get_item(&Value::from(number));
    }
    let path = path.as_str().unwrap_or_default();
    path.split('.')
        .try_fold(value.clone(), |value, name| match name.parse::<usize>() {
            Ok(number) => value.get_item_by_index(number),
            Err(_) => value.get_attr(name),
        })
}

fn extract(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let mut value = call.needed("container")?.get_item(&call.value)?;
    let more = match call.some("morekeys") {
        None => Vec::new(),
        Some(more) if more.kind() == ValueKind::Seq => call.list(more)?,
        Some(one) => vec![one.clone()],
    };
    for key in more {
        value = given(value, None)?.get_item(&key)?;
    }
    Ok(value)
}

fn flatten(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    call.walked(&call.value)?;
    let levels = call.integer_or("levels", MAX_DEPTH)?.min(MAX_DEPTH);
    let mut flat = Vec::new();
    flatten_into(&mut flat, call, &call.value, levels)?;
    Ok(Value::from(flat))
}

fn flatten_into(
    flat: &mut Vec<Value>,
    call: &Call<'_, '_, '_>,
    value: &Value,
    levels: i64,
) -> Result<(), Error> {
    let nothing = |item: &Value| item.is_none() || matches!(item.as_str(), Some("None" | "null"));
    for item in call.list(value)? {
        let nested = matches!(item.kind(), ValueKind::Seq | ValueKind::Iterable);
        match nested && levels > 0 {
            _ if call.flag_or_true("skip_nulls") && nothing(&item) => {}
            true => flatten_into(flat, call, &item, levels - 1)?,
            false => flat.push(item),
        }
    }
    Ok(())
}

/// What is compared of an item.
fn key_of(call: &Call<'_, '_, '_>, item: &Value) -> Result<Value, Error> {
    let key = match call.some("attribute") {
        Some(path) => given(of_path(item, path)?, None)?,
        None => item.clone(),
    };
    Ok(key)
}

fn max(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    extreme(call, std::cmp::Ordering::Greater)
}

fn min(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    extreme(call, std::cmp::Ordering::Less)
}

/// The first item that no other goes beyond; upper and lower case are alike unless asked for.
fn extreme(call: &Call<'_, '_, '_>, beyond: std::cmp::Ordering) -> Result<Value, Error> {
    let mut best: Option<(Value, Value)> = None;
    for item in items_or_letters(call, &call.value)? {
        let key = folded(call, key_of(call, &item)?);
        let better = match &best {
            Some((held, _)) => ordered(&key, held)? == beyond,
            None => true,
        };
        if better {
            best = Some((key, item));
        }
    }
    best.map(|(_, item)| item)
        .ok_or_else(|| call.fails("there are no items to choose from"))
}

fn sum(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let zero = Value::from(0);
    let start = call.some("start").unwrap_or(&zero).clone();
    call.items()?.iter().try_fold(start, |sum, item| {
        let item = key_of(call, item)?;
        added(&sum, &item).ok_or_else(|| {
            let (a, b) = (python::type_name(&sum), python::type_name(&item));
            call.fails(format!("{a} and {b} cannot be added"))
        })
    })
}

fn added(a: &Value, b: &Value) -> Option<Value> {
    let is_list = |value: &Value| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    if is_list(a) && is_list(b) {
        let items = a.try_iter().ok()?.chain(b.try_iter().ok()?);
        return Some(items.collect());
    }
    if let (Some(a), Some(b)) = (integer(a), integer(b)) {
        return a.checked_add(b).map(Value::from);
    }
    let number = |value: &Value| match value.kind() {
        ValueKind::Number | ValueKind::Bool => f64::try_from(value.clone()).ok(),
        _ => None,
    };
    Some(Value::from(number(a)? + number(b)?))
}

/// Ansible's `unique`: case counts unless it is said that it does not.
fn unique(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    call.walked(&call.value)?;
    let mut seen = indexmap::IndexSet::new();
    let mut kept = Vec::new();
    for item in items_or_letters(call, &call.value)? {
        let key = key_of(call, &item)?;
        let key = match key.as_str().filter(|_| !call.flag("case_sensitive")) {
            Some(text) if call.argument("case_sensitive").is_some() => {
                Value::from(text.to_lowercase())
            }
            _ => key,
        };
        if seen.insert(key) {
            kept.push(item);
        }
    }
    Ok(Value::from(kept))
}

fn word_count(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let words = text.split(|c: char| !word(c));
    Ok(Value::from(words.filter(|word| !word.is_empty()).count()))
}

/// All lists, that of the filter first.
fn lists(call: &Call<'_, '_, '_>) -> Result<Vec<Vec<Value>>, Error> {
    let first = items_or_letters(call, &call.value)?;
    let rest = call.rest.iter().map(|more| match more.kind() {
        ValueKind::Map | ValueKind::String => more.try_iter()?.checked().collect(),
        _ => call.list(more),
    });
    std::iter::once(Ok(first)).chain(rest).collect()
}

fn zip(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let lists = lists(call)?;
    let shortest = lists.iter().map(Vec::len).min().unwrap_or(0);
    rows(call, &lists, shortest)
}

fn zip_longest(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let lists = lists(call)?;
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    rows(call, &lists, longest)
}

fn rows(call: &Call<'_, '_, '_>, lists: &[Vec<Value>], count: usize) -> Result<Value, Error> {
    call.steps(lists.len().saturating_mul(count))?;
    let fill = call.argument("fillvalue").cloned();
    let fill = fill.unwrap_or_else(|| Value::from(()));
    let row = |place: usize| {
        let row = lists.iter();
        let row = row.map(|list| list.get(place).cloned().unwrap_or_else(|| fill.clone()));
        Value::from(Tuple::from(row.collect::<Vec<Value>>()))
    };
    Ok((0..count).map(row).collect::<Vec<Value>>().into())
}
