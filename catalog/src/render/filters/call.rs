//! A filter as it is declared, and a call of it with its arguments bound as Python binds them.

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::{MAX_FILTERED, Pairs, advised, given, list, refused};
use crate::render::python;
use crate::render::weight::{Asleep, charge};

/// The prefix under which Ansible's own filters and tests are known as well.
pub(in crate::render) const BUILTIN: &str = "ansible.builtin.";

/// Stands among the names of a filter's arguments for all that are given by their place from
/// there on; what has a name behind it is given by that only.
const REST: &str = "*";

/// Stands among them for all that are given by names that are not there.
const NAMED_REST: &str = "**";

/// Begins the name of an argument that may be undefined as long as nobody asks for it.
const LAZY: char = '?';

/// A filter: its name, the names of its arguments, and what it does.
#[derive(Clone, Copy)]
pub(in crate::render) struct Filter {
    pub(in crate::render) name: &'static str,
    pub(in crate::render) arguments: &'static [&'static str],
    pub(in crate::render) run: Run,
}

/// What a filter does.
pub(in crate::render) type Run = for<'c, 't, 'e> fn(&Call<'c, 't, 'e>) -> Result<Value, Error>;

/// Short for a line of a table of filters.
pub(super) const fn filter(
    name: &'static str,
    arguments: &'static [&'static str],
    run: Run,
) -> Filter {
    Filter {
        name,
        arguments,
        run,
    }
}

/// A call of a filter or test.
pub(in crate::render) struct Call<'c, 't, 'e> {
    filter: Filter,
    state: &'c State<'t, 'e>,
    /// What stands before the filter.
    pub(in crate::render) value: Value,
    bound: Vec<Option<Value>>,
    /// Arguments beyond those with names.
    pub(in crate::render) rest: Vec<Value>,
    /// Arguments with names beyond those.
    pub(super) named_rest: Pairs,
}

impl Filter {
    /// Adds the filter to an environment, under its own name and with Ansible's prefix.
    pub(in crate::render) fn add(self, environment: &mut Environment<'static>) {
        let run = move |state: &State, value: Value, given: Rest<Value>, named: Kwargs| {
            self.call(state, value, (given.0, &named))
        };
        environment.add_filter(format!("{BUILTIN}{}", self.name), run);
        environment.add_filter(self.name, run);
    }

    /// The names of its arguments.
    fn names(self) -> impl Iterator<Item = &'static str> + Clone {
        let names = self.arguments.iter().copied();
        names.filter(|name| ![REST, NAMED_REST].contains(name))
    }

    /// Calls the filter.
    pub(in crate::render) fn call(
        self,
        state: &State<'_, '_>,
        value: Value,
        (positional, named): (Vec<Value>, &Kwargs),
    ) -> Result<Value, Error> {
        let names = self.names();
        let rest = self.arguments.iter().position(|name| *name == REST);
        let count = rest.unwrap_or(self.arguments.len());
        if positional.len() > count && rest.is_none() {
            return Err(refused(format!(
                "`{}` takes {count} arguments at most, here are {}",
                self.name,
                positional.len()
            )));
        }
        let mut positional = positional.into_iter();
        let mut bound = Vec::with_capacity(self.arguments.len());
        for (place, name) in names.enumerate() {
            let lazy = name.strip_prefix(LAZY);
            let name = lazy.unwrap_or(name);
            let by_name = named.get::<Option<Value>>(name)?;
            let by_name = by_name.filter(|_| named.has(name));
            let value = positional.by_ref().take(usize::from(place < count)).next();
            if value.is_some() && by_name.is_some() {
                return Err(refused(format!("`{}` is given `{name}` twice", self.name)));
            }
            let value = value.or(by_name);
            bound.push(match lazy {
                Some(_) => value,
                None => value.map(|value| given(value, None)).transpose()?,
            });
        }
        let mut named_rest = Pairs::new();
        if self.arguments.contains(&NAMED_REST) {
            for name in named.args() {
                named_rest.insert(Value::from(name), named.get(name)?);
            }
        }
        named.assert_all_used()?;
        let call = Call {
            filter: self,
            state,
            value: given(value, None)?,
            bound,
            rest: positional.collect(),
            named_rest,
        };
        (self.run)(&call)
    }
}

impl Call<'_, '_, '_> {
    /// The state of the program that calls.
    pub(super) fn state(&self) -> &State<'_, '_> {
        self.state
    }

    /// What an argument is, if it is given.
    pub(in crate::render) fn argument(&self, name: &str) -> Option<&Value> {
        let mut names = self.filter.names();
        let place = names.position(|known| known.trim_start_matches(LAZY) == name)?;
        self.bound.get(place)?.as_ref()
    }

    /// The same, with none for not given.
    pub(super) fn some(&self, name: &str) -> Option<&Value> {
        self.argument(name).filter(|value| !value.is_none())
    }

    /// An argument that has to be there.
    pub(in crate::render) fn needed(&self, name: &str) -> Result<&Value, Error> {
        let missing = || {
            let message = format!("`{}` needs `{name}`", self.filter.name);
            Error::new(ErrorKind::MissingArgument, message)
        };
        self.argument(name).ok_or_else(missing)
    }

    /// A text that has to be there.
    pub(in crate::render) fn text(&self, name: &str) -> Result<&str, Error> {
        let value = self.needed(name)?;
        value
            .as_str()
            .ok_or_else(|| self.wrong(name, "text", value))
    }

    /// A text, or what stands for it.
    pub(in crate::render) fn text_or<'a>(
        &'a self,
        name: &str,
        or: &'a str,
    ) -> Result<&'a str, Error> {
        match self.some(name) {
            None => Ok(or),
            Some(value) => value
                .as_str()
                .ok_or_else(|| self.wrong(name, "text", value)),
        }
    }

    /// Whether something is asked for, which is not so unless it is.
    pub(in crate::render) fn flag(&self, name: &str) -> bool {
        self.argument(name).is_some_and(Value::is_true)
    }

    /// The same, where it is so unless it is not.
    pub(in crate::render) fn flag_or_true(&self, name: &str) -> bool {
        self.argument(name).is_none_or(Value::is_true)
    }

    /// A whole number, or what stands for it.
    pub(in crate::render) fn integer_or(&self, name: &str, or: i64) -> Result<i64, Error> {
        match self.some(name) {
            None => Ok(or),
            Some(value) => integer(value).ok_or_else(|| self.wrong(name, "a whole number", value)),
        }
    }

    /// What stands before the filter, which has to be text.
    pub(in crate::render) fn value_text(&self) -> Result<&str, Error> {
        let text = self.value.as_str();
        text.ok_or_else(|| {
            let kind = python::type_name(&self.value);
            refused(format!("`{}` takes text, not {kind}", self.filter.name))
        })
    }

    /// What stands before the filter as text, numbers and lists too, as Python writes them.
    pub(in crate::render) fn value_as_text(&self) -> Result<String, Error> {
        python::text(&self.value)
    }

    /// The items of what stands before the filter.
    pub(in crate::render) fn items(&self) -> Result<Vec<Value>, Error> {
        self.list(&self.value)
    }

    /// The items of a list, whose steps are counted.
    pub(in crate::render) fn list(&self, value: &Value) -> Result<Vec<Value>, Error> {
        charge(self.state, value, Asleep::Leave)?;
        list(value)
    }

    /// Counts the steps of what has to be walked to its bottom.
    pub(in crate::render) fn walked(&self, value: &Value) -> Result<(), Error> {
        charge(self.state, value, Asleep::Wake)
    }

    /// Counts steps, one for each item or some bytes.
    pub(in crate::render) fn steps(&self, steps: usize) -> Result<(), Error> {
        self.state.consume_fuel(steps as u64)
    }

    /// Gives text, if it is not too long.
    pub(in crate::render) fn gives(&self, text: String) -> Result<Value, Error> {
        match text.len() > MAX_FILTERED {
            true => Err(Error::from(ErrorKind::OutOfFuel)),
            false => Ok(Value::from(text)),
        }
    }

    /// The error of an argument of the wrong type.
    pub(in crate::render) fn wrong(&self, name: &str, expected: &str, found: &Value) -> Error {
        let (filter, found) = (self.filter.name, python::type_name(found));
        refused(format!("`{name}` of `{filter}` is {expected}, not {found}"))
    }

    /// An error of the filter itself, and what to do instead.
    pub(in crate::render) fn advises(&self, why: &str, help: &str) -> Error {
        advised(format!("`{}`: {why}", self.filter.name), help)
    }

    /// An error of the filter itself.
    pub(in crate::render) fn fails(&self, why: impl std::fmt::Display) -> Error {
        refused(format!("`{}`: {why}", self.filter.name))
    }
}

/// A whole number; booleans are 0 and 1 as in Python.
pub(in crate::render) fn integer(value: &Value) -> Option<i64> {
    match value.kind() {
        ValueKind::Bool => Some(i64::from(value.is_true())),
        _ => value.as_i64().filter(|_| value.is_integer()),
    }
}
