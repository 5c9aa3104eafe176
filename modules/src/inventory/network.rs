//! The network: interfaces that stay, and the address that traffic leaves from.
//!
//! A virtual interface counts when it has an address of its own; the host's ends of containers'
//! pairs and the taps of virtual machines have none, and come and go. Link-local and temporary
//! addresses (RFC 8981) change by themselves and are left out.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use holdfast_schemas::facts::{Interface, Network};
use sysinfo::Networks;

use super::tree::Tree;

/// Addresses that no route treats specially (RFC 5737, RFC 3849): what leads to them is the
/// default route. Nothing is sent.
const ELSEWHERE: [(IpAddr, IpAddr); 2] = [
    (
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    ),
    (
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    ),
];

/// `IFA_F_TEMPORARY` and `IFA_F_DADFAILED` of rtnetlink(7).
const PASSING: u32 = 0x01 | 0x08;

/// Interfaces but for the loopback, and the address of the default route.
pub(super) fn network(tree: &Tree) -> Network {
    let v4 = match tree.kernel_is_live() {
        true => v4_addresses(),
        false => BTreeMap::new(),
    };
    let v6 = v6_addresses(&tree.kernel_text("proc/net/if_inet6").unwrap_or_default());
    let names = tree.kernel_names("sys/class/net");
    let interfaces = names.into_iter().filter_map(|name| {
        let interface = interface(tree, &name, [v4.get(&name), v6.get(&name)])?;
        Some((name, interface))
    });
    let live = tree.kernel_is_live();
    Network {
        interfaces: interfaces.collect(),
        address: live
            .then(outward)
            .flatten()
            .map(|address| address.to_string()),
    }
}

fn interface(tree: &Tree, name: &str, found: [Option<&Vec<String>>; 2]) -> Option<Interface> {
    if name == "lo" {
        return None;
    }
    let mut addresses: Vec<String> = found.into_iter().flatten().flatten().cloned().collect();
    let hardware = tree.kernel_has(&format!("sys/class/net/{name}/device"));
    if addresses.is_empty() && !hardware {
        return None;
    }
    addresses.sort();
    addresses.dedup();
    let mac = tree.kernel_text(&format!("sys/class/net/{name}/address"));
    Some(Interface {
        mac: mac.unwrap_or_default().trim().to_owned(),
        addresses,
    })
}

/// IPv4 addresses by interface, from getifaddrs(3).
fn v4_addresses() -> BTreeMap<String, Vec<String>> {
    let networks = Networks::new_with_refreshed_list();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, interface) in networks.iter().flat_map(|networks| networks.iter()) {
        for network in interface.ip_networks() {
            match network.addr {
                IpAddr::V4(address) if !address.is_link_local() => {
                    let shown = format!("{address}/{}", network.prefix);
                    let name = name.to_string_lossy().into_owned();
                    found.entry(name).or_default().push(shown);
                }
                _ => {}
            }
        }
    }
    found
}

/// IPv6 addresses by interface: `/proc/net/if_inet6` has the flags that getifaddrs(3) has not.
fn v6_addresses(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, address) in text.lines().filter_map(v6_address) {
        found.entry(name).or_default().push(address);
    }
    found
}

/// One line: address, index, prefix length, scope, flags (all hexadecimal), interface.
fn v6_address(line: &str) -> Option<(String, String)> {
    let mut words = line.split_ascii_whitespace();
    let address = u128::from_str_radix(words.next()?, 16).ok()?;
    let prefix = u8::from_str_radix(words.nth(1)?, 16).ok()?;
    let flags = u32::from_str_radix(words.nth(1)?, 16).ok()?;
    let name = words.next()?;
    let address = Ipv6Addr::from(address);
    let stays = flags & PASSING == 0 && !address.is_unicast_link_local();
    stays.then(|| (name.to_owned(), format!("{address}/{prefix}")))
}

/// The address that traffic to elsewhere leaves from: connecting a datagram socket makes the
/// kernel choose a route and sends nothing.
fn outward() -> Option<IpAddr> {
    ELSEWHERE.into_iter().find_map(|(any, elsewhere)| {
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect((elsewhere, 9)).ok()?;
        let address = socket.local_addr().ok()?.ip();
        (!address.is_unspecified() && !address.is_loopback()).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_and_link_local_addresses_are_left_out() {
        let text = "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n\
                    20010db8000000000000000000000005 04 40 00 80     eth0\n\
                    20010db80000000000000000dead0005 04 40 00 01     eth0\n\
                    nonsense\nzz 04 40 00 80 eth0\n";
        let found = v6_addresses(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found["eth0"], ["2001:db8::5/64"]);
    }
}
