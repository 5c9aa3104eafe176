//! The functions that Ansible's templates call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use minijinja::value::{Kwargs, Object, ObjectRepr, Rest, ValueKind, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::filters::{Pairs, advised, given, list, mapping_pairs, refused};

/// The names of the functions here and of those that the engine has.
pub(super) const NAMES: [&str; 11] = [
    "cycler",
    "dict",
    "joiner",
    "lipsum",
    "lookup",
    "namespace",
    "now",
    "q",
    "query",
    "range",
    "undef",
];

/// Adds all functions to an environment.
pub(super) fn add(environment: &mut Environment<'static>) {
    environment.remove_global("debug");
    environment.add_function("dict", dict);
    environment.add_function("cycler", cycler);
    environment.add_function("joiner", joiner);
    for name in ["lookup", "query", "q"] {
        environment.add_function(name, move |plugin: Rest<Value>, _: Kwargs| {
            let plugin = plugin.first().and_then(Value::as_str).unwrap_or("…");
            not_here(
                &format!("{name}('{plugin}')"),
                "reads what is outside of the repo",
            )
        });
    }
    environment.add_function("now", |_: Rest<Value>, _: Kwargs| {
        not_here("now()", "gives another time whenever it is compiled")
    });
    environment.add_function("lipsum", |_: Rest<Value>, _: Kwargs| {
        not_here("lipsum()", "gives other text whenever it is compiled")
    });
    environment.add_function("undef", |hint: Option<Value>, named: Kwargs| {
        let named = named.get::<Option<Value>>("hint")?;
        let hint = named.or(hint).and_then(|hint| hint.to_str());
        Err::<Value, Error>(refused(hint.as_deref().unwrap_or("this has to be set")))
    });
}

fn not_here(what: &str, why: &str) -> Result<Value, Error> {
    Err(advised(
        format!("`{what}` {why}"),
        "a catalog depends on the repo and the host's facts alone: set a variable, or a secret, \
         and use that",
    ))
}

/// A mapping of another or of pairs, and of named values: `dict(names | zip(values), more=1)`.
fn dict(given: Option<Value>, named: Kwargs) -> Result<Value, Error> {
    let mut pairs = match given {
        None => Pairs::new(),
        Some(given) if given.kind() == ValueKind::Map => mapping_pairs(&given)?,
        Some(given) => {
            let pairs = list(&given)?.into_iter().map(|pair| {
                let both: Vec<Value> = pair.try_iter()?.collect();
                <[Value; 2]>::try_from(both)
                    .map(|[key, value]| (key, value))
                    .map_err(|_| refused("`dict` takes a mapping or pairs"))
            });
            pairs.collect::<Result<Pairs, Error>>()?
        }
    };
    for name in named.args() {
        pairs.insert(Value::from(name), named.get(name)?);
    }
    Ok(Value::from_pairs(pairs))
}

/// Gives one item after the other, again and again.
#[derive(Debug)]
struct Cycler {
    items: Vec<Value>,
    place: AtomicUsize,
}

fn cycler(items: Rest<Value>) -> Result<Value, Error> {
    let items: Result<Vec<Value>, Error> =
        items.0.into_iter().map(|item| given(item, None)).collect();
    let items = items?;
    if items.is_empty() {
        return Err(refused("`cycler` takes one item at least"));
    }
    Ok(Value::from_object(Cycler {
        items,
        place: AtomicUsize::new(0),
    }))
}

impl Cycler {
    fn current(&self) -> Option<Value> {
        self.items.get(self.place.load(Ordering::Relaxed)).cloned()
    }
}

impl Object for Cycler {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "current" => self.current(),
            _ => None,
        }
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        let () = from_args(arguments)?;
        match name {
            "next" => {
                let current = self.current().unwrap_or_default();
                let next = (self.place.load(Ordering::Relaxed) + 1) % self.items.len();
                self.place.store(next, Ordering::Relaxed);
                Ok(current)
            }
            "reset" => {
                self.place.store(0, Ordering::Relaxed);
                Ok(Value::from(()))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

/// Gives nothing the first time, and a separator from then on.
#[derive(Debug)]
struct Joiner {
    separator: Value,
    used: AtomicBool,
}

fn joiner(separator: Option<Value>, named: Kwargs) -> Result<Value, Error> {
    let named = named.get::<Option<Value>>("sep")?;
    let separator = separator.or(named).unwrap_or_else(|| Value::from(", "));
    Ok(Value::from_object(Joiner {
        separator: given(separator, None)?,
        used: AtomicBool::new(false),
    }))
}

impl Object for Joiner {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
        let () = from_args(arguments)?;
        Ok(match self.used.swap(true, Ordering::Relaxed) {
            true => self.separator.clone(),
            false => Value::from(""),
        })
    }
}
