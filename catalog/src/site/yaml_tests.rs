#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn read(text: &str) -> Result<Node, String> {
    let source = Source::new("x.yaml", text);
    parse(&source).map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
}

fn refusal(text: &str) -> String {
    read(text).expect_err("it is refused")
}

fn field<'a>(node: &'a Node, key: &str) -> &'a Node {
    match &node.value {
        Yaml::Map(map) => &map[key].node,
        _ => panic!("not a mapping"),
    }
}

#[test]
fn every_value_knows_its_place() {
    let node = read("a:\n  b: \"two words\"\n  ü: [1, 2.5]\n").unwrap();
    let text = field(field(&node, "a"), "b");
    assert_eq!(text.span.to_string(), "x.yaml:2:6");
    assert_eq!(text.span.text(), "\"two words\"");
    let list = field(field(&node, "a"), "ü");
    assert_eq!(list.span.to_string(), "x.yaml:3:6");
}

#[test]
fn what_misleads_is_refused_with_what_to_write() {
    assert!(refusal("a: yes\n").contains("write `true`, or \"yes\""));
    assert!(refusal("a: [off]\n").contains("write `false`, or \"off\""));
    assert!(refusal("mode: 0644\n").contains("write \"0644\" for the text"));
    assert!(refusal("a: 1\nb: 2\na: 3\n").contains("x.yaml:3:1"));
    assert!(refusal("a: {{ b }}\n").contains("quote it: \"{{ b }}\""));
    assert!(refusal("a:\n\tb: 1\n").contains("spaces"));
    assert!(refusal("a: 1\n---\nb: 2\n").contains("x.yaml:"));
}

#[test]
fn quoted_words_and_plain_zero_stand() {
    let node = read("a: \"yes\"\nb: '0644'\nc: 0\nd: 0.5\ne: |\n  no\n").unwrap();
    assert!(matches!(&field(&node, "a").value, Yaml::Text(text) if &**text == "yes"));
    assert!(matches!(&field(&node, "b").value, Yaml::Text(text) if &**text == "0644"));
    assert!(matches!(field(&node, "c").value, Yaml::Int(0)));
    assert!(matches!(field(&node, "d").value, Yaml::Float(_)));
    assert!(matches!(&field(&node, "e").value, Yaml::Text(text) if &**text == "no\n"));
}

#[test]
fn bombs_go_out() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        let list = vec![before; 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    assert!(!refusal(&text).is_empty());
    assert!(!refusal(&"[".repeat(100_000)).is_empty());
}

#[test]
fn an_empty_document_is_an_empty_mapping() {
    assert!(matches!(read("# nothing yet\n").unwrap().value, Yaml::Map(map) if map.is_empty()));
}
