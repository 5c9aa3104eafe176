//! Draws the table of a host's variables, and whom a line concerns.

use std::fmt::Write as _;

use holdfast_catalog::{
    LayerSource, LineConcern, LineEffect, LineOutcome, LineReach, LineSubject, VariableRow,
    VariableTable,
};
use owo_colors::OwoColorize;

use crate::words;

/// Widest value of the table: with a name, a layer and a place it fits a wide terminal.
const VALUE_WIDTH: usize = 48;

/// Widest name, beyond which columns are not kept.
const NAME_WIDTH: usize = 40;

/// The variables of a host, a line each.
pub(super) fn table(table: &VariableTable) -> String {
    let count = words::count(table.rows.len(), "variable");
    let mut text = format!("{}  {count}\n\n", table.host.to_string().bold());
    let cells: Vec<[String; 4]> = table.rows.iter().map(cells).collect();
    let width = |column: usize, most: usize| {
        let widths = cells.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default().min(most)
    };
    let (name, value, layer) = (
        width(0, NAME_WIDTH),
        width(1, VALUE_WIDTH),
        width(2, usize::MAX),
    );
    for [variable, shown, source, place] in &cells {
        // Into memory, which does not fail.
        let _ = writeln!(
            text,
            "{variable:<name$}  {shown:<value$}  {source:<layer$}  {}",
            place.dimmed()
        );
    }
    text
}

fn cells(row: &VariableRow) -> [String; 4] {
    let shown = match (&row.value, &row.error) {
        (Some(value), _) => value.to_string(),
        (None, error) => format!("! {}", error.as_deref().unwrap_or_default()),
    };
    // What a host says must not steer the reader's terminal.
    let shown = shown.replace(char::is_control, " ");
    let layers: Vec<String> = row.layers.iter().map(short).collect();
    [
        row.variable.clone(),
        words::short(&shown, VALUE_WIDTH),
        layers.join(" + "),
        row.place.clone(),
    ]
}

/// A layer in a word or two.
fn short(layer: &LayerSource) -> String {
    match layer {
        LayerSource::Group { name, .. } => format!("group {name}"),
        LayerSource::Declared => "declared default".to_owned(),
        other => other.to_string(),
    }
}

/// Whom a line concerns.
pub(super) fn line(reach: &LineReach) -> String {
    let mut text = String::new();
    for effect in &reach.effects {
        let place = format!("{}:{}", reach.file, reach.line);
        let _ = writeln!(text, "{}  {}", place.bold(), what(&effect.what));
        text.push_str(&concerns(effect, reach.hosts));
    }
    if !reach.unknown.is_empty() {
        let _ = writeln!(
            text,
            "{} of {}: {}",
            "unknown".yellow(),
            words::count(reach.unknown.len(), "host"),
            words::names(&reach.unknown)
        );
    }
    text
}

fn what(subject: &LineSubject) -> String {
    match subject {
        LineSubject::Sets { variable } => format!("sets {variable}"),
        LineSubject::Unsets { variable } => format!("unsets {variable}"),
        LineSubject::Declares { variable } => format!("says what {variable} may be"),
        LineSubject::Merges { pattern } => format!("says how {pattern} merges"),
        LineSubject::Group { group } => format!("is of group {group}"),
        LineSubject::Role { role } => format!("is of role {role}"),
        LineSubject::Host { host } => format!("is of host {host}"),
        LineSubject::Settings => "is of the site as a whole".to_owned(),
        LineSubject::Nothing => "says nothing that a catalog is made of".to_owned(),
    }
}

fn concerns(effect: &LineEffect, hosts: usize) -> String {
    let mut text = String::new();
    for concern in &effect.concerns {
        text.push_str(&one(concern));
    }
    if effect.concerns.is_empty() && effect.what != LineSubject::Nothing {
        let _ = writeln!(text, "  none of {}", words::count(hosts, "host"));
    }
    if let Some(remark) = effect.remark {
        let _ = writeln!(text, "  {}", remark.dimmed());
    }
    text
}

fn one(concern: &LineConcern) -> String {
    let (word, more) = match &concern.how {
        LineOutcome::Used => ("used in", String::new()),
        LineOutcome::Overridden { by, place } => ("overridden in", format!("  by {by} ({place})")),
        LineOutcome::Reaches { roles } => {
            let roles: Vec<&str> = roles.iter().map(|role| &**role).collect();
            ("reaches", format!("  by role {}", roles.join(", ")))
        }
        LineOutcome::Member => ("members", String::new()),
        LineOutcome::HasRole => ("have the role", String::new()),
        LineOutcome::Holds => ("concerns", String::new()),
    };
    let count = words::count(concern.hosts.len(), "host");
    format!(
        "  {word:<13}  {count}: {}{more}\n",
        words::names(&concern.hosts)
    )
}
