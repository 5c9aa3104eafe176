#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;

use crypto_box::aead::rand_core::{CryptoRng, Error, RngCore};

use super::*;

const SECRET: &[u8] = b"correct horse battery staple";

/// The numbers need not be random: who tests knows what is in the box.
struct Counting(u8);

impl RngCore for Counting {
    fn next_u32(&mut self) -> u32 {
        4
    }

    fn next_u64(&mut self) -> u64 {
        4
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
        self.0 += 1;
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Counting {}

struct World {
    _folder: tempfile::TempDir,
    state: StateDir,
    contents: Contents,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path().join("state"));
        state.prepare().unwrap();
        let contents = Contents {
            blobs: Blobs::new(state.blobs()),
            sealed: BTreeMap::new(),
            key: Some(OwnKey::of(&state).unwrap()),
        };
        Self {
            _folder: folder,
            state,
            contents,
        }
    }

    fn key(&self) -> &OwnKey {
        self.contents.key.as_ref().unwrap()
    }

    /// Lists a box under a commitment, whatever is in it.
    fn put(&mut self, commitment: Commitment, sealed: &[u8]) {
        let Commitment::Sealed(named) = commitment else {
            panic!("a draft")
        };
        let digest = Digest::of(sealed);
        std::fs::write(self.state.blobs().join(digest.to_string()), sealed).unwrap();
        let size = sealed.len() as u64;
        self.contents
            .sealed
            .insert(named, SealedBlob { digest, size });
    }

    fn refusal(&self, commitment: Commitment) -> String {
        let error = self.contents.unseal(&commitment).unwrap_err();
        assert!(self.contents.prove().is_err());
        error.to_string()
    }
}

fn sealed(to: &OwnKey, content: &[u8]) -> (Commitment, Vec<u8>) {
    let opening = [9; OPENING];
    let whole = [&opening[..], content].concat();
    let sealed = to.0.public_key().seal(&mut Counting(1), &whole).unwrap();
    (Commitment::to_content(&opening, content), sealed)
}

#[test]
fn the_key_is_made_once_and_is_roots_alone() {
    let world = World::new();
    let again = OwnKey::of(&world.state).unwrap();
    assert_eq!(again.public(), world.key().public());
    let found = std::fs::metadata(world.state.sealing_key()).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    let secret = again.0.to_bytes();
    assert!(!format!("{again:?}").contains(&format!("{secret:?}")));
    // A key that was torn opens nothing: another takes its place.
    std::fs::write(world.state.sealing_key(), "torn").unwrap();
    assert!(OwnKey::load(&world.state).unwrap().is_none());
    let other = OwnKey::of(&world.state).unwrap();
    assert_ne!(other.public(), again.public());
}

#[test]
fn what_was_sealed_to_this_host_is_opened() {
    let mut world = World::new();
    for content in [SECRET, b""] {
        let (commitment, sealed) = sealed(world.key(), content);
        world.put(commitment, &sealed);
        assert_eq!(**world.contents.unseal(&commitment).unwrap(), *content);
    }
    world.contents.prove().unwrap();
}

#[test]
fn a_box_of_another_host_is_refused() {
    let (mut world, other) = (World::new(), World::new());
    let (commitment, sealed) = sealed(other.key(), SECRET);
    world.put(commitment, &sealed);
    assert!(world.refusal(commitment).contains("not sealed to the key"));
}

#[test]
fn swapped_boxes_are_refused() {
    let mut world = World::new();
    let (one, first) = sealed(world.key(), SECRET);
    let (two, second) = sealed(world.key(), b"another");
    world.put(one, &second);
    world.put(two, &first);
    for commitment in [one, two] {
        assert!(world.refusal(commitment).contains("commits to"));
    }
}

#[test]
fn torn_altered_and_short_boxes_are_refused() {
    let mut world = World::new();
    let (commitment, good) = sealed(world.key(), SECRET);
    let mut altered = good.clone();
    *altered.last_mut().unwrap() ^= 1;
    let torn = &good[..good.len() - 1];
    for bad in [&altered[..], torn, &good[..40], b""] {
        world.put(commitment, bad);
        assert!(world.refusal(commitment).contains("not sealed to the key"));
    }
    let short = world.key().0.public_key();
    let short = short.seal(&mut Counting(1), &[1; OPENING - 1]).unwrap();
    world.put(commitment, &short);
    assert!(world.refusal(commitment).contains("commits to"));
}

#[test]
fn a_rotten_box_is_dropped_and_missing_ones_are_told() {
    let mut world = World::new();
    let (commitment, good) = sealed(world.key(), SECRET);
    let draft = Commitment::Draft(Digest::of("x"));
    assert_eq!(
        world.contents.unseal(&draft).unwrap_err().to_string(),
        DRAFT
    );
    let unnamed = world.contents.unseal(&commitment).unwrap_err();
    assert!(unnamed.to_string().contains("names no box"), "{unnamed}");
    world.put(commitment, &good);
    let path = world.state.blobs().join(Digest::of(&good).to_string());
    std::fs::write(&path, "rotten").unwrap();
    assert!(world.refusal(commitment).contains("rotted"));
    assert!(!path.exists());
    assert!(world.refusal(commitment).contains("not fetched"));
}
