//! Filters that make rows or groups of the items of a list.

use std::cmp::Ordering;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};
use super::given;
use super::lists::{items_or_letters, of_path};
use super::sorting::{folded, ordered, sorted_by};

pub(super) const FILTERS: &[Filter] = &[
    filter("batch", &["linecount", "fill_with"], batch),
    filter(
        "groupby",
        &["attribute", "default", "case_sensitive"],
        group_by,
    ),
    filter("slice", &["slices", "fill_with"], slice),
];

fn count(call: &Call<'_, '_, '_>, name: &str) -> Result<usize, Error> {
    call.needed(name)?;
    let count = call.integer_or(name, 0)?;
    let count = usize::try_from(count).ok().filter(|count| *count > 0);
    let count = count.ok_or_else(|| call.fails(format!("`{name}` is 1 at least")))?;
    call.steps(count)?;
    Ok(count)
}

/// Rows of so many items.
fn batch(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let count = count(call, "linecount")?;
    let items = items_or_letters(call, &call.value)?;
    let rows = items.chunks(count).map(|row| {
        let mut row = row.to_vec();
        if let Some(fill) = call.some("fill_with") {
            row.resize(count, fill.clone());
        }
        Value::from(row)
    });
    Ok(rows.collect::<Vec<Value>>().into())
}

/// So many rows.
fn slice(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let count = count(call, "slices")?;
    let items = items_or_letters(call, &call.value)?;
    let (each, longer) = (items.len() / count, items.len() % count);
    let mut rest = items.into_iter();
    let rows = (0..count).map(|place| {
        let mut row: Vec<Value> = rest
            .by_ref()
            .take(each + usize::from(place < longer))
            .collect();
        if place >= longer {
            row.extend(call.some("fill_with").cloned());
        }
        Value::from(row)
    });
    Ok(rows.collect::<Vec<Value>>().into())
}

/// What the items of a group have in common, and they.
#[derive(Debug)]
pub(in crate::render) struct Group([Value; 2]);

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some("grouper") => Some(self.0[0].clone()),
            Some("list") => Some(self.0[1].clone()),
            _ => self.0.get(key.as_usize()?).cloned(),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

/// Items in groups that have an attribute in common, in its order.
fn group_by(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    call.walked(&call.value)?;
    let attribute = call.needed("attribute")?;
    let mut keyed = Vec::new();
    for item in items_or_letters(call, &call.value)? {
        let found = of_path(&item, attribute)?;
        let found = match call.argument("default") {
            Some(default) if found.is_undefined() => default.clone(),
            _ => given(found, None)?,
        };
        keyed.push((folded(call, found.clone()), found, item));
    }
    let keyed = sorted_by(call.state(), keyed, |a, b| ordered(&a.0, &b.0))?;
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for (key, found, item) in keyed {
        match groups.last_mut() {
            Some((last, _, items)) if ordered(last, &key)? == Ordering::Equal => items.push(item),
            _ => groups.push((key, found, vec![item])),
        }
    }
    let groups = groups
        .into_iter()
        .map(|(_, found, items)| Value::from_object(Group([found, Value::from(items)])));
    Ok(groups.collect::<Vec<Value>>().into())
}
