//! What may stand in an account database: names, and the fields between colons.

use crate::host::HostError;

/// Longest name (`LOGIN_NAME_MAX` of useradd(8) and groupadd(8)).
const MAX_NAME: usize = 32;

/// Refuses a name that a program could take for an option or a number, or that would break a
/// database's lines.
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), HostError> {
    let stem = name.strip_suffix('$').unwrap_or(name);
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let first = stem
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    match first && stem.bytes().all(letter) && name.len() <= MAX_NAME {
        true => Ok(()),
        false => Err(HostError::refused(
            format!("{what} {name:?}"),
            format!(
                "a {what}'s name has at most {MAX_NAME} ASCII letters, digits and `_.-`, \
                 beginning with a letter or `_`"
            ),
        )),
    }
}

/// Refuses the text of a field that would end the field or the line.
pub(super) fn check_field(user: &str, field: &str, text: &str) -> Result<(), HostError> {
    match text.chars().any(|c| c == ':' || c.is_control()) {
        false => Ok(()),
        true => Err(HostError::refused(
            format!("user {user}"),
            format!(
                "the {field} {text:?} holds a colon or a control character, which /etc/passwd cannot"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn ordinary_names_pass_and_dangerous_ones_do_not() {
        for name in ["ann", "_apt", "systemd-network", "j.doe", "host$"] {
            check_name("user", name).unwrap();
        }
        for name in [
            "",
            "-o",
            "a:b",
            "a\nb",
            "1000",
            "a b",
            "ä",
            "a/b",
            "root\0",
            &"a".repeat(33),
        ] {
            check_name("user", name).expect_err(name);
        }
        check_field("ann", "comment", "12345 Änn").unwrap();
        check_field("ann", "comment", "x:0:0").unwrap_err();
    }
}
