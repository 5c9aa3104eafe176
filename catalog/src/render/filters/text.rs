//! Filters over text: regular expressions, paths, the shell's quotes, base64, comments.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::{Kwargs, Rest};
use minijinja::{Environment, Error, Value};
use regex::{Captures, Regex, RegexBuilder};

use super::{MAX_FILTERED, bounded, refused};
use crate::render::python;

/// Largest compiled regular expression, in bytes.
const MAX_REGEX: usize = 1024 * 1024;

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("regex_replace", regex_replace);
    environment.add_filter("regex_search", regex_search);
    environment.add_filter("regex_findall", regex_find_all);
    environment.add_filter("b64encode", |text: Value| {
        python::text(&text).map(|text| BASE64_STANDARD.encode(text))
    });
    environment.add_filter("b64decode", decode);
    environment.add_filter("quote", quote);
    environment.add_filter("basename", |path: String| {
        path.rsplit('/').next().unwrap_or_default().to_owned()
    });
    environment.add_filter("dirname", dirname);
    environment.add_filter("comment", comment);
    environment.add_filter("join", join);
}

/// `['a', true]|join(', ')`, with values as Python's `str` gives them.
fn join(items: Value, separator: Option<String>, options: Kwargs) -> Result<String, Error> {
    let attribute = options.get::<Option<String>>("attribute")?;
    let named = options.get::<Option<String>>("d")?;
    options.assert_all_used()?;
    let separator = separator.or(named).unwrap_or_default();
    let mut joined = String::new();
    for (place, item) in items.try_iter()?.enumerate() {
        let item = match &attribute {
            Some(path) => path
                .split('.')
                .try_fold(item, |item, name| item.get_attr(name))?,
            None => item,
        };
        super::given(item.clone(), None)?;
        if place > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&python::text(&item)?);
        if joined.len() > MAX_FILTERED {
            return bounded(joined);
        }
    }
    Ok(joined)
}

fn regex(pattern: &str, options: &Kwargs) -> Result<Regex, Error> {
    let ignore_case = options.get::<Option<bool>>("ignorecase")?.unwrap_or(false);
    let multi_line = options.get::<Option<bool>>("multiline")?.unwrap_or(false);
    options.assert_all_used()?;
    RegexBuilder::new(pattern)
        .case_insensitive(ignore_case)
        .multi_line(multi_line)
        .size_limit(MAX_REGEX)
        .build()
        .map_err(|error| refused(format!("`{pattern}` is no regular expression: {error}")))
}

/// Python's `\1` and `\g<name>` in a replacement.
fn expand(out: &mut String, replacement: &str, captures: &Captures<'_>) {
    let mut rest = replacement;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
        let named = rest
            .strip_prefix("g<")
            .and_then(|tail| tail.split_once('>'));
        if digits > 0 {
            let group = rest[..digits]
                .parse()
                .ok()
                .and_then(|number| captures.get(number));
            out.push_str(group.map_or("", |group| group.as_str()));
            rest = &rest[digits..];
        } else if let Some((name, tail)) = named {
            let by_number = name.parse().ok().and_then(|number| captures.get(number));
            let group = by_number.or_else(|| captures.name(name));
            out.push_str(group.map_or("", |group| group.as_str()));
            rest = tail;
        } else {
            let escaped = rest.chars().next();
            out.push(match escaped {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            });
            rest = &rest[escaped.map_or(0, char::len_utf8)..];
        }
    }
    out.push_str(rest);
}

fn regex_replace(
    text: Value,
    pattern: String,
    replacement: String,
    options: Kwargs,
) -> Result<String, Error> {
    let regex = regex(&pattern, &options)?;
    let text = python::text(&text)?;
    let mut out = String::new();
    let mut from = 0;
    for captures in regex.captures_iter(&text) {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        out.push_str(&text[from..whole.start()]);
        expand(&mut out, &replacement, &captures);
        from = whole.end();
        if out.len() > MAX_FILTERED {
            return bounded(out);
        }
    }
    out.push_str(&text[from..]);
    bounded(out)
}

fn regex_search(
    text: Value,
    pattern: String,
    groups: Rest<String>,
    options: Kwargs,
) -> Result<Value, Error> {
    let regex = regex(&pattern, &options)?;
    let text = python::text(&text)?;
    let Some(captures) = regex.captures(&text) else {
        return Ok(Value::from(()));
    };
    if groups.is_empty() {
        return Ok(Value::from(
            captures.get(0).map_or("", |whole| whole.as_str()),
        ));
    }
    let found = groups.iter().map(|group| {
        let mut out = String::new();
        expand(&mut out, group, &captures);
        Value::from(out)
    });
    Ok(found.collect())
}

fn regex_find_all(text: Value, pattern: String, options: Kwargs) -> Result<Value, Error> {
    let regex = regex(&pattern, &options)?;
    let text = python::text(&text)?;
    let found = regex.captures_iter(&text).map(|captures| {
        let group =
            |number: usize| Value::from(captures.get(number).map_or("", |one| one.as_str()));
        match captures.len() {
            1 => group(0),
            2 => group(1),
            more => (1..more).map(group).collect(),
        }
    });
    Ok(found.collect())
}

fn decode(text: String) -> Result<String, Error> {
    let bytes = BASE64_STANDARD.decode(text.trim());
    let bytes = bytes.map_err(|error| refused(format!("not base64: {error}")))?;
    String::from_utf8(bytes).map_err(|_| refused("the decoded bytes are not UTF-8"))
}

/// A word that the shell takes as one.
fn quote(text: Value) -> Result<String, Error> {
    let text = python::text(&text)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => Ok(text),
        false => bounded(format!("'{}'", text.replace('\'', "'\"'\"'"))),
    }
}

fn dirname(path: String) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((folder, _)) => folder.trim_end_matches('/').to_owned(),
        None => String::new(),
    }
}

/// The text as a comment of lines that begin with `# `.
fn comment(text: Value, style: Option<String>, options: Kwargs) -> Result<String, Error> {
    let decoration = options.get::<Option<String>>("decoration")?;
    options.assert_all_used()?;
    let by_style = match style.as_deref().unwrap_or("plain") {
        "plain" => "# ",
        "c" => "// ",
        "erlang" => "% ",
        other => return Err(refused(format!("`{other}` is no style: plain, c, erlang"))),
    };
    let decoration = decoration.unwrap_or_else(|| by_style.to_owned());
    let bare = decoration.trim_end();
    let text = python::text(&text)?;
    let lines = text.lines().map(|line| match line.is_empty() {
        true => bare.to_owned(),
        false => format!("{decoration}{line}"),
    });
    let lines: Vec<String> = lines.collect();
    bounded(format!("{bare}\n{}\n{bare}", lines.join("\n")))
}
