//! One line of the journal: a checksum, a space, a record as JSON.
//!
//! `0123456789abcdef {"outcome":{…}}`. The checksum is the beginning of the record's BLAKE3
//! digest: it tells a torn or rotten line, not a forged one (who can write here is root).

use std::fmt;
use std::str::FromStr;

use holdfast_schemas::HostPath;
use holdfast_schemas::resource::ResourceId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::memory::Knowledge;

/// Hexadecimal digits of a line's checksum.
const CHECKSUM_DIGITS: usize = 16;

/// The mark of a specification: the first 16 bytes of its BLAKE3 digest, for comparing only.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SpecMark(u128);

impl SpecMark {
    /// Marks the bytes of a specification.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut mark = [0; 16];
        blake3::Hasher::new()
            .update(bytes)
            .finalize_xof()
            .fill(&mut mark);
        Self(u128::from_be_bytes(mark))
    }
}

impl fmt::Debug for SpecMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for SpecMark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", self.0))
    }
}

impl<'de> Deserialize<'de> for SpecMark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        u128::from_str_radix(&digits, 16)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// Something that is about to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Act {
    /// To which resource.
    pub(crate) id: ResourceId,
    /// Which wish is to be fulfilled.
    pub(crate) spec: SpecMark,
    /// Who is to be told if it changes something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notifies: Vec<ResourceId>,
    /// Whether the resource will have been made by Holdfast.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) makes: bool,
}

/// A resource that is now as wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acted {
    /// Which.
    pub(crate) id: ResourceId,
    /// The wish that it fulfils; `None` when it may fulfil none.
    pub(crate) spec: Option<SpecMark>,
    /// Whether Holdfast made it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) made: bool,
}

/// A notification that is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Debt {
    /// To whom.
    pub(crate) to: ResourceId,
    /// Because of whose change.
    pub(crate) because: Vec<ResourceId>,
}

/// A path where content with secrets was put.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Veiled {
    /// Where.
    pub(crate) path: HostPath,
    /// The file that was there, by which it is known again under another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<FileId>,
}

/// A file of this host, whatever its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileId {
    /// The number of its device.
    pub(crate) device: u64,
    /// The number of its inode.
    pub(crate) inode: u64,
}

/// One record of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Record {
    /// These are about to be done.
    Intent {
        /// What.
        acts: Vec<Act>,
    },
    /// What became of the last intent; closes it.
    Outcome {
        /// What is now as wanted.
        acted: Vec<Acted>,
        /// What is owed for it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        owed: Vec<Debt>,
    },
    /// These were found as wanted; nothing was done.
    Adopted {
        /// Which.
        found: Vec<Acted>,
    },
    /// A notification was delivered.
    Refreshed {
        /// To whom.
        resource: ResourceId,
    },
    /// These concern nobody any more.
    Forgotten {
        /// Which.
        resources: Vec<ResourceId>,
    },
    /// Here are, or were, contents with secrets: what is found there is never shown.
    Veiled {
        /// Where.
        places: Vec<Veiled>,
    },
    /// A crash left the last intent open: it counts as done.
    Interrupted,
    /// Whether what stands nowhere in the journal was never enforced.
    Knows(Knowledge),
}

impl Record {
    /// The record as a line of the journal, its end included.
    pub(crate) fn to_line(&self) -> Vec<u8> {
        // A record holds only strings, lists and truth values: it always serialises.
        seal(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Text that is no line of a journal: torn, rotten, or of a later version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotALine;

impl FromStr for Record {
    type Err = NotALine;

    fn from_str(line: &str) -> Result<Self, NotALine> {
        serde_json::from_slice(unseal(line.as_bytes()).ok_or(NotALine)?).map_err(|_| NotALine)
    }
}

/// Puts a checksum before a payload and a line feed after it.
pub(super) fn seal(payload: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(CHECKSUM_DIGITS + 1 + payload.len() + 1);
    line.extend_from_slice(&checksum(payload));
    line.push(b' ');
    line.extend_from_slice(payload);
    line.push(b'\n');
    line
}

/// The payload of a line without its line feed, if its checksum is right.
pub(super) fn unseal(line: &[u8]) -> Option<&[u8]> {
    let (sum, rest) = line.split_at_checked(CHECKSUM_DIGITS)?;
    let payload = rest.strip_prefix(b" ")?;
    (checksum(payload) == sum).then_some(payload)
}

fn checksum(payload: &[u8]) -> [u8; CHECKSUM_DIGITS] {
    let digits = blake3::hash(payload).to_hex();
    let mut sum = [0; CHECKSUM_DIGITS];
    sum.copy_from_slice(&digits.as_bytes()[..CHECKSUM_DIGITS]);
    sum
}
