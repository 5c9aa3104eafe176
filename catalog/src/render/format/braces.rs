//! Python's `'{}'.format(…)`.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Value};

use super::field::{Field, Kind, plain_number};
use super::{MAX_WIDTH, given, refused};
use crate::render::filters::MAX_FILTERED;
use crate::render::python;

/// What can be put in.
struct Values<'v> {
    positional: &'v [Value],
    named: &'v Kwargs,
    /// The next that has no number; `None` once numbers are given.
    next: usize,
}

/// Puts values in the braces of a text.
pub(in crate::render) fn braces(
    text: &str,
    positional: &[Value],
    named: &Kwargs,
) -> Result<String, Error> {
    let mut values = Values {
        positional,
        named,
        next: 0,
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(tail) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = tail;
            continue;
        }
        let end = closing(rest).filter(|_| brace == "{");
        let end = end.ok_or_else(|| refused("a brace has no other; write `{{` for a brace"))?;
        out.push_str(&put_in(&rest[..end], &mut values)?);
        rest = &rest[end + 1..];
        if out.len() > MAX_FILTERED {
            return Err(Error::from(ErrorKind::OutOfFuel));
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Where the braces close that have been opened, one pair inside of them aside.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0;
    for (at, character) in text.char_indices() {
        match character {
            '{' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

/// What stands for `name.attribute[key]!r:layout`.
fn put_in(inside: &str, values: &mut Values<'_>) -> Result<String, Error> {
    let (front, layout) = inside.split_once(':').unwrap_or((inside, ""));
    let (name, conversion) = match front.split_once('!') {
        Some((name, conversion)) => (name, Some(conversion)),
        None => (front, None),
    };
    let value = look_up(name, values)?;
    let layout = match layout.contains('{') {
        true => nested(layout, values)?,
        false => layout.to_owned(),
    };
    let (field, kind) = read(&layout)?;
    match conversion {
        Some("r" | "a") => return Ok(field.text_left(&python::quoted_text(&value)?)),
        Some("s") => return Ok(field.text_left(&python::text(&value)?)),
        Some(other) => return Err(refused(format!("there is no conversion `!{other}`"))),
        None => {}
    }
    // With a layout a boolean is a number.
    let laid_out = value.kind() == ValueKind::Bool && !layout.is_empty();
    let value = if laid_out {
        Value::from(i64::from(value.is_true()))
    } else {
        value
    };
    let is_number = value.kind() == ValueKind::Number;
    match kind {
        Some(kind) => field.number(kind, &value),
        None if is_number => plain_number(&field, &value),
        None => Ok(field.text_left(&python::text(&value)?)),
    }
}

/// A layout that has values put in itself.
fn nested(layout: &str, values: &mut Values<'_>) -> Result<String, Error> {
    let mut out = String::new();
    let mut rest = layout;
    while let Some((front, tail)) = rest.split_once('{') {
        let unclosed = || refused("a brace has no other");
        let (name, tail) = tail.split_once('}').ok_or_else(unclosed)?;
        out.push_str(front);
        out.push_str(&python::text(&look_up(name, values)?)?);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

fn look_up(path: &str, values: &mut Values<'_>) -> Result<Value, Error> {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (name, mut rest) = path.split_at(end);
    let missing = || refused(format!("there is no value `{name}` to put in"));
    let mut value = match name.parse::<usize>() {
        _ if name.is_empty() => {
            values.next += 1;
            values
                .positional
                .get(values.next - 1)
                .cloned()
                .ok_or_else(missing)?
        }
        Ok(number) => values.positional.get(number).cloned().ok_or_else(missing)?,
        Err(_) if values.named.has(name) => values.named.get(name)?,
        Err(_) => return Err(missing()),
    };
    while !rest.is_empty() {
        let (part, tail) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some(both) => both,
            None => {
                let name = rest.trim_start_matches('.');
                name.split_at(name.find(['.', '[']).unwrap_or(name.len()))
            }
        };
        value = match part.parse::<usize>() {
            Ok(number) if value.kind() != ValueKind::Map => value.get_item_by_index(number)?,
            _ => value.get_item(&Value::from(part))?,
        };
        value = given(value, None)?;
        if tail == rest {
            return Err(missing());
        }
        rest = tail;
    }
    given(value, None)
}

/// Reads `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
fn read(layout: &str) -> Result<(Field, Option<Kind>), Error> {
    let mut field = Field::default();
    let letters: Vec<char> = layout.chars().collect();
    let is_align = |letter: Option<&char>| letter.is_some_and(|letter| "<>=^".contains(*letter));
    let mut at = 0;
    if is_align(letters.get(1)) {
        (field.fill, field.align) = (letters.first().copied(), letters.get(1).copied());
        at = 2;
    } else if is_align(letters.first()) {
        field.align = letters.first().copied();
        at = 1;
    }
    let mut letters = letters.into_iter().skip(at).peekable();
    field.sign = letters.next_if(|letter| "+- ".contains(*letter));
    field.alternate = letters.next_if_eq(&'#').is_some();
    field.zeros = letters.next_if_eq(&'0').is_some();
    field.width = digits(&mut letters)?.unwrap_or(0);
    field.grouping = letters.next_if(|letter| ",_".contains(*letter));
    if letters.next_if_eq(&'.').is_some() {
        field.precision = digits(&mut letters)?;
    }
    let kind = match letters.next() {
        None | Some('s') => None,
        Some('d' | 'n') => Some(Kind::Decimal),
        Some('x') => Some(Kind::Hex),
        Some('X') => Some(Kind::UpperHex),
        Some('o') => Some(Kind::Octal),
        Some('b') => Some(Kind::Binary),
        Some('f' | 'F') => Some(Kind::Fixed),
        Some('e') => Some(Kind::Exponent),
        Some('g') => Some(Kind::General),
        Some('%') => Some(Kind::Percent),
        Some(other) => return Err(refused(format!("there is no layout `{other}`"))),
    };
    match letters.next() {
        None => Ok((field, kind)),
        Some(_) => Err(refused(format!("`{layout}` is no layout of a value"))),
    }
}

/// A width or precision.
fn digits(
    letters: &mut std::iter::Peekable<impl Iterator<Item = char>>,
) -> Result<Option<usize>, Error> {
    let mut text = String::new();
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        text.push(digit);
    }
    match text.parse::<usize>() {
        _ if text.is_empty() => Ok(None),
        Ok(width) if width <= MAX_WIDTH => Ok(Some(width)),
        _ => Err(Error::from(ErrorKind::OutOfFuel)),
    }
}
