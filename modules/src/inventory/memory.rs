//! The memory: `/proc/meminfo`.

use holdfast_schemas::facts::Memory;

use super::tree::Tree;

/// The memory that the kernel has.
pub(super) fn memory(tree: &Tree) -> Memory {
    Memory {
        total_mib: figure(tree, "MemTotal").unwrap_or_default(),
    }
}

/// What could be given to programs, in MiB.
pub(super) fn available_mib(tree: &Tree) -> u64 {
    figure(tree, "MemAvailable").unwrap_or_default()
}

fn figure(tree: &Tree, name: &str) -> Option<u64> {
    mebibytes(&tree.kernel_text("proc/meminfo")?, name)
}

/// A figure of meminfo, which counts in KiB and writes `kB`.
fn mebibytes(text: &str, name: &str) -> Option<u64> {
    let values = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = values.into_iter().find(|(key, _)| *key == name)?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kibibytes_become_mebibytes_and_nonsense_nothing() {
        let text = "MemTotal:       24682416 kB\nMemAvailable: 99999999999999999999 kB\nBad 3 kB\n";
        assert_eq!(mebibytes(text, "MemTotal"), Some(24103));
        assert_eq!(mebibytes(text, "MemAvailable"), None);
        assert_eq!(mebibytes(text, "Bad"), None);
    }
}
