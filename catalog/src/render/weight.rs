//! How much a value holds, all the way down.
//!
//! The engine counts steps, not what a value holds: `[x, x]` is one step, and sixty of them are a
//! value that no computer can print or compare, while a long row of `[x]` overflows the stack of
//! whoever drops it. So what a template gathers, compares and prints is weighed first.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, State, Value};

use crate::vars::is_lazy;

/// Most that a value holds, in bytes of text, each item counting as [`ITEM`]: as much as a
/// template may give.
const MAX_WEIGHT: usize = 16 * 1024 * 1024;

/// What an item counts, whatever is in it.
const ITEM: usize = 32;

/// Deepest nesting of a value; a document has half of it at most.
pub(super) const MAX_DEPTH: usize = 96;

/// How much is walked for one step of a program's fuel, which is what the engine asks for items
/// that it walks itself.
const PER_STEP: usize = 256;

/// Whether variables that nobody has asked for yet are evaluated to be weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asleep {
    /// They are left alone: the value is only kept.
    Leave,
    /// They are woken: the value is about to be walked.
    Wake,
}

/// Refuses a value that holds too much.
pub(super) fn weigh(value: &Value, asleep: Asleep) -> Result<(), Error> {
    weight(value, asleep).map(drop)
}

/// Refuses a value that holds too much, and takes the steps that the walk through it costs.
pub(super) fn charge(state: &State, value: &Value, asleep: Asleep) -> Result<(), Error> {
    let weight = weight(value, asleep)?;
    state.consume_fuel((weight / PER_STEP) as u64)
}

fn weight(value: &Value, asleep: Asleep) -> Result<usize, Error> {
    if !nested(value) {
        return Ok(0);
    }
    let mut scales = Scales {
        left: MAX_WEIGHT,
        asleep,
    };
    scales.add(value, 0)?;
    Ok(MAX_WEIGHT - scales.left)
}

/// Says why a value cannot be walked to the bottom, by whoever takes it out of the engine.
pub(crate) fn walkable(value: &Value) -> Result<(), String> {
    let woken = weigh(value, Asleep::Wake);
    woken.map_err(|error| error.detail().unwrap_or("it holds too much").to_owned())
}

fn nested(value: &Value) -> bool {
    matches!(
        value.kind(),
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable
    )
}

struct Scales {
    left: usize,
    asleep: Asleep,
}

impl Scales {
    fn add(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let own = ITEM + value.as_str().map_or(0, str::len);
        self.left = self.left.checked_sub(own).ok_or_else(too_much)?;
        if !nested(value) || (self.asleep == Asleep::Leave && is_lazy(value)) {
            return Ok(());
        }
        if depth >= MAX_DEPTH {
            let message = format!("a value is nested more than {MAX_DEPTH} deep");
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        let mapping = value.kind() == ValueKind::Map;
        // What can be walked only once is left to its reader.
        if !mapping && value.len().is_none() {
            return Ok(());
        }
        for item in value.try_iter()? {
            if mapping {
                self.add(&value.get_item(&item)?, depth + 1)?;
            }
            self.add(&item, depth + 1)?;
        }
        Ok(())
    }
}

fn too_much() -> Error {
    Error::from(ErrorKind::OutOfFuel)
}
