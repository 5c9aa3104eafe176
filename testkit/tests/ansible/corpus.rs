//! The corpus of the catalog crate: what it expects of every template is what Ansible gives.
//!
//! `HOLDFAST_BLESS=1` writes what Ansible gives into the corpus.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::peer::Peer;

/// A template, which is one line of a file, and what is expected of it in the line below.
struct Case {
    template: String,
    /// `= "text"`, or `!` for none.
    expected: String,
}

#[test]
fn the_corpus_expects_what_ansible_gives() {
    let Some(peer) = Peer::get("the_corpus_expects_what_ansible_gives") else {
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/tests/templates");
    let variables = folder.join("variables.json");
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "txt") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let cases = cases(&text);
        let given = given(&peer, &variables, &cases);
        assert_eq!(given.len(), cases.len(), "{}", path.display());
        let both = cases.iter().zip(&given);
        wrong.extend(
            both.filter(|(case, given)| case.expected != **given)
                .map(|(case, given)| {
                    let (template, expected) = (&case.template, &case.expected);
                    format!("{template}\n  expected {expected}\n  Ansible  {given}")
                }),
        );
        if std::env::var_os("HOLDFAST_BLESS").is_some() {
            fs::write(&path, blessed(&text, &given)).unwrap();
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn is_template(line: &str) -> bool {
    !(line.is_empty() || line.starts_with("# ") || line.starts_with("= ") || line == "!")
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        match cases.last_mut() {
            _ if is_template(line) => cases.push(Case {
                template: line.to_owned(),
                expected: String::new(),
            }),
            Some(last) if !line.is_empty() && !line.starts_with("# ") => {
                last.expected = line.to_owned();
            }
            _ => {}
        }
    }
    cases
}

fn given(peer: &Peer, variables: &Path, cases: &[Case]) -> Vec<String> {
    let templates = cases.iter().map(|case| case.template.replace("\\n", "\n"));
    let templates: Vec<String> = templates.collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), serde_json::to_string(&templates).unwrap()).unwrap();
    let documents = peer.run(&[Path::new("corpus"), variables, file.path()]);
    let given = documents.iter().map(|document| match &document["output"] {
        Value::Null => "!".to_owned(),
        output => format!("= {output}"),
    });
    given.collect()
}

fn blessed(text: &str, given: &[String]) -> String {
    let mut given = given.iter();
    let mut out = String::new();
    for line in text.lines() {
        if line.starts_with("= ") || line == "!" {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        if is_template(line) {
            out.push_str(given.next().map_or("", String::as_str));
            out.push('\n');
        }
    }
    out
}
