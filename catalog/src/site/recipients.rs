//! `secrets:` of `holdfast.yaml`: who can read what the repo holds encrypted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fields::{Fields, text, wrong_type};
use super::names::is_plain;
use super::yaml::{Node, Yaml};
use crate::diag::{Code, Diagnostic, Diagnostics};

/// How an X25519 recipient begins (<https://c2sp.org/age>), and how many Bech32 digits follow: 32
/// bytes and a check.
const PREFIX: &str = "age1";
const DIGITS: usize = 58;

/// The digits of Bech32 (BIP 173).
const BECH32: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Recipients by the names that the repo gives them.
pub(crate) type Recipients = BTreeMap<Arc<str>, Arc<str>>;

/// Reads the mapping under `secrets`.
pub(super) fn read(node: &Node, wrong: &mut Diagnostics) -> Recipients {
    let mut recipients = Recipients::new();
    let Some(mut fields) = Fields::of(node, "`secrets`", wrong) else {
        return recipients;
    };
    let named = fields.get("recipients").map(|field| &field.node);
    fields.finish(wrong);
    let Some(named) = named else {
        return recipients;
    };
    let Yaml::Map(map) = &named.value else {
        wrong.push(wrong_type("a mapping from names to age recipients", named));
        return recipients;
    };
    for (name, field) in map {
        if !is_plain(name) {
            let message = format!("`{name}` is no name for a recipient");
            let told = Diagnostic::new(Code::InvalidValue, message, &field.key);
            wrong.push(told.help("letters, digits, `-`, `_` and `.`"));
        }
        let Some((recipient, span)) = text(&field.node, wrong) else {
            continue;
        };
        match is_recipient(&recipient) {
            true => drop(recipients.insert(Arc::clone(name), recipient)),
            false => {
                let message = format!("`{recipient}` is no age recipient");
                let told = Diagnostic::new(Code::InvalidValue, message, &span);
                wrong.push(told.help("one looks like `age1…`; `holdfast secret keygen` makes one"));
            }
        }
    }
    recipients
}

fn is_recipient(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|digits| {
        digits.len() == DIGITS && digits.chars().all(|digit| BECH32.contains(digit))
    })
}
