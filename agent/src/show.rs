//! What a person reads: one line per resource that is not simply in sync, what changed from what
//! to what, the differences of texts, and a summary.

use std::io::{self, Write};

use holdfast_modules::displayable;
use holdfast_schemas::report::{
    Cause, Certainty, Change, HealthReport, Outcome, Report, ResourceReport, RunMode,
};
use owo_colors::{OwoColorize, Style};

/// Lines of a text's difference that are shown; the report holds more.
const DIFF_LINES: usize = 24;

/// Longest value shown in a line, in characters.
const VALUE_WIDTH: usize = 72;

/// Writes a report.
pub(crate) fn report(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for line in &report.resources {
        resource(line, out)?;
    }
    for probe in &report.health {
        health(probe, out)?;
    }
    for pending in &report.pending {
        let because: Vec<String> = pending.because.iter().map(ToString::to_string).collect();
        let because = because.join(", ");
        let owed = "owed".yellow();
        writeln!(
            out,
            "{owed}     notification of {} by {because}",
            pending.resource
        )?;
    }
    for orphan in &report.orphans {
        writeln!(
            out,
            "{}   {orphan} is no longer declared",
            "orphan".yellow()
        )?;
    }
    if let Some(error) = &report.error {
        writeln!(out, "{} {error}", "error:".red().bold())?;
    }
    summary(report, out)
}

fn health(probe: &HealthReport, out: &mut dyn Write) -> io::Result<()> {
    let (word, style) = match probe.healthy {
        true => ("well", Style::new().green()),
        false => ("unwell", Style::new().red()),
    };
    let (role, name, seen) = (probe.role.bold(), &probe.probe, &probe.seen);
    write!(out, "{:<8} {role}: {name}: {seen}", word.style(style))?;
    match probe.attempts {
        2.. => writeln!(out, " ({} attempts)", probe.attempts),
        _ => writeln!(out),
    }
}

fn resource(line: &ResourceReport, out: &mut dyn Write) -> io::Result<()> {
    let (word, style) = word(line);
    let id = displayable(&line.id.to_string());
    write!(out, "{:<8} {}", word.style(style), id.bold())?;
    let mut remarks = Vec::new();
    remarks.extend(line.cause.map(|cause| cause_word(cause).to_owned()));
    if line.refreshed {
        remarks.push("notified".to_owned());
    }
    match &line.certainty {
        Some(Certainty::After(ids)) => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            remarks.push(format!("after {}", ids.join(", ")));
        }
        Some(Certainty::Unknown(why)) => remarks.push(format!("unknown: {why}")),
        Some(Certainty::Certain) | None => {}
    }
    if !remarks.is_empty() {
        write!(
            out,
            " {}",
            format_args!("({})", remarks.join("; ")).dimmed()
        )?;
    }
    writeln!(out)?;
    for change in &line.changes {
        self::change(change, line.diff.as_deref(), out)?;
    }
    if let Some(diff) = &line.diff {
        self::diff(diff, out)?;
    }
    let reasons = line.skipped_because.iter().chain(&line.message);
    for reason in reasons {
        for (number, text) in reason.lines().enumerate() {
            let indent = if number == 0 { "" } else { "  " };
            writeln!(out, "         {indent}{}", text.style(style))?;
        }
    }
    Ok(())
}

fn word(line: &ResourceReport) -> (&'static str, Style) {
    let style = Style::new();
    match line.outcome {
        Outcome::InSync => ("in sync", style.green()),
        Outcome::Drifted => ("differs", style.yellow()),
        Outcome::Changed => ("changed", style.green()),
        Outcome::NotConverged => ("unmended", style.red()),
        Outcome::Failed => ("failed", style.red()),
        Outcome::Skipped => ("skipped", style.yellow()),
    }
}

fn cause_word(cause: Cause) -> &'static str {
    match cause {
        Cause::Drift => "drift",
        Cause::Intended => "intended",
        Cause::New => "new",
        Cause::Unknown => "cause unknown",
    }
}

fn change(change: &Change, diff: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let property = &change.property;
    if diff.is_some() && property == "content" {
        return writeln!(out, "         {property}:");
    }
    let from = value(change.from.as_deref());
    let to = value(change.to.as_deref());
    writeln!(out, "         {property}: {from} → {to}")
}

/// One line of a value.
fn value(text: Option<&str>) -> String {
    let Some(text) = text else {
        return "nothing".to_owned();
    };
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let mut shown: String = first.chars().take(VALUE_WIDTH).collect();
    if lines.next().is_some() || first.chars().nth(VALUE_WIDTH).is_some() {
        shown.push('…');
    }
    shown
}

fn diff(diff: &str, out: &mut dyn Write) -> io::Result<()> {
    let lines: Vec<&str> = diff.lines().collect();
    for line in lines.iter().take(DIFF_LINES) {
        let style = match line.as_bytes().first() {
            Some(b'+') => Style::new().green(),
            Some(b'-') => Style::new().red(),
            Some(b'@') => Style::new().cyan(),
            _ => Style::new(),
        };
        writeln!(out, "           {}", line.style(style))?;
    }
    match lines.len().saturating_sub(DIFF_LINES) {
        0 => Ok(()),
        more => writeln!(out, "           … {more} more lines; --json shows them"),
    }
}

fn summary(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let counts = &report.counts;
    let would = match report.mode {
        RunMode::Enforce => "differ",
        RunMode::NoOp => "would change",
        RunMode::Audit => "differ",
    };
    let parts = [
        (counts.changed, "changed"),
        (counts.drifted, would),
        (counts.not_converged, "not converged"),
        (counts.failed, "failed"),
        (counts.skipped, "skipped"),
        (counts.in_sync, "in sync"),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let told = match told.is_empty() {
        true => "nothing to manage".to_owned(),
        false => told.join(", "),
    };
    let took = report.duration_ms;
    writeln!(out, "{}: {told} ({took} ms)", report.host.bold())
}

/// Writes a remark.
pub(crate) fn note(text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", text.yellow())
}

/// Writes a document as lines of dotted path and value.
pub(crate) fn flat(document: &serde_json::Value, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = Vec::new();
    flatten(String::new(), document, &mut lines);
    let width = lines.iter().map(|(path, _)| path.len()).max().unwrap_or(0);
    for (path, value) in lines {
        writeln!(out, "{:<width$}  {value}", path.cyan())?;
    }
    Ok(())
}

fn flatten(path: String, value: &serde_json::Value, lines: &mut Vec<(String, String)>) {
    use serde_json::Value;
    let below = |name: &str| match path.is_empty() {
        true => name.to_owned(),
        false => format!("{path}.{name}"),
    };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(below(name), value, lines);
            }
        }
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array()) =>
        {
            let items: Vec<String> = items.iter().map(plain).collect();
            lines.push((path, items.join(", ")));
        }
        Value::Array(items) => {
            for (place, value) in items.iter().enumerate() {
                flatten(below(&place.to_string()), value, lines);
            }
        }
        value => lines.push((path, plain(value))),
    }
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => displayable(text),
        value => value.to_string(),
    }
}
