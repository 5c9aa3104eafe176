//! Resources as a test names them: `file: /etc/motd`, or a pattern of titles.

use std::sync::Arc;

use holdfast_schemas::catalog::Catalog;
use holdfast_schemas::resource::{Ensure, Kind, PackageState, Resource, ResourceId, Spec};

use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean};
use crate::site::fields::{Fields, texts, wrong_type};
use crate::site::read_kind;
use crate::site::yaml::{Node, Yaml};

/// Resources of one type, by titles or patterns of them.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) kind: Kind,
    pub(super) pattern: Arc<str>,
    pub(super) span: Span,
}

/// Resources of which there are no others than those that are expected.
#[derive(Debug)]
pub(super) struct Only {
    pub(super) kind: Kind,
    /// All of the type where there is none.
    pub(super) pattern: Option<Arc<str>>,
    pub(super) span: Span,
}

impl Wanted {
    /// Reads one entry of `absent`.
    pub(super) fn read(node: &Node, wrong: &mut Diagnostics) -> Vec<Self> {
        let Some(mut fields) = Fields::of(node, "an absent resource", wrong) else {
            return Vec::new();
        };
        let Some((kind, typed)) = read_kind(&mut fields, node, wrong) else {
            return Vec::new();
        };
        let titles = texts(&typed.node, wrong).into_iter();
        let wanted = titles.map(|(pattern, span)| Self {
            kind,
            pattern,
            span,
        });
        let wanted = wanted.collect();
        fields.finish(wrong);
        wanted
    }

    /// Whether a resource is meant.
    pub(super) fn means(&self, resource: &Resource) -> bool {
        self.kind == resource.id.kind() && named(&resource.id, &resource.spec, &self.pattern)
    }
}

impl Only {
    /// Reads one entry of `only`: a type, or a type and a pattern.
    pub(super) fn read(node: &Node, wrong: &mut Diagnostics) -> Vec<Self> {
        if let Yaml::Text(word) = &node.value {
            return word_of(word, &node.span, wrong).into_iter().collect();
        }
        if !matches!(node.value, Yaml::Map(_)) {
            wrong.push(wrong_type("a type, or `type: pattern`", node));
            return Vec::new();
        }
        let patterns = Wanted::read(node, wrong).into_iter();
        let only = patterns.map(|wanted| Self {
            kind: wanted.kind,
            pattern: Some(wanted.pattern),
            span: wanted.span,
        });
        only.collect()
    }

    /// Whether a resource is among those that have to be expected.
    pub(super) fn means(&self, resource: &Resource) -> bool {
        let pattern = self.pattern.as_deref();
        self.kind == resource.id.kind()
            && pattern.is_none_or(|pattern| named(&resource.id, &resource.spec, pattern))
    }
}

fn word_of(word: &str, span: &Span, wrong: &mut Diagnostics) -> Option<Only> {
    let kinds = || Kind::ALL.iter().map(|kind| kind.as_str());
    let kind = word.parse::<Kind>();
    if kind.is_err() {
        let message = format!("there is no resource type `{word}`");
        let told = Diagnostic::new(Code::InvalidValue, message, span);
        wrong.push(told.maybe_help(did_you_mean(word, kinds())));
    }
    Some(Only {
        kind: kind.ok()?,
        pattern: None,
        span: span.clone(),
    })
}

/// Whether a resource goes by a name or a pattern: its title, or the path or name that it manages.
fn named(id: &ResourceId, spec: &Spec, pattern: &str) -> bool {
    holds(pattern, id.title()) || managed(spec).is_some_and(|name| holds(pattern, name))
}

/// Whether a pattern holds for a title: `*` is any text, `/` included, and `?` any character.
/// Brackets are titles' own.
fn holds(pattern: &str, title: &str) -> bool {
    let (pattern, title) = (pattern.as_bytes(), title.as_bytes());
    let (mut at, mut read) = (0, 0);
    // Where the last `*` is, and how much of the title it has taken.
    let mut star: Option<(usize, usize)> = None;
    while read < title.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(b'?') => {
                at += 1;
                read += character(&title[read..]);
            }
            Some(byte) if *byte == title[read] => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    read = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// The length of the first character of a text.
fn character(text: &[u8]) -> usize {
    let inside = |byte: &&u8| **byte & 0xC0 == 0x80;
    1 + text[1..].iter().take_while(inside).count()
}

/// What a resource manages, by the host's name for it.
fn managed(spec: &Spec) -> Option<&str> {
    Some(match spec {
        Spec::File(file) => file.path.as_str(),
        Spec::Directory(folder) => folder.path.as_str(),
        Spec::Symlink(link) => link.path.as_str(),
        Spec::Package(package) => &package.name,
        Spec::Service(service) => &service.name,
        Spec::User(user) => &user.name,
        Spec::Group(group) => &group.name,
        Spec::Exec(_) => return None,
    })
}

/// The place of a resource in a catalog: by its title, else by what it manages.
pub(super) fn find(catalog: &Catalog, kind: Kind, title: &str) -> Option<usize> {
    let of_kind = || {
        let resources = catalog.resources.iter().enumerate();
        resources.filter(move |(_, resource)| resource.id.kind() == kind)
    };
    let by_title = of_kind().find(|(_, resource)| resource.id.title() == title);
    let found =
        by_title.or_else(|| of_kind().find(|(_, resource)| managed(&resource.spec) == Some(title)));
    found.map(|(place, _)| place)
}

/// Whether a resource takes away what it names.
pub(super) fn takes_away(spec: &Spec) -> bool {
    match spec {
        Spec::File(file) => file.ensure == Ensure::Absent,
        Spec::Directory(folder) => folder.ensure == Ensure::Absent,
        Spec::Symlink(link) => link.ensure == Ensure::Absent,
        Spec::User(user) => user.ensure == Ensure::Absent,
        Spec::Group(group) => group.ensure == Ensure::Absent,
        Spec::Package(package) => {
            matches!(package.state, PackageState::Absent | PackageState::Purged)
        }
        Spec::Service(_) | Spec::Exec(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn patterns_of_titles() {
        let held = [
            ("/etc/nginx/*", "/etc/nginx/a/b"),
            ("*", ""),
            ("?tc", "\u{00e9}tc"),
            ("a*b*c", "a-b-b-c"),
            ("[a]", "[a]"),
            ("**", "x"),
        ];
        for (pattern, title) in held {
            assert!(holds(pattern, title), "{pattern} {title}");
        }
        let not_held = [
            ("/etc/*", "/srv"),
            ("?", ""),
            ("a*b", "a-c"),
            ("a", "aa"),
            ("", "a"),
        ];
        for (pattern, title) in not_held {
            assert!(!holds(pattern, title), "{pattern} {title}");
        }
    }
}
