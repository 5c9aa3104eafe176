//! Filters over mappings.

use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};
use super::{Pairs, given, list, mapping_pairs, refused};

/// Deepest nesting that a recursive `combine` follows.
const MAX_DEPTH: usize = 64;

pub(super) const FILTERS: &[Filter] = &[
    filter("combine", &["*", "recursive", "list_merge"], combine),
    filter("dict2items", &["key_name", "value_name"], dict_to_items),
    filter("dictsort", &["case_sensitive", "by", "reverse"], dict_sort),
    filter("items2dict", &["key_name", "value_name"], items_to_dict),
    filter("rekey_on_member", &["key", "duplicates"], rekey),
    filter(
        "subelements",
        &["subelements", "skip_missing"],
        sub_elements,
    ),
];

/// What becomes of two lists under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lists {
    Replace,
    Keep,
    Append,
    Prepend,
    AppendRight,
    PrependRight,
}

/// How mappings are united.
#[derive(Debug, Clone, Copy)]
struct Uniting {
    depth: usize,
    lists: Lists,
}

/// Later mappings over earlier ones; `recursive=true` unites mappings inside.
fn combine(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let lists = match call.text_or("list_merge", "replace")? {
        "replace" => Lists::Replace,
        "keep" => Lists::Keep,
        "append" => Lists::Append,
        "prepend" => Lists::Prepend,
        "append_rp" => Lists::AppendRight,
        "prepend_rp" => Lists::PrependRight,
        other => {
            let known = "replace, keep, append, prepend, append_rp, prepend_rp";
            return Err(call.fails(format!("there is no `list_merge` `{other}`: {known}")));
        }
    };
    let depth = if call.flag("recursive") { MAX_DEPTH } else { 1 };
    let uniting = Uniting { depth, lists };
    let mut mappings = Vec::new();
    for term in std::iter::once(&call.value).chain(&call.rest) {
        match term.kind() {
            ValueKind::Map => mappings.push(term.clone()),
            _ => mappings.extend(call.list(term)?),
        }
    }
    let mut mappings = mappings.into_iter();
    let first = mappings
        .next()
        .unwrap_or_else(|| Value::from_pairs(Pairs::new()));
    mapping_pairs(&first)?;
    mappings.try_fold(first, |sum, other| {
        call.walked(&other)?;
        united(&sum, &other, uniting)
    })
}

fn united(low: &Value, high: &Value, uniting: Uniting) -> Result<Value, Error> {
    let mut sum = mapping_pairs(low)?;
    for (key, value) in mapping_pairs(high)? {
        let value = match sum.get(&key) {
            Some(old) => of_both(old, value, uniting)?,
            None => value,
        };
        sum.insert(key, value);
    }
    Ok(Value::from_pairs(sum))
}

fn of_both(old: &Value, new: Value, uniting: Uniting) -> Result<Value, Error> {
    let is_list = |value: &Value| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    if uniting.depth > 1 && old.kind() == ValueKind::Map && new.kind() == ValueKind::Map {
        let depth = uniting.depth - 1;
        return united(old, &new, Uniting { depth, ..uniting });
    }
    if !(is_list(old) && is_list(&new)) {
        return Ok(new);
    }
    let without = |from: &[Value], gone: &[Value]| -> Vec<Value> {
        let kept = from.iter().filter(|item| !gone.contains(item));
        kept.cloned().collect()
    };
    let (old, new_items) = (list(old)?, list(&new)?);
    Ok(match uniting.lists {
        Lists::Replace => new,
        Lists::Keep => Value::from(old),
        Lists::Append => Value::from([old, new_items].concat()),
        Lists::Prepend => Value::from([new_items, old].concat()),
        Lists::AppendRight => Value::from([without(&old, &new_items), new_items].concat()),
        Lists::PrependRight => {
            let rest = without(&old, &new_items);
            Value::from([new_items, rest].concat())
        }
    })
}

fn dict_to_items(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let key_name = call.text_or("key_name", "key")?;
    let value_name = call.text_or("value_name", "value")?;
    let items = mapping_pairs(&call.value)?.into_iter();
    let items = items.map(|(key, value)| {
        Value::from_pairs([
            (Value::from(key_name), key),
            (Value::from(value_name), value),
        ])
    });
    Ok(items.collect::<Vec<Value>>().into())
}

fn items_to_dict(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let key_name = call.text_or("key_name", "key")?;
    let value_name = call.text_or("value_name", "value")?;
    let mut dict = Pairs::new();
    for item in call.items()? {
        let (key, value) = (item.get_attr(key_name)?, item.get_attr(value_name)?);
        if key.is_undefined() || value.is_undefined() {
            let message = format!("every item needs `{key_name}` and `{value_name}`");
            return Err(call.fails(format!("{message}, unlike {item}")));
        }
        dict.insert(key, value);
    }
    Ok(Value::from_pairs(dict))
}

/// Pairs in the order of their keys, or of their values.
fn dict_sort(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let by_value = match call.text_or("by", "key")? {
        "key" => false,
        "value" => true,
        other => return Err(call.fails(format!("`by` is `key` or `value`, not `{other}`"))),
    };
    let sensitive = call.flag("case_sensitive");
    let mut pairs: Vec<(Value, Value)> = mapping_pairs(&call.value)?.into_iter().collect();
    call.steps(pairs.len())?;
    let of = |pair: &(Value, Value)| {
        let part = if by_value { &pair.1 } else { &pair.0 };
        match part.as_str().filter(|_| !sensitive) {
            Some(text) => Value::from(text.to_lowercase()),
            None => part.clone(),
        }
    };
    let mut wrong = None;
    pairs.sort_by(|a, b| {
        let order = super::ordered(&of(a), &of(b)).unwrap_or_else(|error| {
            wrong.get_or_insert(error);
            std::cmp::Ordering::Equal
        });
        if call.flag("reverse") {
            order.reverse()
        } else {
            order
        }
    });
    if let Some(error) = wrong {
        return Err(error);
    }
    let pairs = pairs.into_iter();
    let pairs = pairs.map(|(key, value)| Value::from(Tuple::from([key, value])));
    Ok(pairs.collect::<Vec<Value>>().into())
}

fn rekey(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let key = call.needed("key")?;
    let overwrite = match call.text_or("duplicates", "error")? {
        "error" => false,
        "overwrite" => true,
        other => return Err(call.fails(format!("`duplicates` is not `{other}`"))),
    };
    let items = match call.value.kind() {
        ValueKind::Map => mapping_pairs(&call.value)?.into_values().collect(),
        _ => call.items()?,
    };
    let mut rekeyed = Pairs::new();
    for item in items {
        mapping_pairs(&item)?;
        let name = given(item.get_item(key)?, None)
            .map_err(|_| call.fails(format!("an item has no key {key}")))?;
        if rekeyed.contains_key(&name) && !overwrite {
            return Err(call.fails(format!("key {name} is not unique")));
        }
        rekeyed.insert(name, item);
    }
    Ok(Value::from_pairs(rekeyed))
}

/// Each item with each of what one of its lists holds.
fn sub_elements(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let path: Vec<Value> = match call.needed("subelements")? {
        text if text.as_str().is_some() => {
            let text = text.as_str().unwrap_or_default();
            text.split('.').map(Value::from).collect()
        }
        names => list(names)?,
    };
    let elements = match call.value.kind() {
        ValueKind::Map => mapping_pairs(&call.value)?.into_values().collect(),
        _ => call.items()?,
    };
    let mut found = Vec::new();
    for element in elements {
        let mut inner = element.clone();
        for name in &path {
            inner = inner.get_item(name)?;
            if inner.is_undefined() {
                break;
            }
        }
        if inner.is_undefined() && call.flag("skip_missing") {
            continue;
        }
        if inner.is_undefined() {
            let path: Vec<String> = path.iter().map(ToString::to_string).collect();
            return Err(call.fails(format!("an item has no `{}`", path.join("."))));
        }
        if inner.kind() != ValueKind::Seq && inner.kind() != ValueKind::Iterable {
            return Err(refused("`subelements` names what is no list"));
        }
        for item in call.list(&inner)? {
            found.push(Value::from(Tuple::from([element.clone(), item])));
        }
        call.steps(found.len())?;
    }
    Ok(Value::from(found))
}
