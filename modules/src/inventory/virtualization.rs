//! What the machine runs under, in the words of systemd-detect-virt(1).
//!
//! A container is told first (it may itself stand in a virtual machine), then the firmware's
//! names, then the clock that only a hypervisor offers. Privileged instructions are not needed.

use super::tree::Tree;

/// Words in the firmware's vendor and product names, most telling first.
const FIRMWARE: &[(&str, &str)] = &[
    ("Amazon EC2", "amazon"),
    ("Google Compute Engine", "google"),
    ("VMware", "vmware"),
    ("VMW", "vmware"),
    ("innotek GmbH", "oracle"),
    ("VirtualBox", "oracle"),
    ("Parallels", "parallels"),
    ("BHYVE", "bhyve"),
    ("Xen", "xen"),
    ("KVM", "kvm"),
    ("Hyper-V", "microsoft"),
    ("Apple Virtualization", "apple"),
];

/// Clock sources that only a guest has.
const CLOCKS: &[(&str, &str)] = &[
    ("kvm-clock", "kvm"),
    ("xen", "xen"),
    ("hyperv_clocksource_tsc_page", "microsoft"),
    ("hyperv_clocksource_msr", "microsoft"),
];

/// The container or hypervisor; `none` on bare metal; `None` where it cannot be told.
pub(super) fn virtualization(tree: &Tree) -> Option<String> {
    let found = container(tree)
        .or_else(|| firmware(tree).map(str::to_owned))
        .or_else(|| clock(tree).map(str::to_owned));
    found.or_else(|| bare_metal(tree).map(str::to_owned))
}

/// What the container's manager wrote for those inside (the Container Interface of systemd).
fn container(tree: &Tree) -> Option<String> {
    if !tree.kernel_is_live() {
        return None;
    }
    let manager = tree.kernel_text("run/systemd/container");
    let manager = manager.or_else(|| environment(tree));
    if let Some(word) = manager.as_deref().and_then(plain_word) {
        return Some(word.to_owned());
    }
    let marks = [("run/.containerenv", "podman"), (".dockerenv", "docker")];
    let mark = marks.into_iter().find(|(path, _)| tree.kernel_has(path));
    mark.map(|(_, word)| word.to_owned())
}

fn environment(tree: &Tree) -> Option<String> {
    let text = tree.kernel_text("proc/1/environ")?;
    let value = text
        .split('\0')
        .find_map(|pair| pair.strip_prefix("container="));
    value.map(str::to_owned)
}

fn plain_word(text: &str) -> Option<&str> {
    let word = text.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!word.is_empty() && word.len() <= 64 && word.chars().all(plain)).then_some(word)
}

fn firmware(tree: &Tree) -> Option<&'static str> {
    let read = |name: &str| {
        let text = tree.kernel_text(&format!("sys/class/dmi/id/{name}"));
        text.unwrap_or_default()
    };
    let names = ["product_name", "sys_vendor", "board_vendor", "bios_vendor"].map(read);
    let [product, vendor, ..] = &names;
    if vendor.trim() == "Microsoft Corporation" && product.trim() == "Virtual Machine" {
        return Some("microsoft");
    }
    let known = FIRMWARE
        .iter()
        .find(|(mark, _)| names.iter().any(|name| name.contains(mark)));
    if let Some((_, word)) = known {
        return Some(word);
    }
    // QEMU's firmware is the same with and without KVM: the clock tells them apart.
    let emulated = names.iter().any(|name| name.contains("QEMU"));
    emulated.then(|| clock(tree).unwrap_or("qemu"))
}

fn clock(tree: &Tree) -> Option<&'static str> {
    let path = "sys/devices/system/clocksource/clocksource0/available_clocksource";
    let text = tree.kernel_text(path)?;
    let has = |name: &str| text.split_ascii_whitespace().any(|word| word == name);
    CLOCKS
        .iter()
        .find(|(name, _)| has(name))
        .map(|(_, word)| *word)
}

/// An x86 processor tells a guest so by a flag, though not by whom it is kept.
fn bare_metal(tree: &Tree) -> Option<&'static str> {
    let info = tree.kernel_text("proc/cpuinfo")?;
    let flags = info.lines().find(|line| line.starts_with("flags"))?;
    match flags
        .split_ascii_whitespace()
        .any(|flag| flag == "hypervisor")
    {
        true => Some("vm-other"),
        false => Some("none"),
    }
}
