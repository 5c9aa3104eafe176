//! The language, rule by rule: layers, expressions, edges, hosts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod behaviours;
mod choosing;
mod edges;
mod explain;
mod expressions;
mod groups;
mod hosts;
mod independence;
mod layers;
mod marks;
mod roles;
mod secrets;
mod templates;
mod variables;

use holdfast_catalog::diag::Code;
use holdfast_catalog::{Compiled, Diagnostics, HostInput, Site};
use holdfast_schemas::resource::{Content, Spec};

/// A role with one file whose content is text with an expression in it.
fn shown(expression: &str) -> String {
    format!("resources:\n  - file: /t\n    content: '{{{{ \"\" }}}}{expression}'\n")
}

fn compile(files: &[(&str, &str)]) -> Result<Compiled, Diagnostics> {
    compile_with(files, None)
}

fn compile_with(
    files: &[(&str, &str)],
    facts: Option<serde_json::Value>,
) -> Result<Compiled, Diagnostics> {
    let site = Site::parse(&support::site(files))?;
    let mut host = HostInput::new("h".parse().unwrap());
    if let Some(serde_json::Value::Object(facts)) = facts {
        host = host.with_facts(facts);
    }
    site.compile(&host)
}

fn text(files: &[(&str, &str)]) -> String {
    let compiled = compile(files).unwrap_or_else(|wrong| panic!("{wrong}"));
    content(&compiled)
}

fn content(compiled: &Compiled) -> String {
    match &compiled.catalog.resources[0].spec {
        Spec::File(file) => match file.content.as_ref().unwrap() {
            Content::Text(text) => text.clone(),
            Content::Blob { digest, .. } => {
                String::from_utf8(compiled.blobs[digest].to_vec()).unwrap()
            }
            sealed @ Content::Sealed { .. } => panic!("sealed: {sealed:?}"),
        },
        _ => panic!("not a file"),
    }
}

fn codes(files: &[(&str, &str)]) -> Vec<Code> {
    let wrong = compile(files).expect_err("it does not compile");
    wrong.iter().map(|one| one.code).collect()
}

/// The value of an expression in a role, with the host's variables.
fn value(expression: &str, vars: &str) -> String {
    let role = shown(&format!("{{{{ {expression} }}}}").replace('\'', "''"));
    text(&[
        ("roles/r/role.yaml", &role),
        ("hosts/h.yaml", &format!("roles: [r]\n{vars}")),
    ])
}
