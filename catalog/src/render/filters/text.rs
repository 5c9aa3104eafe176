//! Filters over text: case, replacing, base64, addresses of the web.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};
use super::mapping_pairs;
use crate::render::format;
use crate::render::python;

pub(super) const FILTERS: &[Filter] = &[
    filter("b64decode", &["encoding"], decode),
    filter("b64encode", &["encoding"], encode),
    filter("capitalize", &[], |call| {
        call.gives(python::capitalized(&call.value_as_text()?))
    }),
    filter("escape", &[], |call| {
        call.gives(escaped(&call.value_as_text()?))
    }),
    filter("e", &[], |call| call.gives(escaped(&call.value_as_text()?))),
    filter("forceescape", &[], |call| {
        call.gives(escaped(&call.value_as_text()?))
    }),
    filter("format", &["*", "**"], format_text),
    filter("lower", &[], |call| {
        call.gives(call.value_as_text()?.to_lowercase())
    }),
    filter("replace", &["old", "new", "count"], replace),
    filter("split", &["sep", "maxsplit"], split),
    filter("striptags", &[], strip_tags),
    filter("title", &[], |call| {
        call.gives(title(&call.value_as_text()?))
    }),
    filter("trim", &["chars"], trim),
    filter("upper", &[], |call| {
        call.gives(call.value_as_text()?.to_uppercase())
    }),
    filter("urldecode", &[], url_decode),
    filter("urlencode", &[], url_encode),
];

fn encode(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    call.gives(BASE64_STANDARD.encode(call.value_as_text()?))
}

fn decode(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text: String = call.value_text()?.split_whitespace().collect();
    let bytes = BASE64_STANDARD.decode(text);
    let bytes = bytes.map_err(|error| call.fails(format!("not base64: {error}")))?;
    let text = String::from_utf8(bytes);
    call.gives(text.map_err(|_| call.fails("the decoded bytes are not UTF-8"))?)
}

/// Jinja's `title`: words begin behind blanks, dashes and opening brackets.
fn title(text: &str) -> String {
    let begins = |c: char| c.is_whitespace() || "-({[<".contains(c);
    let pieces = text.split_inclusive(begins);
    pieces.map(python::capitalized).collect()
}

/// As markup has it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            other => out.push(other),
        }
    }
    out
}

fn format_text(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let named = Value::from_pairs(call.named_rest.clone());
    let values = match call.named_rest.is_empty() {
        true => call.rest.as_slice(),
        false if call.rest.is_empty() => std::slice::from_ref(&named),
        false => return Err(call.fails("takes values by place or by name, not both")),
    };
    call.gives(format::percent(&call.value_as_text()?, values)?)
}

fn replace(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    let (old, new) = (
        python::text(call.needed("old")?)?,
        python::text(call.needed("new")?)?,
    );
    let grown = text
        .len()
        .saturating_add(1)
        .saturating_mul(new.len().max(1));
    // Each letter may become the new text where the old one is empty.
    if old.is_empty() || new.len() > old.len() {
        call.steps((grown / old.len().max(1)) >> 8)?;
    }
    let count = call.integer_or("count", -1)?;
    call.gives(match usize::try_from(count) {
        Ok(count) => text.replacen(&old, &new, count),
        Err(_) => text.replace(&old, &new),
    })
}

fn split(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_text()?;
    let most = usize::try_from(call.integer_or("maxsplit", -1)?).unwrap_or(usize::MAX);
    call.steps(text.len() >> 6)?;
    python::split(text, call.some("sep").and_then(Value::as_str), most)
}

fn strip_tags(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    let mut out = String::new();
    let mut depth = false;
    for character in text.chars() {
        match character {
            '<' => depth = true,
            '>' if depth => depth = false,
            other if !depth => out.push(other),
            _ => {}
        }
    }
    let words: Vec<&str> = out.split_whitespace().collect();
    call.gives(words.join(" "))
}

fn trim(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    let trimmed = match call.some("chars").and_then(Value::as_str) {
        Some(characters) => text.trim_matches(|c| characters.contains(c)),
        None => text.trim(),
    };
    call.gives(trimmed.to_owned())
}

fn url_decode(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?.replace('+', " ");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    call.gives(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text as part of an address, or a mapping or pairs as its query.
fn url_encode(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let pairs: Vec<(Value, Value)> = match call.value.kind() {
        ValueKind::Map => mapping_pairs(&call.value)?.into_iter().collect(),
        ValueKind::Seq | ValueKind::Iterable => call
            .items()?
            .iter()
            .map(|pair| Ok((pair.get_item_by_index(0)?, pair.get_item_by_index(1)?)))
            .collect::<Result<_, Error>>()?,
        _ => return call.gives(percent_encoded(&call.value_as_text()?, "/")),
    };
    let mut query = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        let part = |value: &Value| {
            let text = python::text(value)?;
            Ok::<_, Error>(percent_encoded(&text, "").replace("%20", "+"))
        };
        query.push(format!("{}={}", part(&key)?, part(&value)?));
    }
    call.gives(query.join("&"))
}

fn percent_encoded(text: &str, safe: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        match byte.is_ascii_alphanumeric() || "_.-~".contains(character) {
            true => out.push(character),
            false if byte.is_ascii() && safe.contains(character) => out.push(character),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
