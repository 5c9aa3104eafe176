//! What was opened while hosts are compiled, so that a secret of ten thousand hosts is opened once.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use holdfast_schemas::Digest;

use crate::{Keyring, OpenError, Plaintext};

/// Most encrypted bytes whose content is kept; beyond it a secret is opened each time. Far more
/// than passwords and keys come to, and a bound where every host has megabytes of its own.
const MOST_KEPT: usize = 64 * 1024 * 1024;

type Slot = Arc<OnceLock<Result<Arc<Plaintext>, OpenError>>>;

/// The secrets that one compilation opened. To be dropped with it: nothing stays in memory.
pub struct Opened<'k> {
    keyring: &'k Keyring,
    slots: Mutex<HashMap<Digest, Slot>>,
    kept: AtomicUsize,
}

impl<'k> Opened<'k> {
    /// Nothing yet.
    pub fn new(keyring: &'k Keyring) -> Self {
        Self {
            keyring,
            slots: Mutex::default(),
            kept: AtomicUsize::new(0),
        }
    }

    /// What opens them.
    pub fn keyring(&self) -> &'k Keyring {
        self.keyring
    }

    /// A secret, opened now or before. Of many threads that ask at once, one opens it.
    pub fn open(&self, encrypted: &[u8]) -> Result<Arc<Plaintext>, OpenError> {
        let open = || self.keyring.open(encrypted).map(Arc::new);
        match self.slot(encrypted) {
            Some(slot) => slot.get_or_init(open).clone(),
            None => open(),
        }
    }

    /// Where a secret is kept; nowhere, once enough is.
    fn slot(&self, encrypted: &[u8]) -> Option<Slot> {
        let digest = Digest::of(encrypted);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&digest) {
            return Some(slot.clone());
        }
        let kept = self.kept.fetch_add(encrypted.len(), Ordering::Relaxed);
        if kept + encrypted.len() > MOST_KEPT {
            self.kept.fetch_sub(encrypted.len(), Ordering::Relaxed);
            return None;
        }
        Some(slots.entry(digest).or_default().clone())
    }
}

impl fmt::Debug for Opened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened with {:?}", self.keyring)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{Form, Recipients};

    #[test]
    fn a_secret_is_opened_once_and_a_failure_is_remembered() {
        let made = Keyring::generate();
        let keyring = Keyring::parse(&made.file).unwrap();
        let to = Recipients::parse([&*made.recipient]).unwrap();
        let encrypted = to.encrypt(b"s3cret", Form::Armored).unwrap();
        let opened = Opened::new(&keyring);
        let (one, two) = (opened.open(&encrypted), opened.open(&encrypted));
        assert!(Arc::ptr_eq(&one.unwrap(), &two.unwrap()));
        assert_eq!(opened.open(b"plain"), Err(OpenError::NotAge));
        assert_eq!(opened.open(b"plain"), Err(OpenError::NotAge));
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_rest_opens_all_the_same() {
        let made = Keyring::generate();
        let keyring = Keyring::parse(&made.file).unwrap();
        let to = Recipients::parse([&*made.recipient]).unwrap();
        let opened = Opened::new(&keyring);
        opened.kept.store(MOST_KEPT - 10, Ordering::Relaxed);
        let encrypted = to.encrypt(b"s3cret", Form::Armored).unwrap();
        let (one, two) = (opened.open(&encrypted), opened.open(&encrypted));
        assert!(!Arc::ptr_eq(&one.unwrap(), &two.unwrap()));
        assert_eq!(opened.kept.into_inner(), MOST_KEPT - 10);
    }
}
