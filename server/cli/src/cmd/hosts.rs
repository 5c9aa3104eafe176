//! `holdfast hosts`: the fleet, a line each.

use holdfast_schemas::operator_api::{HostStatus, HostSummary};
use jiff::Timestamp;

use crate::ask::ServerArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{Form, JsonSwitch, Output};
use crate::table::{Listing, Tone};
use crate::words;

/// Lists hosts.
#[derive(Debug, Clone, clap::Args)]
pub struct Hosts {
    #[command(flatten)]
    json: JsonSwitch,
    #[command(flatten)]
    server: ServerArgs,
}

impl Hosts {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let asking = self.server.open()?;
        let hosts = asking.rows(usize::MAX, async |page| asking.client.hosts(page).await)?;
        match self.json.form() {
            Form::Json => out.json(&hosts.rows)?,
            Form::Text => out.text(&table(&hosts.rows, Timestamp::now()))?,
        }
        Ok(Exit::Fine)
    }
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
