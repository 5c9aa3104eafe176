//! A list that the template that made it can change, with Python's methods.

use std::sync::{Arc, Mutex, MutexGuard};

use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::{Place, locked};
use crate::render::filters::{given, refused, sorted};
use crate::render::python::abbreviated;
use crate::render::weight::{Asleep, charge};

/// A list of a template's own.
#[derive(Debug, Default)]
pub(in crate::render) struct List {
    items: Mutex<Vec<Value>>,
    pub(super) place: Place,
}

impl List {
    pub(super) fn items(&self) -> MutexGuard<'_, Vec<Value>> {
        locked(&self.items)
    }

    /// Lets an item in.
    fn admitted(&self, state: &State, item: &Value) -> Result<Value, Error> {
        let item = given(item.clone(), None)?;
        charge(state, &item, Asleep::Leave)?;
        self.place.take(&item, 0)?;
        Ok(item)
    }

    fn extend(&self, state: &State, more: &Value) -> Result<(), Error> {
        let items: Result<Vec<Value>, Error> = more
            .try_iter()?
            .map(|item| self.admitted(state, &item))
            .collect();
        self.items().extend(items?);
        Ok(())
    }

    /// Where Python would put an item in.
    fn place_of(&self, index: i64) -> usize {
        let length = self.items().len();
        let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        match index < 0 {
            true => length.saturating_sub(back),
            false => back.min(length),
        }
    }

    fn pop(&self, index: i64) -> Result<Value, Error> {
        let mut items = self.items();
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let at = if index < 0 { length + index } else { index };
        let at = usize::try_from(at).ok().filter(|at| *at < items.len());
        at.map(|at| items.remove(at))
            .ok_or_else(|| refused(format!("there is no item {index} in a list of {length}")))
    }

    fn remove(&self, item: &Value) -> Result<(), Error> {
        let at = self.find(item)?;
        self.items().remove(at);
        Ok(())
    }

    fn sort(&self, state: &mut State, options: &Kwargs) -> Result<(), Error> {
        let reverse = options.get::<Option<bool>>("reverse")?.unwrap_or(false);
        options.assert_all_used()?;
        let items = self.items().clone();
        let mut items = sorted(state, items)?;
        if reverse {
            items.reverse();
        }
        *self.items() = items;
        Ok(())
    }

    /// Where an item stands. What it is compared with may be this list, so it is not held.
    fn find(&self, item: &Value) -> Result<usize, Error> {
        let items = self.items().clone();
        let at = items.iter().position(|one| one == item);
        at.ok_or_else(|| refused(format!("`{}` is not in the list", abbreviated(item))))
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.items().get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.items().len())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        // What is shifted or searched is as long as the list.
        if !matches!(name, "append" | "extend") {
            let items: Value = self.items().iter().cloned().collect();
            charge(state, &items, Asleep::Leave)?;
        }
        match name {
            "append" => {
                let (item,): (&Value,) = from_args(arguments)?;
                let item = self.admitted(state, item)?;
                self.items().push(item);
            }
            "extend" => {
                let (more,): (&Value,) = from_args(arguments)?;
                self.extend(state, more)?;
            }
            "insert" => {
                let (index, item): (i64, &Value) = from_args(arguments)?;
                let item = self.admitted(state, item)?;
                let at = self.place_of(index);
                self.items().insert(at, item);
            }
            "pop" => {
                let (index,): (Option<i64>,) = from_args(arguments)?;
                return self.pop(index.unwrap_or(-1));
            }
            "remove" => {
                let (item,): (&Value,) = from_args(arguments)?;
                self.remove(item)?;
            }
            "clear" => {
                let () = from_args(arguments)?;
                self.items().clear();
            }
            "reverse" => {
                let () = from_args(arguments)?;
                self.items().reverse();
            }
            "sort" => {
                let (options,): (Kwargs,) = from_args(arguments)?;
                self.sort(state, &options)?;
            }
            "copy" => {
                let () = from_args(arguments)?;
                let items: Value = self.items().iter().cloned().collect();
                return super::own(state, items);
            }
            "index" => {
                let (item,): (&Value,) = from_args(arguments)?;
                return self.find(item).map(Value::from);
            }
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }
}
