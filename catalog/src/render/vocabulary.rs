//! The words that expressions and templates can use, for whoever mistypes one.

use crate::diag::did_you_mean;

/// Filters, the engine's own and those that are added.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "b64decode",
    "b64encode",
    "basename",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "combine",
    "comment",
    "count",
    "default",
    "dict2items",
    "dictsort",
    "difference",
    "dirname",
    "first",
    "flatten",
    "float",
    "format",
    "from_json",
    "from_yaml",
    "groupby",
    "indent",
    "int",
    "intersect",
    "items",
    "items2dict",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "mandatory",
    "map",
    "max",
    "min",
    "pprint",
    "quote",
    "regex_findall",
    "regex_replace",
    "regex_search",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "ternary",
    "title",
    "to_json",
    "to_nice_json",
    "to_nice_yaml",
    "to_yaml",
    "tojson",
    "trim",
    "union",
    "unique",
    "upper",
    "zip",
];

/// Tests, as in `is defined`.
const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// Functions.
const FUNCTIONS: &[&str] = &["debug", "dict", "namespace", "range"];

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
        let (what, known) = match self {
            Self::Filter => ("filter", FILTERS),
            Self::Test => ("test", TESTS),
            Self::Function => ("function", FUNCTIONS),
        };
        let message = format!("there is no {what} `{name}`");
        (message, did_you_mean(name, known.iter().copied()))
    }
}

#[cfg(test)]
mod tests {
    use minijinja::ErrorKind;

    use super::super::engine::environment;
    use super::*;

    #[test]
    fn every_word_is_there() {
        let environment = environment();
        let kind = |text: String| {
            let rendered = environment.render_str(&text, ());
            rendered.err().map(|error| error.kind())
        };
        for name in FILTERS {
            let kind = kind(format!("{{{{ 1|{name} }}}}"));
            assert_ne!(kind, Some(ErrorKind::UnknownFilter), "{name}");
        }
        for name in TESTS {
            let kind = kind(format!("{{{{ 1 is {name} }}}}"));
            assert_ne!(kind, Some(ErrorKind::UnknownTest), "{name}");
        }
        for name in FUNCTIONS {
            let kind = kind(format!("{{{{ {name}(1) }}}}"));
            assert_ne!(kind, Some(ErrorKind::UnknownFunction), "{name}");
        }
    }
}
