//! Lists and mappings that a template changes: `{% do found.append(x) %}`.
//!
//! What a template makes (`{% set found = [] %}`) is its own and can be changed while it renders;
//! variables cannot, and what is made of them is a copy. Nothing changed outlives its rendering.
//!
//! A value that held itself, or that went ever deeper, would overflow the stack of whoever prints
//! or drops it. So every one knows how deep it lies in others, and nothing is put into what it holds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use minijinja::value::{ObjectRepr, ValueKind};
use minijinja::{Error, State, Value};

use super::filters::{advised, given, mapping_pairs, refused};
use super::weight::{Asleep, MAX_DEPTH, charge};

mod dict;
mod list;

pub(super) use dict::Dict;
pub(super) use list::List;

/// The engine's type of what `namespace()` gives, which it shows to nobody.
const NAMESPACE: &str = "minijinja::value::namespace_object::Namespace";

/// Methods that change what they are called on.
pub(super) const METHODS: [&str; 11] = [
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];

/// A copy that the template may change, of a list or mapping; anything else as it is.
pub(super) fn own(state: &mut State, value: Value) -> Result<Value, Error> {
    charge(state, &value, Asleep::Leave)?;
    if value.is_undefined() || is_own(&value) || value.is_tuple() || value.is_kwargs() {
        return Ok(value);
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable if value.len().is_some() => {
            let list = List::default();
            for item in value.try_iter()?.checked() {
                list.place.take(&item?, 0)?;
            }
            list.items().extend(value.try_iter()?);
            Ok(Value::from_object(list))
        }
        ValueKind::Map if !is_namespace(&value) => {
            let dict = Dict::default();
            for (key, item) in mapping_pairs(&value)? {
                dict.place.take(&item, 0)?;
                dict.entries().insert(key, item);
            }
            Ok(Value::from_object(dict))
        }
        _ => Ok(value),
    }
}

/// The items of a list, each as the template's own.
pub(super) fn own_items(state: &mut State, value: Value) -> Result<Value, Error> {
    let items = given(value, None)?;
    let items: Result<Vec<Value>, Error> = items
        .try_iter()?
        .map(|item| match item.is_tuple() {
            false => own(state, item),
            true => {
                let parts = item.try_iter()?.map(|part| own(state, part));
                let parts: Result<Vec<Value>, Error> = parts.collect();
                Ok(Value::from(minijinja::value::Tuple::from(parts?)))
            }
        })
        .collect();
    items.map(Value::from)
}

/// Of a method that changes what it is called on, called on what cannot be changed.
pub(super) fn fixed(name: &str) -> Error {
    advised(
        format!("`.{name}()` would change a variable"),
        "a template changes only what it has made itself, with `{% set copy = … | list %}` or \
         `{% set copy = dict(…) %}`",
    )
}

/// What is kept in a namespace, which must not lead back to one.
pub(super) fn in_namespace(state: &mut State, value: Value) -> Result<Value, Error> {
    charge(state, &value, Asleep::Leave)?;
    Place::default().take(&value, 0)?;
    Ok(value)
}

fn is_own(value: &Value) -> bool {
    value.downcast_object_ref::<List>().is_some() || value.downcast_object_ref::<Dict>().is_some()
}

/// The engine's namespaces are changed by `{% set ns.x = … %}`.
fn is_namespace(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|object| object.repr() == ObjectRepr::Map && object.type_name() == NAMESPACE)
}

/// How deep a value lies in others at most.
#[derive(Debug, Default)]
struct Place(AtomicUsize);

impl Place {
    /// Puts a value in here: all that can be changed in it lies deeper now. Whoever calls has
    /// weighed the value.
    fn take(&self, value: &Value, depth: usize) -> Result<(), Error> {
        let deep = self.0.load(Ordering::Relaxed) + depth + 1;
        if deep > MAX_DEPTH {
            return Err(refused(format!(
                "a value is nested more than {MAX_DEPTH} deep, or in itself"
            )));
        }
        if is_namespace(value) {
            return Err(refused(
                "a namespace is kept under its own name only, not in another value",
            ));
        }
        let place = match (
            value.downcast_object_ref::<List>(),
            value.downcast_object_ref::<Dict>(),
        ) {
            (Some(list), _) => Some(&list.place),
            (_, Some(dict)) => Some(&dict.place),
            _ => None,
        };
        if let Some(place) = place {
            if std::ptr::eq(place, self) {
                return Err(refused("a value cannot hold itself"));
            }
            // What lies as deep already was looked at when it was put there.
            if place.0.fetch_max(deep, Ordering::Relaxed) >= deep {
                return Ok(());
            }
        }
        self.parts(value, depth + 1)
    }

    fn parts(&self, value: &Value, depth: usize) -> Result<(), Error> {
        let nested = matches!(
            value.kind(),
            ValueKind::Seq | ValueKind::Map | ValueKind::Iterable
        );
        if !nested || crate::vars::is_lazy(value) || value.len().is_none() {
            return Ok(());
        }
        for item in value.try_iter()? {
            if value.kind() == ValueKind::Map {
                self.take(&value.get_item(&item)?, depth)?;
            } else {
                self.take(&item, depth)?;
            }
        }
        Ok(())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
