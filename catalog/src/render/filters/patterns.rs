//! Filters with regular expressions.

use minijinja::value::Tuple;
use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};
use crate::render::regex::{Found, Pattern, Template, escape};

pub(super) const FILTERS: &[Filter] = &[
    filter("regex_escape", &["re_type"], regex_escape),
    filter(
        "regex_findall",
        &["regex", "multiline", "ignorecase"],
        find_all,
    ),
    filter(
        "regex_replace",
        &[
            "pattern",
            "replacement",
            "ignorecase",
            "multiline",
            "count",
            "mandatory_count",
        ],
        replace,
    ),
    filter(
        "regex_search",
        &["regex", "*", "ignorecase", "multiline"],
        search,
    ),
];

fn pattern(call: &Call<'_, '_, '_>, name: &str) -> Result<Pattern, Error> {
    let text = call.text(name)?;
    Pattern::new(text, (call.flag("ignorecase"), call.flag("multiline")))
}

fn replace(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    let limit = usize::try_from(call.integer_or("count", 0)?).unwrap_or(0);
    let pattern = match call.some("pattern") {
        Some(_) => pattern(call, "pattern")?,
        None => Pattern::new("", (false, false))?,
    };
    let template = Template::new(call.text_or("replacement", "")?, &pattern)?;
    let mut out = String::new();
    let (mut from, mut count) = (0, 0);
    for found in pattern.find_iter(&text) {
        let found = found?;
        let whole = found.range();
        out.push_str(&text[from..whole.start]);
        template.expand(&mut out, &found);
        from = whole.end;
        count += 1;
        call.steps(1 + (out.len() >> 16))?;
        if count == limit {
            break;
        }
    }
    out.push_str(&text[from..]);
    let wanted = usize::try_from(call.integer_or("mandatory_count", 0)?).unwrap_or(0);
    if wanted != 0 && wanted != count {
        return Err(call.fails(format!(
            "it should match {wanted} times, and matches {count}"
        )));
    }
    call.gives(out)
}

fn find_all(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    let pattern = pattern(call, "regex")?;
    let mut all = Vec::new();
    for found in pattern.find_iter(&text) {
        let found = found?;
        call.steps(1)?;
        let group = |number: usize| Value::from(found.group(number).unwrap_or_default());
        all.push(match pattern.groups() {
            0 => group(0),
            1 => group(1),
            more => Value::from(Tuple::from((1..=more).map(group).collect::<Vec<Value>>())),
        });
    }
    Ok(Value::from(all))
}

/// What matches first, or some of its groups; nothing is none.
fn search(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    let pattern = pattern(call, "regex")?;
    let mut groups = Vec::new();
    for asked in &call.rest {
        let asked = asked.as_str().unwrap_or_default();
        let name = asked
            .strip_prefix("\\g<")
            .and_then(|name| name.strip_suffix('>'))
            .or_else(|| asked.strip_prefix('\\'));
        let number = name.and_then(|name| pattern.group_number(name));
        let unknown = || {
            call.fails(format!(
                "`{asked}` is no group; write `\\\\1` or `\\\\g<name>`"
            ))
        };
        groups.push(number.ok_or_else(unknown)?);
    }
    let Some(found) = pattern.find(&text)? else {
        return Ok(Value::from(()));
    };
    let group = |found: &Found<'_>, number: usize| match found.group(number) {
        Some(text) => Value::from(text),
        None => Value::from(()),
    };
    if groups.is_empty() {
        return Ok(group(&found, 0));
    }
    let groups = groups.into_iter().map(|number| group(&found, number));
    Ok(groups.collect::<Vec<Value>>().into())
}

fn regex_escape(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    match call.text_or("re_type", "python")? {
        "python" => call.gives(escape(&text)),
        "posix_basic" => {
            let mut out = String::with_capacity(text.len());
            for character in text.chars() {
                if "].[^$*\\".contains(character) {
                    out.push('\\');
                }
                out.push(character);
            }
            call.gives(out)
        }
        other => Err(call.fails(format!("`{other}` is no type: python, posix_basic"))),
    }
}
