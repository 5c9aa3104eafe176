//! Compiles hosts on every core, and keeps what came out as blobs: a body is in the store before
//! anything names it, and in memory only while it is made. All of it blocks.

use std::collections::HashSet;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use holdfast_catalog::diag::Code;
use holdfast_catalog::{Compiled, Diagnostic, Diagnostics, HostInput, Site};
use holdfast_schemas::catalog::MAX_CATALOG;
use holdfast_schemas::{Digest, HostName};
use holdfast_store::{BlobStore, StoreError};

use crate::assign::{Body, features};
use crate::context::Server;
use crate::fleet::CompiledFrom;

/// A host to compile.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The host.
    pub name: HostName,
    /// Whether an agent enrolled for it, and with what.
    pub enrolled: Option<Enrolled>,
}

/// What is known of an enrolled host.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// Digest of its facts.
    pub facts: Option<Digest>,
    /// Digest of the body it has been given.
    pub body: Option<Digest>,
    /// Whether it is held.
    pub held: Option<String>,
}

/// What came out for a host.
#[derive(Debug)]
pub enum Outcome {
    /// A catalog. Its body is in the blob store if the host is enrolled.
    Compiled(Body),
    /// Nothing yet: it depends on facts that were never reported.
    WaitsForFacts,
    /// It does not compile, and its facts alone are the reason.
    FailsByFacts(Diagnostics),
    /// It does not compile.
    Fails(Diagnostics),
}

impl Wanted {
    /// What its catalog is made from.
    pub fn from(&self, revision: &str) -> CompiledFrom {
        CompiledFrom {
            revision: revision.to_owned(),
            facts: self.enrolled.as_ref().and_then(|enrolled| enrolled.facts),
        }
    }
}

/// Compiles hosts, as many at a time as there are cores; outcomes in their order.
pub fn all(server: &Server, site: &Site, wanted: &[Wanted]) -> Result<Vec<Outcome>, StoreError> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(wanted.len()));
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(host) = wanted.get(place) else {
                return;
            };
            let outcome = shielded(&host.name, || one(server, site, host));
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((place, outcome));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..cores.min(wanted.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

/// A host on whose input the compiler breaks does not compile; that is all. What comes from one
/// host, or stands in one file, keeps no other host from its catalog.
fn shielded(
    host: &HostName,
    attempt: impl FnOnce() -> Result<Outcome, StoreError>,
) -> Result<Outcome, StoreError> {
    // Nothing is changed in place on the way: a site is read, and blobs are put whole.
    catch_unwind(AssertUnwindSafe(attempt)).unwrap_or_else(|_| {
        tracing::error!(host.name = %host, "the compiler broke on a host; its words stand above");
        let message = format!("the compiler itself broke on {host}; the server's log says where");
        let help = "this is a fault of Holdfast: please report it";
        Ok(Outcome::Fails(fault(Code::Evaluation, message, help)))
    })
}

/// Something wrong that has no place in the repo.
fn fault(code: Code, message: String, help: &str) -> Diagnostics {
    let mut wrong = Diagnostics::new();
    wrong.push(Diagnostic {
        code,
        message,
        labels: Vec::new(),
        help: vec![help.to_owned()],
        hosts: None,
    });
    wrong
}

fn one(server: &Server, site: &Site, wanted: &Wanted) -> Result<Outcome, StoreError> {
    let bare = HostInput::new(wanted.name.clone());
    let known = wanted.enrolled.as_ref().and_then(|enrolled| enrolled.facts);
    let facts = match known {
        Some(_) => facts_of(server, &wanted.name)?,
        None => None,
    };
    let attempt = match &facts {
        Some(facts) => site.compile(&bare.clone().with_facts(facts.clone())),
        None => site.compile(&bare),
    };
    match attempt.and_then(|compiled| Written::new(compiled, MAX_CATALOG)) {
        Ok(written) => keep(&server.blobs, wanted, &written).map(Outcome::Compiled),
        Err(wrong) if facts.is_none() && wrong.needs_only_facts() => Ok(Outcome::WaitsForFacts),
        Err(wrong) if facts.is_some() && is_good(site, &bare) => Ok(Outcome::FailsByFacts(wrong)),
        Err(wrong) => Ok(Outcome::Fails(wrong)),
    }
}

/// Whether nothing is wrong with a host as far as that can be told without its facts.
fn is_good(site: &Site, bare: &HostInput) -> bool {
    match site.compile(bare) {
        Ok(_) => true,
        Err(wrong) => wrong.needs_only_facts(),
    }
}

type FactMap = serde_json::Map<String, serde_json::Value>;

fn facts_of(server: &Server, name: &HostName) -> Result<Option<FactMap>, StoreError> {
    let facts = server.store.facts(name)?;
    Ok(facts.and_then(|facts| match serde_json::to_value(facts) {
        Ok(serde_json::Value::Object(map)) => Some(map),
        _ => None,
    }))
}

/// What came out of the compiler, with the bytes of its catalog.
#[derive(Debug)]
struct Written {
    compiled: Compiled,
    bytes: Vec<u8>,
}

impl Written {
    /// Writes a catalog down. One that no agent would take does not compile: it is the matter of
    /// this host, and no failure of the store that would keep all others waiting.
    fn new(compiled: Compiled, most: usize) -> Result<Self, Diagnostics> {
        let bytes = compiled.catalog.to_bytes();
        if bytes.len() <= most {
            return Ok(Self { compiled, bytes });
        }
        let message = format!(
            "the catalog of {} has {} bytes, and agents take {most}",
            compiled.catalog.host,
            bytes.len()
        );
        let help = "declare fewer resources, or shorter ones";
        Err(fault(Code::TooLarge, message, help))
    }
}

fn keep(blobs: &BlobStore, wanted: &Wanted, written: &Written) -> Result<Body, StoreError> {
    let body = Body {
        digest: Digest::of(&written.bytes),
        size: written.bytes.len() as u64,
        features: features(&written.compiled.catalog),
    };
    let given = wanted.enrolled.as_ref().map(|enrolled| enrolled.body);
    if given.is_some_and(|given| given != Some(body.digest)) {
        for bytes in written.compiled.blobs.values() {
            blobs.put(bytes)?;
        }
        blobs.put(&written.bytes)?;
    }
    Ok(body)
}

/// Every host there is: those the repo declares, and those that enrolled.
pub fn fleet(server: &Server, site: &Site) -> Vec<Wanted> {
    let enrolled = server.hosts.all();
    let names: HashSet<&HostName> = enrolled.iter().map(|entry| entry.name()).collect();
    let declared = site.hosts().filter(|name| !names.contains(name));
    let mut fleet: Vec<Wanted> = declared
        .map(|name| Wanted {
            name: name.clone(),
            enrolled: None,
        })
        .collect();
    fleet.extend(enrolled.iter().map(|entry| wanted(&entry.record())));
    fleet
}

/// An enrolled host, to be compiled.
pub fn wanted(record: &holdfast_store::HostRecord) -> Wanted {
    Wanted {
        name: record.name.clone(),
        enrolled: Some(Enrolled {
            facts: record.facts,
            body: record.assigned.as_ref().map(|assigned| assigned.body),
            held: record.held.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::collections::BTreeMap;

    use holdfast_schemas::catalog::{CATALOG_FORMAT, Catalog, Enforcement};

    use super::*;

    #[test]
    fn a_compiler_that_breaks_on_one_host_says_so_and_goes_on() {
        let host = "h1".parse().unwrap();
        let outcome = shielded(&host, || panic!("out of bounds")).unwrap();
        let Outcome::Fails(wrong) = outcome else {
            panic!("it does not compile");
        };
        let text = wrong.render(holdfast_catalog::Paint::Plain);
        assert!(text.contains("broke on h1"), "{text}");
        let fine = shielded(&host, || Ok(Outcome::WaitsForFacts)).unwrap();
        assert!(matches!(fine, Outcome::WaitsForFacts));
    }

    #[test]
    fn a_catalog_that_no_agent_would_take_does_not_compile() {
        let compiled = || Compiled {
            catalog: Catalog {
                format: CATALOG_FORMAT,
                host: "h1".parse().unwrap(),
                enforcement: Enforcement::Enforce,
                resources: Vec::new(),
            },
            blobs: BTreeMap::new(),
            sealed: BTreeMap::new(),
            notes: Vec::new(),
        };
        let size = Written::new(compiled(), MAX_CATALOG).unwrap().bytes.len();
        assert!(Written::new(compiled(), size).is_ok());
        let wrong = Written::new(compiled(), size - 1).unwrap_err();
        let text = wrong.render(holdfast_catalog::Paint::Plain);
        assert!(text.contains("too_large") && text.contains("h1"), "{text}");
    }
}
