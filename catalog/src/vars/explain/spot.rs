//! What stands in a line of a file of the repo: the keys that lead to it.

use std::sync::Arc;

use crate::diag::Source;
use crate::site::yaml::{Node, Yaml, parse};

/// The keys, and the numbers of items, that lead to what stands in a line; several where a line
/// holds several things. `None` where nothing does, or the file cannot be read.
pub(super) fn spots(file: &str, text: &str, line: usize) -> Option<Vec<Vec<Arc<str>>>> {
    let written = text.lines().nth(line.checked_sub(1)?)?.trim();
    if written.is_empty() || written.starts_with('#') {
        return None;
    }
    let source = Source::new(file, text);
    let node = parse(&source).ok()?;
    let mut looking = Looking {
        line,
        path: Vec::new(),
        found: Vec::new(),
    };
    looking.inside(&node, usize::MAX);
    (!looking.found.is_empty()).then_some(looking.found)
}

struct Looking {
    line: usize,
    path: Vec<Arc<str>>,
    found: Vec<Vec<Arc<str>>>,
}

impl Looking {
    /// Looks into a value that ends before a line; whether something in it stands in the line.
    fn inside(&mut self, node: &Node, end: usize) {
        let parts: Vec<(Arc<str>, usize, &Node)> = match &node.value {
            Yaml::Map(map) => map
                .iter()
                .map(|(name, field)| (Arc::clone(name), field.key.line_column().0, &field.node))
                .collect(),
            Yaml::List(items) => items
                .iter()
                .enumerate()
                .map(|(place, item)| (place.to_string().into(), item.span.line_column().0, item))
                .collect(),
            _ => Vec::new(),
        };
        for (place, (name, begin, inner)) in parts.iter().enumerate() {
            // Up to the line in which the next begins, that line where it is the same.
            let next = parts.get(place + 1).map_or(end, |next| next.1);
            let end = next.max(begin + 1);
            if !(*begin..end).contains(&self.line) {
                continue;
            }
            self.path.push(Arc::clone(name));
            let before = self.found.len();
            self.inside(inner, end);
            if self.found.len() == before {
                self.found.push(self.path.clone());
            }
            self.path.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(text: &str, line: usize) -> Vec<String> {
        let spots = spots("globals.yaml", text, line).unwrap_or_default();
        spots.iter().map(|path| path.join(".")).collect()
    }

    #[test]
    fn a_line_belongs_to_the_innermost_key() {
        let text = "vars:\n  a:\n    b: |\n      x\n      y\n    c: [1,\n      2]\n  d: { e: 1, f: 2 }\n\n# no\nroles: [r]\n";
        assert_eq!(at(text, 1), ["vars"]);
        assert_eq!(at(text, 5), ["vars.a.b"]);
        assert_eq!(at(text, 7), ["vars.a.c.1"]);
        assert_eq!(at(text, 8), ["vars.d.e", "vars.d.f"]);
        assert!(at(text, 9).is_empty() && at(text, 10).is_empty() && at(text, 99).is_empty());
        assert_eq!(at(text, 11), ["roles.0"]);
    }
}
