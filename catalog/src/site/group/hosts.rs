//! The hosts that a list names: by name, by pattern, by address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use holdfast_schemas::HostName;

use super::address::Addresses;
use super::pattern::{Pattern, is_pattern};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};

/// The entries of `hosts:` or `exclude:`.
#[derive(Debug, Default)]
pub(crate) struct HostList {
    /// Names, each where it stands first.
    names: HashMap<Arc<str>, Span>,
    rules: Vec<(Rule, Span)>,
}

/// An entry that can hold for many hosts.
#[derive(Debug)]
enum Rule {
    Pattern(Pattern),
    Addresses(Addresses),
}

/// A host as lists see it.
#[derive(Debug, Clone)]
pub(crate) struct Sought<'a> {
    name: &'a str,
    /// The address that the repo gives it, as written.
    address: Option<&'a str>,
    /// That address, and the name where it is one.
    addresses: Vec<IpAddr>,
}

impl<'a> Sought<'a> {
    /// A host by its name, and by the address that the repo gives it.
    pub(crate) fn new(name: &'a str, address: Option<&'a str>) -> Self {
        let written = [Some(name), address].into_iter().flatten();
        Self {
            name,
            address,
            addresses: written.filter_map(|text| text.parse().ok()).collect(),
        }
    }
}

impl HostList {
    /// Reads the entries; one that is none is told.
    pub(super) fn read(entries: Vec<(Arc<str>, Span)>, wrong: &mut Diagnostics) -> Self {
        let mut list = Self::default();
        for (text, span) in entries {
            let refused = match (Addresses::parse(&text), is_pattern(&text)) {
                (Some(Ok(addresses)), _) => {
                    list.rules.push((Rule::Addresses(addresses), span));
                    continue;
                }
                (Some(Err(told)), _) => (told.message, told.help),
                (None, true) => match Pattern::parse(&text) {
                    Ok(pattern) => {
                        list.rules.push((Rule::Pattern(pattern), span));
                        continue;
                    }
                    Err(told) => (told.message, told.help),
                },
                (None, false) => match name(&text) {
                    Ok(()) => {
                        list.names.entry(text).or_insert(span);
                        continue;
                    }
                    Err(told) => told,
                },
            };
            wrong.push(Diagnostic::new(Code::InvalidValue, refused.0, &span).help(refused.1));
        }
        list
    }

    /// The first entry that holds for a host.
    pub(crate) fn entry(&self, host: &Sought<'_>) -> Option<&Span> {
        let by_name = self.names.get(host.name);
        let by_name = by_name.or_else(|| self.names.get(host.address?));
        let mut rules = self.rules.iter();
        let mut by_rule = || rules.find(|(rule, _)| rule.holds(host));
        by_name.or_else(|| by_rule().map(|(_, span)| span))
    }

    /// An entry as written, by its place.
    pub(crate) fn text(&self, entry: &Span) -> String {
        let name = self.names.iter().find(|(_, span)| *span == entry);
        let name = name.map(|(name, _)| name.to_string());
        name.unwrap_or_else(|| entry.text().trim_matches(['"', '\'']).to_owned())
    }

    /// Whether an entry holds for a host that does not hold for every host.
    pub(crate) fn names(&self, host: &Sought<'_>) -> bool {
        let telling = |rule: &Rule| match rule {
            Rule::Pattern(pattern) => !pattern.is_everybody(),
            Rule::Addresses(_) => true,
        };
        let mut rules = self.rules.iter();
        self.names.contains_key(host.name)
            || rules.any(|(rule, _)| telling(rule) && rule.holds(host))
    }

    /// The names as written, with their places.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&Arc<str>, &Span)> {
        self.names.iter()
    }

    /// Where the entries stand, in no order.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Span> {
        self.names
            .values()
            .chain(self.rules.iter().map(|(_, span)| span))
    }

    /// The entries that can hold for many hosts, as written.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter();
        rules.map(|(_, span)| span.text().trim_matches(['"', '\'']))
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.rules.is_empty()
    }
}

impl Rule {
    fn holds(&self, host: &Sought<'_>) -> bool {
        match self {
            Self::Pattern(pattern) => {
                let address = host.address.filter(|_| pattern.is_of_addresses());
                pattern.holds(host.name) || address.is_some_and(|text| pattern.holds(text))
            }
            Self::Addresses(range) => host.addresses.iter().any(|one| range.holds(*one)),
        }
    }
}

/// Refuses what no host can be called.
fn name(text: &str) -> Result<(), (String, String)> {
    let parsed: Result<HostName, _> = text.parse();
    parsed.map(|_| ()).map_err(|error| {
        let lower = text.to_ascii_lowercase();
        let help = match lower.parse::<HostName>() {
            Ok(name) => format!("write `{name}`"),
            Err(_) if text.starts_with('!') => {
                "who is not to be in the group goes under `exclude:`".to_owned()
            }
            Err(_) => "an entry is a name, a pattern (`web-*`, `web-[01:20]`) or addresses \
                       (`10.1.0.0/16`, `10.0.0.1-10.0.0.50`)"
                .to_owned(),
        };
        (format!("`{text}` names no host: {error}"), help)
    })
}
