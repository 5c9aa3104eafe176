//! Whether two texts mean the same, and say it in the same words.

use crate::site::yaml::{Node, Yaml};

/// Whether two documents hold the same values, keys in the same order.
pub(super) fn same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Yaml::Null, Yaml::Null) => true,
        (Yaml::Bool(a), Yaml::Bool(b)) => a == b,
        (Yaml::Int(a), Yaml::Int(b)) => a == b,
        (Yaml::Float(a), Yaml::Float(b)) => a.to_bits() == b.to_bits(),
        (Yaml::Text(a), Yaml::Text(b)) => a == b,
        (Yaml::Secret(a), Yaml::Secret(b)) => a.name == b.name && a.held == b.held,
        (Yaml::List(a), Yaml::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Yaml::Map(a), Yaml::Map(b)) => {
            let pairs = a.iter().zip(b);
            a.len() == b.len()
                && pairs
                    .into_iter()
                    .all(|(a, b)| a.0 == b.0 && same(&a.1.node, &b.1.node))
        }
        _ => false,
    }
}

/// Whether two texts differ in nothing but the white space around their lines: then comments,
/// quotes and anchors are the same.
pub(super) fn same_words(one: &str, other: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    };
    words(one) == words(other)
}
