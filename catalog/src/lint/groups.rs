//! Groups that no host is in.
//!
//! A site that declares no host at all knows its hosts elsewhere, and nothing is said of it.

use std::sync::Arc;

use super::seen::Seen;
use crate::diag::{Code, Diagnostic, Diagnostics, Span, did_you_mean};
use crate::site::{Group, Parts};
use holdfast_schemas::HostName;

/// What to do about a group that no host is in.
const ADVICE: &str = "mend `hosts`, `groups` or `match` (`holdfast groups HOST` says why a host is not in), or take the group out";

/// Tells of groups that no host is in.
pub(super) fn unreachable(parts: &Parts, seen: &Seen, told: &mut Diagnostics) {
    if parts.hosts.is_empty() {
        return;
    }
    for (place, group) in parts.groups.iter().enumerate() {
        if seen.joined.contains(&place) {
            continue;
        }
        let message = format!("no host of the repo is in group `{}`", group.name);
        let one = Diagnostic::new(
            Code::UnreachableGroup,
            message,
            &where_it_says(parts, group),
        );
        let near = slip(group, parts);
        told.push(one.help(near.unwrap_or_else(|| ADVICE.to_owned())));
    }
}

/// Where a group says who is in it; the first line of its file where it does not.
fn where_it_says(parts: &Parts, group: &Group) -> Span {
    let matching = group.matching.map(|id| parts.engine.span(id).clone());
    let listed = || group.hosts.places().min().cloned();
    let nested = || group.nested.first().map(|(_, span)| span.clone());
    let place = matching.or_else(listed).or_else(nested);
    place.unwrap_or_else(|| Span::whole(group.place.source()))
}

/// The host that a name in its list may have been meant for, where no host is called so.
fn slip(group: &Group, parts: &Parts) -> Option<String> {
    let mut names: Vec<(&Arc<str>, &Span)> = group.hosts.written().collect();
    names.sort_by_key(|(_, span)| *span);
    let hosts = || parts.hosts.keys().map(HostName::as_str);
    let mut unknown = names
        .iter()
        .filter(|(name, _)| !hosts().any(|host| *host == ***name));
    unknown.find_map(|(name, _)| did_you_mean(name, hosts()))
}
