//! From what the repo says to what is compiled: lengths looked at, other words put in, guarded.

use std::ops::Range;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;

use super::advice::{syntax_error, unreadable};
use super::dialect;
use super::edits::Edited;
use super::environment::variant;
use super::guard::Guard;
use super::length::{MAX_OPERATORS, Written, too_long};
use super::programs::{Kind, Program, Programs};
use super::secrecy::Guarded;
use super::strict::{HostAttribute, guarded};
use super::syntax::{Syntax, Whitespace, of_scalars};
use crate::diag::{Code, Diagnostic, Diagnostics, Source, Span};

/// A text in the engine's words, and how it marks its statements.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) kind: Kind,
    pub(super) syntax: SyntaxConfig,
    edited: Edited,
}

impl Plain {
    pub(super) fn text(&self) -> &str {
        &self.edited.text
    }

    /// In the place of what is told to be wrong.
    fn instead(kind: Kind) -> Self {
        let nothing = match kind {
            Kind::Text => "",
            Kind::Expression | Kind::Match => "none",
        };
        Self {
            kind,
            syntax: of_scalars(),
            edited: Edited::unchanged(nothing),
        }
    }

    /// A program in YAML.
    pub(super) fn of_scalar(kind: Kind, text: &str) -> Self {
        let syntax = of_scalars();
        let edited = match kind {
            Kind::Text => dialect::of_template(text, 0, &syntax),
            Kind::Expression | Kind::Match => Edited::unchanged(text),
        };
        Self {
            kind,
            syntax,
            edited,
        }
    }

    /// With its guards. What does not parse stays as it is, for the engine to tell.
    fn guarded(self, more: &[Guard]) -> Texts {
        match guarded(self.kind, &self.edited, &self.syntax, more) {
            Some((edited, host)) => Texts { edited, host },
            None => Texts {
                edited: self.edited,
                host: Vec::new(),
            },
        }
    }
}

/// A text as it is compiled.
#[derive(Debug)]
pub(super) struct Texts {
    edited: Edited,
    /// What it reads of `host`, where that stands as written.
    pub(super) host: Vec<HostAttribute>,
}

impl Texts {
    pub(super) fn compiled(&self) -> &str {
        &self.edited.text
    }

    /// The place as written of a place in what is compiled.
    pub(super) fn written(&self, range: Range<usize>) -> Range<usize> {
        self.edited.written(range)
    }
}

/// A part of a `match` by itself, as it is compiled.
pub(super) fn part_of_match(text: &str) -> Texts {
    Plain::of_scalar(Kind::Match, text).guarded(&[])
}

/// A template for one way of treating white space, before its guards.
#[derive(Debug)]
pub(super) struct PlainTemplate {
    /// The name under which it is compiled.
    name: String,
    /// Its place among the templates of the site.
    pub(super) place: usize,
    pub(super) plain: Plain,
}

/// All programs and templates in the engine's words.
#[derive(Debug)]
pub(super) struct AllPlain {
    pub(super) programs: Vec<Plain>,
    pub(super) templates: Vec<PlainTemplate>,
}

/// A template as it is compiled, for one way of treating white space.
#[derive(Debug)]
pub(super) struct PreparedTemplate {
    /// The name under which it is compiled.
    pub(super) name: String,
    /// Its place among the templates of the site.
    pub(super) place: usize,
    pub(super) syntax: SyntaxConfig,
    pub(super) texts: Texts,
}

/// All that is compiled.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) programs: Vec<Texts>,
    pub(super) templates: Vec<PreparedTemplate>,
}

/// Puts everything in the engine's words; what is too long, or has a header that cannot be, is
/// told.
pub(super) fn plain(
    programs: &Programs,
    whitespace: Whitespace,
    wrong: &mut Diagnostics,
) -> AllPlain {
    let scalars = programs.list.iter();
    let scalars = scalars.map(|program| of_program(program, wrong)).collect();
    let mut templates = Vec::with_capacity(programs.templates.len());
    for (place, template) in programs.templates.iter().enumerate() {
        let source = &template.source;
        for (number, way) in ways(programs, whitespace, source.path())
            .into_iter()
            .enumerate()
        {
            let mut again = Diagnostics::new();
            let told = if number == 0 { &mut *wrong } else { &mut again };
            templates.push(PlainTemplate {
                name: variant(source.path(), way),
                place,
                plain: of_template(source, way, told),
            });
        }
    }
    AllPlain {
        programs: scalars,
        templates,
    }
}

impl AllPlain {
    /// With guards, and those of secrets.
    pub(super) fn guarded(self, secrecy: &Guarded) -> Prepared {
        let programs = self.programs.into_iter().enumerate();
        let programs = programs.map(|(place, plain)| {
            let more = secrecy.programs.get(place);
            plain.guarded(more.map_or(&[][..], |both| &both.0))
        });
        let templates = self.templates.into_iter().enumerate();
        let templates = templates.map(|(place, template)| {
            let more = secrecy.templates.get(place);
            PreparedTemplate {
                name: template.name,
                place: template.place,
                syntax: template.plain.syntax.clone(),
                texts: template.plain.guarded(more.map_or(&[][..], Vec::as_slice)),
            }
        });
        Prepared {
            programs: programs.collect(),
            templates: templates.collect(),
        }
    }
}

/// The ways of treating white space that a template is compiled for: that of the repo, and every
/// one where a resource of its role has a way of its own.
fn ways(programs: &Programs, whitespace: Whitespace, path: &str) -> Vec<Whitespace> {
    let role = path.strip_prefix("roles/").unwrap_or(path);
    let role = role.split('/').next().unwrap_or_default();
    match programs.whitespace.contains(role) {
        true => Whitespace::ALL.to_vec(),
        false => vec![whitespace],
    }
}

fn of_program(program: &Program, wrong: &mut Diagnostics) -> Plain {
    let written = match program.kind {
        Kind::Text => Written::Template,
        Kind::Expression | Kind::Match => Written::Expression,
    };
    if let Some(range) = too_long(&program.text, written, &of_scalars()) {
        wrong.push(too_many(&program.place(range)));
        return Plain::instead(program.kind);
    }
    if let Some(error) = unreadable(&program.text, written, &of_scalars()) {
        wrong.push(syntax_error(&error, &program.text, |range| {
            program.place(range)
        }));
        return Plain::instead(program.kind);
    }
    Plain::of_scalar(program.kind, &program.text)
}

fn of_template(source: &Arc<Source>, whitespace: Whitespace, wrong: &mut Diagnostics) -> Plain {
    let span = |range: Range<usize>| Span::new(source, range.start, range.end);
    let syntax = match Syntax::of(source.text(), whitespace) {
        Ok(syntax) => syntax,
        Err(bad) => {
            let told = Diagnostic::new(Code::Syntax, bad.message, &span(bad.range));
            wrong.push(told.help(bad.help));
            return Plain::instead(Kind::Text);
        }
    };
    let edited = dialect::of_template(source.text(), syntax.header, &syntax.config);
    if let Some(range) = too_long(&edited.text, Written::Template, &syntax.config) {
        wrong.push(too_many(&span(edited.written(range))));
        return Plain::instead(Kind::Text);
    }
    if let Some(error) = unreadable(&edited.text, Written::Template, &syntax.config) {
        wrong.push(syntax_error(&error, &edited.text, |range| {
            span(edited.written(range))
        }));
        return Plain::instead(Kind::Text);
    }
    Plain {
        kind: Kind::Text,
        syntax: syntax.config,
        edited,
    }
}

fn too_many(span: &Span) -> Diagnostic {
    let message = format!("more than {MAX_OPERATORS} operators in a row");
    Diagnostic::new(Code::Limit, message, span)
        .help("name parts of it: as variables, or with `{% set … %}`")
}
