//! How often an address may try to enrol: a bucket of tokens for each, in a bounded map.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Attempts that an address may make at once: a rack behind one address translation enrols.
const BURST: f64 = 60.0;

/// Attempts per second after that. A token's secret has 128 bits: no rate would guess one, this
/// only keeps guessing from costing us more than it costs the guesser.
const PER_SECOND: f64 = 2.0;

/// Most addresses remembered; beyond it, those whose bucket is full again are forgotten.
const MAX_ADDRESSES: usize = 10_000;

/// Limits attempts by address.
#[derive(Debug, Default)]
pub struct AttemptLimit(Mutex<HashMap<IpAddr, Bucket>>);

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn refilled(&self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at);
        (self.left + since.as_secs_f64() * PER_SECOND).min(BURST)
    }
}

impl AttemptLimit {
    /// Takes one attempt of an address, or says after how long it may try again.
    pub fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let address = network(address);
        let mut buckets = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        if buckets.len() >= MAX_ADDRESSES && !buckets.contains_key(&address) {
            buckets.retain(|_, bucket| bucket.refilled(now) < BURST);
            if buckets.len() >= MAX_ADDRESSES {
                return Err(Duration::from_secs_f64(1.0 / PER_SECOND));
            }
        }
        let bucket = buckets.entry(address).or_insert(Bucket {
            left: BURST,
            at: now,
        });
        let left = bucket.refilled(now);
        *bucket = Bucket { left, at: now };
        if left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - left) / PER_SECOND));
        }
        bucket.left = left - 1.0;
        Ok(())
    }
}

/// An IPv6 customer has a whole /64 of addresses to try from.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        },
    }
}

#[cfg(test)]
mod tests {
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
    fn the_map_is_bounded() {
        let limit = AttemptLimit::default();
        let start = Instant::now();
        for n in 0..20_000_u32 {
            let _ = limit.take(IpAddr::V4(n.into()), start);
        }
        assert_eq!(
            limit.0.lock().map(|map| map.len()).unwrap_or(0),
            MAX_ADDRESSES
        );
        let refilled = start + Duration::from_secs(60);
        assert!(limit.take([198, 51, 100, 1].into(), refilled).is_ok());
    }
}
