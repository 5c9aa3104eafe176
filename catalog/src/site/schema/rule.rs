//! What a schema demands of a single value beside its type.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use minijinja::Value;
use minijinja::value::ValueKind;
use regex::Regex;

use super::ValueType;
use super::seen::describe;
use crate::diag::listed;

/// How far a multiple may be from a whole one, relative to it: 0.3 is a multiple of 0.1, which in
/// binary it is not quite.
const ROUNDING: f64 = 1e-9;

/// A demand.
#[derive(Debug)]
pub(super) enum Rule {
    /// `enum`, and `const`, which is an enum of one.
    OneOf(Allowed),
    Minimum(f64),
    Maximum(f64),
    Above(f64),
    Below(f64),
    MultipleOf(f64),
    Pattern(Regex),
    MinLength(usize),
    MaxLength(usize),
    MinItems(usize),
    MaxItems(usize),
    Unique,
}

/// The values that are allowed.
#[derive(Debug)]
pub(super) struct Allowed {
    values: Vec<Value>,
    marks: HashSet<String>,
}

impl Allowed {
    pub(super) fn of(values: Vec<Value>) -> Self {
        let marks = values.iter().map(mark).collect();
        Self { values, marks }
    }
}

impl Rule {
    /// What it demands something of; nothing where that is anything.
    pub(super) fn about(&self) -> Option<ValueType> {
        match self {
            Self::OneOf(_) => None,
            Self::Minimum(_)
            | Self::Maximum(_)
            | Self::Above(_)
            | Self::Below(_)
            | Self::MultipleOf(_) => Some(ValueType::Number),
            Self::Pattern(_) | Self::MinLength(_) | Self::MaxLength(_) => Some(ValueType::String),
            Self::MinItems(_) | Self::MaxItems(_) | Self::Unique => Some(ValueType::Array),
        }
    }

    /// Why a scalar does not meet it.
    pub(super) fn refuses_scalar(&self, value: &Value) -> Option<String> {
        let number = || f64::try_from(value.clone()).ok();
        // Bounds beyond 2^53 are not told apart from their neighbours, which none in use is.
        let beyond = |fails: fn(f64, f64) -> bool, bound: &f64, words: &str| {
            let refused = is_number(value) && number().is_some_and(|it| fails(it, *bound));
            refused.then(|| format!("{value} is {words}, {bound}"))
        };
        match self {
            Self::OneOf(allowed) => self.none_of(value, allowed),
            Self::Minimum(bound) => beyond(|it, min| it < min, bound, "less than the minimum"),
            Self::Maximum(bound) => beyond(|it, max| it > max, bound, "more than the maximum"),
            Self::Above(bound) => beyond(|it, min| it <= min, bound, "not above the bound"),
            Self::Below(bound) => beyond(|it, max| it >= max, bound, "not below the bound"),
            Self::MultipleOf(step) => {
                let refused = is_number(value) && number().is_some_and(|it| !divides(*step, it));
                refused.then(|| format!("{value} is no multiple of {step}"))
            }
            Self::Pattern(pattern) => {
                let text = value.as_str().filter(|text| !pattern.is_match(text))?;
                Some(format!("{text:?} does not match the pattern `{pattern}`"))
            }
            Self::MinLength(least) => {
                let length = value.as_str()?.chars().count();
                (length < *least).then(|| short("character", length, *least))
            }
            Self::MaxLength(most) => {
                let length = value.as_str()?.chars().count();
                (length > *most).then(|| long("character", length, *most))
            }
            Self::MinItems(_) | Self::MaxItems(_) | Self::Unique => None,
        }
    }

    /// Why a list of so many items does not meet it.
    pub(super) fn refuses_length(&self, length: usize) -> Option<String> {
        match self {
            Self::MinItems(least) => (length < *least).then(|| short("item", length, *least)),
            Self::MaxItems(most) => (length > *most).then(|| long("item", length, *most)),
            _ => None,
        }
    }

    /// Why a list or a mapping, whose value is known, is none of those allowed.
    pub(super) fn refuses_whole(&self, value: &Value) -> Option<String> {
        match self {
            Self::OneOf(allowed) => self.none_of(value, allowed),
            _ => None,
        }
    }

    fn none_of(&self, value: &Value, allowed: &Allowed) -> Option<String> {
        if allowed.marks.contains(&mark(value)) {
            return None;
        }
        let words: Vec<String> = allowed.values.iter().map(written).collect();
        let words = words.iter().map(String::as_str);
        Some(match allowed.values.len() {
            1 => format!("{} is not {}", describe(value), listed(words)),
            _ => format!("{} is none of {}", describe(value), listed(words)),
        })
    }
}

/// A value as one would write it.
fn written(value: &Value) -> String {
    match value.kind() {
        ValueKind::None => "null".to_owned(),
        ValueKind::Bool => value.is_true().to_string(),
        _ => value.to_string(),
    }
}

fn is_number(value: &Value) -> bool {
    value.kind() == ValueKind::Number
}

/// What two values have in common that are the same in JSON, as 1 and 1.0 are, and 1 and true are
/// not. The value is known to have an end.
pub(super) fn mark(value: &Value) -> String {
    let mut text = String::new();
    add_mark(value, &mut text);
    text
}

fn add_mark(value: &Value, text: &mut String) {
    // Into memory, which does not fail.
    let _ = match value.kind() {
        ValueKind::Number => match f64::try_from(value.clone()) {
            Ok(number) if !value.is_integer() => write!(text, "{number}"),
            _ => write!(text, "{value}"),
        },
        ValueKind::String => write!(text, "{:?}", value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            text.push('[');
            for item in value.try_iter().into_iter().flatten() {
                add_mark(&item, text);
                text.push(',');
            }
            write!(text, "]")
        }
        ValueKind::Map => {
            let keys = value.try_iter().into_iter().flatten();
            let entries = keys.map(|key| {
                let inner = value.get_item(&key).unwrap_or_default();
                (mark(&key), mark(&inner))
            });
            let entries: BTreeMap<String, String> = entries.collect();
            write!(text, "{entries:?}")
        }
        kind => write!(text, "{kind} {value}"),
    };
}

fn divides(step: f64, value: f64) -> bool {
    let times = value / step;
    (times - times.round()).abs() <= ROUNDING * times.abs().max(1.0)
}

fn short(what: &str, length: usize, least: usize) -> String {
    format!(
        "it has {}, at least {least} are needed",
        count(length, what)
    )
}

fn long(what: &str, length: usize, most: usize) -> String {
    format!("it has {}, at most {most} are allowed", count(length, what))
}

fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_as_people_do() {
        assert!(divides(0.1, 0.3) && divides(5.0, -15.0) && divides(2.0, 0.0));
        assert!(!divides(0.1, 0.35) && !divides(2.0, 3.0));
    }

    #[test]
    fn one_is_neither_true_nor_text() {
        assert_eq!(mark(&Value::from(1)), mark(&Value::from(1.0)));
        assert_ne!(mark(&Value::from(1)), mark(&Value::from(true)));
        assert_ne!(mark(&Value::from(1)), mark(&Value::from("1")));
        let map = |pairs: [(&str, i32); 2]| mark(&Value::from_pairs(pairs));
        assert_eq!(map([("a", 1), ("b", 2)]), map([("b", 2), ("a", 1)]));
        assert_ne!(map([("a", 1), ("b", 2)]), map([("a", 2), ("b", 1)]));
    }
}
