//! Text that was changed in places, and the way from what became of it back to what was written.

use std::ops::Range;

/// Text in the place of other text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// Where that begins which it is put behind: a place in it is that of all of this.
    pub(super) begin: usize,
    /// Where it stands in the text as written.
    pub(super) at: usize,
    /// How much of that text goes away.
    pub(super) removed: usize,
    pub(super) text: String,
}

/// A changed text.
#[derive(Debug, Clone)]
pub(super) struct Edited {
    pub(super) text: String,
    steps: Vec<Step>,
    /// What it was made of, where that was changed text as well.
    before: Option<Box<Edited>>,
}

/// One change: where, and how many bytes took the place of how many.
#[derive(Debug, Clone, Copy)]
struct Step {
    begin: usize,
    at: usize,
    removed: usize,
    added: usize,
}

impl Edited {
    /// The text as it is.
    pub(super) fn unchanged(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            steps: Vec::new(),
            before: None,
        }
    }

    /// The text with changes, which stand in the order of their places; `None` where they do not.
    pub(super) fn of(text: &str, edits: Vec<Edit>) -> Option<Self> {
        let mut edited = String::with_capacity(text.len() * 2);
        let mut steps = Vec::with_capacity(edits.len());
        let mut from = 0;
        for edit in edits {
            edited.push_str(text.get(from..edit.at)?);
            edited.push_str(&edit.text);
            from = edit.at + edit.removed;
            steps.push(Step {
                begin: edit.begin,
                at: edit.at,
                removed: edit.removed,
                added: edit.text.len(),
            });
        }
        edited.push_str(text.get(from..)?);
        Some(Self {
            text: edited,
            steps,
            before: None,
        })
    }

    /// The same with more changes, which stand in the order of their places.
    pub(super) fn then(self, edits: Vec<Edit>) -> Option<Self> {
        if edits.is_empty() {
            return Some(self);
        }
        let mut edited = Self::of(&self.text, edits)?;
        edited.before = (!self.steps.is_empty()).then(|| Box::new(self));
        Some(edited)
    }

    /// The place as written of a place in the changed text.
    pub(super) fn written(&self, range: Range<usize>) -> Range<usize> {
        let (start, end) = (self.back(range.start).0, self.back(range.end).1);
        let range = start..end.max(start);
        match &self.before {
            Some(before) => before.written(range),
            None => range,
        }
    }

    /// Where a place comes from: where what is there begins, and where it ends.
    fn back(&self, at: usize) -> (usize, usize) {
        // What stands before `at`: as written, and as it became.
        let (mut written, mut became) = (0, 0);
        for step in &self.steps {
            let begins = became + (step.at - written);
            match at {
                _ if at >= begins + step.added => {
                    written = step.at + step.removed;
                    became = begins + step.added;
                }
                _ if at > begins => return (step.begin, step.at + step.removed),
                _ => break,
            }
        }
        let at = written + (at - became);
        (at, at)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn edit(at: usize, removed: usize, text: &str) -> Edit {
        let text = text.to_owned();
        Edit {
            begin: at,
            at,
            removed,
            text,
        }
    }

    #[test]
    fn places_map_back() {
        let written = "one two three";
        let edits = vec![edit(0, 4, ""), edit(7, 0, "(!)"), edit(8, 5, "3")];
        let edited = Edited::of(written, edits).unwrap();
        assert_eq!(edited.text, "two(!) 3");
        assert_eq!(&written[edited.written(0..3)], "two");
        assert_eq!(edited.written(4..5), 7..7);
        assert_eq!(&written[edited.written(7..8)], "three");
    }

    #[test]
    fn places_map_back_through_every_change() {
        let written = "one two three";
        let edited = Edited::of(written, vec![edit(0, 4, "")]).unwrap();
        let edited = edited.then(vec![edit(4, 5, "3")]).unwrap();
        assert_eq!(edited.text, "two 3");
        assert_eq!(&written[edited.written(4..5)], "three");
    }

    #[test]
    fn changes_out_of_order_are_refused() {
        assert!(Edited::of("abc", vec![edit(2, 0, "x"), edit(1, 0, "y")]).is_none());
    }
}
