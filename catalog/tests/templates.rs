//! Every template of the corpus gives what Ansible gives: the same bytes, or nothing at all.
//!
//! `templates/*.txt`: a template is one line, in which `\n` stands for a line break; the line below
//! it is `= "text"` for what ansible-core made of it, or `!` where it refused. The test kit runs
//! ansible-core over the same files, so what stands there is proven; `HOLDFAST_BLESS=1` has that
//! test write it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods)]

mod support;

use std::fs;
use std::path::Path;

use holdfast_catalog::{HostInput, Site};
use holdfast_schemas::resource::{Content, Spec};

const ROLE: &str = "resources:\n  - file: /out\n    template: it.j2\n";

#[test]
fn the_corpus_renders_as_ansible_renders_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates");
    let variables = fs::read_to_string(folder.join("variables.json")).unwrap();
    let globals = format!("{{\"roles\": [\"it\"], \"vars\": {variables}}}");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "txt") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| is_said(line)).collect();
        for pair in lines.chunks(2) {
            let [template, expected] = pair else {
                panic!("{}: nothing is expected of {}", path.display(), pair[0]);
            };
            count += 1;
            let rendered = render(&globals, &template.replace("\\n", "\n"));
            let given = match &rendered {
                Ok(text) => format!("= {}", serde_json::Value::from(text.as_str())),
                Err(_) => "!".to_owned(),
            };
            if given != **expected {
                let why = rendered.err().unwrap_or_default();
                wrong.push(format!(
                    "{template}\n  expected {expected}\n  found    {given}\n{why}"
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count > 500, "the corpus has {count} templates");
}

fn is_said(line: &str) -> bool {
    !(line.is_empty() || line.starts_with("# "))
}

fn render(globals: &str, template: &str) -> Result<String, String> {
    let files = [
        ("globals.yaml", globals),
        ("roles/it/role.yaml", ROLE),
        ("roles/it/templates/it.j2", template),
        ("hosts/web-01.yaml", ""),
    ];
    let site = Site::parse(&support::site(&files)).map_err(|wrong| wrong.to_string())?;
    let host = HostInput::new("web-01".parse().unwrap());
    let compiled = site.compile(&host).map_err(|wrong| wrong.to_string())?;
    let Spec::File(file) = &compiled.catalog.resources[0].spec else {
        panic!("the site has one file");
    };
    match file.content.as_ref().unwrap() {
        Content::Text(text) => Ok(text.clone()),
        Content::Blob { digest, .. } => {
            Ok(String::from_utf8(compiled.blobs[digest].to_vec()).unwrap())
        }
        Content::Sealed { .. } => panic!("the site has no secrets"),
    }
}
