//! What the compiler has to say to whoever wrote the repo.
//!
//! A diagnostic names what is wrong, shows the places, and says what to do. All of a run come at
//! once, sorted by place; one that many hosts share is told once. Every one can be drawn as rustc
//! draws its own, plain or coloured, or be serialised.

mod code;
mod lesson;
mod render;
mod source;
mod suggest;

pub use code::{Code, Severity, UnknownCode};
pub use lesson::{Lesson, LessonFile};
pub use render::Paint;
pub use source::{Source, Span};
pub use suggest::{did_you_mean, listed, nearest};

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use holdfast_schemas::HostName;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// What is wrong: a sentence without full stop.
    pub message: String,
    /// The places, the one to look at first ahead.
    pub labels: Vec<Label>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
    /// The hosts it shows in, when it shows only while compiling for a host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Hosts>,
}

/// The hosts that share a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hosts {
    /// The first by name.
    pub first: HostName,
    /// How many there are.
    pub count: usize,
}

/// A place, and what is to be seen there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What; empty when the message says it all.
    pub text: String,
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (line, column) = self.span.line_column();
        let (end_line, end_column) = self.span.end_line_column();
        let mut fields = serializer.serialize_struct("Label", 6)?;
        fields.serialize_field("file", self.span.path())?;
        fields.serialize_field("line", &line)?;
        fields.serialize_field("column", &column)?;
        fields.serialize_field("end_line", &end_line)?;
        fields.serialize_field("end_column", &end_column)?;
        fields.serialize_field("text", &self.text)?;
        fields.end()
    }
}

impl Diagnostic {
    /// Something wrong at a place.
    pub fn new(code: Code, message: impl Into<String>, span: &Span) -> Self {
        Self {
            code,
            message: message.into(),
            labels: vec![Label {
                span: span.clone(),
                text: String::new(),
            }],
            help: Vec::new(),
            hosts: None,
        }
    }

    /// The same, with words at the first place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// The same with a further place.
    #[must_use]
    pub fn also(mut self, span: &Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span: span.clone(),
            text: text.into(),
        });
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// The same with advice, where there is any.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help.extend(help);
        self
    }

    /// The same, said of a host.
    #[must_use]
    pub fn in_host(mut self, host: &HostName) -> Self {
        self.hosts.get_or_insert_with(|| Hosts {
            first: host.clone(),
            count: 1,
        });
        self
    }

    fn place(&self) -> Option<&Span> {
        self.labels.first().map(|label| &label.span)
    }

    /// The order of those that differ in nothing but further places.
    fn by_labels(&self, other: &Self) -> Ordering {
        let labels = |one: &Self| -> Vec<(Span, String)> {
            let labels = one.labels.iter();
            labels
                .map(|label| (label.span.clone(), label.text.clone()))
                .collect()
        };
        labels(self).cmp(&labels(other))
    }

    fn sort_key(&self) -> (Option<&Span>, Code, &str) {
        (self.place(), self.code, &self.message)
    }
}

/// Everything that is wrong, sorted by place; never empty where it is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one more.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Takes one more, if there is one.
    pub(crate) fn maybe(&mut self, diagnostic: Option<Diagnostic>) {
        self.list.extend(diagnostic);
    }

    /// Takes those of another run; call [`Diagnostics::sorted`] when all are in.
    pub fn extend(&mut self, other: Diagnostics) {
        self.list.extend(other.list);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// What is wrong, and beside it what is only advised against.
    pub(crate) fn apart(self) -> (Self, Self) {
        let (wrong, advice) = self
            .list
            .into_iter()
            .partition(|one| one.code.severity() == Severity::Error);
        (Self { list: wrong }, Self { list: advice })
    }

    /// Whether all that is wrong is that facts are not at hand: the host could not be checked,
    /// which is not to say that it does not compile.
    pub fn needs_only_facts(&self) -> bool {
        !self.is_empty() && self.iter().all(|one| one.code == Code::NeedsFacts)
    }

    /// The facts that are not at hand and that something needs, as an expression names them.
    pub fn needed_facts(&self) -> BTreeSet<&str> {
        let needs = self.iter().filter(|one| one.code == Code::NeedsFacts);
        let named = needs.map(|one| one.message.split('`').nth(1));
        named.map(|name| name.unwrap_or("facts")).collect()
    }

    /// Sorted by place, each told once, with the number of hosts that share it.
    #[must_use]
    pub fn sorted(self) -> Self {
        let mut folded: Vec<Diagnostic> = Vec::new();
        let mut known: BTreeMap<(Code, String, Vec<String>), usize> = BTreeMap::new();
        for diagnostic in self.list {
            let places = diagnostic.labels.iter();
            let places = places.map(|label| format!("{} {}", label.span, label.text));
            let key = (
                diagnostic.code,
                diagnostic.message.clone(),
                places.collect(),
            );
            match known.get(&key) {
                Some(&place) => join_hosts(&mut folded[place], diagnostic),
                None => {
                    known.insert(key, folded.len());
                    folded.push(diagnostic);
                }
            }
        }
        folded.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()).then_with(|| a.by_labels(b)));
        Self { list: folded }
    }

    /// Drawn one below the other, as rustc draws its own.
    pub fn render(&self, paint: Paint) -> String {
        render::all(self, paint)
    }

    /// `Ok` if nothing is wrong.
    pub fn into_result(self) -> Result<(), Self> {
        match self.is_empty() {
            true => Ok(()),
            false => Err(self.sorted()),
        }
    }
}

/// Joins the hosts of two that say the same; the advice is that of the first host, so that it does
/// not depend on which was compiled first.
fn join_hosts(known: &mut Diagnostic, other: Diagnostic) {
    let Some(more) = other.hosts else { return };
    match &mut known.hosts {
        None => known.hosts = Some(more),
        Some(hosts) if hosts.first == more.first => {}
        Some(hosts) => {
            hosts.count += more.count;
            if more.first < hosts.first {
                hosts.first = more.first;
                known.help = other.help;
            }
        }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            list: vec![diagnostic],
        }
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render::one(self, Paint::Plain))
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Paint::Plain))
    }
}

impl std::error::Error for Diagnostics {}
