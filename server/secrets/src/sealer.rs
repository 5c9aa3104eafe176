//! Sealing a content to one host: a commitment for its catalog, and a box that only it can open.
//!
//! Everything is derived from the server's master key and the input. The opening of a commitment
//! depends on the host, so equal secrets on two hosts do not look alike; the ephemeral key of a
//! box depends on the host's key and the commitment, and thus on the content, so that no two
//! contents are ever encrypted under one key and nonce.

use std::fmt;

use crypto_box::aead::rand_core::{CryptoRng, Error, RngCore};
use crypto_box::aead::{Aead as _, generic_array::GenericArray};
use crypto_box::{PublicKey, SalsaBox, SecretKey};
use holdfast_schemas::HostName;
use holdfast_schemas::secret::{Commitment, OPENING, SealingKey};
use zeroize::Zeroizing;

use crate::{Plaintext, RandomError};

/// Length of the master key, in bytes.
pub const MASTER: usize = 32;

/// What the keys derived from the master are for; one is worth nothing in the place of another.
const OPENINGS: &str = "holdfast 2026-11 openings of sealed contents";
const EPHEMERALS: &str = "holdfast 2026-11 ephemeral keys of sealed contents";

/// Seals contents to hosts.
pub struct Sealer {
    openings: Zeroizing<[u8; 32]>,
    ephemerals: Zeroizing<[u8; 32]>,
}

/// A content that a catalog can commit to.
pub struct Committed {
    /// What the catalog says.
    pub commitment: Commitment,
    opening: Zeroizing<[u8; OPENING]>,
}

impl Sealer {
    /// Takes a master key.
    pub fn new(master: &[u8; MASTER]) -> Self {
        let derived = |purpose| Zeroizing::new(blake3::derive_key(purpose, master));
        Self {
            openings: derived(OPENINGS),
            ephemerals: derived(EPHEMERALS),
        }
    }

    /// Makes a master key.
    pub fn draw_master() -> Result<Zeroizing<[u8; MASTER]>, RandomError> {
        let mut master = Zeroizing::new([0; MASTER]);
        getrandom::fill(&mut *master)?;
        Ok(master)
    }

    /// Commits to a content of a host.
    pub fn commit(&self, host: &HostName, content: &Plaintext) -> Committed {
        let mut hasher = blake3::Hasher::new_keyed(&self.openings);
        hasher.update(host.as_str().as_bytes());
        hasher.update(b"\0");
        hasher.update(content.expose());
        let opening = Zeroizing::new(*hasher.finalize().as_bytes());
        Committed {
            commitment: Commitment::to_content(&opening, content.expose()),
            opening,
        }
    }

    /// Seals a content to a host: the opening, then the content.
    pub fn seal(&self, host: &HostKey, committed: &Committed, content: &Plaintext) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new_keyed(&self.ephemerals);
        hasher.update(host.0.as_bytes());
        hasher.update(&*committed.opening);
        let (Commitment::Sealed(digest) | Commitment::Draft(digest)) = committed.commitment;
        hasher.update(digest.as_bytes());
        let mut seed = Seed(hasher.finalize_xof());
        let mut whole = Plaintext::with_room(OPENING + content.expose().len());
        whole.extend(&*committed.opening);
        whole.extend(content.expose());
        // It fails for messages beyond 256 GiB alone; an empty box opens for nobody.
        host.0.seal(&mut seed, whole.expose()).unwrap_or_default()
    }
}

/// A host's key that was looked at: what is sealed to it stays secret.
#[derive(Debug, Clone)]
pub struct HostKey(PublicKey);

impl HostKey {
    /// Takes a key that a host sent. With a point of low order (RFC 7748, 6.1) the shared key is
    /// the same whoever seals: two keys make one box, and the key is refused.
    pub fn new(key: &SealingKey) -> Option<Self> {
        let public = PublicKey::from(key.0);
        let nonce = GenericArray::default();
        let boxed = |secret: u8| {
            let secret = SecretKey::from([secret; 32]);
            SalsaBox::new(&public, &secret)
                .encrypt(&nonce, &[][..])
                .ok()
        };
        (boxed(1) != boxed(2)).then_some(Self(public))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl fmt::Debug for Committed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Committed({:?})", self.commitment)
    }
}

/// Random numbers that only who has the seed can tell from others, and always the same.
struct Seed(blake3::OutputReader);

impl RngCore for Seed {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Seed {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use holdfast_schemas::secret::SEALED_OVERHEAD;

    use super::*;

    fn key(secret: u8) -> (SecretKey, SealingKey) {
        let secret = SecretKey::from([secret; 32]);
        let public = SealingKey(*secret.public_key().as_bytes());
        (secret, public)
    }

    fn sealed(master: u8, host: &str, to: &SealingKey, text: &str) -> (Commitment, Vec<u8>) {
        let sealer = Sealer::new(&[master; MASTER]);
        let content = Plaintext::new(text.as_bytes().to_vec());
        let committed = sealer.commit(&host.parse().unwrap(), &content);
        let to = HostKey::new(to).unwrap();
        let sealed = sealer.seal(&to, &committed, &content);
        (committed.commitment, sealed)
    }

    #[test]
    fn only_the_host_opens_it_and_finds_what_the_catalog_committed_to() {
        let (secret, public) = key(3);
        let (commitment, sealed) = sealed(1, "h1", &public, "s3cret");
        assert_eq!(sealed.len(), "s3cret".len() + SEALED_OVERHEAD);
        let whole = secret.unseal(&sealed).unwrap();
        let (opening, content) = whole.split_at(OPENING);
        assert_eq!(content, b"s3cret");
        let opening = opening.try_into().unwrap();
        assert_eq!(Commitment::to_content(opening, content), commitment);
        assert!(key(4).0.unseal(&sealed).is_err());
    }

    #[test]
    fn the_same_makes_the_same_and_anything_else_makes_another() {
        let (_, public) = key(3);
        let (_, other_key) = key(4);
        let base = sealed(1, "h1", &public, "s3cret");
        assert_eq!(sealed(1, "h1", &public, "s3cret"), base);
        let rekeyed = sealed(1, "h1", &other_key, "s3cret");
        assert_eq!(rekeyed.0, base.0, "the catalog's body stays");
        assert_ne!(rekeyed.1, base.1);
        for other in [
            sealed(2, "h1", &public, "s3cret"),
            sealed(1, "h2", &public, "s3cret"),
            sealed(1, "h1", &public, "s3cre7"),
        ] {
            assert_ne!(other.0, base.0);
            assert_ne!(other.1[..32], base.1[..32], "an ephemeral key of its own");
        }
    }

    #[test]
    fn a_key_that_keeps_nothing_secret_is_refused() {
        let (_, public) = key(3);
        assert!(HostKey::new(&public).is_some());
        let one = |byte: u8| {
            let mut point = [0; 32];
            point[0] = byte;
            SealingKey(point)
        };
        let mut minus_one = [0xff; 32];
        (minus_one[0], minus_one[31]) = (0xec, 0x7f);
        for weak in [one(0), one(1), SealingKey(minus_one)] {
            assert!(HostKey::new(&weak).is_none(), "{weak}");
        }
    }

    #[test]
    fn nothing_prints_what_is_secret() {
        let sealer = Sealer::new(&[0x41; MASTER]);
        let content = Plaintext::new(b"s3cret".to_vec());
        let committed = sealer.commit(&"h1".parse().unwrap(), &content);
        let shown = format!("{sealer:?} {content:?} {committed:?}");
        let opening = format!("{:?}", &committed.opening[..4]);
        assert!(!shown.contains("s3cret") && !shown.contains(opening.trim_matches(['[', ']'])));
    }
}
