//! Ranges of addresses: `10.1.0.0/16`, `10.0.0.1-10.0.0.50`, in either family.

use std::net::IpAddr;

/// The addresses from one to another, both within, of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Addresses {
    from: IpAddr,
    to: IpAddr,
}

/// Why a text that looks like a range of addresses is none, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoAddresses {
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Addresses {
    /// Reads a range; `None` where the text does not look like one.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, NoAddresses>> {
        if let Some((address, prefix)) = text.split_once('/') {
            return Some(network(text, address, prefix));
        }
        let (from, to) = text.split_once('-')?;
        let (from, to): (IpAddr, IpAddr) = from.parse().ok().zip(to.parse().ok())?;
        let wrong = |message: String| {
            let help = "a range is written from its lowest to its highest address, as in `10.0.0.1-10.0.0.50`";
            NoAddresses {
                message,
                help: help.to_owned(),
            }
        };
        Some(match (from.is_ipv4() == to.is_ipv4(), from <= to) {
            (false, _) => Err(wrong(format!(
                "`{text}` goes from one family of addresses to the other"
            ))),
            (_, false) => Err(wrong(format!("the range `{text}` holds nothing"))),
            _ => Ok(Self { from, to }),
        })
    }

    /// Whether an address is within.
    pub(crate) fn holds(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.from.is_ipv4() && (self.from..=self.to).contains(&address)
    }
}

fn network(text: &str, address: &str, prefix: &str) -> Result<Addresses, NoAddresses> {
    let wrong = |message: String, help: String| NoAddresses { message, help };
    let example = || "a network is written `10.1.0.0/16` or `2001:db8::/48`".to_owned();
    let none = || wrong(format!("`{text}` is no network"), example());
    let address: IpAddr = address.parse().map_err(|_| none())?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
    let prefix: Option<u32> = prefix
        .parse()
        .ok()
        .filter(|prefix| digits && *prefix <= width);
    let prefix = prefix.ok_or_else(none)?;
    let (from, to) = ends(address, prefix);
    match from == address {
        true => Ok(Addresses { from, to }),
        false => Err(wrong(
            format!("`{text}` has bits behind the prefix of {prefix}"),
            format!("the network is `{from}/{prefix}`, the one address `{address}`"),
        )),
    }
}

/// The first and the last address of the network that an address is in.
fn ends(address: IpAddr, prefix: u32) -> (IpAddr, IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let behind = u32::MAX.checked_shr(prefix).unwrap_or(0);
            let bits = address.to_bits();
            let v4 = |bits: u32| IpAddr::V4(bits.into());
            (v4(bits & !behind), v4(bits | behind))
        }
        IpAddr::V6(address) => {
            let behind = u128::MAX.checked_shr(prefix).unwrap_or(0);
            let bits = address.to_bits();
            let v6 = |bits: u128| IpAddr::V6(bits.into());
            (v6(bits & !behind), v6(bits | behind))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn holds(range: &str, address: &str) -> bool {
        let range = Addresses::parse(range).unwrap().unwrap();
        range.holds(address.parse().unwrap())
    }

    #[test]
    fn networks_and_ranges_hold_their_ends() {
        assert!(holds("10.1.0.0/16", "10.1.0.0") && holds("10.1.0.0/16", "10.1.255.255"));
        assert!(!holds("10.1.0.0/16", "10.2.0.0"));
        assert!(holds("0.0.0.0/0", "255.1.2.3") && holds("10.0.0.7/32", "10.0.0.7"));
        assert!(holds("2001:db8::/48", "2001:db8:0:ffff::1"));
        assert!(!holds("::/0", "10.0.0.1"), "the families are apart");
        assert!(holds("10.0.0.1-10.0.0.50", "10.0.0.50"));
        assert!(!holds("10.0.0.1-10.0.0.50", "10.0.0.51"));
    }

    #[test]
    fn what_looks_like_one_and_is_none_is_told() {
        for (text, help) in [
            ("10.1.0.5/16", "`10.1.0.0/16`"),
            ("10.1.0.0/33", "a network is written"),
            ("10.1.0/16", "a network is written"),
            ("10.0.0.9-10.0.0.1", "from its lowest"),
            ("10.0.0.9-::1", "from its lowest"),
        ] {
            let told = Addresses::parse(text).unwrap().expect_err(text);
            assert!(told.help.contains(help), "{text}: {}", told.help);
        }
        assert_eq!(Addresses::parse("web-1"), None);
        assert_eq!(Addresses::parse("10.0.0.1"), None);
    }
}
