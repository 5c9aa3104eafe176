//! What a schema demands of a single value beside its type.

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
    OneOf(Vec<Value>),
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

    fn none_of(&self, value: &Value, allowed: &[Value]) -> Option<String> {
        if allowed.iter().any(|one| same(one, value)) {
            return None;
        }
        let words: Vec<String> = allowed.iter().map(written).collect();
        let words = words.iter().map(String::as_str);
        Some(match allowed.len() {
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

/// Whether two values are the same in JSON: 1 and 1.0 are, 1 and true are not.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    a.kind() == b.kind() && a == b
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
        assert!(same(&Value::from(1), &Value::from(1.0)));
        assert!(!same(&Value::from(1), &Value::from(true)));
        assert!(!same(&Value::from(1), &Value::from("1")));
    }
}
