//! Whether a text can stand in YAML as it is, or in which quotes.

use std::sync::LazyLock;

use minijinja::value::ValueKind;
use minijinja::{Error, Value};
use regex::Regex;

use crate::render::filters::refused;
use crate::render::python;

/// What YAML 1.1 reads as something else than text.
const OTHER: &str = r"(?x)^(?:
    yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF
    |[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?
    |\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?
    |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*
    |[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)
    |[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+
    |[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+
    |<<|=|~|null|Null|NULL|
    |[0-9]{4}-[0-9]{2}-[0-9]{2}
    |[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[\ \t]+)[0-9][0-9]?:[0-9]{2}:[0-9]{2}
     (?:\.[0-9]*)?(?:[\ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9]{2})?))?
)$";

static OTHER_REGEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(OTHER).ok());

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
}

/// Where a scalar stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Inside of brackets or braces.
    pub(super) in_flow: bool,
    /// As the key of a mapping.
    pub(super) is_key: bool,
}

/// The text of a scalar that is none, and whether it is text.
pub(super) fn text_of(value: &Value) -> Result<(String, bool), Error> {
    Ok(match value.kind() {
        ValueKind::String => (value.as_str().unwrap_or_default().to_owned(), true),
        ValueKind::None => ("null".to_owned(), false),
        ValueKind::Bool => (value.is_true().to_string(), false),
        ValueKind::Number if value.is_integer() => (value.to_string(), false),
        ValueKind::Number => {
            let text = match python::text(value)?.as_str() {
                "inf" => ".inf".to_owned(),
                "-inf" => "-.inf".to_owned(),
                "nan" => ".nan".to_owned(),
                number if !number.contains('.') => number.replacen('e', ".0e", 1),
                number => number.to_owned(),
            };
            (text, false)
        }
        ValueKind::Undefined => return Err(minijinja::ErrorKind::UndefinedError.into()),
        kind => return Err(refused(format!("{kind} cannot be written"))),
    })
}

/// How a text is written at a place.
pub(super) fn style(text: &str, is_text: bool, place: Place) -> Style {
    let allowed = Allowed::of(text);
    let other = OTHER_REGEX
        .as_ref()
        .is_some_and(|regex| regex.is_match(text));
    let plain = match place.in_flow {
        true => allowed.flow_plain,
        false => allowed.block_plain,
    };
    let broken_key = place.is_key && (text.is_empty() || text.contains('\n'));
    if plain && !broken_key && !(is_text && other) {
        return Style::Plain;
    }
    match allowed.single_quoted && !(place.is_key && text.contains('\n')) {
        true => Style::Single,
        false => Style::Double,
    }
}

/// What a text can be written as.
struct Allowed {
    flow_plain: bool,
    block_plain: bool,
    single_quoted: bool,
}

impl Allowed {
    fn of(text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let (flow, block) = indicators(&characters);
        let breaks = text.contains(is_break);
        let edges = text.starts_with(is_blank) || text.ends_with(is_blank);
        let pairs = || characters.windows(2);
        let break_space = pairs().any(|two| is_break(two[0]) && two[1] == ' ');
        let space_break = pairs().any(|two| two[0] == ' ' && is_break(two[1]));
        let special = characters.iter().any(|c| !is_printable(*c));
        let plain = !(edges || break_space || space_break || special || breaks);
        Self {
            flow_plain: plain && !flow && !text.is_empty(),
            block_plain: plain && !block,
            single_quoted: !(break_space || space_break || special),
        }
    }
}

fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(character: char) -> bool {
    character == ' ' || is_break(character)
}

/// What is not escaped. The library knows no letters beyond 16 bits.
pub(super) fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && character != '\u{feff}'
}

/// Whether a text has marks of YAML in it, inside of brackets and outside.
fn indicators(characters: &[char]) -> (bool, bool) {
    let ends = |at: usize| {
        let next = characters.get(at);
        next.is_none_or(|c| matches!(c, '\0' | ' ' | '\t' | '\r') || is_break(*c))
    };
    let front: String = characters.iter().take(3).collect();
    let mut flow = matches!(front.as_str(), "---" | "...");
    let mut block = flow;
    for (at, character) in characters.iter().enumerate() {
        let followed = ends(at + 1);
        match character {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`'
                if at == 0 =>
            {
                (flow, block) = (true, true);
            }
            '-' if at == 0 && followed => (flow, block) = (true, true),
            '?' if at == 0 => (flow, block) = (true, block || followed),
            ':' => (flow, block) = (true, block || followed),
            ',' | '?' | '[' | ']' | '{' | '}' => flow = true,
            '#' if ends(at - 1) => (flow, block) = (true, true),
            _ => {}
        }
    }
    (flow, block)
}
