//! Hosts: their records, heartbeats, inventories, and how they enrol.

use holdfast_schemas::inventory::Inventory;
use holdfast_schemas::{Digest, HostName};
use jiff::Timestamp;

use super::{Engine, KeyedStore, Scan, Txn, keys, parse, txn};
use crate::token::Admission;
use crate::{
    Claim, Enrolment, Heartbeat, HostChange, HostRecord, InventoryRecord, MAX_PAGE, RedeemError,
    StoreError, TokenRecord, TokenRefusal, TokenUse,
};

/// Hosts whose records are written in one transaction.
const HOSTS_AT_ONCE: usize = 256;

impl<E: Engine> KeyedStore<E> {
    pub(super) fn read_host(&self, name: &HostName) -> Result<Option<HostRecord>, StoreError> {
        let record: Option<HostRecord> = self.read(&keys::host(name))?;
        Ok(record.map(|record| self.beats.apply(record)))
    }

    pub(super) fn read_hosts(
        &self,
        after: Option<&HostName>,
        limit: usize,
    ) -> Result<Vec<HostRecord>, StoreError> {
        let after = after.map(keys::host);
        let scan = Scan::up(keys::HOSTS, after.as_deref(), limit.min(MAX_PAGE));
        let rows = self.engine.scan(&scan)?;
        let record = |(key, bytes): (String, Vec<u8>)| {
            parse(&key, &bytes).map(|record| self.beats.apply(record))
        };
        rows.into_iter().map(record).collect()
    }

    pub(super) fn change_hosts(
        &self,
        changes: Vec<(HostName, HostChange)>,
    ) -> Result<Vec<HostRecord>, StoreError> {
        let with_beat = |(name, change)| {
            let beat = self.beats.of(&name);
            (name, change, beat)
        };
        let changes: Vec<_> = changes.into_iter().map(with_beat).collect();
        self.transact(move |txn| {
            let mut changed = Vec::with_capacity(changes.len());
            for (name, change, beat) in changes {
                changed.extend(change_host(txn, &name, beat.as_ref(), change)?);
            }
            Ok(changed)
        })
    }

    pub(super) fn write_beats(&self) -> Result<u64, StoreError> {
        let mut written = 0;
        for some in self.beats.all().chunks(HOSTS_AT_ONCE) {
            let batch = some.to_vec();
            written += self.transact(move |txn| {
                let mut written = 0;
                for (name, beat) in &batch {
                    let found = change_host(txn, name, Some(beat), Box::new(|_| {}))?;
                    written += u64::from(found.is_some());
                }
                Ok(written)
            })?;
            self.beats.written(some);
        }
        Ok(written)
    }

    pub(super) fn keep_inventory(
        &self,
        name: &HostName,
        inventory: Inventory,
        received: Timestamp,
    ) -> Result<HostRecord, StoreError> {
        let (inventory_key, facts_key) = (keys::inventory(name), keys::facts(name));
        let facts = txn::encode(&facts_key, &inventory.facts)?;
        let digest = Digest::of(&facts);
        let record = InventoryRecord {
            received,
            facts: digest,
            inventory,
        };
        if self.read_host(name)?.is_none() {
            return Err(StoreError::UnknownHost(name.clone()));
        }
        let bytes = txn::encode(&inventory_key, &record)?;
        let inventory = self.engine.prepare(&inventory_key, bytes)?;
        let facts = self.engine.prepare(&facts_key, facts)?;
        let (name, beat) = (name.clone(), self.beats.of(name));
        self.transact(move |txn| {
            txn.put(&inventory_key, inventory);
            txn.put(&facts_key, facts);
            let change = move |record: &mut HostRecord| record.facts = Some(digest);
            change_host(txn, &name, beat.as_ref(), Box::new(change))?
                .ok_or(StoreError::UnknownHost(name))
        })
    }

    pub(super) fn token_admits(&self, claim: &Claim, now: Timestamp) -> Result<(), RedeemError> {
        let token: Option<TokenRecord> = self.read(&keys::token(&claim.secret))?;
        let token = token.ok_or(TokenRefusal::Unknown)?;
        let known = self.read_host(&claim.name)?;
        token.admits(claim, known.as_ref(), now)?;
        Ok(())
    }

    pub(super) fn enrol(
        &self,
        enrolment: Enrolment,
        now: Timestamp,
    ) -> Result<HostRecord, RedeemError> {
        let enrolled = self.transact(move |txn| enrol(txn, enrolment, now))?;
        Ok(enrolled?)
    }
}

/// Changes a record within a transaction; `None` if the host is not known.
fn change_host(
    txn: &mut Txn<'_>,
    name: &HostName,
    beat: Option<&Heartbeat>,
    change: HostChange,
) -> Result<Option<HostRecord>, StoreError> {
    let key = keys::host(name);
    let Some(before) = txn.read::<HostRecord>(&key)? else {
        return Ok(None);
    };
    let mut record = before.clone();
    if let Some(beat) = beat {
        record.hear(beat);
    }
    change(&mut record);
    record.name = before.name.clone();
    if record != before {
        txn.write(&key, &record)?;
    }
    Ok(Some(record))
}

/// Uses a token and enrols the host: both or, on a refusal, neither.
fn enrol(
    txn: &mut Txn<'_>,
    enrolment: Enrolment,
    now: Timestamp,
) -> Result<Result<HostRecord, TokenRefusal>, StoreError> {
    let Enrolment {
        claim,
        certificate,
        sealing_key,
    } = enrolment;
    let token_key = keys::token(&claim.secret);
    let Some(mut token) = txn.read::<TokenRecord>(&token_key)? else {
        return Ok(Err(TokenRefusal::Unknown));
    };
    let host_key = keys::host(&claim.name);
    let known = txn.read::<HostRecord>(&host_key)?;
    let record = match (token.admits(&claim, known.as_ref(), now), known) {
        (Err(refusal), _) => return Ok(Err(refusal)),
        (Ok(Admission::Again), Some(mut known)) => {
            known.add_certificate(certificate);
            txn.write(&host_key, &known)?;
            return Ok(Ok(known));
        }
        (Ok(_), Some(known)) => HostRecord {
            enrolled: now,
            certificates: vec![certificate],
            sealing_key,
            revoked: None,
            ..known
        },
        (Ok(_), None) => HostRecord {
            sealing_key,
            ..HostRecord::new(claim.name.clone(), now, certificate)
        },
    };
    token.used = Some(TokenUse {
        host: claim.name,
        at: now,
        request: Some(claim.request),
    });
    txn.write(&token_key, &token)?;
    txn.write(&host_key, &record)?;
    Ok(Ok(record))
}
