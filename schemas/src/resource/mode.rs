//! Permission bits of a file or folder.

use std::fmt;
use std::str::FromStr;

/// Permission bits, `0` to `7777` octal; three or four octal digits on the wire, as in `"0644"`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mode(u16);

impl Mode {
    /// Takes the low twelve bits of an `st_mode`.
    pub const fn from_bits(bits: u32) -> Self {
        Self((bits & 0o7777) as u16)
    }

    /// The bits as the system calls take them.
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }
}

/// Text that is not a mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a mode is three or four octal digits in quotes, as in \"0644\", not {0:?}")]
pub struct ModeError(String);

impl FromStr for Mode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        let octal = text.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
        match (text.len(), octal, u16::from_str_radix(text, 8)) {
            (3 | 4, true, Ok(bits)) => Ok(Self(bits)),
            _ => Err(ModeError(text.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

crate::text_form::text_form!(
    Mode,
    "Mode",
    pattern = "^[0-7]{3,4}$",
    "permission bits, three or four octal digits in a string"
);
