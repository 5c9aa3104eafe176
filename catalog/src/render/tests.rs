//! The tests that Ansible's templates use: `is version('1.2', '>=')`.

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, State, Value};

use super::filters::{BUILTIN, Call, Filter, Run};
use super::python;
use super::regex::Pattern;

mod version;

const fn test(name: &'static str, arguments: &'static [&'static str], run: Run) -> Filter {
    Filter {
        name,
        arguments,
        run,
    }
}

const PATTERN: &[&str] = &["pattern", "ignorecase", "multiline"];
const VERSION: &[&str] = &["version", "operator", "strict", "version_type"];
const LIST: &[&str] = &["b"];

const TESTS: &[Filter] = &[
    test("abs", &[], |call| {
        Ok(Value::from(call.value_text()?.starts_with('/')))
    }),
    test("all", &[], |call| {
        Ok(Value::from(call.items()?.iter().all(Value::is_true)))
    }),
    test("any", &[], |call| {
        Ok(Value::from(call.items()?.iter().any(Value::is_true)))
    }),
    test("callable", &[], |call| {
        let name = call.value.kind();
        Ok(Value::from(name == ValueKind::Plain))
    }),
    test("change", &[], |call| of_result(call, "changed")),
    test("changed", &[], |call| of_result(call, "changed")),
    test("contains", LIST, |call| {
        let wanted = call.needed("b")?;
        call.walked(wanted)?;
        contains(call, &call.value, wanted).map(Value::from)
    }),
    test("directory", &[], of_the_machine),
    test("exists", &[], of_the_machine),
    test("failed", &[], |call| of_result(call, "failed")),
    test("failure", &[], |call| of_result(call, "failed")),
    test("falsy", &["convert_bool"], |call| {
        Ok(Value::from(!truth(call)))
    }),
    test("file", &[], of_the_machine),
    test("issubset", LIST, subset),
    test("issuperset", LIST, superset),
    test("link", &[], of_the_machine),
    test("match", PATTERN, |call| matching(call, "match")),
    test("mount", &[], of_the_machine),
    test("nan", &[], |call| {
        let number = f64::try_from(call.value.clone());
        Ok(Value::from(number.is_ok_and(f64::is_nan)))
    }),
    test(
        "regex",
        &["pattern", "ignorecase", "multiline", "match_type"],
        |call| matching(call, call.text_or("match_type", "search")?),
    ),
    test("search", PATTERN, |call| matching(call, "search")),
    test("skip", &[], |call| of_result(call, "skipped")),
    test("skipped", &[], |call| of_result(call, "skipped")),
    test("subset", LIST, subset),
    test("succeeded", &[], |call| {
        Ok(Value::from(!of_result(call, "failed")?.is_true()))
    }),
    test("success", &[], |call| {
        Ok(Value::from(!of_result(call, "failed")?.is_true()))
    }),
    test("successful", &[], |call| {
        Ok(Value::from(!of_result(call, "failed")?.is_true()))
    }),
    test("superset", LIST, superset),
    test("truthy", &["convert_bool"], |call| {
        Ok(Value::from(truth(call)))
    }),
    test("uri", &["schemes"], |call| Ok(Value::from(is_uri(call)?))),
    test("url", &["schemes"], |call| {
        let text = call.value_text()?;
        let network = text
            .split_once("://")
            .is_some_and(|(_, rest)| !rest.starts_with('/'));
        Ok(Value::from(is_uri(call)? && network))
    }),
    test("urn", &[], |call| {
        let text = call.value_text()?.to_lowercase();
        Ok(Value::from(text.starts_with("urn:")))
    }),
    test("vault_encrypted", &[], |_| Ok(Value::from(false))),
    test("version", VERSION, version::compare),
    test("version_compare", VERSION, version::compare),
];

/// The names of all tests in the table.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TESTS.iter().map(|test| test.name)
}

/// Adds all tests to an environment.
pub(super) fn add(environment: &mut Environment<'static>) {
    for test in TESTS {
        let run = move |state: &State, value: Value, given: Rest<Value>, named: Kwargs| {
            let result = test.call(state, value, (given.0, &named))?;
            Ok::<bool, Error>(result.is_true())
        };
        environment.add_test(format!("{BUILTIN}{}", test.name), run);
        environment.add_test(test.name, run);
    }
    // Text is a sequence of letters to Python, and a number is none of either.
    environment.add_test("sequence", |value: Value| {
        matches!(
            value.kind(),
            ValueKind::Seq | ValueKind::Map | ValueKind::String
        ) || (value.kind() == ValueKind::Iterable && value.len().is_some())
    });
    environment.add_test("iterable", |value: Value| {
        matches!(
            value.kind(),
            ValueKind::Seq | ValueKind::Map | ValueKind::String | ValueKind::Iterable
        )
    });
    environment.add_test("number", |value: Value| {
        matches!(value.kind(), ValueKind::Number | ValueKind::Bool)
    });
    environment.add_test("integer", |value: Value| {
        value.kind() == ValueKind::Number && value.is_integer()
    });
}

/// These look at the disk of the machine that Ansible runs on.
fn of_the_machine(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    Err(call.advises(
        "it would look at the machine that compiles",
        "a catalog depends on the repo and the host's facts alone",
    ))
}

/// What a task has noted of itself.
fn of_result(call: &Call<'_, '_, '_>, name: &str) -> Result<Value, Error> {
    if call.value.kind() != ValueKind::Map {
        let kind = python::type_name(&call.value);
        return Err(call.fails(format!("asks of the result of a task, not of {kind}")));
    }
    Ok(Value::from(call.value.get_attr(name)?.is_true()))
}

fn truth(call: &Call<'_, '_, '_>) -> bool {
    let word = call.value.as_str().map(str::to_lowercase);
    match word.as_deref().filter(|_| call.flag("convert_bool")) {
        Some("y" | "yes" | "on" | "1" | "true" | "t") => true,
        Some("n" | "no" | "off" | "0" | "false" | "f") => false,
        _ => call.value.is_true(),
    }
}

fn contains(call: &Call<'_, '_, '_>, value: &Value, wanted: &Value) -> Result<bool, Error> {
    match value.kind() {
        ValueKind::String => {
            let wanted = wanted.as_str();
            let wanted = wanted.ok_or_else(|| call.fails("text contains text"))?;
            Ok(value.as_str().is_some_and(|text| text.contains(wanted)))
        }
        ValueKind::Map => Ok(!value.get_item(wanted)?.is_undefined()),
        _ => Ok(call.list(value)?.contains(wanted)),
    }
}

fn sets(call: &Call<'_, '_, '_>) -> Result<[indexmap::IndexSet<Value>; 2], Error> {
    let other = call.needed("b")?;
    call.walked(&call.value)?;
    call.walked(other)?;
    Ok([
        call.items()?.into_iter().collect(),
        call.list(other)?.into_iter().collect(),
    ])
}

fn subset(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let [a, b] = sets(call)?;
    Ok(Value::from(a.is_subset(&b)))
}

fn superset(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let [a, b] = sets(call)?;
    Ok(Value::from(a.is_superset(&b)))
}

fn matching(call: &Call<'_, '_, '_>, how: &str) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    let flags = (call.flag("ignorecase"), call.flag("multiline"));
    let pattern = call.text_or("pattern", "")?;
    Ok(Value::from(match how {
        "match" => Pattern::new(&format!("\\A(?:{pattern})"), flags)?
            .find(&text)?
            .is_some(),
        "fullmatch" => Pattern::new(&format!("\\A(?:{pattern})\\Z"), flags)?
            .find(&text)?
            .is_some(),
        _ => Pattern::new(pattern, flags)?.find(&text)?.is_some(),
    }))
}

fn is_uri(call: &Call<'_, '_, '_>) -> Result<bool, Error> {
    let text = call.value_text()?;
    let Some((scheme, rest)) = text.split_once(':') else {
        return Ok(false);
    };
    let named = match call.argument("schemes") {
        Some(schemes) => call.list(schemes)?.contains(&Value::from(scheme)),
        None => !scheme.is_empty(),
    };
    Ok(named && !rest.is_empty())
}
