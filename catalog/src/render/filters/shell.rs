//! Filters for what shells and files of other languages read: quotes and comments.

use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};

/// Most empty lines that a comment begins or ends with.
const MAX_EMPTY: i64 = 1000;

pub(super) const FILTERS: &[Filter] = &[
    filter(
        "comment",
        &[
            "style",
            "decoration",
            "newline",
            "beginning",
            "prefix",
            "prefix_count",
            "postfix",
            "postfix_count",
            "end",
        ],
        comment,
    ),
    filter("quote", &[], quote),
];

/// A word that the shell takes as one.
fn quote(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = match call.value.is_none() {
        true => String::new(),
        false => call.value_as_text()?,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => call.gives(text),
        false => call.gives(format!("'{}'", text.replace('\'', "'\"'\"'"))),
    }
}

/// What a style begins with, puts before each line, and ends with.
fn style(name: &str) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match name {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        _ => return None,
    })
}

/// The text as a comment.
fn comment(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    let name = call.text_or("style", "plain")?;
    let unknown = || {
        call.fails(format!(
            "`{name}` is no style: plain, erlang, c, cblock, xml"
        ))
    };
    let (beginning, decoration, end) = style(name).ok_or_else(unknown)?;
    let decoration = call.text_or("decoration", decoration)?;
    let newline = call.text_or("newline", "\n")?;
    let beginning = call.text_or("beginning", beginning)?;
    let end = call.text_or("end", end)?;
    let bare = decoration.trim_end();
    let prefix = call.text_or("prefix", bare)?;
    let postfix = call.text_or("postfix", bare)?;
    let count = |name: &str| {
        let count = call.integer_or(name, 1)?.clamp(0, MAX_EMPTY);
        Ok::<usize, Error>(usize::try_from(count).unwrap_or(0))
    };
    let lines = if newline.is_empty() {
        text.len()
    } else {
        text.matches(newline).count()
    };
    call.steps((lines + 1).saturating_mul(decoration.len() + newline.len()) >> 6)?;
    let mut out = String::new();
    if !beginning.is_empty() {
        out += beginning;
        out += newline;
    }
    if !prefix.is_empty() {
        let line = match prefix == newline {
            true => newline.to_owned(),
            false => format!("{prefix}{newline}"),
        };
        out += &line.repeat(count("prefix_count")?);
    }
    let decorated = text.replace(newline, &format!("{newline}{decoration}"));
    let decorated = format!("{decoration}{decorated}");
    out += &decorated.replace(
        &format!("{decoration}{newline}"),
        &format!("{bare}{newline}"),
    );
    out += &format!("{newline}{postfix}").repeat(count("postfix_count")?);
    if !end.is_empty() {
        out += newline;
        out += end;
    }
    call.gives(out)
}
