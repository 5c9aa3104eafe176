//! The processors.

use holdfast_schemas::facts::Cpu;

use super::tree::Tree;

/// Counts the processors in use and names the first.
pub(super) fn cpu(tree: &Tree) -> Cpu {
    let info = tree.kernel_text("proc/cpuinfo").unwrap_or_default();
    let online = tree.kernel_text("sys/devices/system/cpu/online");
    let count = online.as_deref().and_then(count_list);
    Cpu {
        count: count.unwrap_or_else(|| listed(&info)),
        model: model(&info),
    }
}

/// How many numbers a list of the kernel such as `0-3,8` holds.
fn count_list(list: &str) -> Option<u32> {
    let mut count: u32 = 0;
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        let length = last.checked_sub(first)?.checked_add(1)?;
        count = count.checked_add(length)?;
    }
    Some(count)
}

fn listed(info: &str) -> u32 {
    let processors = info.lines().filter(|line| key(line) == Some("processor"));
    u32::try_from(processors.count()).unwrap_or(u32::MAX)
}

/// x86 and POWER, then ARM boards, then s390, each by its own word.
fn model(info: &str) -> String {
    let value = |name: &str| {
        let line = info.lines().find(|line| key(line) == Some(name))?;
        line.split_once(':').map(|(_, value)| value.trim())
    };
    let words = ["model name", "cpu", "Model", "Hardware", "vendor_id"];
    let named = words.into_iter().filter_map(value);
    let model = named.into_iter().find(|value| !value.is_empty());
    let parts = model.unwrap_or_default().split_ascii_whitespace();
    parts.collect::<Vec<_>>().join(" ")
}

fn key(line: &str) -> Option<&str> {
    line.split_once(':').map(|(key, _)| key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_the_kernel_is_counted_and_a_garbled_one_is_not() {
        assert_eq!(count_list("0-3,8\n"), Some(5));
        assert_eq!(count_list("0"), Some(1));
        for garbled in ["", "3-0", "0-4294967295", "a", "1,,2", "-"] {
            assert_eq!(count_list(garbled), None, "{garbled:?}");
        }
    }

    #[test]
    fn the_model_is_told_on_every_architecture() {
        assert_eq!(model("model name\t: AMD  EPYC 7R13 \n"), "AMD EPYC 7R13");
        assert_eq!(
            model("cpu\t\t: POWER9, altivec supported\n"),
            "POWER9, altivec supported"
        );
        assert_eq!(model("processor: 0\nHardware\t: BCM2835\n"), "BCM2835");
        assert_eq!(model("no colon"), "");
    }
}
