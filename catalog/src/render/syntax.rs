//! How a template marks its statements, and what it does with the white space around them.
//!
//! Three places say so, each above the one before: `holdfast.yaml`, the file resource, and the
//! first line of the template, in Ansible's words: `#jinja2: lstrip_blocks: True`.

use std::ops::Range;

use minijinja::syntax::SyntaxConfig;

/// What begins the line that overrides.
const HEADER: &str = "#jinja2:";

/// Longest mark of a statement that is taken; what people use has two to six characters.
const MAX_MARK: usize = 32;

/// What happens to the white space around statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Whitespace {
    /// The line break right behind a statement goes away.
    pub(crate) trim_blocks: bool,
    /// The blanks between the beginning of a line and a statement go away.
    pub(crate) lstrip_blocks: bool,
}

impl Whitespace {
    /// Every way there is.
    pub(crate) const ALL: [Self; 4] = [
        Self::of(false, false),
        Self::of(false, true),
        Self::of(true, false),
        Self::of(true, true),
    ];

    const fn of(trim_blocks: bool, lstrip_blocks: bool) -> Self {
        Self {
            trim_blocks,
            lstrip_blocks,
        }
    }
}

impl Default for Whitespace {
    /// As Ansible's template module has it.
    fn default() -> Self {
        Self {
            trim_blocks: true,
            lstrip_blocks: false,
        }
    }
}

/// How a text is read, and where it begins.
#[derive(Debug, Clone)]
pub(super) struct Syntax {
    pub(super) config: SyntaxConfig,
    /// How long the header is, with its line break.
    pub(super) header: usize,
}

/// What is wrong with a header, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadHeader {
    pub(super) range: Range<usize>,
    pub(super) message: String,
    pub(super) help: &'static str,
}

/// The marks of a syntax, as its header can set them.
#[derive(Debug, Clone)]
struct Settings {
    whitespace: Whitespace,
    block: [String; 2],
    variable: [String; 2],
    comment: [String; 2],
    line_statement: String,
    line_comment: String,
}

/// The syntax of programs in YAML.
pub(super) fn of_scalars() -> SyntaxConfig {
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).keep_trailing_newline(true);
    syntax.build().unwrap_or_default()
}

impl Syntax {
    /// The syntax of a template: as its header says, else as given.
    pub(super) fn of(text: &str, whitespace: Whitespace) -> Result<Self, BadHeader> {
        let mut settings = Settings::new(whitespace);
        let header = match text.strip_prefix(HEADER) {
            None => 0,
            Some(rest) => {
                let line = rest.split('\n').next().unwrap_or_default();
                settings.read(line)?;
                (HEADER.len() + line.len() + 1).min(text.len())
            }
        };
        let config = settings.config().map_err(|()| BadHeader {
            range: 0..header,
            message: "two marks of this header are the same, or one is empty".to_owned(),
            help: "statements, expressions and comments are told apart by how they begin",
        })?;
        Ok(Self { config, header })
    }
}

impl Settings {
    fn new(whitespace: Whitespace) -> Self {
        let pair = |open: &str, close: &str| [open.to_owned(), close.to_owned()];
        Self {
            whitespace,
            block: pair("{%", "%}"),
            variable: pair("{{", "}}"),
            comment: pair("{#", "#}"),
            line_statement: String::new(),
            line_comment: String::new(),
        }
    }

    /// Reads `name: value, name: value`.
    fn read(&mut self, line: &str) -> Result<(), BadHeader> {
        let mut at = HEADER.len();
        for pair in line.trim_end_matches('\r').split(',') {
            let range = at..at + pair.len();
            at = range.end + 1;
            self.set(pair).map_err(|message| BadHeader {
                range,
                message,
                help: "write `#jinja2: lstrip_blocks: True, trim_blocks: False`; values are \
                       True, False or quoted text",
            })?;
        }
        Ok(())
    }

    fn set(&mut self, pair: &str) -> Result<(), String> {
        let Some((name, value)) = pair.split_once(':') else {
            return Err(format!("`{}` is not `NAME: VALUE`", pair.trim()));
        };
        let (name, value) = (name.trim(), value.trim());
        let target = match name {
            "trim_blocks" => return flag(value).map(|on| self.whitespace.trim_blocks = on),
            "lstrip_blocks" => return flag(value).map(|on| self.whitespace.lstrip_blocks = on),
            "block_start_string" => &mut self.block[0],
            "block_end_string" => &mut self.block[1],
            "variable_start_string" => &mut self.variable[0],
            "variable_end_string" => &mut self.variable[1],
            "comment_start_string" => &mut self.comment[0],
            "comment_end_string" => &mut self.comment[1],
            "line_statement_prefix" => &mut self.line_statement,
            "line_comment_prefix" => &mut self.line_comment,
            // Lines of a managed file end as they end everywhere on the host.
            "newline_sequence" if quoted(value) == Some("\\n") => return Ok(()),
            // Line breaks at the end are those of the template, whatever is said here.
            "keep_trailing_newline" => return flag(value).map(drop),
            _ => return Err(format!("a template has no setting `{name}`")),
        };
        let mark = quoted(value).filter(|mark| mark.len() <= MAX_MARK);
        let mark = mark.ok_or_else(|| format!("`{value}` is no mark: it is short quoted text"))?;
        mark.clone_into(target);
        Ok(())
    }

    fn config(self) -> Result<SyntaxConfig, ()> {
        let mut syntax = SyntaxConfig::builder();
        let [open, close] = self.block;
        syntax.block_delimiters(open, close);
        let [open, close] = self.variable;
        syntax.variable_delimiters(open, close);
        let [open, close] = self.comment;
        syntax.comment_delimiters(open, close);
        if !self.line_statement.is_empty() {
            syntax.line_statement_prefix(self.line_statement);
        }
        if !self.line_comment.is_empty() {
            syntax.line_comment_prefix(self.line_comment);
        }
        syntax
            .trim_blocks(self.whitespace.trim_blocks)
            .lstrip_blocks(self.whitespace.lstrip_blocks)
            .keep_trailing_newline(false)
            .build()
            .map_err(drop)
    }
}

fn flag(value: &str) -> Result<bool, String> {
    match value {
        "True" => Ok(true),
        "False" => Ok(false),
        _ => Err(format!("`{value}` is neither True nor False")),
    }
}

/// The inside of `'…'` or `"…"`.
fn quoted(value: &str) -> Option<&str> {
    let quote = value.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inside = value.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inside.contains(quote)).then_some(inside)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Result<Syntax, BadHeader> {
        Syntax::of(text, Whitespace::default())
    }

    #[test]
    fn a_header_overrides() {
        let text =
            "#jinja2: lstrip_blocks: True, trim_blocks: False, variable_start_string: '[['\nx";
        let syntax = read(text).unwrap();
        assert!(syntax.config.lstrip_blocks() && !syntax.config.trim_blocks());
        assert_eq!(syntax.config.variable_delimiters(), ("[[", "}}"));
        assert_eq!(&text[syntax.header..], "x");
        assert_eq!(read("# jinja2: nothing\n").unwrap().header, 0);
        assert_eq!(read("#jinja2: trim_blocks: True").unwrap().header, 26);
    }

    #[test]
    fn what_a_header_cannot_say_is_told_where_it_stands() {
        let wrong = |text: &str| {
            let bad = read(text).unwrap_err();
            (text[bad.range].to_owned(), bad.message)
        };
        assert_eq!(
            wrong("#jinja2: trim_blocks: yes\n"),
            (
                " trim_blocks: yes".to_owned(),
                "`yes` is neither True nor False".to_owned()
            )
        );
        assert_eq!(
            wrong("#jinja2: trim_blocks: True, trim: True\n").1,
            "a template has no setting `trim`"
        );
        assert_eq!(
            wrong("#jinja2: trim_blocks\n").1,
            "`trim_blocks` is not `NAME: VALUE`"
        );
        assert!(
            wrong("#jinja2: block_start_string: '{{'\n")
                .1
                .contains("the same")
        );
        assert!(
            wrong("#jinja2: block_start_string: ''\n")
                .1
                .contains("empty")
        );
    }
}
