//! The operating system: os-release(5), machine-id(5), the init system.

use holdfast_schemas::facts::Os;

use super::tree::{Scope, Tree};

/// Families by the words that `ID` and `ID_LIKE` use.
const FAMILIES: &[(&str, &[&str])] = &[
    ("debian", &["debian", "ubuntu"]),
    (
        "redhat",
        &[
            "rhel",
            "fedora",
            "centos",
            "rocky",
            "almalinux",
            "amzn",
            "ol",
        ],
    ),
    ("suse", &["suse", "sles", "opensuse"]),
    ("arch", &["arch", "archarm"]),
];

/// Reads os-release; an absent one counts as empty, for which os-release(5) gives the defaults.
pub(super) fn os(tree: &Tree) -> Os {
    let text = tree
        .text("etc/os-release")
        .or_else(|| tree.text("usr/lib/os-release"));
    parse(&text.unwrap_or_default())
}

/// The 32 hexadecimal digits of `/etc/machine-id`; a machine before its first boot has none.
pub(super) fn machine_id(tree: &Tree) -> Option<String> {
    let text = tree.text("etc/machine-id")?;
    let id = text.trim();
    let digits = id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit());
    digits.then(|| id.to_ascii_lowercase())
}

/// The init system: the one that runs (sd_booted(3)), or in a rooted tree the one that would.
pub(super) fn init(tree: &Tree) -> &'static str {
    let sign = match tree.scope() {
        Scope::Machine => "run/systemd/system",
        Scope::Rooted => "usr/lib/systemd/systemd",
    };
    if tree.has(sign) { "systemd" } else { "other" }
}

fn parse(text: &str) -> Os {
    let field = |name: &str| {
        let values = text.lines().filter_map(|line| line.trim().split_once('='));
        let last = values.rev().find(|(key, _)| *key == name);
        last.map(|(_, value)| unquote(value))
            .filter(|value| !value.is_empty())
    };
    let id = field("ID").unwrap_or_else(|| "linux".to_owned());
    let version = field("VERSION_ID").unwrap_or_default();
    let like = field("ID_LIKE").unwrap_or_default();
    Os {
        family: family(&id, &like),
        name: field("NAME").unwrap_or_else(|| "Linux".to_owned()),
        major: version.split('.').next().and_then(|n| n.parse().ok()),
        codename: field("VERSION_CODENAME").unwrap_or_default(),
        id,
        version,
    }
}

fn family(id: &str, like: &str) -> String {
    let words = std::iter::once(id).chain(like.split_ascii_whitespace());
    let known = |word: &str| {
        let found = FAMILIES.iter().find(|(_, members)| {
            members.contains(&word) || word.starts_with("opensuse-") && members.contains(&"suse")
        });
        found.map(|(family, _)| (*family).to_owned())
    };
    words
        .filter_map(known)
        .next()
        .unwrap_or_else(|| id.to_owned())
}

/// Takes a value's quotes off as a shell would: `\` quotes in double quotes, nothing does in
/// single ones.
fn unquote(value: &str) -> String {
    let value = value.trim();
    if let Some(inner) = quoted(value, '\'') {
        return inner.to_owned();
    }
    let Some(inner) = quoted(value, '"') else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text
}

fn quoted(value: &str, quote: char) -> Option<&str> {
    value.strip_prefix(quote)?.strip_suffix(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descendants_belong_to_the_family_of_what_they_are_like() {
        let family_of = |text: &str| parse(text).family;
        assert_eq!(family_of("ID=debian\n"), "debian");
        assert_eq!(
            family_of("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"),
            "debian"
        );
        assert_eq!(
            family_of("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"),
            "redhat"
        );
        assert_eq!(family_of("ID=opensuse-leap\n"), "suse");
        assert_eq!(family_of("ID=alpine\n"), "alpine");
    }

    #[test]
    fn quotes_escapes_and_the_last_assignment_count_as_in_a_shell() {
        let os = parse("NAME='It is'\nNAME=\"A \\\"B\\\" C\"\nID=x\nVERSION_ID=\"22.04\"\n");
        assert_eq!(os.name, "A \"B\" C");
        assert_eq!((os.version.as_str(), os.major), ("22.04", Some(22)));
    }

    #[test]
    fn an_empty_or_garbled_file_has_the_defaults() {
        for text in ["", "=\n==\nID\nID=\"\n\0", "ID=\"\"\nNAME=''"] {
            let os = parse(text);
            assert_eq!(os.name, "Linux", "{text:?}");
            assert_eq!(os.major, None, "{text:?}");
        }
        assert_eq!(parse("").id, "linux");
    }
}
