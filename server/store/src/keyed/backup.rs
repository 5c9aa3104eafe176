//! A logical backup: every record as a line of JSON.
//!
//! The first line says what it is, the last how many records there are and the BLAKE3 digest of
//! everything before it; so a backup that was cut or altered is told from a whole one. Blobs are
//! plain files and are copied as such.

use std::io::{BufRead, Read, Write};

use holdfast_schemas::{Digest, Hasher};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Engine, KeyedStore, Prepared, Scan, txn};
use crate::StoreError;

/// The version of the backup's form.
const FORMAT: u32 = 1;

/// Longest line accepted, in bytes: twice the largest document, which is a report.
const MAX_LINE: u64 = 2 * holdfast_schemas::report::MAX_REPORT as u64;

/// Rows read at a time.
const ROWS_AT_ONCE: usize = 256;

/// Bytes of records after which they are written: a few of the largest.
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

/// Records that were read and not written yet.
#[derive(Default)]
struct Gathered {
    records: Vec<(String, Prepared)>,
    bytes: usize,
}

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    /// The first.
    HoldfastBackup { format: u32 },
    /// A record.
    Record { key: String, value: Box<RawValue> },
    /// The last.
    End { records: u64, digest: Digest },
}

/// Writes lines and digests them.
struct Writer<'a> {
    out: &'a mut dyn Write,
    hasher: Hasher,
}

impl Writer<'_> {
    fn line(&mut self, line: &Line) -> Result<(), StoreError> {
        let mut bytes = txn::encode("backup", line)?;
        bytes.push(b'\n');
        self.hasher.update(&bytes);
        self.out
            .write_all(&bytes)
            .map_err(StoreError::file("write", "the backup"))
    }
}

impl<E: Engine> KeyedStore<E> {
    pub(super) fn write_backup(&self, out: &mut dyn Write) -> Result<u64, StoreError> {
        let mut writer = Writer {
            out,
            hasher: Hasher::new(),
        };
        writer.line(&Line::HoldfastBackup { format: FORMAT })?;
        let mut records = 0;
        let mut after: Option<String> = None;
        loop {
            let rows = self
                .engine
                .scan(&Scan::up("", after.as_deref(), ROWS_AT_ONCE))?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(last.clone());
            for (key, value) in rows {
                let value = serde_json::from_slice(&value)
                    .map_err(|error| StoreError::damaged(&*key)(error.into()))?;
                writer.line(&Line::Record { key, value })?;
                records += 1;
            }
        }
        let digest = writer.hasher.finish();
        writer.line(&Line::End { records, digest })?;
        let flushed = writer.out.flush();
        flushed.map_err(StoreError::file("write", "the backup"))?;
        Ok(records)
    }

    pub(super) fn read_backup(&self, lines: &mut dyn BufRead) -> Result<u64, StoreError> {
        if !self.engine.scan(&Scan::up("", None, 1))?.is_empty() {
            return Err(StoreError::Refused(
                "a backup is imported into an empty store, this one has records".to_owned(),
            ));
        }
        let read = self.read_lines(lines);
        if read.is_err() {
            self.clear()?;
        }
        self.find_order()?;
        read
    }

    fn read_lines(&self, lines: &mut dyn BufRead) -> Result<u64, StoreError> {
        let mut hasher = Hasher::new();
        let mut number = 0;
        let mut records = 0;
        let mut gathered = Gathered::default();
        loop {
            number += 1;
            let refuse = |problem: String| StoreError::Backup {
                line: number,
                problem,
            };
            let bytes = read_line(lines)?;
            if bytes.last() != Some(&b'\n') {
                return Err(refuse("is missing, cut or too long".to_owned()));
            }
            let line = serde_json::from_slice(&bytes)
                .map_err(|error| refuse(format!("is not of a backup: {error}")))?;
            match line {
                Line::HoldfastBackup { format: FORMAT } if number == 1 => {}
                Line::Record { key, value } if number > 1 => {
                    records += 1;
                    self.gather(&mut gathered, key, &value)?;
                }
                Line::End {
                    records: counted,
                    digest,
                } if number > 1 => {
                    if counted != records || digest != hasher.finish() {
                        return Err(refuse("does not fit what stands before it".to_owned()));
                    }
                    self.put_gathered(&mut gathered)?;
                    return Ok(records);
                }
                _ => return Err(refuse("does not belong there".to_owned())),
            }
            hasher.update(&bytes);
        }
    }

    fn gather(
        &self,
        gathered: &mut Gathered,
        key: String,
        value: &RawValue,
    ) -> Result<(), StoreError> {
        let value = value.get().as_bytes().to_vec();
        gathered.bytes += value.len();
        let prepared = self.engine.prepare(&key, value)?;
        gathered.records.push((key, prepared));
        if gathered.records.len() >= ROWS_AT_ONCE || gathered.bytes >= BYTES_AT_ONCE {
            self.put_gathered(gathered)?;
        }
        Ok(())
    }

    fn put_gathered(&self, gathered: &mut Gathered) -> Result<(), StoreError> {
        let Gathered { records, .. } = std::mem::take(gathered);
        self.transact(move |txn| {
            for (key, prepared) in records {
                txn.put(&key, prepared);
            }
            Ok(())
        })
    }

    /// Removes every record.
    fn clear(&self) -> Result<(), StoreError> {
        loop {
            let rows = self.engine.scan(&Scan::up("", None, ROWS_AT_ONCE))?;
            if rows.is_empty() {
                return Ok(());
            }
            self.transact(move |txn| {
                rows.iter().for_each(|(key, _)| txn.remove(key));
                Ok(())
            })?;
        }
    }
}

fn read_line(lines: &mut dyn BufRead) -> Result<Vec<u8>, StoreError> {
    let mut line = Vec::new();
    lines
        .take(MAX_LINE)
        .read_until(b'\n', &mut line)
        .map_err(StoreError::file("read", "the backup"))?;
    Ok(line)
}
