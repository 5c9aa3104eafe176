//! Secrets on this host: the key that they are sealed to, and what the catalog's boxes hold.
//!
//! The key is made at the first enrolment and kept over every later one; it never leaves the state
//! folder. A box is opened at the moment its content is compared or written, and what it held
//! leaves memory right after. Nothing opened is ever on disk but at the path it was meant for.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use crypto_box::SecretKey;
use holdfast_modules::host::{ContentSource, DRAFT};
use holdfast_schemas::Digest;
use holdfast_schemas::catalog::SealedBlob;
use holdfast_schemas::secret::{Commitment, MAX_SEALED, OPENING, SEALED_OVERHEAD, SealingKey};
use zeroize::Zeroizing;

use crate::blobs::Blobs;
use crate::durable;
use crate::state::{StateDir, StateError};
use crate::trust::Verified;

/// Length of the key, in bytes.
const KEY: usize = 32;

/// Why a host has no key to open boxes with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OwnKeyError {
    /// The state folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The kernel gave no random bytes.
    #[error("cannot make a sealing key")]
    Random(#[source] getrandom::Error),
}

/// The key that opens what was sealed to this host.
#[derive(Clone)]
pub(crate) struct OwnKey(SecretKey);

impl fmt::Debug for OwnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnKey({})", self.public())
    }
}

impl OwnKey {
    /// The key of a state folder; `None` when it has none that can be used.
    pub(crate) fn load(state: &StateDir) -> Result<Option<Self>, StateError> {
        let bytes = durable::read(&state.sealing_key())?.map(Zeroizing::new);
        let key = bytes.and_then(|bytes| <[u8; KEY]>::try_from(&bytes[..]).ok());
        Ok(key
            .map(Zeroizing::new)
            .map(|key| Self(SecretKey::from(*key))))
    }

    /// The key of a state folder, made if there is none. The server hears of a new one at the next
    /// enrolment or renewal, and seals everything to it anew.
    pub(crate) fn of(state: &StateDir) -> Result<Self, OwnKeyError> {
        if let Some(key) = Self::load(state)? {
            return Ok(key);
        }
        let mut bytes = Zeroizing::new([0; KEY]);
        getrandom::fill(&mut *bytes).map_err(OwnKeyError::Random)?;
        durable::write(&state.sealing_key(), &*bytes).map_err(StateError::from)?;
        Ok(Self(SecretKey::from(*bytes)))
    }

    /// Its public half: what the server seals to.
    pub(crate) fn public(&self) -> SealingKey {
        SealingKey(*self.0.public_key().as_bytes())
    }

    /// The content of a box, if it is the one that was committed to.
    fn open(&self, sealed: &[u8], wanted: &Commitment) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut opened = match self.0.unseal(sealed) {
            Ok(opened) => Zeroizing::new(opened),
            Err(_) => return Err(refused("it is not sealed to the key of this host")),
        };
        let found = opened
            .split_first_chunk::<OPENING>()
            .map(|(opening, content)| Commitment::to_content(opening, content));
        if found != Some(*wanted) {
            return Err(refused("what is sealed is not what the catalog commits to"));
        }
        opened.drain(..OPENING);
        Ok(opened)
    }
}

/// What the files of a catalog hold: blobs by digest, and what is sealed to this host.
pub(crate) struct Contents {
    blobs: Blobs,
    sealed: BTreeMap<Digest, SealedBlob>,
    key: Option<OwnKey>,
}

impl Contents {
    /// The contents of a catalog. The key is read only where something is sealed.
    pub(crate) fn of(state: &StateDir, catalog: &Verified) -> Result<Self, StateError> {
        let sealed = catalog.envelope().sealed.clone();
        let key = match sealed.is_empty() {
            true => None,
            false => OwnKey::load(state)?,
        };
        Ok(Self {
            blobs: Blobs::new(state.blobs()),
            sealed,
            key,
        })
    }

    /// The same, to be shared with a host.
    pub(crate) fn shared(state: &StateDir, catalog: &Verified) -> Result<Arc<Self>, StateError> {
        Self::of(state, catalog).map(Arc::new)
    }

    /// Opens every box once, before anything rests on it.
    pub(crate) fn prove(&self) -> io::Result<()> {
        let mut commitments = self.sealed.keys().copied().map(Commitment::Sealed);
        commitments.try_for_each(|commitment| self.unseal(&commitment).map(drop))
    }
}

impl ContentSource for Contents {
    fn open(&self, digest: &Digest) -> io::Result<Box<dyn Read + Send>> {
        self.blobs.open(digest)
    }

    fn unseal(&self, commitment: &Commitment) -> io::Result<Zeroizing<Vec<u8>>> {
        let missing = |why: &str| io::Error::new(io::ErrorKind::NotFound, why);
        let Commitment::Sealed(named) = commitment else {
            return Err(missing(DRAFT));
        };
        let blob = self.sealed.get(named);
        let blob = blob.ok_or_else(|| missing("the catalog's envelope names no box for it"))?;
        let key = self.key.as_ref();
        let key = key.ok_or_else(|| missing("the sealing key of this host is gone"))?;
        let read = self.blobs.read(&blob.digest, MAX_SEALED + SEALED_OVERHEAD);
        let sealed = read.map_err(io::Error::other)?;
        let sealed = sealed.ok_or_else(|| missing("its box was not fetched"))?;
        if Digest::of(&sealed) != blob.digest {
            self.blobs.drop_rotten(&blob.digest);
            return Err(refused("its box has rotted; the next run fetches it anew"));
        }
        key.open(&sealed, commitment)
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests;
