//! A [`SiteDiff`] for people: `1 change, 4,812 hosts: web-1 …`, and below it what changes.
//!
//! What many hosts have, each with lines of its own, is shown once, with a word about the rest.

use std::collections::HashMap;
use std::fmt;

use holdfast_schemas::HostName;
use holdfast_schemas::catalog::Enforcement;
use holdfast_schemas::resource::ResourceId;
use serde_json::Value;

use super::change::{AttributeChange, Change, EdgeChange};
use super::fleet::{Group, SiteDiff};

/// Most names in one line.
const NAMES: usize = 4;

/// Most lines of one content: what a person reads before asking for all of it.
const LINES: usize = 80;

/// Longest value, in characters.
const VALUE: usize = 160;

/// Most resources of which each changed edge is shown.
const EDGES: usize = 4;

/// Versions of one difference up to which all are shown.
const VERSIONS: usize = 3;

/// What versions of one difference have in common: what is done, to what, in which attributes.
type Shape<'a> = (&'a str, Option<&'a ResourceId>, Vec<&'a str>);

/// Where a shape is shown, and who has other versions of it.
struct Versions<'a> {
    first: usize,
    count: usize,
    others: Vec<&'a HostName>,
}

impl fmt::Display for SiteDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions = versions(&self.groups);
        for (place, group) in self.groups.iter().enumerate() {
            let shown = |change: &&Change| {
                let versions = &versions[&shape(change)];
                versions.count <= VERSIONS || versions.first == place
            };
            let changes: Vec<&Change> = group.changes.iter().filter(shown).collect();
            if !changes.is_empty() {
                draw_group(f, group, &changes, &versions)?;
            }
        }
        self.draw_hosts(f)
    }
}

impl SiteDiff {
    fn draw_hosts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resources: usize = self.joining.values().sum();
        let joining = format!(" ({})", count(resources, "resource"));
        let lists = [
            ("joins", "join", self.joining.keys().collect(), &*joining),
            ("leaves", "leave", self.leaving.iter().collect(), ""),
            (
                "compiles again",
                "compile again",
                self.mended.iter().collect(),
                "",
            ),
            (
                "does not compile any more",
                "do not compile any more",
                self.broken.iter().collect(),
                "",
            ),
            (
                "still does not compile",
                "still do not compile",
                self.still_broken.iter().collect(),
                "",
            ),
        ];
        let lists: [(&str, &str, Vec<&HostName>, &str); 5] = lists;
        for (one, many, hosts, more) in lists {
            let verb = if hosts.len() == 1 { one } else { many };
            if !hosts.is_empty() {
                let number = count(hosts.len(), "host");
                writeln!(f, "{number} {verb}: {}{more}", names(hosts))?;
            }
        }
        for (needs, hosts) in &self.unchecked {
            let number = count(hosts.len(), "host");
            writeln!(f, "{number} unchecked: {}: {needs}", names(hosts))?;
        }
        let differing = self.differing();
        let compared = differing + self.equal;
        match (self.is_empty(), differing) {
            (true, _) => writeln!(f, "no difference in {}", count(compared, "host")),
            (false, _) => writeln!(
                f,
                "{} of {} differ",
                thousands(differing),
                count(compared, "host")
            ),
        }
    }
}

fn versions(groups: &[Group]) -> HashMap<Shape<'_>, Versions<'_>> {
    let mut versions: HashMap<Shape<'_>, Versions<'_>> = HashMap::new();
    for (place, group) in groups.iter().enumerate() {
        for change in &group.changes {
            match versions.get_mut(&shape(change)) {
                None => {
                    let first = Versions {
                        first: place,
                        count: 1,
                        others: Vec::new(),
                    };
                    versions.insert(shape(change), first);
                }
                Some(known) => {
                    known.count += 1;
                    known.others.extend(&group.hosts);
                }
            }
        }
    }
    versions
}

fn shape(change: &Change) -> Shape<'_> {
    let word = match change {
        Change::Mode { .. } => "mode",
        Change::Health { role, .. } => return ("health", None, vec![role]),
        Change::Added { .. } => "added",
        Change::Removed { .. } => "removed",
        Change::Changed { .. } => "changed",
        Change::Edges { .. } => "edges",
        Change::Order { .. } => "order",
    };
    let attributes = change.attributes().iter();
    (
        word,
        change.resource(),
        attributes.map(|one| one.name.as_str()).collect(),
    )
}

fn draw_group(
    f: &mut fmt::Formatter<'_>,
    group: &Group,
    changes: &[&Change],
    versions: &HashMap<Shape<'_>, Versions<'_>>,
) -> fmt::Result {
    let number = count(changes.len(), "change");
    let hosts = count(group.hosts.len(), "host");
    writeln!(f, "{number}, {hosts}: {}", names(&group.hosts))?;
    let edges = |change: &&&Change| matches!(change, Change::Edges { .. });
    let edged: Vec<&ResourceId> = changes
        .iter()
        .filter(edges)
        .filter_map(|change| change.resource())
        .collect();
    for change in changes {
        if edged.len() > EDGES && matches!(change, Change::Edges { .. }) {
            continue;
        }
        draw_change(f, change)?;
        let versions = &versions[&shape(change)];
        if versions.count > VERSIONS {
            let others = count(versions.count - 1, "other version");
            let hosts = count(versions.others.len(), "host");
            let some = names(versions.others.iter().copied());
            writeln!(f, "      … and {others} of it, {hosts}: {some}")?;
        }
    }
    if edged.len() > EDGES {
        let number = count(edged.len(), "resource");
        writeln!(f, "  ~ edges of {number}: {}", ids(&edged))?;
    }
    writeln!(f)
}

fn draw_change(f: &mut fmt::Formatter<'_>, change: &Change) -> fmt::Result {
    match change {
        Change::Mode { after, .. } => writeln!(f, "  ~ mode: {}", mode(*after)),
        Change::Health {
            role,
            before,
            after,
        } => {
            let mark = match (before, after) {
                (None, _) => '+',
                (_, None) => '-',
                _ => '~',
            };
            writeln!(f, "  {mark} probes of role {role}")?;
            for (mark, probes) in [('-', before), ('+', after)] {
                let probes = probes.iter().flat_map(|probes| probes.as_array());
                for probe in probes.flatten() {
                    writeln!(f, "      {mark} {probe}")?;
                }
            }
            Ok(())
        }
        Change::Order { moved } => {
            let moved: Vec<&ResourceId> = moved.iter().collect();
            let verb = if moved.len() == 1 { "moves" } else { "move" };
            let number = count(moved.len(), "resource");
            writeln!(f, "  ~ order: {number} {verb}: {}", ids(&moved))
        }
        Change::Edges {
            resource,
            requires,
            subscribes,
        } => {
            writeln!(f, "  ~ {resource}")?;
            draw_edges(f, requires, ["also waits for", "no longer waits for"])?;
            draw_edges(
                f,
                subscribes,
                ["also refreshed by", "no longer refreshed by"],
            )
        }
        Change::Added {
            resource,
            attributes,
        }
        | Change::Removed {
            resource,
            attributes,
        }
        | Change::Changed {
            resource,
            attributes,
        } => {
            let sign = match change {
                Change::Added { .. } => '+',
                Change::Removed { .. } => '-',
                _ => '~',
            };
            writeln!(f, "  {sign} {resource}")?;
            // Of one that goes, what it was is in the repo.
            let shown = match change {
                Change::Removed { .. } => &[],
                _ => attributes.as_slice(),
            };
            let title = Value::from(resource.title());
            let told = shown
                .iter()
                .filter(|one| one.before.is_some() || one.after.as_ref() != Some(&title));
            told.into_iter().try_for_each(|one| draw_attribute(f, one))
        }
    }
}

fn draw_edges(f: &mut fmt::Formatter<'_>, edges: &EdgeChange, words: [&str; 2]) -> fmt::Result {
    for (list, words) in [&edges.added, &edges.removed].into_iter().zip(words) {
        if !list.is_empty() {
            let list: Vec<&ResourceId> = list.iter().collect();
            writeln!(f, "      {words} {}", ids(&list))?;
        }
    }
    Ok(())
}

fn draw_attribute(f: &mut fmt::Formatter<'_>, attribute: &AttributeChange) -> fmt::Result {
    let (before, after) = (attribute.before.as_ref(), attribute.after.as_ref());
    let name = &attribute.name;
    match (before, after) {
        (None, None) => writeln!(f, "      {name}")?,
        (Some(before), None) => writeln!(f, "      {name}: {} -> not managed", value(before))?,
        (None, Some(after)) => writeln!(f, "      {name}: {}", value(after))?,
        (Some(before), Some(after)) => {
            writeln!(f, "      {name}: {} -> {}", value(before), value(after))?;
        }
    }
    let Some(text) = &attribute.text else {
        return Ok(());
    };
    let text = text.to_string();
    for line in text.lines().take(LINES) {
        writeln!(f, "        {}", harmless(line))?;
    }
    match text.lines().count().checked_sub(LINES) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(f, "        … {}", count(more, "more line")),
    }
}

/// A value in one line; content by its size and the beginning of its digest, or by its secrets.
fn value(value: &Value) -> String {
    let digest = value.get("digest").and_then(Value::as_str);
    let size = value.get("size").and_then(Value::as_u64);
    if let (Some(digest), Some(size)) = (digest, size) {
        return format!("{} bytes ({digest:.12})", thousands(size as usize));
    }
    if let Some(secrets) = value.get("secrets").and_then(Value::as_array) {
        let names: Vec<&str> = secrets.iter().filter_map(Value::as_str).collect();
        return some(&names);
    }
    let text = value.to_string();
    match text.chars().count() > VALUE {
        true => text.chars().take(VALUE).chain(['…']).collect(),
        false => text,
    }
}

/// A line that cannot steer a terminal.
fn harmless(line: &str) -> String {
    let plain = |c: char| !c.is_control() || c == '\t';
    line.chars()
        .flat_map(|c| {
            match plain(c) {
                true => c.to_string(),
                false => c.escape_default().to_string(),
            }
            .chars()
            .collect::<Vec<char>>()
        })
        .collect()
}

fn mode(mode: Enforcement) -> &'static str {
    match mode {
        Enforcement::Enforce => "differences are mended",
        Enforcement::Audit => "differences are only recorded",
    }
}

fn names<'a>(hosts: impl IntoIterator<Item = &'a HostName>) -> String {
    let all: Vec<&str> = hosts.into_iter().map(HostName::as_str).collect();
    some(&all)
}

fn ids(ids: &[&ResourceId]) -> String {
    let all: Vec<String> = ids.iter().map(ToString::to_string).collect();
    some(&all.iter().map(String::as_str).collect::<Vec<&str>>())
}

/// A few names, and how many more there are.
fn some(all: &[&str]) -> String {
    let first = all[..all.len().min(NAMES)].join(", ");
    match all.len().checked_sub(NAMES) {
        None | Some(0) => first,
        Some(more) => format!("{first} and {} more", thousands(more)),
    }
}

/// `1 host`, `2,300 hosts`.
fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {one}s", thousands(number)),
    }
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
