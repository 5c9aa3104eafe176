//! `holdfast hosts`: the fleet, a line each.

use std::sync::Arc;

use holdfast_client::ClientError;
use holdfast_schemas::operator_api::{HostStatus, HostSummary};
use jiff::Timestamp;

use crate::ask::{Asking, ServerArgs};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{Form, JsonSwitch, Output};
use crate::records::{Record, Records};
use crate::table::{Listing, Tone};
use crate::words;

/// Lists hosts.
#[derive(Debug, Clone, clap::Args)]
pub struct Hosts {
    /// Write what the server knows of all hosts, facts included, for `--records` of other verbs
    #[arg(long)]
    export: bool,
    #[command(flatten)]
    json: JsonSwitch,
    #[command(flatten)]
    server: ServerArgs,
}

impl Hosts {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let asking = self.server.open()?;
        let hosts = asking.rows(usize::MAX, async |page| asking.client.hosts(page).await)?;
        if self.export {
            let records: Result<Vec<Record>, CliError> = hosts
                .rows
                .iter()
                .map(|host| record(&asking, host))
                .collect();
            out.json_line(&Records::new(records?))?;
            return Ok(Exit::Fine);
        }
        match self.json.form() {
            Form::Json => out.json(&hosts.rows)?,
            Form::Text => out.text(&table(&hosts.rows, Timestamp::now()))?,
        }
        Ok(Exit::Fine)
    }
}

/// What the server knows of a host; its facts where its agent handed some in.
fn record(asking: &Asking, host: &HostSummary) -> Result<Record, CliError> {
    let name = host.name.clone();
    let facts = match asking.wait(asking.client.inventory(&name)) {
        Ok(inventory) => match serde_json::to_value(inventory.facts)? {
            serde_json::Value::Object(facts) => Some(Arc::new(facts)),
            _ => None,
        },
        Err(CliError::Client(error)) if has_none(&error) => None,
        Err(error) => return Err(error),
    };
    Ok(Record { name, facts })
}

/// Whether the server says that no agent handed an inventory in.
fn has_none(error: &ClientError) -> bool {
    error.problem().is_some_and(|problem| problem.status == 404)
}

pub(crate) fn table(hosts: &[HostSummary], now: Timestamp) -> String {
    if hosts.is_empty() {
        return "no hosts: the site declares none, and none enrolled\n".to_owned();
    }
    let headings = [
        "HOST",
        "STATUS",
        "SINCE",
        "SEEN",
        "GENERATION",
        "IN SYNC",
        "REVISION",
        "REMARK",
    ];
    let mut listing = Listing::new(&headings);
    for host in hosts {
        listing.row(tone(host.status), cells(host, now));
    }
    listing.draw() + &summary(hosts)
}

fn cells(host: &HostSummary, now: Timestamp) -> [String; 8] {
    let when =
        |time: Option<Timestamp>| time.map_or("—".to_owned(), |time| words::ago(time, now));
    let generation = match (host.has, host.wants) {
        (_, 0) => "—".to_owned(),
        (has, wants) if has == wants => wants.to_string(),
        (has, wants) => format!("{has} → {wants}"),
    };
    let counts = host.counts.map_or("—".to_owned(), |counts| {
        format!("{} of {}", counts.in_sync + counts.changed, counts.total)
    });
    let revision = host.revision.as_deref().map_or("—", words::revision);
    let message = host.message.as_deref().unwrap_or_default();
    [
        host.name.to_string(),
        words::host_status(host.status).to_owned(),
        when(host.since),
        when(host.seen),
        generation,
        counts,
        revision.to_owned(),
        words::short(message, 60),
    ]
}

fn summary(hosts: &[HostSummary]) -> String {
    let statuses = [
        HostStatus::InSync,
        HostStatus::Drifted,
        HostStatus::Failed,
        HostStatus::Pending,
        HostStatus::Held,
        HostStatus::Silent,
        HostStatus::NeverSeen,
    ];
    let parts: Vec<String> = statuses
        .into_iter()
        .map(|status| {
            (
                status,
                hosts.iter().filter(move |host| host.status == status),
            )
        })
        .map(|(status, hosts)| (words::host_status(status), hosts.count()))
        .filter(|&(_, count)| count > 0)
        .map(|(word, count)| format!("{} {word}", words::thousands(count)))
        .collect();
    format!(
        "\n{}: {}\n",
        words::count(hosts.len(), "host"),
        parts.join(", ")
    )
}

fn tone(status: HostStatus) -> Tone {
    match status {
        HostStatus::InSync => Tone::Good,
        HostStatus::Drifted | HostStatus::Pending | HostStatus::Held => Tone::Notable,
        HostStatus::Failed | HostStatus::Silent => Tone::Bad,
        HostStatus::NeverSeen => Tone::Quiet,
    }
}
