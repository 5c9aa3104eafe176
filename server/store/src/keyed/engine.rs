//! What the keyed store needs of a database: an ordered map and durable, atomic batches.

use crate::StoreError;
use crate::keyed::Txn;

/// Bytes of values after which a page ends, so that a page of long reports fits in memory: two
/// of the largest.
pub(crate) const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// Looks at what a transaction starts from.
pub(crate) trait View {
    /// The record as it is in the map: whole, or naming the file that holds it.
    fn raw(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// The value that a record in the map stands for.
    fn resolve(&self, key: &str, raw: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Makes a value ready to be put under a key. Long ones are written to a file here, so large
    /// ones are better prepared before the transaction than within it.
    fn prepare(&self, key: &str, value: Vec<u8>) -> Result<Prepared, StoreError>;
}

/// An ordered map that takes writes one after the other and makes them durable together.
pub(crate) trait Engine: View + Send + Sync + 'static {
    /// One value.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Rows in order. Ends early after [`PAGE_BYTES`], never before the first row.
    fn scan(&self, scan: &Scan<'_>) -> Result<Vec<(String, Vec<u8>)>, StoreError>;

    /// How many keys begin so.
    fn count(&self, prefix: &str) -> Result<u64, StoreError>;

    /// Runs a job, and returns once what it wrote is durable. A job that fails writes nothing.
    fn commit(&self, job: Job) -> Result<(), StoreError>;

    /// Removes files that a crash or a failed write left without a record, and says how many.
    fn sweep(&self) -> Result<u64, StoreError>;
}

/// One transaction's work.
pub(crate) type Job = Box<dyn FnOnce(&mut Txn<'_>) -> Result<(), StoreError> + Send>;

/// A record as it goes into the map, with the file that holds its value if there is one. The file
/// goes when this is dropped, unless it was settled before.
pub(crate) struct Prepared {
    pub(crate) raw: Vec<u8>,
    pub(crate) file: Option<Box<dyn Attached>>,
}

impl Prepared {
    /// A record that holds its value itself.
    pub(crate) fn whole(raw: Vec<u8>) -> Self {
        Self { raw, file: None }
    }

    /// Says what became of the record.
    pub(crate) fn settle(&mut self, fate: Fate) {
        if let Some(file) = &mut self.file {
            file.settle(fate);
        }
    }
}

/// A file that waits for its record.
pub(crate) trait Attached: Send + Sync {
    /// Says what became of the record.
    fn settle(&mut self, fate: Fate);
}

/// What became of a record that was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is durable.
    Stored,
    /// The write failed half way; only the map tells whether it is there.
    Unsure,
}

/// Which way a scan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Rising keys.
    Up,
    /// Falling keys.
    Down,
}

/// Some rows of the map.
#[derive(Debug, Clone)]
pub(crate) struct Scan<'a> {
    /// What the keys begin with.
    pub(crate) prefix: &'a str,
    /// The key to go on after.
    pub(crate) after: Option<&'a str>,
    /// Which way.
    pub(crate) direction: Direction,
    /// Most rows.
    pub(crate) limit: usize,
}

impl<'a> Scan<'a> {
    /// Rising keys.
    pub(crate) fn up(prefix: &'a str, after: Option<&'a str>, limit: usize) -> Self {
        Self {
            prefix,
            after,
            direction: Direction::Up,
            limit,
        }
    }

    /// Falling keys; what is numbered comes newest first.
    pub(crate) fn newest_first(prefix: &'a str, after: Option<&'a str>, limit: usize) -> Self {
        Self {
            prefix,
            after,
            direction: Direction::Down,
            limit,
        }
    }

    /// The bounds of the keys: from (inclusive) and to (exclusive).
    pub(crate) fn bounds(&self) -> (Vec<u8>, Vec<u8>) {
        let mut from = self.prefix.as_bytes().to_vec();
        let mut to = from.clone();
        // No byte of UTF-8 text is 0xff, so this is after every key with the prefix.
        to.push(0xff);
        if let Some(after) = self.after.filter(|after| after.starts_with(self.prefix)) {
            match self.direction {
                Direction::Up => {
                    from = after.as_bytes().to_vec();
                    from.push(0);
                }
                Direction::Down => to = after.as_bytes().to_vec(),
            }
        }
        (from, to)
    }
}
