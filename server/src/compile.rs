//! Compiles hosts on every core, and keeps what came out as blobs: a body is in the store before
//! anything names it, and in memory only while it is made. All of it blocks.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use holdfast_catalog::diag::Code;
use holdfast_catalog::{Compiled, Diagnostic, Diagnostics, HostInput, Site};
use holdfast_schemas::catalog::MAX_CATALOG;
use holdfast_schemas::secret::SealingKey;
use holdfast_schemas::{Digest, HostName};
use holdfast_secrets::HostKey;
use holdfast_store::{BlobStore, Store, StoreError};

use crate::assign::{Body, features};
use crate::context::Server;
use crate::fleet::CompiledFrom;
use crate::http::chain;
use crate::sealing::Sealing;

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
    /// What it has been given.
    pub given: Option<Given>,
    /// The key that its secrets are sealed to.
    pub sealing_key: Option<SealingKey>,
    /// Whether it is held.
    pub held: Option<String>,
}

/// What a host has been given: a body, and secrets sealed to a key if there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Digest of the body.
    pub body: Digest,
    /// The key of its sealed contents.
    pub sealed_to: Option<SealingKey>,
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
    /// It compiles, and its secrets cannot be sealed: its agent gave no key.
    NoSealingKey,
    /// The facts that are stored of it cannot be read.
    FactsDamaged,
}

impl Wanted {
    /// What its catalog is made from.
    pub fn from(&self, revision: &str) -> CompiledFrom {
        CompiledFrom {
            revision: revision.to_owned(),
            facts: self.enrolled.as_ref().and_then(|enrolled| enrolled.facts),
            sealing_key: self.enrolled.as_ref().and_then(|known| known.sealing_key),
        }
    }
}

impl Enrolled {
    /// Whether it has been given this already.
    pub fn has(&self, body: &Body) -> bool {
        self.given
            .is_some_and(|given| given.body == body.digest && given.sealed_to == body.sealed_to)
    }
}

/// Compiles hosts, as many at a time as there are cores; outcomes in their order.
pub fn all(server: &Server, site: &Site, wanted: &[Wanted]) -> Result<Vec<Outcome>, StoreError> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(wanted.len()));
    let sealing = Sealing::new(&server.secrets);
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(host) = wanted.get(place) else {
                return;
            };
            let outcome = shielded(&host.name, || one(server, site, &sealing, host));
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
        let told = fault(Code::Evaluation, message, help);
        Ok(Outcome::Fails(told.into()))
    })
}

/// Something wrong that has no place in the repo.
pub(crate) fn fault(code: Code, message: String, help: &str) -> Diagnostic {
    Diagnostic {
        code,
        message,
        labels: Vec::new(),
        help: vec![help.to_owned()],
        hosts: None,
    }
}

fn one(
    server: &Server,
    site: &Site,
    sealing: &Sealing<'_>,
    wanted: &Wanted,
) -> Result<Outcome, StoreError> {
    let bare = HostInput::new(wanted.name.clone());
    let known = wanted.enrolled.as_ref().and_then(|enrolled| enrolled.facts);
    let facts = match known.map(|_| facts_of(server.store.as_ref(), &wanted.name)) {
        Some(Ok(facts)) => facts,
        Some(Err(error @ StoreError::Damaged { .. })) => {
            tracing::error!(host.name = %wanted.name, error = %chain(&error), "cannot read a host's facts");
            return Ok(Outcome::FactsDamaged);
        }
        Some(Err(error)) => return Err(error),
        None => None,
    };
    let attempt = match &facts {
        Some(facts) => site.compile(&bare.clone().with_facts(facts.clone())),
        None => site.compile(&bare),
    };
    let written = attempt.and_then(|mut compiled| {
        sealing.commit(&mut compiled)?;
        Written::new(compiled, MAX_CATALOG)
    });
    match written {
        Ok(written) => keep(&server.blobs, sealing, wanted, &written),
        Err(wrong) if facts.is_none() && wrong.needs_only_facts() => Ok(Outcome::WaitsForFacts),
        Err(wrong) if is_of_the_site(&wrong) => Ok(Outcome::Fails(wrong)),
        Err(wrong) if facts.is_some() && is_good(site, &bare) => Ok(Outcome::FailsByFacts(wrong)),
        Err(wrong) => Ok(Outcome::Fails(wrong)),
    }
}

/// Whether something is wrong that no facts have to do with: what is encrypted stands in the repo.
fn is_of_the_site(wrong: &Diagnostics) -> bool {
    wrong.iter().any(|one| one.code == Code::Encrypted)
}

/// Whether nothing is wrong with a host as far as that can be told without its facts.
fn is_good(site: &Site, bare: &HostInput) -> bool {
    match site.compile(bare) {
        Ok(_) => true,
        Err(wrong) => wrong.needs_only_facts(),
    }
}

type FactMap = serde_json::Map<String, serde_json::Value>;

fn facts_of(store: &dyn Store, name: &HostName) -> Result<Option<FactMap>, StoreError> {
    let facts = store.facts(name)?;
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
        Err(fault(Code::TooLarge, message, help).into())
    }
}

/// Puts a catalog and what goes with it into the blob store, unless its host has it already.
fn keep(
    blobs: &BlobStore,
    sealing: &Sealing<'_>,
    wanted: &Wanted,
    written: &Written,
) -> Result<Outcome, StoreError> {
    let compiled = &written.compiled;
    let mut body = Body {
        digest: Digest::of(&written.bytes),
        size: written.bytes.len() as u64,
        features: features(&compiled.catalog),
        sealed: BTreeMap::new(),
        sealed_to: None,
    };
    let Some(enrolled) = &wanted.enrolled else {
        return Ok(Outcome::Compiled(body));
    };
    if !compiled.sealed.is_empty() {
        body.sealed_to = enrolled.sealing_key;
        if body.sealed_to.is_none() {
            return Ok(Outcome::NoSealingKey);
        }
    }
    if enrolled.has(&body) {
        return Ok(Outcome::Compiled(body));
    }
    if let Some(key) = &body.sealed_to {
        // No key that is no good was ever taken; should one be there, it is as good as none.
        let Some(key) = HostKey::new(key) else {
            return Ok(Outcome::NoSealingKey);
        };
        body.sealed = sealing.seal(blobs, (&wanted.name, &key), &compiled.sealed)?;
    }
    for bytes in compiled.blobs.values() {
        blobs.put(bytes)?;
    }
    blobs.put(&written.bytes)?;
    Ok(Outcome::Compiled(body))
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
            given: record.assigned.as_ref().map(|assigned| Given {
                body: assigned.body,
                sealed_to: assigned.sealed_to,
            }),
            sealing_key: record.sealing_key,
            held: record.held.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

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
                health: Vec::new(),
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
