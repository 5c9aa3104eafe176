//! Shares of something that many use: nobody gets more than one share, however often they come.
//!
//! A bound on the whole alone lets one host, or one network, take all of it. Memory grows with
//! those who hold something now.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use holdfast_schemas::HostName;
use tokio::sync::Semaphore;

/// Whose share something is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// A host's, proven by its certificate.
    Host(HostName),
    /// That of everybody in a network who has proven nothing.
    Network(IpAddr),
}

/// Equal shares, one for each key.
#[derive(Debug)]
pub(super) struct Shares<K> {
    each: usize,
    held: Mutex<HashMap<K, Weak<Semaphore>>>,
}

impl<K: Hash + Eq> Shares<K> {
    /// Shares of so many permits each.
    pub(super) fn new(each: usize) -> Self {
        Self {
            each,
            held: Mutex::default(),
        }
    }

    /// The share of one.
    pub(super) fn of(&self, key: K) -> Arc<Semaphore> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = held.get(&key).and_then(Weak::upgrade) {
            return share;
        }
        // Before the map grows: it then does only if most of its shares are in use.
        if held.len() == held.capacity() {
            held.retain(|_, share| share.strong_count() > 0);
        }
        let share = Arc::new(Semaphore::new(self.each));
        held.insert(key, Arc::downgrade(&share));
        share
    }
}

/// The network of an address: an IPv6 customer has a whole /64 to come from.
pub(super) fn network(address: IpAddr) -> IpAddr {
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
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn one_cannot_take_what_is_anothers() {
        let shares = Shares::new(2);
        let first = shares.of("a").try_acquire_owned().unwrap();
        let _second = shares.of("a").try_acquire_owned().unwrap();
        assert!(shares.of("a").try_acquire_owned().is_err());
        assert!(shares.of("b").try_acquire_owned().is_ok());
        drop(first);
        assert!(shares.of("a").try_acquire_owned().is_ok());
    }

    #[test]
    fn whoever_left_is_forgotten() {
        let shares = Shares::new(1);
        let _stays = shares.of(u32::MAX).try_acquire_owned().unwrap();
        for n in 0..100_000 {
            let _ = shares.of(n).try_acquire_owned().unwrap();
        }
        assert!(shares.held.lock().unwrap().len() < 100);
        assert!(shares.of(u32::MAX).try_acquire_owned().is_err());
    }

    #[test]
    fn a_network_is_one_ipv4_address_or_an_ipv6_customer() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8::1:2:3:4"), "2001:db8::");
    }
}
