//! How often an address may try to enrol, and how much a host may have stored: buckets that
//! refill, one for each, in a bounded map.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use holdfast_schemas::HostName;

use super::Refusal;
use super::shares::network;

/// What a bucket holds, and how fast it refills.
#[derive(Debug, Clone, Copy)]
struct Rate {
    burst: f64,
    per_second: f64,
}

/// Attempts of one address: a rack behind one address translation enrols at once. A token's
/// secret has 128 bits: no rate would guess one, this only keeps guessing from costing us more
/// than it costs the guesser.
const ATTEMPTS: Rate = Rate {
    burst: 60.0,
    per_second: 2.0,
};

const KIB: f64 = 1024.0;

/// Bytes of one host: eight of the largest reports at once, as after a long absence, and then
/// more than an honest host ever sends. A host that will not stop writes five gigabytes a day, of
/// which the retention keeps a bounded number of reports.
const INTAKE: Rate = Rate {
    burst: 64.0 * KIB * KIB,
    per_second: 64.0 * KIB,
};

/// What it costs a host that has the server sign something anew, a catalog's envelope or a
/// certificate, in bytes: one a second for ever, and a thousand at once.
pub(super) const SIGNING_COST: usize = 64 * 1024;

/// What even the smallest document costs: records and places in lists.
const LEAST_INTAKE: f64 = KIB;

/// Most buckets remembered; beyond it, those that are full again are forgotten.
const MAX_BUCKETS: usize = 20_000;

/// Limits attempts to enrol, by address.
#[derive(Debug, Default)]
pub struct AttemptLimit(Buckets<IpAddr>);

impl AttemptLimit {
    /// Takes one attempt of an address, or says after how long it may try again.
    pub fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        self.0.take(network(address), 1.0, ATTEMPTS, now)
    }
}

/// Limits what is stored for a host, by its name.
#[derive(Debug, Default)]
pub struct IntakeLimit(Buckets<HostName>);

impl IntakeLimit {
    /// Takes a document of so many bytes now, or refuses it.
    pub(super) fn admit(&self, host: &HostName, bytes: usize) -> Result<(), Refusal> {
        self.take(host, bytes, Instant::now()).map_err(|wait| {
            Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "host_too_loud",
                format!(
                    "{host} sent more than a host has to say; this fits in {} s",
                    wait.as_secs() + 1
                ),
            )
        })
    }

    /// Takes a document of so many bytes, or says after how long it may be sent again.
    pub fn take(&self, host: &HostName, bytes: usize, now: Instant) -> Result<(), Duration> {
        let cost = (bytes as f64).max(LEAST_INTAKE);
        self.0.take(host.clone(), cost, INTAKE, now)
    }
}

/// Time between two looks for buckets that can be forgotten: a look goes through all of them.
const FORGETTING: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Buckets<K>(Mutex<Held<K>>);

#[derive(Debug)]
struct Held<K> {
    each: HashMap<K, Bucket>,
    forgot: Option<Instant>,
}

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self(Mutex::new(Held {
            each: HashMap::new(),
            forgot: None,
        }))
    }
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn refilled(&self, rate: Rate, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at);
        (self.left + since.as_secs_f64() * rate.per_second).min(rate.burst)
    }
}

impl<K: Hash + Eq> Buckets<K> {
    fn take(&self, key: K, cost: f64, rate: Rate, now: Instant) -> Result<(), Duration> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.each.len() >= MAX_BUCKETS && !held.each.contains_key(&key) {
            held.forget(rate, now);
            if held.each.len() >= MAX_BUCKETS {
                return Err(Duration::from_secs_f64(cost / rate.per_second));
            }
        }
        let bucket = held.each.entry(key).or_insert(Bucket {
            left: rate.burst,
            at: now,
        });
        let left = bucket.refilled(rate, now);
        *bucket = Bucket { left, at: now };
        if left < cost {
            return Err(Duration::from_secs_f64((cost - left) / rate.per_second));
        }
        bucket.left = left - cost;
        Ok(())
    }
}

impl<K> Held<K> {
    /// Forgets the buckets that are full, unless that was done just now.
    fn forget(&mut self, rate: Rate, now: Instant) {
        let since = self.forgot.map(|then| now.saturating_duration_since(then));
        if since.is_some_and(|since| since < FORGETTING) {
            return;
        }
        self.forgot = Some(now);
        self.each
            .retain(|_, bucket| bucket.refilled(rate, now) < rate.burst);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_burst_then_a_trickle_and_each_network_for_itself() {
        let limit = AttemptLimit::default();
        let start = Instant::now();
        let one: IpAddr = [2001, 0xdb8, 0, 0, 0, 0, 0, 1].into();
        let same_network: IpAddr = [2001, 0xdb8, 0, 0, 0, 0, 0, 2].into();
        let other: IpAddr = [192, 0, 2, 1].into();
        let taken = (0..100).filter(|_| limit.take(one, start).is_ok()).count();
        assert_eq!(taken, 60);
        assert!(limit.take(same_network, start).is_err());
        assert!(limit.take(other, start).is_ok());
        let later = start + Duration::from_secs(1);
        assert!(limit.take(one, later).is_ok() && limit.take(one, later).is_ok());
        assert!(limit.take(one, later).is_err());
    }

    #[test]
    fn a_host_that_will_not_stop_is_slowed_and_others_are_not() {
        let limit = IntakeLimit::default();
        let start = Instant::now();
        let (loud, quiet) = ("loud".parse().unwrap(), "quiet".parse().unwrap());
        let largest = 8 * 1024 * 1024;
        for _ in 0..8 {
            limit.take(&loud, largest, start).unwrap();
        }
        let wait = limit.take(&loud, largest, start).unwrap_err();
        assert!(wait > Duration::from_secs(100), "{wait:?}");
        limit.take(&quiet, 100, start).unwrap();
        limit.take(&loud, largest, start + wait).unwrap();
    }

    #[test]
    fn the_map_is_bounded() {
        let limit = AttemptLimit::default();
        let start = Instant::now();
        for n in 0..40_000_u32 {
            let _ = limit.take(IpAddr::V4(n.into()), start);
        }
        assert_eq!(limit.0.0.lock().unwrap().each.len(), MAX_BUCKETS);
        let refilled = start + Duration::from_secs(60);
        assert!(limit.take([198, 51, 100, 1].into(), refilled).is_ok());
    }
}
