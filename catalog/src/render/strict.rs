//! Guards: filters put behind parts of a program where the engine alone is not as Ansible is.
//!
//! The engine compares something undefined as if it were a value, so that a typo in `when:
//! params.prot == 80` would quietly be false; `~` prints `true` where Python prints `True`; `%`
//! formats no text; nothing can be added to a list; and nobody looks at how much a value holds.
//! What is compared, joined and kept gets a filter behind it, in the text that is compiled; places
//! are mapped back.

use std::collections::HashSet;
use std::ops::Range;

use minijinja::syntax::SyntaxConfig;

use super::edits::Edited;
use super::guard::{Guard, in_order};
use super::programs::Kind;
use super::walk::Walk;

/// The filter that refuses undefined, put behind what is compared.
pub(super) const GIVEN: &str = "_given";

/// The filter that refuses something undefined, put behind what something is looked for in.
pub(super) const HELD: &str = "_held";

/// The filter that makes text of what is joined.
pub(super) const TEXT: &str = "_text";

/// The filter that refuses what holds too much, put behind what is kept or handed on.
pub(super) const LIGHT: &str = "_light";

/// The filter behind a list or mapping that a template may change later.
pub(super) const OWN: &str = "_own";

/// The same for each item of what a loop goes through.
pub(super) const OWN_ITEMS: &str = "_own_items";

/// The filter behind what is kept in a namespace.
pub(super) const SPACED: &str = "_spaced";

/// The filter that lets something undefined have attributes, which are undefined, where `default`
/// or `is defined` asks for one of them.
pub(super) const PERHAPS: &str = "_perhaps";

/// The filter that stands for `<` and the like.
pub(super) const ORDER: &str = "_order";

/// The filter that stands for `%`.
pub(super) const REMAINDER: &str = "_rem";

/// An attribute of `host` that a program reads.
#[derive(Debug)]
pub(crate) struct HostAttribute {
    pub(crate) name: String,
    pub(crate) range: Range<usize>,
}

/// Guards an expression or a template, with guards of others; `None` where it does not parse. The
/// places of what it reads of `host` are those of the text as written.
pub(super) fn guarded(
    kind: Kind,
    before: &Edited,
    syntax: &SyntaxConfig,
    more: &[Guard],
) -> Option<(Edited, Vec<HostAttribute>)> {
    let mut walk = Walk::of(kind, &before.text, syntax, HashSet::new())?;
    if !walk.changed.is_empty() {
        walk = Walk::of(kind, &before.text, syntax, walk.changed)?;
    }
    let mut host = walk.host;
    for attribute in &mut host {
        attribute.range = before.written(attribute.range.clone());
    }
    walk.guards.extend_from_slice(more);
    let edits = in_order(walk.guards);
    Some((before.clone().then(edits)?, host))
}

#[cfg(test)]
#[path = "strict_tests.rs"]
mod tests;
