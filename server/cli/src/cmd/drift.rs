//! `holdfast drift`: what changed on hosts, before and after, and whether anybody meant it.

use holdfast_schemas::HostName;
use holdfast_schemas::operator_api::DriftEvent;
use holdfast_schemas::report::{Cause, Change};
use jiff::Timestamp;

use crate::ask::ServerArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{Form, JsonSwitch, Output};
use crate::table::{Listing, Tone};
use crate::words;

/// Lists drift.
#[derive(Debug, Clone, clap::Args)]
pub struct Drift {
    /// Only on this host
    #[arg(long, value_name = "NAME")]
    host: Option<HostName>,
    /// How many, at most
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    json: JsonSwitch,
    #[command(flatten)]
    server: ServerArgs,
}

impl Drift {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let asking = self.server.open()?;
        let host = self.host.as_ref();
        let events = asking.rows(self.limit as usize, async |page| {
            asking.client.drift(host, page).await
        })?;
        match self.json.form() {
            Form::Json => out.json(&events.rows)?,
            Form::Text => {
                out.text(&table(&events.rows, Timestamp::now()))?;
                if events.more {
                    out.hint("there are older ones: --limit NUMBER shows more");
                }
            }
        }
        Ok(Exit::Fine)
    }
}

pub(crate) fn table(events: &[DriftEvent], now: Timestamp) -> String {
    if events.is_empty() {
        return "no drift\n".to_owned();
    }
    let headings = ["WHEN", "HOST", "RESOURCE", "CAUSE", "MENDED", "CHANGE"];
    let mut listing = Listing::new(&headings);
    for event in events {
        let mended = match event.mended {
            true => "yes",
            false => "no",
        };
        let cells = [
            words::ago(event.received, now),
            event.host.to_string(),
            event.resource.to_string(),
            words::cause(event.cause).to_owned(),
            mended.to_owned(),
            changes(&event.changes),
        ];
        listing.row(tone(event), cells);
    }
    listing.draw()
}

/// `mode 0644 → 0600, owner root → mallory`.
fn changes(changes: &[Change]) -> String {
    /// Longest value shown in a table; the JSON has all of it.
    const SHOWN: usize = 24;
    let value = |value: &Option<String>| match value {
        Some(value) => words::short(value, SHOWN),
        None => "nothing".to_owned(),
    };
    let each = |change: &Change| {
        let (from, to) = (value(&change.from), value(&change.to));
        format!("{} {from} → {to}", change.property)
    };
    let texts: Vec<String> = changes.iter().map(each).collect();
    texts.join(", ")
}

fn tone(event: &DriftEvent) -> Tone {
    match (event.mended, event.cause) {
        (false, _) => Tone::Bad,
        (true, Cause::Drift | Cause::Unknown) => Tone::Notable,
        (true, Cause::Intended | Cause::New) => Tone::Good,
    }
}
