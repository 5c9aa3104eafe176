//! A mapping that the template that made it can change, with Python's methods.

use std::sync::{Arc, Mutex, MutexGuard};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Rest, Tuple, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::{Place, locked};
use crate::render::filters::{given, mapping_pairs, refused};
use crate::render::python::{self, abbreviated};
use crate::render::weight::{Asleep, charge};

/// A mapping of a template's own.
#[derive(Debug, Default)]
pub(in crate::render) struct Dict {
    entries: Mutex<IndexMap<Value, Value>>,
    pub(super) place: Place,
}

impl Dict {
    pub(super) fn entries(&self) -> MutexGuard<'_, IndexMap<Value, Value>> {
        locked(&self.entries)
    }

    fn set(&self, state: &State, key: Value, value: Value) -> Result<(), Error> {
        let (key, value) = (given(key, None)?, given(value, None)?);
        hashable(&key)?;
        charge(state, &value, Asleep::Leave)?;
        self.place.take(&value, 0)?;
        self.entries().insert(key, value);
        Ok(())
    }

    /// `update({…})`, `update([(key, value)])`, `update(key=value)`.
    fn update(&self, state: &State, more: &[Value], named: &Kwargs) -> Result<(), Error> {
        for more in more {
            let pairs = match more.kind() {
                ValueKind::Map => mapping_pairs(more)?.into_iter().collect(),
                _ => more
                    .try_iter()?
                    .map(|pair| Ok((pair.get_item_by_index(0)?, pair.get_item_by_index(1)?)))
                    .collect::<Result<Vec<_>, Error>>()?,
            };
            for (key, value) in pairs {
                self.set(state, key, value)?;
            }
        }
        for name in named.args() {
            self.set(state, Value::from(name), named.get(name)?)?;
        }
        Ok(())
    }

    fn set_default(&self, state: &mut State, key: &Value, value: Value) -> Result<Value, Error> {
        hashable(key)?;
        let held = self.entries().get(key).cloned();
        match held {
            Some(held) => Ok(held),
            None => {
                let value = super::own(state, value)?;
                self.set(state, key.clone(), value.clone())?;
                Ok(value)
            }
        }
    }

    fn pop(&self, key: &Value, default: Option<Value>) -> Result<Value, Error> {
        hashable(key)?;
        let popped = self.entries().shift_remove(key);
        let missing = || {
            refused(format!(
                "there is no key `{}` to take out",
                abbreviated(key)
            ))
        };
        popped.or(default).ok_or_else(missing)
    }
}

/// Python's rule for keys: nothing that can be changed. (One that holds this mapping would be
/// walked while the mapping is held.)
fn hashable(key: &Value) -> Result<(), Error> {
    let parts = match key.kind() {
        ValueKind::Seq | ValueKind::Iterable if key.is_tuple() => key.try_iter()?,
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            let kind = python::type_name(key);
            return Err(refused(format!("{kind} cannot be the key of a mapping")));
        }
        _ => return Ok(()),
    };
    parts.into_iter().try_for_each(|part| hashable(&part))
}

impl Object for Dict {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        hashable(key).ok()?;
        self.entries().get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.entries().keys().cloned().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.entries().len())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        match name {
            "update" => {
                let (more, named): (Rest<Value>, Kwargs) = from_args(arguments)?;
                self.update(state, &more, &named)?;
            }
            "setdefault" => {
                let (key, value): (&Value, Option<Value>) = from_args(arguments)?;
                let value = value.unwrap_or_else(|| Value::from(()));
                return self.set_default(state, key, value);
            }
            "pop" => {
                let (key, default): (&Value, Option<Value>) = from_args(arguments)?;
                charge(
                    state,
                    &Value::from_dyn_object(Arc::clone(self)),
                    Asleep::Leave,
                )?;
                return self.pop(key, default);
            }
            "popitem" => {
                let () = from_args(arguments)?;
                let last = self.entries().pop();
                let (key, value) = last.ok_or_else(|| refused("the mapping is empty"))?;
                return Ok(Value::from(Tuple::from([key, value])));
            }
            "clear" => {
                let () = from_args(arguments)?;
                self.entries().clear();
            }
            "copy" => {
                let () = from_args(arguments)?;
                let copy: Vec<(Value, Value)> = {
                    let entries = self.entries();
                    entries
                        .iter()
                        .map(|(k, v)| (k.clone(), v.clone()))
                        .collect()
                };
                return super::own(state, Value::from_pairs(copy));
            }
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }
}
