//! The kernel, and the names it and `/etc/hosts` give the machine.

use holdfast_schemas::facts::Kernel;

use super::tree::{Scope, Tree};

/// What uname(2) says, as the kernel shows it under `/proc/sys/kernel`.
pub(super) fn kernel(tree: &Tree) -> Kernel {
    let read = |name: &str| first_line(tree.kernel_text(&format!("proc/sys/kernel/{name}")));
    Kernel {
        name: read("ostype").unwrap_or_else(|| "Linux".to_owned()),
        release: read("osrelease").unwrap_or_default(),
        // `arch` is there since Linux 6.1; before, this program's own is the best answer.
        arch: read("arch").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
    }
}

/// The kernel's host name; a rooted tree that has an `/etc/hostname` is called by that.
pub(super) fn hostname(tree: &Tree) -> String {
    let own = match tree.scope() {
        Scope::Machine => None,
        Scope::Rooted => first_line(tree.text("etc/hostname")),
    };
    own.or_else(|| first_line(tree.kernel_text("proc/sys/kernel/hostname")))
        .unwrap_or_else(|| "localhost".to_owned())
}

/// The host name with its domain: as it is when it has one, else the first name with a dot that
/// `/etc/hosts` gives it. The network is never asked: a fact may not wait for a name server.
pub(super) fn fqdn(tree: &Tree, hostname: &str) -> Option<String> {
    if hostname.contains('.') {
        return Some(hostname.to_owned());
    }
    qualified(&tree.text("etc/hosts")?, hostname)
}

fn qualified(hosts: &str, hostname: &str) -> Option<String> {
    hosts.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let names: Vec<&str> = line.split_ascii_whitespace().skip(1).collect();
        let known = names.contains(&hostname);
        let full = |name: &&&str| {
            let rest = name.strip_prefix(hostname);
            rest.is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'))
        };
        let name = names.iter().find(full);
        name.filter(|_| known).map(|name| (*name).to_owned())
    })
}

fn first_line(text: Option<String>) -> Option<String> {
    let text = text?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_qualified_name_stands_on_the_line_of_the_short_one() {
        let hosts =
            "127.0.0.1 localhost\n# 1.1.1.1 web.old web\n10.0.0.5\tweb.example.org web # x\n";
        assert_eq!(qualified(hosts, "web").as_deref(), Some("web.example.org"));
        assert_eq!(qualified(hosts, "localhost"), None);
        assert_eq!(qualified("10.0.0.5 web.example.org", "web"), None);
        assert_eq!(qualified("10.0.0.5 web. web", "web"), None);
    }
}
