//! `holdfast status`: what a server serves, and what it refused.

use std::fmt::Write as _;

use holdfast_schemas::operator_api::ServerStatus;
use jiff::Timestamp;
use owo_colors::OwoColorize;

use crate::ask::ServerArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::{Form, JsonSwitch, Output};
use crate::words;

/// Shows a server's status.
#[derive(Debug, Clone, clap::Args)]
pub struct Status {
    #[command(flatten)]
    json: JsonSwitch,
    #[command(flatten)]
    server: ServerArgs,
}

impl Status {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let asking = self.server.open()?;
        let status = asking.wait(asking.client.status())?;
        match self.json.form() {
            Form::Json => out.json(&status)?,
            Form::Text => out.text(&described(&status, Timestamp::now()))?,
        }
        Ok(Exit::Fine)
    }
}

pub(crate) fn described(status: &ServerStatus, now: Timestamp) -> String {
    let hosts = usize::try_from(status.hosts).unwrap_or(usize::MAX);
    let active = status.active.as_deref().unwrap_or("none yet");
    let mut text = format!(
        "{}   holdfast {}\n{} {active}\n{}    {}\n",
        "server".bold(),
        status.version,
        "revision".bold(),
        "hosts".bold(),
        words::thousands(hosts),
    );
    // Into memory, which does not fail.
    for recipient in &status.recipients {
        let _ = writeln!(text, "{}  {recipient}", "secrets".bold());
    }
    if let Some(refused) = &status.refused {
        let _ = write!(
            text,
            "\n{} {}, {}: it does not compile, and the revision before it goes on\n\n{}\n",
            "refused".red().bold(),
            refused.revision,
            words::ago(refused.at, now),
            refused.diagnostics.trim_end(),
        );
    }
    text
}
