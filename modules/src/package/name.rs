//! A package's name as it may be handed to apt.
//!
//! apt reads more into a word than a name: a trailing `-` removes, a trailing `+` installs, `=`
//! and `/` choose a version, and a word that names nothing is tried as a regular expression. Only
//! what Debian policy (5.6.1) calls a package name passes, with an architecture after a colon.

use crate::host::HostError;

/// A package's name and, where one is meant, its architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    /// The name.
    pub(crate) package: &'a str,
    /// The architecture after the colon.
    pub(crate) architecture: Option<&'a str>,
}

impl<'a> Name<'a> {
    /// Takes a name apart, refusing what is none.
    pub(crate) fn parse(text: &'a str) -> Result<Self, HostError> {
        let (package, architecture) = match text.split_once(':') {
            Some((package, architecture)) => (package, Some(architecture)),
            None => (text, None),
        };
        let named = is_package(package) && architecture.is_none_or(is_architecture);
        named
            .then_some(Self {
                package,
                architecture,
            })
            .ok_or_else(|| {
                let reason = "a package's name is lower-case letters, digits, `+`, `.` and `-`, \
                          beginning with a letter or digit and not ending with `-`, \
                          and perhaps `:architecture`";
                HostError::refused(format!("package {text:?}"), reason)
            })
    }
}

fn is_package(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.len() >= 2
        && plain(bytes[0])
        && !text.ends_with('-')
        && bytes
            .iter()
            .all(|&b| plain(b) || matches!(b, b'+' | b'-' | b'.'))
}

fn is_architecture(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text != "any" && !text.starts_with('-') && text.bytes().all(letter)
}

/// Whether a version can stand after `=` in a word for apt.
pub(crate) fn check_version(package: &str, version: &str) -> Result<(), HostError> {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-' | b'~' | b':');
    match version.starts_with(|c: char| c.is_ascii_digit()) && version.bytes().all(letter) {
        true => Ok(()),
        false => Err(HostError::refused(
            format!("package {package:?}"),
            format!(
                "{version:?} is not a version: it begins with a digit and holds letters, digits and `.+-~:`"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn names_of_real_packages_pass() {
        for name in [
            "nginx",
            "g++",
            "libstdc++6",
            "libc6:i386",
            "python3.11",
            "7zip",
        ] {
            Name::parse(name).unwrap();
        }
    }

    #[test]
    fn what_apt_would_read_more_into_is_refused() {
        for name in [
            "nginx-",
            "-y",
            "a=1",
            "bas.*",
            "x/testing",
            "",
            "a",
            "A",
            "n x",
            "a:any",
            "a:",
            "a:-",
        ] {
            Name::parse(name).expect_err(name);
        }
        assert!(check_version("a", "1:2.0~rc1-1+b2").is_ok());
        assert!(check_version("a", "1 -o x").is_err());
    }
}
