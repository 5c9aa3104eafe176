//! `pprint`: values as Python's pretty printer lays them out, in lines of eighty letters. Long text
//! stays whole, where Python would cut it.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};
use super::sorting::sorted;
use crate::render::python;

const WIDTH: usize = 80;

pub(super) const FILTERS: &[Filter] = &[filter("pprint", &[], |call| {
    call.walked(&call.value)?;
    let mut out = String::new();
    write(
        call,
        &mut out,
        &by_key(call, &call.value)?,
        Room {
            indent: 0,
            behind: 0,
        },
    )?;
    call.gives(out)
})];

/// Where a value stands: how far in, and how much comes behind it on its last line.
#[derive(Clone, Copy)]
struct Room {
    indent: usize,
    behind: usize,
}

/// The same with the keys of all mappings in order, where they have one.
fn by_key(call: &Call<'_, '_, '_>, value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Map => {
            let keys: Vec<Value> = value.try_iter()?.collect();
            let keys = sorted(call.state(), keys.clone()).unwrap_or(keys);
            let pairs = keys.into_iter().map(|key| {
                let value = by_key(call, &value.get_item(&key)?)?;
                Ok((key, value))
            });
            Ok(Value::from_pairs(pairs.collect::<Result<Vec<_>, Error>>()?))
        }
        ValueKind::Seq | ValueKind::Iterable if !value.is_tuple() => {
            let items = value.try_iter()?.map(|item| by_key(call, &item));
            Ok(Value::from(items.collect::<Result<Vec<_>, Error>>()?))
        }
        _ => Ok(value.clone()),
    }
}

fn write(
    call: &Call<'_, '_, '_>,
    out: &mut String,
    value: &Value,
    room: Room,
) -> Result<(), Error> {
    let whole = python::quoted_text(value)?;
    call.steps(whole.len() >> 6)?;
    let fits = whole.chars().count() + room.indent + room.behind <= WIDTH;
    let nested = matches!(
        value.kind(),
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable
    );
    if fits || !nested || value.len() == Some(0) {
        out.push_str(&whole);
        return Ok(());
    }
    let (open, close) = match value.kind() {
        ValueKind::Map => ("{", "}"),
        _ if value.is_tuple() => ("(", if value.len() == Some(1) { ",)" } else { ")" }),
        _ => ("[", "]"),
    };
    out.push_str(open);
    let indent = room.indent + 1;
    let items: Vec<Value> = value.try_iter()?.collect();
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push_str(",\n");
            out.push_str(&" ".repeat(indent));
        }
        let behind = match place + 1 == items.len() {
            true => room.behind + close.len(),
            false => 1,
        };
        if value.kind() == ValueKind::Map {
            let key = python::quoted_text(item)? + ": ";
            out.push_str(&key);
            let indent = indent + key.chars().count();
            write(call, out, &value.get_item(item)?, Room { indent, behind })?;
        } else {
            write(call, out, item, Room { indent, behind })?;
        }
    }
    out.push_str(close);
    Ok(())
}
