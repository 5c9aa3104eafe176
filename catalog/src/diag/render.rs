//! Draws diagnostics as rustc draws its own: the excerpt, the place underlined, the advice below.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Label, Severity};

/// Whether a drawing carries colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paint {
    /// Text alone: files, logs, golden tests.
    #[default]
    Plain,
    /// With ANSI colours, for a terminal.
    Coloured,
}

pub(super) fn all(diagnostics: &Diagnostics, paint: Paint) -> String {
    let drawn: Vec<String> = diagnostics.iter().map(|each| one(each, paint)).collect();
    drawn.join("\n")
}

pub(super) fn one(diagnostic: &Diagnostic, paint: Paint) -> String {
    let renderer = match paint {
        Paint::Plain => Renderer::plain(),
        Paint::Coloured => Renderer::styled(),
    };
    let level = match diagnostic.code.severity() {
        Severity::Error => Level::ERROR,
        Severity::Advice | Severity::Finding => Level::WARNING,
    };
    let title = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.as_str());
    let mut group: Group<'_> = title.elements(snippets(&diagnostic.labels));
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    if let Some(hosts) = &diagnostic.hosts {
        let words = match hosts.count {
            1 => format!("in host {}", hosts.first),
            count => format!("in {count} hosts, first {}", hosts.first),
        };
        group = group.element(Level::NOTE.message(words));
    }
    let mut text = renderer.render(&[group]);
    text.push('\n');
    text
}

/// One excerpt per file, in the order in which the labels name them.
fn snippets(labels: &[Label]) -> Vec<Snippet<'_, annotate_snippets::Annotation<'_>>> {
    let mut files: Vec<&str> = Vec::new();
    for label in labels {
        if !files.contains(&label.span.path()) {
            files.push(label.span.path());
        }
    }
    let drawn = files.into_iter().filter_map(|file| {
        let here = labels
            .iter()
            .enumerate()
            .filter(|(_, label)| label.span.path() == file);
        let source = labels
            .iter()
            .find(|label| label.span.path() == file)?
            .span
            .source();
        let annotations = here.map(|(place, label)| {
            let kind = match place {
                0 => AnnotationKind::Primary,
                _ => AnnotationKind::Context,
            };
            let annotation = kind.span(label.span.range());
            match label.text.is_empty() {
                true => annotation,
                false => annotation.label(label.text.as_str()),
            }
        });
        Some(
            Snippet::source(source.shown())
                .path(file)
                .annotations(annotations),
        )
    });
    drawn.collect()
}
