//! The words that expressions and templates can use, for whoever mistypes one.

use super::{filters, functions, tests};
use crate::diag::did_you_mean;

/// Filters of the engine itself.
const FILTERS: &[&str] = &[
    "attr",
    "count",
    "d",
    "default",
    "first",
    "items",
    "last",
    "length",
    "list",
    "map",
    "reject",
    "rejectattr",
    "reverse",
    "safe",
    "select",
    "selectattr",
];

/// Tests of the engine itself, as in `is defined`.
const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// What kind of word one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Filter,
    Test,
    Function,
}

impl Word {
    /// What is said of one that is not there.
    pub(super) fn unknown(self, name: &str) -> (String, Option<String>) {
        let (what, known): (&str, Vec<&str>) = match self {
            Self::Filter => (
                "filter",
                filters::names().chain(FILTERS.iter().copied()).collect(),
            ),
            Self::Test => (
                "test",
                tests::names().chain(TESTS.iter().copied()).collect(),
            ),
            Self::Function => ("function", functions::NAMES.to_vec()),
        };
        let message = format!("there is no {what} `{name}`");
        (message, did_you_mean(name, known))
    }
}

#[cfg(test)]
mod every {
    use minijinja::ErrorKind;

    use super::super::environment::environment;
    use super::*;

    #[test]
    fn every_word_is_in_the_documentation() {
        let text = include_str!("../../TEMPLATES.md");
        let filters = filters::names().chain(FILTERS.iter().copied());
        let tests = tests::names().chain(TESTS.iter().copied());
        let functions = functions::NAMES.iter().copied();
        for name in filters.chain(tests).chain(functions) {
            let stands =
                text.contains(&format!("`{name}`")) || text.contains(&format!("`{name}()`"));
            assert!(stands, "TEMPLATES.md does not have `{name}`");
        }
    }

    #[test]
    fn every_word_is_there() {
        let environment = environment();
        let kind = |text: String| {
            let rendered = environment.render_str(&text, ());
            rendered.err().map(|error| error.kind())
        };
        for name in filters::names().chain(FILTERS.iter().copied()) {
            let kind = kind(format!("{{{{ 1|{name} }}}}"));
            assert_ne!(kind, Some(ErrorKind::UnknownFilter), "{name}");
        }
        for name in tests::names().chain(TESTS.iter().copied()) {
            let kind = kind(format!("{{{{ 1 is {name} }}}}"));
            assert_ne!(kind, Some(ErrorKind::UnknownTest), "{name}");
        }
        for name in functions::NAMES {
            let kind = kind(format!("{{{{ {name}(1) }}}}"));
            assert_ne!(kind, Some(ErrorKind::UnknownFunction), "{name}");
        }
    }
}
