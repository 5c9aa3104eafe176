//! What a text is to be: exactly this, or with, without and like something.

use std::borrow::Cow;
use std::sync::Arc;

use regex::Regex;

use crate::diag::{Code, Diagnostic, Diagnostics, Span, nearest};
use crate::diff::TextDiff;
use crate::site::fields::{Fields, texts};
use crate::site::yaml::{Node, Yaml};

/// Largest compiled pattern, in bytes.
const MAX_PATTERN: usize = 256 * 1024;

/// Most lines of a difference that are shown; the rest is in `holdfast compile`.
const LINES: usize = 16;

/// What a text is to be.
#[derive(Debug)]
pub(super) enum TextWanted {
    /// This and nothing else.
    Exactly(Arc<str>, Span),
    /// All of these hold.
    Parts(Vec<Part>),
}

/// One thing that a text has or has not.
#[derive(Debug)]
pub(super) struct Part {
    test: PartTest,
    span: Span,
}

/// What is made of a text in a list of parts.
type ReadPart = fn(Arc<str>) -> PartTest;

#[derive(Debug)]
enum PartTest {
    Contains(Arc<str>),
    Lacks(Arc<str>),
    Matches(Regex),
    /// A digest in hexadecimal digits.
    Digest(Arc<str>),
    /// A secret by its name.
    Secret(Arc<str>),
}

/// A text as it was found.
pub(super) struct TextFound<'a> {
    /// What it is of, as in ``the content of file[/etc/motd]``.
    pub(super) what: String,
    /// Absent where it is not at hand: a long content file, or one that is no text. Secrets in it
    /// stand as `secret:NAME`.
    pub(super) text: Option<Cow<'a, str>>,
    /// Of the content.
    pub(super) digest: Option<String>,
    /// The secrets in it.
    pub(super) secrets: Vec<String>,
}

impl TextWanted {
    /// Reads a string, or a mapping of `contains`, `lacks`, `matches`, `digest` and `secrets`.
    pub(super) fn read(node: &Node, wrong: &mut Diagnostics) -> Option<Self> {
        if let Yaml::Text(text) = &node.value {
            return Some(Self::Exactly(Arc::clone(text), node.span.clone()));
        }
        let before = wrong.len();
        let mut fields = Fields::of(node, "a text, or what it is like", wrong)?;
        let mut parts = Vec::new();
        let kinds: [(&str, ReadPart); 4] = [
            ("contains", PartTest::Contains),
            ("lacks", PartTest::Lacks),
            ("digest", PartTest::Digest),
            ("secrets", PartTest::Secret),
        ];
        for (key, test) in kinds {
            let Some(field) = fields.get(key) else {
                continue;
            };
            for (text, span) in texts(&field.node, wrong) {
                let test = test(text);
                parts.push(Part { test, span });
            }
        }
        if let Some(field) = fields.get("matches") {
            for (pattern, span) in texts(&field.node, wrong) {
                let test = compiled(&pattern, &span, wrong).map(PartTest::Matches);
                parts.extend(test.map(|test| Part { test, span }));
            }
        }
        fields.finish(wrong);
        if parts.is_empty() && wrong.len() == before {
            let message = "this says nothing of the text";
            let told = Diagnostic::new(Code::MissingKey, message, &node.span);
            wrong.push(told.help(
                "it has `contains`, `lacks`, `matches`, `digest` or `secrets`, or is the text itself",
            ));
        }
        Some(Self::Parts(parts))
    }

    /// What of it a text is not.
    pub(super) fn check(&self, found: &TextFound<'_>) -> Vec<Diagnostic> {
        match self {
            Self::Exactly(wanted, span) => found.exactly(wanted, span).into_iter().collect(),
            Self::Parts(parts) => parts.iter().filter_map(|part| part.check(found)).collect(),
        }
    }
}

fn compiled(pattern: &str, span: &Span, wrong: &mut Diagnostics) -> Option<Regex> {
    let regex = regex::RegexBuilder::new(pattern)
        .size_limit(MAX_PATTERN)
        .multi_line(true)
        .build();
    if let Err(error) = &regex {
        let message = format!("`{pattern}` is no regular expression: {error}");
        wrong.push(Diagnostic::new(Code::InvalidValue, message, span));
    }
    regex.ok()
}

fn unmet(message: String, span: &Span) -> Diagnostic {
    Diagnostic::new(Code::UnmetExpectation, message, span)
}

impl TextFound<'_> {
    fn exactly(&self, wanted: &str, span: &Span) -> Option<Diagnostic> {
        let Some(text) = self.text.as_deref() else {
            return Some(self.hidden(span));
        };
        if text == wanted {
            return None;
        }
        let told = unmet(format!("{} is another", self.what), span);
        let diff = TextDiff::of(wanted.as_bytes(), text.as_bytes()).to_string();
        let shown: Vec<&str> = diff.lines().take(LINES).collect();
        let more = match diff.lines().count().checked_sub(LINES) {
            None | Some(0) => String::new(),
            Some(more) => format!("\n… {more} more lines"),
        };
        Some(told.help(format!(
            "`-` is expected, `+` is found:\n{}{more}",
            shown.join("\n")
        )))
    }

    /// What cannot be looked into is no pass.
    fn hidden(&self, span: &Span) -> Diagnostic {
        let digest = self.digest.as_deref().map(|digest| {
            format!("a long content file is told by its digest: `content: {{ digest: {digest} }}`")
        });
        unmet(format!("{} is not at hand", self.what), span).maybe_help(digest)
    }
}

impl Part {
    fn check(&self, found: &TextFound<'_>) -> Option<Diagnostic> {
        let told = |message: String| Some(unmet(message, &self.span));
        match &self.test {
            PartTest::Digest(wanted) => {
                let digest = found.digest.as_deref().unwrap_or("no digest");
                (digest != &**wanted)
                    .then(|| told(format!("{} has another digest, {digest}", found.what)))?
            }
            PartTest::Secret(wanted) => {
                let names = || found.secrets.iter().map(String::as_str);
                let has = names().any(|name| name == &**wanted);
                let near = nearest(wanted, names()).map(|name| format!("did you mean `{name}`?"));
                (!has).then(|| {
                    let message = format!("{} holds no secret `{wanted}`", found.what);
                    unmet(message, &self.span).maybe_help(near)
                })
            }
            _ if found.text.is_none() => Some(found.hidden(&self.span)),
            PartTest::Contains(part) => {
                let text = found.text.as_deref().unwrap_or_default();
                let near = || nearest(part.trim(), text.lines().map(str::trim));
                (!text.contains(&**part)).then(|| {
                    let near = near().map(|line| format!("the nearest line is `{line}`"));
                    unmet(format!("{} lacks this", found.what), &self.span).maybe_help(near)
                })
            }
            PartTest::Lacks(part) => {
                let text = found.text.as_deref().unwrap_or_default();
                let at = text.find(&**part)?;
                let line = text[..at].matches('\n').count() + 1;
                told(format!("{} has this, in line {line}", found.what))
            }
            PartTest::Matches(regex) => {
                let text = found.text.as_deref().unwrap_or_default();
                (!regex.is_match(text))
                    .then(|| told(format!("{} does not match this", found.what)))?
            }
        }
    }
}
