//! The last good catalog: what this host goes on with while its server is away.
//!
//! It is kept as it was signed and verified again at every load, so a state folder that somebody
//! edited is refused like a network that somebody tampered with.

use holdfast_schemas::catalog::{MAX_CATALOG, SignedEnvelope};

use crate::blobs::Blobs;
use crate::durable::{self, DiskError};
use crate::identity::Enrolled;
use crate::said::chain;
use crate::state::{StateDir, StateError};
use crate::trust::{Accepted, Trust, TrustError, Verified};

/// What this host has accepted so far, and holds.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// The newest it accepted.
    pub(crate) accepted: Option<Accepted>,
    /// The catalog, if it can still be believed.
    pub(crate) catalog: Option<Verified>,
}

impl Held {
    /// Reads and verifies what is held.
    pub(crate) fn load(state: &StateDir, host: &Enrolled) -> Result<Self, StateError> {
        let mut accepted = match durable::read_json(&state.accepted()) {
            Err(damaged @ DiskError::Damaged { .. }) => {
                tracing::error!(
                    error = chain(&damaged),
                    "which generation was accepted last is told by the catalog held alone"
                );
                None
            }
            read => read?,
        };
        let Some(signed) = read_envelope(state)? else {
            return Ok(Self {
                accepted,
                catalog: None,
            });
        };
        let trust = trust(host, accepted);
        let catalog = match believe(state, &trust, &signed)? {
            Ok(verified) => {
                accepted = Some(verified.accepted());
                Some(verified)
            }
            Err(refusal) => {
                tracing::error!(error = chain(&refusal), "the catalog held is not believed");
                None
            }
        };
        Ok(Self { accepted, catalog })
    }

    /// Holds another catalog, whose content is all here. The catalog is kept before its number:
    /// in between, the number it bears itself counts.
    pub(crate) fn accept(
        state: &StateDir,
        signed: &SignedEnvelope,
        verified: &Verified,
    ) -> Result<(), StateError> {
        durable::write_json(&state.catalog(), signed)?;
        durable::write_json(&state.accepted(), &verified.accepted())?;
        let body = verified.envelope().body;
        let named = verified.needs();
        let blobs = Blobs::new(state.blobs());
        blobs.keep_only(|digest| *digest == body || named.contains_key(digest))?;
        Ok(())
    }
}

/// Whom a host believes.
pub(crate) fn trust(host: &Enrolled, accepted: Option<Accepted>) -> Trust<'_> {
    Trust {
        host: host.name(),
        keys: &host.identity.catalog_keys,
        accepted,
    }
}

fn read_envelope(state: &StateDir) -> Result<Option<SignedEnvelope>, StateError> {
    match durable::read_json(&state.catalog()) {
        Err(damaged @ DiskError::Damaged { .. }) => {
            tracing::error!(error = chain(&damaged), "the catalog held cannot be read");
            Ok(None)
        }
        read => Ok(read?),
    }
}

fn believe(
    state: &StateDir,
    trust: &Trust<'_>,
    signed: &SignedEnvelope,
) -> Result<Result<Verified, TrustError>, StateError> {
    let envelope = match trust.verify(signed) {
        Ok(envelope) => envelope,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let blobs = Blobs::new(state.blobs());
    let body = blobs.read(&envelope.envelope().body, MAX_CATALOG)?;
    Ok(envelope.admit(&body.unwrap_or_default()))
}
