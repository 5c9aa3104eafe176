//! A secret from stdin, bounded and wiped; where somebody types it, nobody else reads along.

use std::io::{self, IsTerminal as _, Read as _};

use holdfast_schemas::secret::MAX_SEALED;
use holdfast_secrets::Plaintext;
use rustix::termios::{self, LocalModes, OptionalActions, Termios};

use super::SecretError;
use crate::output::Output;

/// Reads stdin to its end.
pub(crate) fn read(out: &mut Output<'_>) -> Result<Plaintext, SecretError> {
    let stdin = io::stdin();
    let _quiet = match stdin.is_terminal() {
        true => {
            let quiet = Quiet::begin();
            out.hint("type the secret, then Enter and Ctrl-D; it is not shown");
            quiet
        }
        false => None,
    };
    bounded(stdin.lock()).map_err(SecretError::file("read", "stdin"))?
}

/// Reads what may be sealed, and not a byte more.
pub(crate) fn bounded(from: impl io::Read) -> io::Result<Result<Plaintext, SecretError>> {
    // All the room there can be, so that no copy is left behind; untouched, it costs nothing.
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(MAX_SEALED + 2));
    from.take(MAX_SEALED as u64 + 1).read_to_end(&mut bytes)?;
    Ok(match bytes.len() > MAX_SEALED {
        true => Err(SecretError::TooLarge),
        false => Ok(Plaintext::new(std::mem::take(&mut *bytes))),
    })
}

/// A terminal that shows nothing, until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> Option<Self> {
        let before = termios::tcgetattr(io::stdin()).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &quiet).ok()?;
        Some(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that went away needs no echo.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
