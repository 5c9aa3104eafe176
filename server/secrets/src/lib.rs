//! Secrets from the repo to one host: opened with the server's age identities, put together with
//! the text around them, committed to, and sealed to the host's key.
//!
//! Nothing here touches a disk or a clock. What is opened lives as long as one compilation and is
//! wiped when it is dropped; nothing that is secret prints itself, and no error holds a byte of
//! it. What is sealed depends on its input alone, so that a server that starts again, or a second
//! one with the same master key, makes the same blobs.

mod compose;
mod keyring;
mod open;
mod opened;
mod plaintext;
mod recipients;
mod sealer;
pub mod values;

pub use compose::{ComposeError, compose};
pub use keyring::{IdentityError, Keyring, NewIdentity};
pub use open::{MAX_RECIPIENTS, OpenError, is_encrypted, recipients_of};
pub use opened::Opened;
pub use plaintext::Plaintext;
pub use recipients::{EncryptError, Form, RecipientError, Recipients};
pub use sealer::{Committed, HostKey, MASTER, Sealer};

/// The system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct RandomError(#[from] getrandom::Error);
