//! Where a template writes to: text up to a limit.

use std::io;

/// Longest text that a template may give, in bytes: what a repo may hold as text, four times over.
pub(super) const MAX_OUTPUT: usize = 16 * 1024 * 1024;

/// Takes text up to the limit.
#[derive(Default)]
pub(super) struct Bounded {
    pub(super) bytes: Vec<u8>,
    pub(super) full: bool,
}

impl io::Write for &mut Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > MAX_OUTPUT {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
