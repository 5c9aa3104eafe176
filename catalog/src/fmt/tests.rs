//! What formatting does, and that it changes nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::formatted;

fn check(text: &str, expected: &str) {
    let found = formatted("hosts/web-1.yaml", text).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(found, expected);
    assert_eq!(formatted("hosts/web-1.yaml", &found).unwrap(), found);
}

#[test]
fn blocks_are_indented_by_two() {
    check(
        "vars:\n    a: 1\n    b:\n          c: [1,\n              2]\n    d:\n    - x: 1\n      y: 2\n",
        "vars:\n  a: 1\n  b:\n    c: [1,\n        2]\n  d:\n  - x: 1\n    y: 2\n",
    );
}

#[test]
fn white_space_that_means_nothing_goes() {
    check("\n\na: 1  \r\n\r\n\r\n\r\nb: 2\r\n\r\n", "a: 1\n\nb: 2\n");
    check("a: 1", "a: 1\n");
}

#[test]
fn comments_go_with_what_they_stand_by() {
    check(
        "# top\nvars:\n    # of a\n    a: 1   # why\n    # - after\n# of tags\ntags: [x]\n",
        "# top\nvars:\n  # of a\n  a: 1   # why\n  # - after\n# of tags\ntags: [x]\n",
    );
}

#[test]
fn text_in_blocks_keeps_its_own_form() {
    check(
        "vars:\n    t: |\n        one\n          two  \n\n        three\n    q: \"a\n       b\"\n    k: 'it''s {{ x }}'\n",
        "vars:\n  t: |\n    one\n      two  \n\n    three\n  q: \"a\n     b\"\n  k: 'it''s {{ x }}'\n",
    );
}

#[test]
fn anchors_and_lists_in_lists_stay() {
    check(
        "vars:\n   a: &a\n      x: 1\n   b: *a\n   l:\n      -   - 1\n          - 2\n      - &n\n        y: 1\n",
        "vars:\n  a: &a\n    x: 1\n  b: *a\n  l:\n    -   - 1\n        - 2\n    - &n\n      y: 1\n",
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    assert!(formatted("a.yaml", "a: [1\nb: 2\n").is_err());
}

/// Documents of nested mappings, lists and texts, indented any which way.
fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("1".to_owned()),
        Just("\"x: y\"".to_owned()),
        Just("[a, b]".to_owned()),
        Just("plain  # why".to_owned()),
    ];
    let line = (0usize..4, 1usize..5, leaf, any::<bool>());
    proptest::collection::vec(line, 1..12).prop_map(|lines| {
        let mut text = String::new();
        let mut columns = vec![0usize];
        let mut open = false;
        for (number, (level, step, leaf, nested)) in lines.into_iter().enumerate() {
            if open {
                columns.push(columns.last().unwrap() + step);
            } else {
                columns.truncate(level.max(1));
            }
            let column = *columns.last().unwrap();
            open = nested;
            let value = if nested {
                String::new()
            } else {
                format!(" {leaf}")
            };
            text.push_str(&format!("{}k{number}:{value}\n", " ".repeat(column)));
            if number % 3 == 1 {
                text.push_str(&format!("{}# note {number}\n\n\n", " ".repeat(column)));
            }
        }
        text
    })
}

proptest! {
    #[test]
    fn every_document_is_formatted_once_and_for_all(text in document()) {
        let once = formatted("a.yaml", &text).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
        prop_assert_eq!(formatted("a.yaml", &once).unwrap(), once);
    }
}
