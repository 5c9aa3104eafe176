//! Throws away history beyond its retention, in small transactions.

use holdfast_schemas::HostName;
use jiff::Timestamp;

use super::history::{self, Row};
use super::{Engine, KeyedStore, Scan, keys, parse};
use crate::{MAX_PAGE, Pruned, Retention, StoreError, TokenRecord};

/// Reports removed in one transaction; each may have a thousand drift events.
const REPORTS_AT_ONCE: usize = 32;

/// What one look at a list found.
enum Look {
    /// Rows to be removed, and the key to go on after.
    Remove(Vec<(String, Row)>, String),
    /// Nothing further.
    End,
}

impl<E: Engine> KeyedStore<E> {
    pub(super) fn prune_all(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Pruned, StoreError> {
        let oldest = now.checked_sub(retention.age).unwrap_or(Timestamp::MIN);
        let mut reports = self.prune_list(keys::NEWEST, |row| row.received < oldest)?;
        let mut after: Option<HostName> = None;
        loop {
            let hosts = self.read_hosts(after.as_ref(), MAX_PAGE)?;
            let Some(last) = hosts.last() else { break };
            after = Some(last.name.clone());
            for host in &hosts {
                reports += self.prune_host(&host.name, retention.per_host)?;
            }
        }
        Ok(Pruned {
            reports,
            tokens: self.prune_tokens(oldest)?,
            files: self.engine.sweep()?,
        })
    }

    /// Forgets a host: its record first, so that nothing is added meanwhile.
    pub(super) fn forget_host(&self, name: &HostName) -> Result<(), StoreError> {
        let gone = name.clone();
        self.transact(move |txn| {
            history::remove_rest(txn, &gone);
            Ok(())
        })?;
        self.beats.forget(name);
        self.prune_list(&keys::newest_of(name), |_| true)?;
        Ok(())
    }

    fn prune_host(&self, name: &HostName, keep: usize) -> Result<u64, StoreError> {
        let prefix = keys::newest_of(name);
        let newest = self.engine.scan(&Scan::newest_first(&prefix, None, 1))?;
        let Some((key, row)) = newest.first() else {
            return Ok(0);
        };
        let newest: Row = parse(key, row)?;
        let keep_from = newest.nth.saturating_sub(keep as u64) + 1;
        self.prune_list(&prefix, |row| row.nth < keep_from)
    }

    /// Removes the oldest rows of a list, as long as they are to go.
    fn prune_list(&self, prefix: &str, go: impl Fn(&Row) -> bool) -> Result<u64, StoreError> {
        let mut removed = 0;
        let mut after: Option<String> = None;
        while let Look::Remove(rows, last) = self.look(prefix, after.as_deref(), &go)? {
            after = Some(last);
            removed += self.transact(move |txn| {
                let mut removed = 0;
                for (key, row) in &rows {
                    let gone = history::remove(txn, row, keys::cursor_of(key))?;
                    removed += u64::from(gone);
                }
                Ok(removed)
            })?;
        }
        Ok(removed)
    }

    fn look(
        &self,
        prefix: &str,
        after: Option<&str>,
        go: impl Fn(&Row) -> bool,
    ) -> Result<Look, StoreError> {
        let mut rows = Vec::new();
        for (key, row) in self
            .engine
            .scan(&Scan::up(prefix, after, REPORTS_AT_ONCE))?
        {
            let row: Row = parse(&key, &row)?;
            if !go(&row) {
                break;
            }
            rows.push((key, row));
        }
        let last = rows.last().map(|(key, _)| key.clone());
        Ok(last.map_or(Look::End, |last| Look::Remove(rows, last)))
    }

    /// Removes tokens that ended before `oldest`.
    fn prune_tokens(&self, oldest: Timestamp) -> Result<u64, StoreError> {
        let mut removed = 0;
        let mut after: Option<String> = None;
        loop {
            let rows = self
                .engine
                .scan(&Scan::up(keys::TOKENS, after.as_deref(), MAX_PAGE))?;
            let Some((last, _)) = rows.last() else {
                return Ok(removed);
            };
            after = Some(last.clone());
            let mut ended = Vec::new();
            for (key, token) in rows {
                let token: TokenRecord = parse(&key, &token)?;
                if token.used.map_or(token.expires, |used| used.at) < oldest {
                    ended.push(key);
                }
            }
            removed += ended.len() as u64;
            self.transact(move |txn| {
                ended.iter().for_each(|key| txn.remove(key));
                Ok(())
            })?;
        }
    }
}
