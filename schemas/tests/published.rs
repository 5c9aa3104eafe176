//! The published JSON Schemas and the samples: the contract as others see it.
//!
//! `schemas/json/` is generated from the types and proven current here; `HOLDFAST_BLESS=1 cargo
//! test -p holdfast-schemas --test published` writes it anew. Every sample under
//! `samples/valid/TYPE/` is accepted by type and schema alike and comes back as the same document;
//! every one under `samples/invalid/TYPE/` is refused by the type with the words that stand in
//! the `.error` file beside it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use holdfast_schemas::agent_api::{CheckIn, CheckInAnswer};
use holdfast_schemas::catalog::{Bundle, Catalog};
use holdfast_schemas::enrol::EnrolRequest;
use holdfast_schemas::facts::Facts;
use holdfast_schemas::inventory::Inventory;
use holdfast_schemas::problem::Problem;
use holdfast_schemas::report::Report;
use libtest_mimic::{Arguments, Failed, Trial};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A type of the contract, with its meaning taken away: text in, document or error out.
struct Contract {
    name: &'static str,
    schema: fn() -> Value,
    read: fn(&str) -> Result<Value, String>,
}

fn contract<T: JsonSchema + DeserializeOwned + Serialize>(name: &'static str) -> Contract {
    Contract {
        name,
        schema: || serde_json::to_value(schemars::schema_for!(T)).unwrap(),
        read: |text| {
            let document: T = serde_json::from_str(text).map_err(|error| error.to_string())?;
            Ok(serde_json::to_value(document).unwrap())
        },
    }
}

/// A catalog has rules beyond its form; `Catalog::parse` is how everybody reads one.
fn catalog() -> Contract {
    Contract {
        read: |text| {
            let catalog = Catalog::parse(text.as_bytes()).map_err(|error| chain(&error))?;
            Ok(serde_json::to_value(catalog).unwrap())
        },
        ..contract::<Catalog>("catalog")
    }
}

fn contracts() -> Vec<Contract> {
    vec![
        catalog(),
        contract::<Bundle>("bundle"),
        contract::<Report>("report"),
        contract::<Inventory>("inventory"),
        contract::<Facts>("facts"),
        contract::<EnrolRequest>("enrolment"),
        contract::<CheckIn>("check-in"),
        contract::<CheckInAnswer>("check-in-answer"),
        contract::<Problem>("problem"),
    ]
}

fn main() {
    let mut trials = Vec::new();
    for contract in contracts() {
        let name = contract.name;
        let schema = contract.schema;
        trials.push(Trial::test(format!("schema::{name}"), move || {
            current(name, &schema())
        }));
        for (kind, test) in [("valid", accepted as Test), ("invalid", refused as Test)] {
            let samples = samples(kind, name);
            assert!(!samples.is_empty(), "{name} has no {kind} sample");
            for path in samples {
                let title = path.file_stem().unwrap().to_string_lossy().into_owned();
                let (schema, read) = (contract.schema, contract.read);
                let trial = move || test(&path, &schema(), read);
                trials.push(Trial::test(format!("{kind}::{name}::{title}"), trial));
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

type Reader = fn(&str) -> Result<Value, String>;
type Test = fn(&Path, &Value, Reader) -> Result<(), Failed>;

/// The committed schema is the one that the type gives.
fn current(name: &str, schema: &Value) -> Result<(), Failed> {
    let path = folder().join("json").join(format!("{name}.json"));
    let text = format!("{}\n", serde_json::to_string_pretty(schema)?);
    if blessing() {
        fs::write(&path, &text)?;
    }
    match fs::read_to_string(&path).is_ok_and(|committed| committed == text) {
        true => Ok(()),
        false => Err(format!(
            "{} is not current; see the head of this test",
            path.display()
        )
        .into()),
    }
}

fn accepted(path: &Path, schema: &Value, read: Reader) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let document: Value = serde_json::from_str(&text)?;
    let validator = jsonschema::validator_for(schema).map_err(|error| error.to_string())?;
    if let Some(error) = validator.iter_errors(&document).next() {
        return Err(format!(
            "the schema refuses it: {error} at {}",
            error.instance_path()
        )
        .into());
    }
    let back = read(&text)?;
    match back == document {
        true => Ok(()),
        false => Err(format!("it comes back as {back:#}").into()),
    }
}

fn refused(path: &Path, _: &Value, read: Reader) -> Result<(), Failed> {
    let error = match read(&fs::read_to_string(path)?) {
        Ok(_) => return Err("it was accepted".into()),
        Err(error) => error,
    };
    let beside = path.with_extension("error");
    if blessing() {
        fs::write(&beside, format!("{error}\n"))?;
    }
    let expected = fs::read_to_string(&beside).unwrap_or_default();
    match expected.trim_end() == error {
        true => Ok(()),
        false => Err(format!("it is refused with {error:?}, not {expected:?}").into()),
    }
}

fn samples(kind: &str, name: &str) -> Vec<PathBuf> {
    let folder = folder().join("samples").join(kind).join(name);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut samples: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    samples.sort();
    samples
}

fn folder() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn blessing() -> bool {
    std::env::var_os("HOLDFAST_BLESS").is_some()
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
