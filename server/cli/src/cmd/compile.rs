//! `holdfast compile`: the catalog of one host, to be read or to be applied without a server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use holdfast_catalog::{Compiled, Note};
use holdfast_schemas::Digest;
use holdfast_schemas::catalog::{Bundle, Bytes, Catalog};
use holdfast_schemas::resource::{Content, Resource, ResourceId, Spec};
use holdfast_schemas::secret::SecretName;
use owo_colors::OwoColorize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::{HostArgs, Opened};
use crate::output::{Form, JsonSwitch, Output};
use crate::words;

/// Largest blob inside a bundle, in bytes: a bundle is one JSON text that its reader has in
/// memory whole, and base64 adds a third.
const MAX_BUNDLED_BLOB: u64 = 16 * 1024 * 1024;

/// Most bytes of blobs inside one bundle, for the same reason.
const MAX_BUNDLED_BLOBS: u64 = 64 * 1024 * 1024;

/// Compiles a host.
#[derive(Debug, Clone, clap::Args)]
pub struct Compile {
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    json: JsonSwitch,
}

impl Compile {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let opened = self.host.site.open()?;
        let input = self.host.input(&opened)?;
        let compiled = opened.site.compile(&input).map_err(CliError::Invalid)?;
        match self.json.form() {
            Form::Json => out.json_line(&bundle(compiled, &opened)?)?,
            Form::Text => out.text(&described(&compiled))?,
        }
        Ok(Exit::Fine)
    }
}

/// The catalog with the blobs it needs, the smallest first, up to the limits.
fn bundle(compiled: Compiled, opened: &Opened) -> Result<Bundle, CliError> {
    let mut wanted: Vec<(u64, Digest)> = compiled
        .catalog
        .blobs()
        .into_iter()
        .map(|(digest, size)| (size, digest))
        .collect();
    wanted.sort();
    let (mut inside, mut omitted) = (BTreeSet::new(), BTreeMap::new());
    let mut room = MAX_BUNDLED_BLOBS;
    for (size, digest) in wanted {
        if size > MAX_BUNDLED_BLOB.min(room) {
            omitted.insert(digest, size);
        } else {
            room -= size;
            inside.insert(digest);
        }
    }
    let (made, of_site): (BTreeSet<_>, BTreeSet<_>) = inside
        .into_iter()
        .partition(|digest| compiled.blobs.contains_key(digest));
    let made = made.iter().filter_map(|digest| {
        let bytes = compiled.blobs.get(digest)?;
        Some((*digest, Bytes(bytes.to_vec())))
    });
    let of_site = opened.contents(of_site)?.into_iter();
    let blobs = made
        .chain(of_site.map(|(digest, bytes)| (digest, Bytes(bytes))))
        .collect();
    Ok(Bundle {
        catalog: compiled.catalog,
        blobs,
        omitted,
    })
}

/// The resources, one a line, in the order of application.
fn described(compiled: &Compiled) -> String {
    let catalog = &compiled.catalog;
    let mut text = format!(
        "{}  {}\n\n",
        catalog.host.to_string().bold(),
        words::count(catalog.resources.len(), "resource")
    );
    let width = places(catalog.resources.len());
    for (place, resource) in catalog.resources.iter().enumerate() {
        // Into memory, which does not fail.
        let _ = writeln!(
            text,
            "{:>width$}  {:<10}{}{}",
            (place + 1).dimmed(),
            resource.id.kind().as_str().cyan(),
            resource.id.title(),
            aside(resource).dimmed()
        );
        let _ = write!(text, "{}", edges(width, "after", &resource.requires));
        let _ = write!(
            text,
            "{}",
            edges(width, "refreshed by", &resource.subscribes)
        );
    }
    for note in &compiled.notes {
        let _ = writeln!(text, "\n{} {}", "note:".cyan().bold(), explained(note));
    }
    let _ = writeln!(text, "\n{} {}", "digest".dimmed(), digest(catalog).dimmed());
    text
}

fn digest(catalog: &Catalog) -> Digest {
    Digest::of(catalog.to_bytes())
}

fn places(count: usize) -> usize {
    count.to_string().len()
}

fn edges(width: usize, word: &str, edges: &[ResourceId]) -> String {
    if edges.is_empty() {
        return String::new();
    }
    let names: Vec<String> = edges.iter().map(ResourceId::to_string).collect();
    let line = format!("{:width$}  {:10}{word} {}", "", "", names.join(", "));
    format!("{}\n", line.dimmed())
}

/// What is worth a word behind a resource's name: how much content, in which mode.
fn aside(resource: &Resource) -> String {
    let Spec::File(file) = &resource.spec else {
        return String::new();
    };
    match &file.content {
        None => String::new(),
        Some(Content::Text(text)) => format!("  {}", words::size(text.len() as u64)),
        Some(Content::Blob { size, .. }) => format!("  {}", words::size(*size)),
        Some(Content::Sealed { secrets, .. }) => {
            let names: Vec<String> = secrets.iter().map(SecretName::to_string).collect();
            format!("  holds {}", names.join(", "))
        }
    }
}

fn explained(note: &Note) -> String {
    match note {
        Note::DroppedEdge { from, to, because } => format!(
            "{from} does not wait for {to} ({because}): {to} waits for it already, and a circle \
             cannot be walked"
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn edges_stand_below_their_resource() {
        let package: ResourceId = "package[nginx]".parse().unwrap();
        let drawn = anstream::adapter::strip_str(&edges(2, "after", &[package])).to_string();
        assert_eq!(drawn, "              after package[nginx]\n");
        assert_eq!(edges(2, "after", &[]), "");
    }

    #[test]
    fn a_host_name_is_what_the_catalog_says() {
        let catalog = Catalog {
            format: holdfast_schemas::catalog::CATALOG_FORMAT,
            host: "db-1".parse().unwrap(),
            enforcement: Default::default(),
            resources: Vec::new(),
            health: Vec::new(),
        };
        let compiled = Compiled {
            catalog,
            blobs: BTreeMap::new(),
            sealed: BTreeMap::new(),
            notes: Vec::new(),
        };
        let text = described(&compiled);
        assert!(
            anstream::adapter::strip_str(&text)
                .to_string()
                .starts_with("db-1  0 resources\n")
        );
    }
}
