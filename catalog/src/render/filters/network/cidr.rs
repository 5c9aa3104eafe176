//! An address with the length of its network's prefix, and what can be computed of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) fn number(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }

    fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The address of a number, if it is one.
    fn address(self, number: u128) -> Option<IpAddr> {
        match self {
            Self::V4 => u32::try_from(number)
                .ok()
                .map(|number| Ipv4Addr::from(number).into()),
            Self::V6 => Some(Ipv6Addr::from(number).into()),
        }
    }
}

/// An address in a network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cidr {
    pub(super) address: IpAddr,
    pub(super) prefix: u8,
    pub(super) written_with_prefix: bool,
}

/// Networks that are not routed in the world: private, documentation, benchmarks, this host.
const NOT_GLOBAL: [&str; 23] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/127",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "fc00::/7",
    "fe80::/10",
];

impl Cidr {
    /// Reads `192.0.2.1`, `192.0.2.1/24` or `192.0.2.1/255.255.255.0`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits = family(address).bits();
        let length = match prefix {
            None => bits,
            Some(prefix) => match prefix.parse::<u8>() {
                Ok(length) => length,
                Err(_) => {
                    let mask = u32::from(prefix.parse::<Ipv4Addr>().ok()?);
                    let length = mask.leading_ones();
                    if length + mask.trailing_zeros() < 32 {
                        return None;
                    }
                    u8::try_from(length).ok()?
                }
            },
        };
        (length <= bits).then_some(Self {
            address,
            prefix: length,
            written_with_prefix: prefix.is_some(),
        })
    }

    /// The address that a number is.
    pub(super) fn of_number(number: i64) -> Option<Self> {
        let number = u128::try_from(number).ok()?;
        let family = if number > u128::from(u32::MAX) {
            Family::V6
        } else {
            Family::V4
        };
        Some(Self {
            address: family.address(number)?,
            prefix: family.bits(),
            written_with_prefix: false,
        })
    }

    pub(super) fn family(&self) -> Family {
        family(self.address)
    }

    /// Whether it is an address alone.
    pub(super) fn is_host(&self) -> bool {
        self.prefix == self.family().bits()
    }

    pub(super) fn number(&self) -> u128 {
        match self.address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        }
    }

    /// Ones where the hosts of the network differ.
    fn host_bits(&self) -> u128 {
        let free = u32::from(self.family().bits() - self.prefix);
        match free {
            128 => u128::MAX,
            free => (1 << free) - 1,
        }
    }

    fn all_bits(&self) -> u128 {
        match self.family() {
            Family::V4 => u128::from(u32::MAX),
            Family::V6 => u128::MAX,
        }
    }

    fn at(&self, number: u128) -> IpAddr {
        self.family()
            .address(number & self.all_bits())
            .unwrap_or(self.address)
    }

    pub(super) fn network(&self) -> IpAddr {
        self.at(self.number() & !self.host_bits())
    }

    pub(super) fn netmask(&self) -> IpAddr {
        self.at(!self.host_bits())
    }

    pub(super) fn hostmask(&self) -> IpAddr {
        self.at(self.host_bits())
    }

    pub(super) fn size(&self) -> u128 {
        self.host_bits().saturating_add(1)
    }

    /// The last address of a network that is large enough to have one of its own.
    pub(super) fn broadcast(&self) -> Option<IpAddr> {
        let large = self.family().bits() - self.prefix >= 2;
        large.then(|| self.at(self.number() | self.host_bits()))
    }

    /// Whether a host can have the address.
    pub(super) fn is_addressable(&self) -> bool {
        let small = self.family().bits() - self.prefix <= 1;
        let edge = self.address == self.network() || self.broadcast() == Some(self.address);
        small || !edge || (self.family() == Family::V6 && self.address != self.network())
    }

    pub(super) fn first_usable(&self) -> Option<IpAddr> {
        let first = self.number() & !self.host_bits();
        match self.size() {
            1 => None,
            2 => Some(self.at(first)),
            _ => Some(self.at(first + 1)),
        }
    }

    pub(super) fn last_usable(&self) -> Option<IpAddr> {
        let last = self.number() | self.host_bits();
        match (self.size(), self.family()) {
            (1, _) => None,
            (2, _) | (_, Family::V6) => Some(self.at(last)),
            _ => Some(self.at(last - 1)),
        }
    }

    /// An address of the network by its place, from the end where that is less than 0.
    pub(super) fn nth(&self, place: i64) -> Option<IpAddr> {
        let distance = u128::from(place.unsigned_abs());
        let number = match place < 0 {
            false if distance > self.host_bits() => return None,
            true if distance > self.size() => return None,
            false => (self.number() & !self.host_bits()) + distance,
            true => (self.number() | self.host_bits()) - (distance - 1),
        };
        Some(self.at(number))
    }

    /// The address so many further on.
    pub(super) fn moved(&self, amount: i64) -> Option<IpAddr> {
        let distance = u128::from(amount.unsigned_abs());
        let number = match amount < 0 {
            true => self.number().checked_sub(distance),
            false => self.number().checked_add(distance),
        };
        self.family().address(number?)
    }

    /// How many networks of that prefix there are in this one.
    pub(super) fn parts(&self, prefix: u8) -> Option<u128> {
        let bits = prefix.checked_sub(self.prefix)?;
        (prefix <= self.family().bits())
            .then(|| 1_u128.checked_shl(bits.into()))
            .flatten()
    }

    /// One of them.
    pub(super) fn part(&self, prefix: u8, index: i64) -> Option<IpAddr> {
        let count = self.parts(prefix)?;
        let distance = u128::from(index.unsigned_abs());
        let place = match index < 0 {
            true => count.checked_sub(distance)?,
            false => distance,
        };
        let free = u32::from(self.family().bits() - prefix);
        let offset = place.checked_shl(free).filter(|_| place < count)?;
        Some(self.at((self.number() & !self.host_bits()).checked_add(offset)?))
    }

    pub(super) fn contains(&self, other: &Self) -> bool {
        self.family() == other.family()
            && self.prefix <= other.prefix
            && (self.number() ^ other.number()) & !self.host_bits() & self.all_bits() == 0
    }

    /// Whether it is an address that the world routes, by IANA's registries of special addresses.
    pub(super) fn is_global(&self) -> bool {
        let special = NOT_GLOBAL.iter().filter_map(|network| Self::parse(network));
        let mut of_family = special.filter(|network| network.family() == self.family());
        !of_family.any(|network| {
            network.contains(&Self {
                prefix: self.family().bits(),
                ..*self
            })
        })
    }

    pub(super) fn is_link_local(&self) -> bool {
        match self.address {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.segments()[0] & 0xffc0 == 0xfe80,
        }
    }

    /// The name under which the address is looked up.
    pub(super) fn reverse(&self) -> String {
        match self.address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
            }
            IpAddr::V6(address) => {
                let digits = format!("{:032x}", u128::from(address));
                let digits: Vec<String> = digits.chars().rev().map(String::from).collect();
                format!("{}.ip6.arpa.", digits.join("."))
            }
        }
    }
}

fn family(address: IpAddr) -> Family {
    match address {
        IpAddr::V4(_) => Family::V4,
        IpAddr::V6(_) => Family::V6,
    }
}
