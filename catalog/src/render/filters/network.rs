//! Filters over addresses of networks: the family of `ipaddr`.
//!
//! The queries that templates use; one that is not here is refused by name. What is no address
//! gives false, and is left out of a list.

use std::net::IpAddr;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};

use super::call::{Call, Filter, filter, integer};

mod cidr;

use cidr::{Cidr, Family};

/// Collections that these filters are of.
const COLLECTIONS: [&str; 3] = ["ansible.utils.", "ansible.netcommon.", "community.general."];

pub(super) const FILTERS: &[Filter] = &[
    filter("ipaddr", &["query", "version", "alias"], |call| {
        each(call, None)
    }),
    filter("ipmath", &["amount"], math),
    filter("ipsubnet", &["query", "index"], subnet),
    filter("ipv4", &["query"], |call| each(call, Some(Family::V4))),
    filter("ipv6", &["query"], |call| each(call, Some(Family::V6))),
    filter("ipwrap", &["query"], wrap),
    filter("nthhost", &["query"], nth_host),
];

/// Adds the filters under the names of their collections as well.
pub(super) fn add_collections(environment: &mut Environment<'static>) {
    for filter in FILTERS {
        for collection in COLLECTIONS {
            let filter = *filter;
            environment.add_filter(
                format!("{collection}{}", filter.name),
                move |state: &minijinja::State,
                      value: Value,
                      given: minijinja::value::Rest<Value>,
                      named: minijinja::value::Kwargs| {
                    filter.call(state, value, (given.0, &named))
                },
            );
        }
    }
}

/// One address, or all of a list that fit.
fn each(call: &Call<'_, '_, '_>, family: Option<Family>) -> Result<Value, Error> {
    let family = match call.integer_or("version", 0)? {
        4 => Some(Family::V4),
        6 => Some(Family::V6),
        _ => family,
    };
    match call.value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            let mut found = Vec::new();
            for item in call.items()? {
                let value = query(call, &item, family)?;
                found.extend(value.is_true().then_some(value));
            }
            Ok(Value::from(found))
        }
        _ => query(call, &call.value, family),
    }
}

fn query(call: &Call<'_, '_, '_>, value: &Value, family: Option<Family>) -> Result<Value, Error> {
    let parsed = match integer(value).filter(|_| value.is_integer()) {
        Some(number) => Cidr::of_number(number),
        None => value.as_str().and_then(|text| match text.parse() {
            Ok(number) => Cidr::of_number(number),
            Err(_) => Cidr::parse(text),
        }),
    };
    let fits = |cidr: &Cidr| family.is_none_or(|family| cidr.family() == family);
    let Some(cidr) = parsed.filter(fits) else {
        return Ok(Value::from(false));
    };
    let asked = call.some("query");
    let digits = |asked: &Value| asked.as_str().and_then(|text| text.parse().ok());
    if let Some(number) = asked.and_then(|asked| integer(asked).or_else(|| digits(asked))) {
        let host = cidr.nth(number).filter(|_| !cidr.is_host());
        return Ok(host.map_or_else(
            || Value::from(false),
            |host| Value::from(format!("{host}/{}", cidr.prefix)),
        ));
    }
    let asked = asked.and_then(Value::as_str).unwrap_or("");
    answer(call, (value, &cidr), asked)
}

/// What is asked of an address.
fn answer(
    call: &Call<'_, '_, '_>,
    (value, cidr): (&Value, &Cidr),
    asked: &str,
) -> Result<Value, Error> {
    let when = |fits: bool, value: String| match fits {
        true => Value::from(value),
        false => Value::from(()),
    };
    let (address, prefix) = (cidr.address, cidr.prefix);
    let network = || cidr.network().to_string();
    let with_prefix = |address: IpAddr| format!("{address}/{prefix}");
    let addressable = cidr.is_addressable();
    Ok(match asked {
        "" if cidr.written_with_prefix => Value::from(with_prefix(address)),
        "" => Value::from(address.to_string()),
        "address" | "ip" => when(addressable, address.to_string()),
        "address/prefix" | "ip/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet"
        | "router" => when(addressable, with_prefix(address)),
        "host" if cidr.is_host() => Value::from(format!("{address}/{prefix}")),
        "host" => when(cidr.address != cidr.network(), with_prefix(address)),
        "network" | "network_id" => Value::from(network()),
        "network/prefix" | "subnet" => Value::from(format!("{}/{prefix}", network())),
        "net" => when(
            cidr.address == cidr.network() && !cidr.is_host(),
            with_prefix(address),
        ),
        "prefix" => Value::from(prefix),
        "netmask" => Value::from(cidr.netmask().to_string()),
        "hostmask" | "wildcard" => Value::from(cidr.hostmask().to_string()),
        "broadcast" => match cidr.broadcast() {
            Some(broadcast) => Value::from(broadcast.to_string()),
            None => Value::from(false),
        },
        "size" => Value::from(cidr.size()),
        "first_usable" => nth(cidr, cidr.first_usable()),
        "last_usable" => nth(cidr, cidr.last_usable()),
        "range_usable" => match (cidr.first_usable(), cidr.last_usable()) {
            (Some(first), Some(last)) => Value::from(format!("{first}-{last}")),
            _ => Value::from(false),
        },
        "version" => Value::from(cidr.family().number()),
        "type" => Value::from(if cidr.address == cidr.network() && !cidr.is_host() {
            "network"
        } else {
            "address"
        }),
        "int" if cidr.is_host() => Value::from(cidr.number()),
        "int" => Value::from(format!("{}/{prefix}", cidr.number())),
        "ip_netmask" => when(addressable, format!("{address} {}", cidr.netmask())),
        "network_netmask" => Value::from(format!("{} {}", network(), cidr.netmask())),
        "network_wildcard" => Value::from(format!("{} {}", network(), cidr.hostmask())),
        "ipv4" => when(cidr.family() == Family::V4, text(value)),
        "ipv6" => when(cidr.family() == Family::V6, text(value)),
        "private" => when(!cidr.is_global(), text(value)),
        "public" => when(cidr.is_global() && !address.is_multicast(), text(value)),
        "loopback" | "lo" => when(address.is_loopback(), text(value)),
        "multicast" => when(address.is_multicast(), text(value)),
        "link-local" | "lladdr" => when(cidr.is_link_local(), text(value)),
        "revdns" => Value::from(cidr.reverse()),
        "wrap" => Value::from(wrapped(cidr, value)),
        "bool" => Value::from(true),
        other => match Cidr::parse(other) {
            Some(network) => when(network.contains(cidr), text(value)),
            None => return Err(call.fails(format!("there is no query `{other}`"))),
        },
    })
}

fn nth(cidr: &Cidr, address: Option<IpAddr>) -> Value {
    match address.filter(|_| !cidr.is_host()) {
        Some(address) => Value::from(address.to_string()),
        None => Value::from(false),
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// An address in the brackets that stand around it before a port.
fn wrapped(cidr: &Cidr, value: &Value) -> String {
    let prefix = match cidr.written_with_prefix {
        true => format!("/{}", cidr.prefix),
        false => String::new(),
    };
    match cidr.family() {
        Family::V6 => format!("[{}]{prefix}", cidr.address),
        Family::V4 => text(value),
    }
}

/// Addresses of the sixth version in brackets; anything else as it is.
fn wrap(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let one = |value: &Value| match value.as_str().and_then(Cidr::parse) {
        Some(cidr) => Value::from(wrapped(&cidr, value)),
        None => value.clone(),
    };
    Ok(match call.value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            call.items()?.iter().map(one).collect::<Vec<Value>>().into()
        }
        _ => one(&call.value),
    })
}

fn cidr_of(call: &Call<'_, '_, '_>) -> Result<Option<Cidr>, Error> {
    Ok(Cidr::parse(call.value_text()?))
}

fn nth_host(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let number = call.integer_or("query", 0)?;
    let host = cidr_of(call)?.and_then(|cidr| cidr.nth(number));
    Ok(host.map_or_else(|| Value::from(false), |host| Value::from(host.to_string())))
}

fn math(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let amount = call.integer_or("amount", 0)?;
    let cidr = cidr_of(call)?.ok_or_else(|| call.fails("takes an address"))?;
    let moved = cidr.moved(amount);
    let moved = moved.ok_or_else(|| call.fails("that goes beyond all addresses"))?;
    call.gives(moved.to_string())
}

/// The parts of a network, how many there are, or one of them.
fn subnet(call: &Call<'_, '_, '_>) -> Result<Value, Error> {
    let Some(cidr) = cidr_of(call)? else {
        return Ok(Value::from(false));
    };
    let whole = format!("{}/{}", cidr.network(), cidr.prefix);
    let Some(query) = call.some("query") else {
        return call.gives(whole);
    };
    let text = text(query);
    let Ok(prefix) = text.parse::<u8>() else {
        return Err(call.fails(format!("`{text}` is no length of a prefix")));
    };
    // A network that an address is in.
    if cidr.is_host() && prefix <= cidr.prefix && call.some("index").is_none() {
        let within = Cidr::parse(&format!("{}/{prefix}", cidr.address));
        let network = within.map_or(cidr.address, |within| within.network());
        return call.gives(format!("{network}/{prefix}"));
    }
    let Some(index) = call.some("index") else {
        return Ok(match cidr.parts(prefix) {
            Some(count) => Value::from(count.to_string()),
            None => Value::from(false),
        });
    };
    let index = integer(index).ok_or_else(|| call.wrong("index", "a whole number", index))?;
    let part = cidr.part(prefix, index);
    Ok(part.map_or_else(
        || Value::from(false),
        |network| Value::from(format!("{network}/{prefix}")),
    ))
}
