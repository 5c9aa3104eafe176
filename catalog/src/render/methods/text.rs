//! Python's methods of text.

use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, Value};

use super::method;
use crate::render::filters::{Call, Filter, refused};
use crate::render::python;

/// Widest that a text is filled up to, in letters.
const MAX_WIDTH: i64 = 100_000;

pub(super) const METHODS: &[Filter] = &[
    method("capitalize", &[], |call| of(call, python::capitalized)),
    method("casefold", &[], |call| of(call, str::to_lowercase)),
    method("center", &["width", "fillchar"], |call| {
        let (width, fill) = filling(call)?;
        of(call, |text| python::centered(text, width, fill))
    }),
    method("count", &["sub"], |call| {
        let (text, sub) = (call.value_text()?, call.text("sub")?);
        Ok(Value::from(match sub.is_empty() {
            true => text.chars().count() + 1,
            false => text.matches(sub).count(),
        }))
    }),
    method("encode", &["encoding", "errors"], |call| {
        Ok(call.value.clone())
    }),
    method("endswith", &["suffix", "start"], |call| {
        any(call, "suffix", |text, suffix| text.ends_with(suffix))
    }),
    method("expandtabs", &["tabsize"], expand_tabs),
    method("find", &["sub", "start"], |call| {
        find(call, |text, sub| text.find(sub))
    }),
    method("index", &["sub", "start"], |call| {
        found(call, find(call, |text, sub| text.find(sub))?)
    }),
    method("isalnum", &[], |call| all(call, char::is_alphanumeric)),
    method("isalpha", &[], |call| all(call, char::is_alphabetic)),
    method("isascii", &[], |call| {
        Ok(Value::from(call.value_text()?.is_ascii()))
    }),
    method("isdecimal", &[], |call| all(call, |c| c.is_ascii_digit())),
    method("isdigit", &[], |call| all(call, |c| c.is_ascii_digit())),
    method("isidentifier", &[], |call| {
        let text = call.value_text()?;
        let digit = text.starts_with(|c: char| c.is_ascii_digit());
        Ok(Value::from(
            !digit && all(call, |c| c.is_alphanumeric() || c == '_')?.is_true(),
        ))
    }),
    method("islower", &[], |call| {
        one_case(call, char::is_lowercase, char::is_uppercase)
    }),
    method("isnumeric", &[], |call| all(call, char::is_numeric)),
    method("isspace", &[], |call| all(call, char::is_whitespace)),
    method("istitle", &[], |call| {
        let text = call.value_text()?;
        let cased = text.contains(|c: char| c.is_uppercase() || c.is_lowercase());
        Ok(Value::from(cased && title(text) == text))
    }),
    method("isupper", &[], |call| {
        one_case(call, char::is_uppercase, char::is_lowercase)
    }),
    method("join", &["iterable"], join),
    method("ljust", &["width", "fillchar"], |call| {
        let (width, fill) = filling(call)?;
        of(call, |text| format!("{text}{}", missing(text, width, fill)))
    }),
    method("lower", &[], |call| of(call, str::to_lowercase)),
    method("lstrip", &["chars"], |call| strip(call, Sides::Left)),
    method("partition", &["sep"], |call| {
        partition(call, |text, sub| text.find(sub))
    }),
    method("removeprefix", &["prefix"], |call| {
        let prefix = call.text("prefix")?;
        of(call, |text| {
            text.strip_prefix(prefix).unwrap_or(text).to_owned()
        })
    }),
    method("removesuffix", &["suffix"], |call| {
        let suffix = call.text("suffix")?;
        of(call, |text| {
            text.strip_suffix(suffix).unwrap_or(text).to_owned()
        })
    }),
    method("replace", &["old", "new", "count"], replace),
    method("rfind", &["sub", "start"], |call| {
        find(call, |text, sub| text.rfind(sub))
    }),
    method("rindex", &["sub", "start"], |call| {
        found(call, find(call, |text, sub| text.rfind(sub))?)
    }),
    method("rjust", &["width", "fillchar"], |call| {
        let (width, fill) = filling(call)?;
        of(call, |text| format!("{}{text}", missing(text, width, fill)))
    }),
    method("rpartition", &["sep"], |call| {
        partition(call, |text, sub| text.rfind(sub))
    }),
    method("rsplit", &["sep", "maxsplit"], right_split),
    method("rstrip", &["chars"], |call| strip(call, Sides::Right)),
    method("split", &["sep", "maxsplit"], |call| {
        let text = call.value_text()?;
        call.steps(text.len() >> 6)?;
        let most = usize::try_from(call.integer_or("maxsplit", -1)?).unwrap_or(usize::MAX);
        python::split(text, separator(call)?, most)
    }),
    method("splitlines", &["keepends"], split_lines),
    method("startswith", &["prefix", "start"], |call| {
        any(call, "prefix", |text, prefix| text.starts_with(prefix))
    }),
    method("strip", &["chars"], |call| strip(call, Sides::Both)),
    method("swapcase", &[], |call| {
        let swapped = |c: char| match c.is_uppercase() {
            true => c.to_lowercase().to_string(),
            false => c.to_uppercase().to_string(),
        };
        of(call, |text| text.chars().map(swapped).collect())
    }),
    method("title", &[], |call| of(call, title)),
    method("upper", &[], |call| of(call, str::to_uppercase)),
    method("zfill", &["width"], |call| {
        let width = width(call)?;
        of(call, |text| {
            let sign = text.starts_with(['+', '-']);
            let (sign, digits) = text.split_at(usize::from(sign));
            format!("{sign}{}{digits}", missing(text, width, '0'))
        })
    }),
];

/// What every method gives.
type Given = Result<Value, Error>;

fn of(call: &Call<'_, '_, '_>, change: impl Fn(&str) -> String) -> Given {
    call.gives(change(call.value_text()?))
}

fn all(call: &Call<'_, '_, '_>, is: impl Fn(char) -> bool) -> Given {
    let text = call.value_text()?;
    Ok(Value::from(!text.is_empty() && text.chars().all(is)))
}

fn one_case(
    call: &Call<'_, '_, '_>,
    is: impl Fn(char) -> bool,
    is_not: impl Fn(char) -> bool,
) -> Given {
    let text = call.value_text()?;
    Ok(Value::from(
        text.chars().any(is) && !text.chars().any(is_not),
    ))
}

/// Words begin behind whatever is no letter.
fn title(text: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match inside {
            true => out.extend(character.to_lowercase()),
            false => out.extend(character.to_uppercase()),
        }
        inside = character.is_alphabetic();
    }
    out
}

fn width(call: &Call<'_, '_, '_>) -> Result<usize, Error> {
    let width = call.integer_or("width", 0)?;
    if width > MAX_WIDTH {
        return Err(call.fails(format!("`width` is more than {MAX_WIDTH}")));
    }
    Ok(usize::try_from(width).unwrap_or(0))
}

fn filling(call: &Call<'_, '_, '_>) -> Result<(usize, char), Error> {
    let fill = call.text_or("fillchar", " ")?;
    let mut letters = fill.chars();
    match (letters.next(), letters.next()) {
        (Some(fill), None) => Ok((width(call)?, fill)),
        _ => Err(call.fails("`fillchar` is one letter")),
    }
}

fn missing(text: &str, width: usize, fill: char) -> String {
    fill.to_string()
        .repeat(width.saturating_sub(text.chars().count()))
}

fn separator<'a>(call: &'a Call<'_, '_, '_>) -> Result<Option<&'a str>, Error> {
    match call.argument("sep").filter(|value| !value.is_none()) {
        None => Ok(None),
        Some(_) => call.text("sep").map(Some),
    }
}

/// Whether one of the texts fits, of which there may be several.
fn any(call: &Call<'_, '_, '_>, name: &str, fits: impl Fn(&str, &str) -> bool) -> Given {
    let (text, given) = (call.value_text()?, call.needed(name)?);
    let from = usize::try_from(call.integer_or("start", 0)?).unwrap_or(0);
    let from = text
        .char_indices()
        .nth(from)
        .map_or(text.len(), |(at, _)| at);
    let text = &text[from..];
    if given.as_str().is_some() {
        return Ok(Value::from(fits(text, call.text(name)?)));
    }
    if !matches!(given.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Err(call.wrong(name, "text, or several", given));
    }
    let several = call.list(given)?;
    Ok(Value::from(
        several
            .iter()
            .filter_map(Value::as_str)
            .any(|one| fits(text, one)),
    ))
}

fn find(call: &Call<'_, '_, '_>, find: fn(&str, &str) -> Option<usize>) -> Given {
    let text = call.value_text()?;
    let start = usize::try_from(call.integer_or("start", 0)?).unwrap_or(0);
    let from = text
        .char_indices()
        .nth(start)
        .map_or(text.len(), |(at, _)| at);
    let at = find(&text[from..], call.text("sub")?);
    Ok(match at {
        Some(at) => Value::from(text[..from + at].chars().count()),
        None => Value::from(-1),
    })
}

fn found(call: &Call<'_, '_, '_>, at: Value) -> Given {
    match at.as_i64() {
        Some(-1) => Err(call.fails("the text is not there")),
        _ => Ok(at),
    }
}

/// What is stripped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sides {
    Left,
    Right,
    Both,
}

fn strip(call: &Call<'_, '_, '_>, sides: Sides) -> Given {
    let characters = call.text_or("chars", "")?;
    let given = call.argument("chars").is_some_and(|value| !value.is_none());
    let gone = |c: char| match given {
        true => characters.contains(c),
        false => c.is_whitespace(),
    };
    of(call, |text| {
        let text = if sides == Sides::Right {
            text
        } else {
            text.trim_start_matches(gone)
        };
        let text = if sides == Sides::Left {
            text
        } else {
            text.trim_end_matches(gone)
        };
        text.to_owned()
    })
}

fn partition(call: &Call<'_, '_, '_>, find: fn(&str, &str) -> Option<usize>) -> Given {
    let (text, separator) = (call.value_text()?, call.text("sep")?);
    let parts = match find(text, separator) {
        Some(at) => [&text[..at], separator, &text[at + separator.len()..]],
        None if find("..", ".") == Some(0) => [text, "", ""],
        None => ["", "", text],
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

fn right_split(call: &Call<'_, '_, '_>) -> Given {
    let text = call.value_text()?;
    call.steps(text.len() >> 6)?;
    let most = usize::try_from(call.integer_or("maxsplit", -1)?).unwrap_or(usize::MAX);
    let times = most.saturating_add(1);
    let mut parts: Vec<Value> = match separator(call)? {
        Some("") => return Err(refused("text cannot be split at nothing")),
        Some(separator) => text.rsplitn(times, separator).map(Value::from).collect(),
        None => {
            let mut rest = text.trim_end();
            let mut parts = Vec::new();
            while !rest.is_empty() {
                let at = match parts.len() + 1 < times {
                    true => rest.char_indices().rev().find(|(_, c)| c.is_whitespace()),
                    false => None,
                };
                let from = at.map_or(0, |(at, c)| at + c.len_utf8());
                let part = if at.is_none() {
                    rest.trim_start()
                } else {
                    &rest[from..]
                };
                parts.push(Value::from(part));
                rest = rest[..at.map_or(0, |(at, _)| at)].trim_end();
            }
            parts
        }
    };
    parts.reverse();
    Ok(Value::from(parts))
}

fn split_lines(call: &Call<'_, '_, '_>) -> Given {
    let text = call.value_text()?;
    call.steps(text.len() >> 6)?;
    let lines = text
        .split_inclusive('\n')
        .map(|line| match call.flag("keepends") {
            true => Value::from(line),
            false => {
                let line = line.strip_suffix('\n').unwrap_or(line);
                Value::from(line.strip_suffix('\r').unwrap_or(line))
            }
        });
    Ok(lines.collect::<Vec<Value>>().into())
}

fn expand_tabs(call: &Call<'_, '_, '_>) -> Given {
    let size = usize::try_from(call.integer_or("tabsize", 8)?.clamp(0, 64)).unwrap_or(8);
    let text = call.value_text()?;
    call.steps(text.len())?;
    let mut out = String::new();
    let mut column = 0;
    for character in text.chars() {
        match character {
            '\t' if size > 0 => {
                let blanks = size - column % size;
                out.push_str(&" ".repeat(blanks));
                column += blanks;
            }
            '\t' => {}
            '\n' => {
                out.push('\n');
                column = 0;
            }
            other => {
                out.push(other);
                column += 1;
            }
        }
    }
    call.gives(out)
}

fn join(call: &Call<'_, '_, '_>) -> Given {
    let separator = call.value_text()?;
    let iterable = call.needed("iterable")?;
    let items: Vec<Value> = match iterable.kind() {
        ValueKind::String | ValueKind::Map => iterable.try_iter()?.collect(),
        _ => call.list(iterable)?,
    };
    let mut joined = String::new();
    for (place, item) in items.iter().enumerate() {
        joined.push_str(if place > 0 { separator } else { "" });
        let text = item.as_str();
        let kind = python::type_name(item);
        joined.push_str(text.ok_or_else(|| {
            call.fails(format!("joins text, not {kind}; write `list | join('…')`"))
        })?);
        call.steps(separator.len() >> 6)?;
    }
    call.gives(joined)
}

fn replace(call: &Call<'_, '_, '_>) -> Given {
    let (text, old, new) = (call.value_text()?, call.text("old")?, call.text("new")?);
    let places = text.len() / old.len().max(1) + 1;
    call.steps(places.saturating_mul(new.len()) >> 8)?;
    call.gives(match usize::try_from(call.integer_or("count", -1)?) {
        Ok(count) => text.replacen(old, new, count),
        Err(_) => text.replace(old, new),
    })
}
