//! Lists as sets, and what can be combined of their items.
//!
//! Ansible gives the results of the first four in an order that changes from run to run; here it
//! is that in which items are met first.

use indexmap::IndexSet;
use minijinja::value::Tuple;
use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};

pub(super) const FILTERS: &[Filter] = &[
    filter("combinations", &["r"], combinations),
    filter("difference", &["b"], difference),
    filter("intersect", &["b"], intersect),
    filter("permutations", &["r"], permutations),
    filter("product", &["*", "repeat"], product),
    filter("symmetric_difference", &["b"], symmetric_difference),
    filter("union", &["b"], union),
];

type Set = IndexSet<Value>;

fn both(call: &Call<'_, '_, '_>) -> Result<(Set, Set), Error> {
    let other = call.needed("b")?;
    call.walked(&call.value)?;
    call.walked(other)?;
    let (a, b) = (call.items()?, call.list(other)?);
    Ok((a.into_iter().collect(), b.into_iter().collect()))
}

fn union(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let (mut a, b) = both(call)?;
    a.extend(b);
    Ok(a.into_iter().collect::<Vec<Value>>().into())
}

fn intersect(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let (a, b) = both(call)?;
    Ok(a.intersection(&b).cloned().collect::<Vec<Value>>().into())
}

fn difference(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let (a, b) = both(call)?;
    Ok(a.difference(&b).cloned().collect::<Vec<Value>>().into())
}

fn symmetric_difference(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let (a, b) = both(call)?;
    let items = a.symmetric_difference(&b).cloned();
    Ok(items.collect::<Vec<Value>>().into())
}

/// Every choice of one item of each list, the last list's items changing first.
fn product(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let mut lists = vec![call.items()?];
    for more in &call.rest {
        lists.push(call.list(more)?);
    }
    let repeat = usize::try_from(call.integer_or("repeat", 1)?).unwrap_or(0);
    call.steps(repeat.saturating_mul(lists.len()))?;
    let lists: Vec<&Vec<Value>> = (0..repeat).flat_map(|_| &lists).collect();
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in lists {
        let next = rows.len().saturating_mul(list.len());
        let width = rows.first().map_or(0, Vec::len) + 1;
        call.steps(next.saturating_mul(width))?;
        let longer = |row: &Vec<Value>| {
            let row = row.clone();
            list.iter().map(move |item| {
                let mut row = row.clone();
                row.push(item.clone());
                row
            })
        };
        rows = rows.iter().flat_map(longer).collect();
    }
    Ok(tuples(rows))
}

fn permutations(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    choose(call, |row, place| !row.contains(&place))
}

fn combinations(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    choose(call, |row, place| {
        row.last().is_none_or(|last| *last < place)
    })
}

/// Rows of as many places as asked for, each of which may follow those before it.
fn choose(
    call: &Call<'_, '_, '_>,
    may_follow: impl Fn(&[usize], usize) -> bool,
) -> Result<Value, Error> {
    let items = call.items()?;
    let all = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let length = usize::try_from(call.integer_or("r", all)?).unwrap_or(0);
    if length > items.len() {
        return Ok(Value::from(Vec::<Value>::new()));
    }
    let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
    for width in 1..=length {
        let mut next = Vec::new();
        for row in rows {
            call.steps(items.len() + width)?;
            for place in (0..items.len()).filter(|place| may_follow(&row, *place)) {
                let mut row = row.clone();
                row.push(place);
                next.push(row);
                call.steps(width)?;
            }
        }
        rows = next;
    }
    let rows = rows.into_iter();
    let rows = rows.map(|row| row.into_iter().map(|place| items[place].clone()).collect());
    Ok(tuples(rows.collect()))
}

fn tuples(rows: Vec<Vec<Value>>) -> Value {
    let rows = rows.into_iter().map(|row| Value::from(Tuple::from(row)));
    rows.collect::<Vec<Value>>().into()
}
