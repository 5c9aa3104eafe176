//! `holdfast token`: what a host shows once to become known.

use holdfast_schemas::HostName;
use holdfast_schemas::operator_api::{IssuedToken, NewToken};
use jiff::{Span, SpanRelativeTo};

use crate::ask::ServerArgs;
use crate::error::CliError;
use crate::exit::{EXIT_CODES, Exit};
use crate::output::Output;
use crate::words;

/// What can be done with tokens.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Token {
    /// Create a token that enrols one host, once; only the token is written to stdout
    #[command(after_help = EXIT_CODES)]
    Create(Create),
}

impl Token {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        match self {
            Self::Create(create) => create.run(out),
        }
    }
}

/// Creates a token.
#[derive(Debug, Clone, clap::Args)]
pub struct Create {
    /// How long it may be used: `15m`, `1h`, `7 days`
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = seconds)]
    ttl: u64,
    /// The only name it may be used for; one without cannot claim a name that is known already
    #[arg(long, value_name = "NAME")]
    host: Option<HostName>,
    #[command(flatten)]
    server: ServerArgs,
}

impl Create {
    fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let asking = self.server.open()?;
        let wanted = NewToken {
            ttl_s: self.ttl,
            host: self.host.clone(),
        };
        let issued = asking.wait(asking.client.create_token(&wanted))?;
        out.text(&format!("{}\n", issued.token))?;
        out.hint(&self.how_to_use(&issued));
        Ok(Exit::Fine)
    }

    /// The command line that uses the token, to be copied to the host.
    fn how_to_use(&self, issued: &IssuedToken) -> String {
        let ttl = i64::try_from(self.ttl).unwrap_or(i64::MAX);
        let server = issued.agents.as_deref().unwrap_or("https://AGENTS-ADDRESS");
        let name = self.host.as_ref().map_or("NAME", HostName::as_str);
        format!(
            "good for one enrolment within {}; on the host, as root:\n\n    holdfast-agent enroll \
             --server {server} --token {} --name {name}\n",
            words::span(ttl),
            issued.token
        )
    }
}

/// Reads `1h`, `90 min`, `7 days`; a day is 24 hours.
fn seconds(text: &str) -> Result<u64, String> {
    let example = "a length of time looks like `15m`, `1h` or `7 days`";
    let span: Span = text.parse().map_err(|_| example.to_owned())?;
    let length = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| example.to_owned())?;
    match u64::try_from(length.as_secs()) {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        _ => Err("a token has to be good for a second at least".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TOKEN: &str = concat!(
        "hft_0123456789abcdef0123456789abcdef_",
        "0000000000000000000000000000000000000000000000000000000000000000"
    );

    #[test]
    fn the_command_line_can_be_copied_whole() {
        let create = |host: Option<&str>| Create {
            ttl: 3600,
            host: host.map(|name| name.parse().unwrap()),
            server: ServerArgs::default(),
        };
        let mut issued: IssuedToken = serde_json::from_value(serde_json::json!({
            "token": TOKEN,
            "expires": "2026-01-01T00:00:00Z",
            "agents": "https://hq.example:7440",
        }))
        .unwrap();
        let line = format!(
            "holdfast-agent enroll --server https://hq.example:7440 --token {TOKEN} --name db-1\n"
        );
        assert!(create(Some("db-1")).how_to_use(&issued).ends_with(&line));
        issued.agents = None;
        let unknown = create(None).how_to_use(&issued);
        assert!(unknown.contains("https://AGENTS-ADDRESS") && unknown.ends_with("--name NAME\n"));
    }

    #[test]
    fn lengths_of_time_are_read_as_written() {
        assert_eq!(seconds("1h"), Ok(3600));
        assert_eq!(seconds("90 min"), Ok(5400));
        assert_eq!(seconds("7 days"), Ok(604_800));
        for wrong in ["", "soon", "0s", "-1h", "5", "1 month"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
