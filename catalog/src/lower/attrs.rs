//! The attributes of one resource, evaluated, and taken by the type that their place wants.
//!
//! What does not fit is told at its place, and reading goes on. An attribute that is nothing
//! (`null`, or an expression that gives none) counts as not given.

use std::collections::BTreeMap;

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::{Command, Ensure, Mode};
use minijinja::Value;
use minijinja::value::ValueKind;

use crate::diag::{Code, Diagnostic, Span, did_you_mean};
use crate::site::describe;

/// The evaluated attributes of a resource.
pub(crate) struct Attrs<'a> {
    /// The title.
    pub(crate) title: &'a str,
    /// Where the title stands.
    pub(crate) span: &'a Span,
    pub(crate) values: Vec<(&'a str, Value, &'a Span)>,
    pub(crate) wrong: Vec<Diagnostic>,
}

impl<'a> Attrs<'a> {
    /// Tells that something is wrong.
    pub(crate) fn tell(&mut self, diagnostic: Diagnostic) {
        self.wrong.push(diagnostic);
    }

    /// The value of an attribute, and its place.
    pub(crate) fn get(&self, name: &str) -> Option<(Value, &'a Span)> {
        let found = self.values.iter().find(|(known, ..)| *known == name);
        let (_, value, span) = found.filter(|(_, value, _)| !value.is_none())?;
        Some((value.clone(), span))
    }

    fn wrong_type(&mut self, name: &str, expected: &str, (value, span): (&Value, &Span)) {
        let message = format!("`{name}` is {expected}, found {}", describe(value));
        self.tell(Diagnostic::new(Code::WrongType, message, span));
    }

    fn parsed<T: std::str::FromStr>(&mut self, text: &str, span: &Span) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let parsed = text.parse();
        parsed
            .map_err(|error: T::Err| {
                self.tell(Diagnostic::new(Code::InvalidValue, error.to_string(), span))
            })
            .ok()
    }

    /// A string; an integer is taken by its digits.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let (value, span) = self.get(name)?;
        let text = as_text(&value);
        if text.is_none() {
            self.wrong_type(name, "a string", (&value, span));
        }
        text
    }

    /// A boolean.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        let (value, span) = self.get(name)?;
        match value.kind() {
            ValueKind::Bool => Some(value.is_true()),
            _ => {
                self.wrong_type(name, "`true` or `false`", (&value, span));
                None
            }
        }
    }

    /// A whole number from 0; a string of digits is taken as the number.
    pub(crate) fn number(&mut self, name: &str) -> Option<u32> {
        let (value, span) = self.get(name)?;
        let number = as_text(&value).and_then(|text| text.parse().ok());
        if number.is_none() {
            self.wrong_type(name, "a whole number of at most 32 bits", (&value, span));
        }
        number
    }

    /// A path.
    pub(crate) fn path(&mut self, name: &str) -> Option<HostPath> {
        let span = self.get(name)?.1;
        let text = self.text(name)?;
        self.parsed(&text, span)
    }

    /// The path that the title is, unless `path` says another.
    pub(crate) fn own_path(&mut self) -> Option<HostPath> {
        match self.get("path") {
            Some(_) => self.path("path"),
            None => self.parsed(self.title, self.span),
        }
    }

    /// The name that the title is, unless `name` says another.
    pub(crate) fn own_name(&mut self) -> Option<String> {
        let (name, span) = match self.get("name") {
            Some((_, span)) => (self.text("name")?, span),
            None => (self.title.to_owned(), self.span),
        };
        self.plain_name(name, span)
    }

    /// An account, by its name or number.
    pub(crate) fn account(&mut self, name: &str) -> Option<String> {
        let span = self.get(name)?.1;
        let text = self.text(name)?;
        self.plain_name(text, span)
    }

    /// A name that programs take as one word, and never as an option.
    fn plain_name(&mut self, name: String, span: &Span) -> Option<String> {
        let odd =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | ',' | '\'' | '"');
        if !name.is_empty() && !name.starts_with('-') && !name.contains(odd) {
            return Some(name);
        }
        let message = format!("{name:?} cannot be the name of a package, a service or an account");
        let told = Diagnostic::new(Code::InvalidValue, message, span);
        self.tell(told.help("a name is one word and does not begin with `-`"));
        None
    }

    /// Permission bits: a string of octal digits.
    pub(crate) fn mode(&mut self) -> Option<Mode> {
        let (value, span) = self.get("mode")?;
        match value.as_str() {
            Some(text) => self.parsed(text, span),
            None => {
                let message = format!(
                    "`mode` is a string of octal digits, found {}",
                    describe(&value)
                );
                let told = Diagnostic::new(Code::WrongType, message, span);
                self.tell(told.help("quote it, as in `mode: \"0644\"`"));
                None
            }
        }
    }

    /// One word of several.
    pub(crate) fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let (value, span) = self.get(name)?;
        let word = value.as_str().unwrap_or_default();
        let found = words.iter().find(|(known, _)| *known == word);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let message = format!(
                "`{name}` is one of {}, found {}",
                known.join(", "),
                describe(&value)
            );
            let help = did_you_mean(word, known);
            self.tell(Diagnostic::new(Code::InvalidValue, message, span).maybe_help(help));
        }
        found.map(|(_, value)| *value)
    }

    /// Whether it is to be there.
    pub(crate) fn ensure(&mut self) -> Ensure {
        let words = [("present", Ensure::Present), ("absent", Ensure::Absent)];
        self.word("ensure", &words).unwrap_or_default()
    }

    /// A list of strings; one string is a list of one.
    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let (value, span) = self.get(name)?;
        if let Some(text) = as_text(&value) {
            return Some(vec![text]);
        }
        let list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
        let items = value.try_iter().ok().filter(|_| list);
        let texts: Option<Vec<String>> =
            items.and_then(|items| items.map(|item| as_text(&item)).collect());
        if texts.is_none() {
            self.wrong_type(name, "a list of strings", (&value, span));
        }
        texts
    }

    /// A command: a line for the shell, or a program and its arguments.
    pub(crate) fn command(&mut self, name: &str) -> Option<Command> {
        let (value, span) = self.get(name)?;
        let command = match as_text(&value) {
            Some(line) => Some(Command::Shell(line)),
            None => self.texts(name).map(Command::Argv),
        }?;
        let empty = match &command {
            Command::Shell(line) => line.trim().is_empty(),
            Command::Argv(argv) => argv.first().is_none_or(|program| program.is_empty()),
        };
        if empty {
            let message = format!("`{name}` is an empty command");
            self.tell(Diagnostic::new(Code::InvalidValue, message, span));
        }
        (!empty).then_some(command)
    }

    /// A mapping of strings to strings.
    pub(crate) fn pairs(&mut self, name: &str) -> Option<BTreeMap<String, String>> {
        let (value, span) = self.get(name)?;
        let mapping = value.kind() == ValueKind::Map;
        let keys = value.try_iter().ok().filter(|_| mapping);
        let pair = |key: Value| {
            let inner = value.get_item(&key).ok()?;
            Some((as_text(&key)?, as_text(&inner)?))
        };
        let pairs = keys.and_then(|keys| keys.map(pair).collect());
        if pairs.is_none() {
            self.wrong_type(name, "a mapping from names to strings", (&value, span));
        }
        pairs
    }
}

/// A string, or an integer by its digits.
fn as_text(value: &Value) -> Option<String> {
    match value.as_str() {
        Some(text) => Some(text.to_owned()),
        None => value.is_integer().then(|| value.to_string()),
    }
}
