//! Versions compared as Python's libraries compare them.

use std::cmp::Ordering;

use minijinja::{Error, Value};

use crate::render::filters::Call;
use crate::render::python;

/// A part of a loose version.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Number(u64),
    Word(String),
}

/// Whether a version stands to another as is said.
pub(super) fn compare(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let (a, b) = (
        call.value_as_text()?,
        python::text(call.needed("version")?)?,
    );
    if a.is_empty() || b.is_empty() {
        return Err(call.fails("a version is not empty"));
    }
    let kind = match call.argument("strict") {
        Some(strict) if strict.is_true() => "strict",
        _ => call.text_or("version_type", "loose")?,
    };
    let order = match kind {
        "loose" => loose(&a, &b),
        "strict" => both(&a, &b, strict),
        "semver" | "semantic" => both(&a, &b, semantic),
        other => {
            let known = "loose, strict, semver, semantic";
            return Err(call.fails(format!("there is no type of versions `{other}`: {known}")));
        }
    };
    let order = order.ok_or_else(|| {
        call.fails(format!(
            "`{a}` and `{b}` are no {kind} versions that can be compared"
        ))
    })?;
    let holds = match call.text_or("operator", "==")? {
        "==" | "=" | "eq" => order == Ordering::Equal,
        "!=" | "<>" | "ne" => order != Ordering::Equal,
        "<" | "lt" => order == Ordering::Less,
        "<=" | "le" => order != Ordering::Greater,
        ">" | "gt" => order == Ordering::Greater,
        ">=" | "ge" => order != Ordering::Less,
        other => return Err(call.fails(format!("there is no operator `{other}`"))),
    };
    Ok(Value::from(holds))
}

fn both<T: Ord>(a: &str, b: &str, read: fn(&str) -> Option<T>) -> Option<Ordering> {
    Some(read(a)?.cmp(&read(b)?))
}

/// Numbers, words and what is between them, dots aside.
fn parts(text: &str) -> Vec<Part> {
    let kind = |c: char| match c {
        '.' => 0,
        c if c.is_ascii_digit() => 1,
        c if c.is_ascii_lowercase() => 2,
        _ => 3,
    };
    let mut parts: Vec<(u8, String)> = Vec::new();
    for character in text.chars() {
        match parts.last_mut() {
            Some((held, word)) if *held == kind(character) && *held != 0 => word.push(character),
            _ => parts.push((kind(character), character.to_string())),
        }
    }
    let parts = parts.into_iter().filter(|(kind, _)| *kind != 0);
    parts
        .map(|(_, word)| match word.parse() {
            Ok(number) => Part::Number(number),
            Err(_) => Part::Word(word),
        })
        .collect()
}

/// Numbers and words have no order between them.
fn loose(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parts(a), parts(b));
    for (a, b) in a.iter().zip(&b) {
        let order = match (a, b) {
            (Part::Number(a), Part::Number(b)) => a.cmp(b),
            (Part::Word(a), Part::Word(b)) => a.cmp(b),
            _ => return None,
        };
        if order != Ordering::Equal {
            return Some(order);
        }
    }
    Some(a.len().cmp(&b.len()))
}

/// The numbers of a strict version, and the letter and number behind them.
type Strict = ([u64; 3], (char, u64));

/// `1.2`, `1.2.3`, `1.2.3a1`, `1.2.3b1`; one with a letter comes before one without.
fn strict(text: &str) -> Option<Strict> {
    let (front, pre) = match text.find(['a', 'b']) {
        Some(at) => {
            let letter = text[at..].chars().next()?;
            (&text[..at], Some((letter, text[at + 1..].parse().ok()?)))
        }
        None => (text, None),
    };
    let numbers: Vec<u64> = front
        .split('.')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let numbers = match numbers[..] {
        [a, b] => [a, b, 0],
        [a, b, c] => [a, b, c],
        _ => return None,
    };
    // `{` comes behind all letters, as no letter at all does.
    Some((numbers, pre.unwrap_or(('{', 0))))
}

/// A part of what stands behind the dash of a semantic version: numbers come before words.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

/// The numbers of a semantic version, and whether it is released: those before are compared too.
type Semantic = ([u64; 3], bool, Vec<Identifier>);

fn semantic(text: &str) -> Option<Semantic> {
    let text = text.split_once('+').map_or(text, |(front, _)| front);
    let (front, pre) = match text.split_once('-') {
        Some((front, pre)) => (front, Some(pre)),
        None => (text, None),
    };
    let numbers: Vec<u64> = front
        .split('.')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let numbers: [u64; 3] = numbers.try_into().ok()?;
    let identifiers = pre.into_iter().flat_map(|pre| pre.split('.'));
    let identifiers = identifiers.map(|part| match part.parse() {
        Ok(number) => Identifier::Number(number),
        Err(_) => Identifier::Word(part.to_owned()),
    });
    Some((numbers, pre.is_none(), identifiers.collect()))
}
