//! Filters over lists and mappings.

use indexmap::IndexMap;
use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, Value};

use super::{Asleep, refused, weigh};

/// Deepest nesting that `flatten` and a recursive `combine` follow.
const MAX_DEPTH: usize = 64;

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("combine", combine);
    environment.add_filter("dict2items", dict_to_items);
    environment.add_filter("items2dict", items_to_dict);
    environment.add_filter("flatten", flatten);
    environment.add_filter("union", union);
    environment.add_filter("intersect", intersect);
    environment.add_filter("difference", difference);
}

type Pairs = IndexMap<Value, Value>;

fn pairs(value: &Value) -> Result<Pairs, Error> {
    if value.kind() != ValueKind::Map {
        return Err(refused(format!(
            "expected a mapping, found {}",
            value.kind()
        )));
    }
    let keys = value.try_iter()?;
    keys.map(|key| Ok((key.clone(), value.get_item(&key)?)))
        .collect()
}

fn list(value: &Value) -> Result<Vec<Value>, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => Ok(value.try_iter()?.collect()),
        kind => Err(refused(format!("expected a list, found {kind}"))),
    }
}

/// Later mappings over earlier ones; `recursive=true` unites mappings inside.
fn combine(value: Value, others: Rest<Value>, options: Kwargs) -> Result<Value, Error> {
    let recursive = options.get::<Option<bool>>("recursive")?.unwrap_or(false);
    options.assert_all_used()?;
    let depth = if recursive { MAX_DEPTH } else { 1 };
    others
        .iter()
        .try_fold(value, |sum, other| united(&sum, other, depth))
}

fn united(low: &Value, high: &Value, depth: usize) -> Result<Value, Error> {
    let mut sum = pairs(low)?;
    for (key, value) in pairs(high)? {
        let both = sum.get(&key).filter(|_| depth > 1);
        let both =
            both.filter(|old| old.kind() == ValueKind::Map && value.kind() == ValueKind::Map);
        let value = match both {
            Some(old) => united(old, &value, depth - 1)?,
            None => value,
        };
        sum.insert(key, value);
    }
    Ok(Value::from_pairs(sum))
}

fn names(options: &Kwargs) -> Result<(String, String), Error> {
    let key = options.get::<Option<String>>("key_name")?;
    let value = options.get::<Option<String>>("value_name")?;
    options.assert_all_used()?;
    Ok((
        key.unwrap_or_else(|| "key".to_owned()),
        value.unwrap_or_else(|| "value".to_owned()),
    ))
}

fn dict_to_items(value: Value, options: Kwargs) -> Result<Value, Error> {
    let (key_name, value_name) = names(&options)?;
    let items = pairs(&value)?.into_iter().map(|(key, value)| {
        let item = [
            (Value::from(key_name.as_str()), key),
            (Value::from(value_name.as_str()), value),
        ];
        Value::from_pairs(item)
    });
    Ok(items.collect())
}

fn items_to_dict(value: Value, options: Kwargs) -> Result<Value, Error> {
    let (key_name, value_name) = names(&options)?;
    let mut dict = Pairs::new();
    for item in list(&value)? {
        let (key, value) = (item.get_attr(&key_name)?, item.get_attr(&value_name)?);
        if key.is_undefined() || value.is_undefined() {
            return Err(refused(format!(
                "every item needs `{key_name}` and `{value_name}`, unlike {item}"
            )));
        }
        dict.insert(key, value);
    }
    Ok(Value::from_pairs(dict))
}

fn flatten(value: Value, levels: Option<usize>) -> Result<Value, Error> {
    weigh(&value, Asleep::Leave)?;
    let mut flat = Vec::new();
    flatten_into(
        &mut flat,
        &value,
        levels.unwrap_or(MAX_DEPTH).min(MAX_DEPTH),
    )?;
    Ok(Value::from(flat))
}

fn flatten_into(flat: &mut Vec<Value>, value: &Value, levels: usize) -> Result<(), Error> {
    for item in list(value)? {
        let nested = matches!(item.kind(), ValueKind::Seq | ValueKind::Iterable);
        match nested && levels > 0 {
            true => flatten_into(flat, &item, levels - 1)?,
            false if item.is_none() => {}
            false => flat.push(item),
        }
    }
    Ok(())
}

fn distinct(items: impl IntoIterator<Item = Value>) -> Value {
    let set: indexmap::IndexSet<Value> = items.into_iter().collect();
    set.into_iter().collect()
}

fn union(a: Value, b: Value) -> Result<Value, Error> {
    Ok(distinct(list(&a)?.into_iter().chain(list(&b)?)))
}

fn intersect(a: Value, b: Value) -> Result<Value, Error> {
    let other: indexmap::IndexSet<Value> = list(&b)?.into_iter().collect();
    Ok(distinct(
        list(&a)?.into_iter().filter(|item| other.contains(item)),
    ))
}

fn difference(a: Value, b: Value) -> Result<Value, Error> {
    let other: indexmap::IndexSet<Value> = list(&b)?.into_iter().collect();
    Ok(distinct(
        list(&a)?.into_iter().filter(|item| !other.contains(item)),
    ))
}
