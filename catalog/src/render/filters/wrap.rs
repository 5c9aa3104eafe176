//! Filters that lay text out: lines, widths, margins.

use minijinja::{Error, Value};

use super::call::{Call, Filter, filter};
use crate::render::python;

/// Widest that text is laid out, in columns.
const MAX_WIDTH: i64 = 100_000;

pub(super) const FILTERS: &[Filter] = &[
    filter("center", &["width"], center),
    filter("indent", &["width", "first", "blank"], indent),
    filter(
        "truncate",
        &["length", "killwords", "end", "leeway"],
        truncate,
    ),
    filter(
        "wordwrap",
        &[
            "width",
            "break_long_words",
            "wrapstring",
            "break_on_hyphens",
        ],
        word_wrap,
    ),
];

fn width(call: &Call<'_, '_, '_>, name: &str, or: i64) -> Result<usize, Error> {
    let width = call.integer_or(name, or)?;
    if width > MAX_WIDTH {
        return Err(call.fails(format!("`{name}` is more than {MAX_WIDTH} columns")));
    }
    Ok(usize::try_from(width).unwrap_or(0))
}

fn center(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    call.gives(python::centered(&text, width(call, "width", 80)?, ' '))
}

fn indent(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    let margin = match call.some("width").and_then(Value::as_str) {
        Some(margin) => margin.to_owned(),
        None => " ".repeat(width(call, "width", 4)?),
    };
    let lines = text.matches('\n').count() + 1;
    call.steps(lines.saturating_mul(margin.len()) >> 6)?;
    // Python takes the last line break away and puts it back as an empty line.
    let text = text + "\n";
    let lines: Vec<&str> = lines_of(&text);
    let mut out = String::new();
    for (place, line) in lines.iter().enumerate() {
        let blank = line.is_empty() && !call.flag("blank");
        if place > 0 {
            out.push('\n');
        }
        let margined = match place {
            0 => call.flag("first"),
            _ => !blank,
        };
        out.push_str(if margined { &margin } else { "" });
        out.push_str(line);
    }
    call.gives(out)
}

/// Python's `splitlines`, without the line breaks.
fn lines_of(text: &str) -> Vec<&str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n').collect()
}

fn truncate(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    let (length, leeway) = (width(call, "length", 255)?, width(call, "leeway", 0)?);
    let end = call.text_or("end", "...")?;
    let leeway = if call.argument("leeway").is_some() {
        leeway
    } else {
        5
    };
    if text.chars().count() <= length + leeway {
        return call.gives(text);
    }
    let kept = length.checked_sub(end.chars().count());
    let kept = kept.ok_or_else(|| call.fails("`length` is less than that of the end"))?;
    let short: String = text.chars().take(kept).collect();
    let short = match call.flag("killwords") {
        true => short.as_str(),
        false => short
            .rsplit_once(' ')
            .map_or(short.as_str(), |(words, _)| words),
    };
    call.gives(format!("{short}{end}"))
}

fn word_wrap(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let text = call.value_as_text()?;
    let width = width(call, "width", 79)?.max(1);
    let wrap = call.text_or("wrapstring", "\n")?;
    let wrapping = Wrapping {
        width,
        break_words: call.flag_or_true("break_long_words"),
        break_hyphens: call.flag_or_true("break_on_hyphens"),
    };
    call.steps(text.len() >> 4)?;
    let lines = text.lines().map(|line| wrapping.wrapped(line).join(wrap));
    call.gives(lines.collect::<Vec<String>>().join(wrap))
}

/// Python's `textwrap`, without its handling of white space.
struct Wrapping {
    width: usize,
    break_words: bool,
    break_hyphens: bool,
}

impl Wrapping {
    fn wrapped(&self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        let mut used = 0;
        let mut chunks: std::collections::VecDeque<String> = self.chunks(text).into();
        while let Some(chunk) = chunks.pop_front() {
            let length = chunk.chars().count();
            if used + length <= self.width {
                // A line does not begin with the blanks that ended the one before.
                if !(used == 0 && !lines.is_empty() && chunk.trim().is_empty()) {
                    line.push_str(&chunk);
                    used += length;
                }
                continue;
            }
            if chunk.trim().is_empty() {
                push_line(&mut lines, &mut line, &mut used);
                continue;
            }
            if length > self.width && self.break_words {
                let room = (self.width - used).max(usize::from(used == 0));
                line.extend(chunk.chars().take(room));
                chunks.push_front(chunk.chars().skip(room).collect());
            } else if used == 0 {
                line = chunk;
            } else {
                chunks.push_front(chunk);
            }
            push_line(&mut lines, &mut line, &mut used);
        }
        if !line.is_empty() {
            push_line(&mut lines, &mut line, &mut used);
        }
        lines
    }

    /// Words and the blanks between them; words with hyphens in parts.
    fn chunks(&self, text: &str) -> Vec<String> {
        let mut chunks: Vec<String> = Vec::new();
        let mut before: Option<char> = None;
        let characters: Vec<char> = text.chars().collect();
        for (place, character) in characters.iter().enumerate() {
            let new_kind = before.is_none_or(|b| b.is_whitespace() != character.is_whitespace());
            let letter = |at: Option<usize>| {
                at.and_then(|at| characters.get(at))
                    .is_some_and(|c| c.is_alphabetic())
            };
            let behind_hyphen = self.break_hyphens
                && before == Some('-')
                && letter(Some(place))
                && letter(place.checked_sub(2));
            match chunks.last_mut() {
                Some(chunk) if !new_kind && !behind_hyphen => chunk.push(*character),
                _ => chunks.push(character.to_string()),
            }
            before = Some(*character);
        }
        chunks
    }
}

/// Ends a line, without the blanks at its end.
fn push_line(lines: &mut Vec<String>, line: &mut String, used: &mut usize) {
    *used = 0;
    let ended = std::mem::take(line);
    let ended = ended.trim_end();
    if !ended.is_empty() {
        lines.push(ended.to_owned());
    }
}
