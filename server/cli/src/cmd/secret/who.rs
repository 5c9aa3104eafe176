//! `holdfast secret who`: who can read secrets, and which hosts get them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use holdfast_catalog::{Diagnostics, HostInput, Site};
use holdfast_schemas::HostName;
use holdfast_schemas::secret::{SECRET_PREFIX, SecretName};
use serde::Serialize;

use super::SecretError;
use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::SiteArgs;
use crate::output::{Form, JsonSwitch, Output};
use crate::words;

/// Asks who.
#[derive(Debug, Clone, clap::Args)]
pub struct Who {
    /// One secret: `mongodb.password`, `roles/web/files/tls.key.age`
    secret: Option<String>,
    #[command(flatten)]
    site: SiteArgs,
    #[command(flatten)]
    json: JsonSwitch,
}

/// Who knows what.
#[derive(Debug, Default, Serialize)]
struct Known {
    /// People and servers by name, who can open every secret.
    recipients: BTreeMap<String, String>,
    /// The hosts that get each secret.
    secrets: BTreeMap<SecretName, BTreeSet<HostName>>,
    /// Hosts that cannot be told without their facts.
    unchecked: BTreeSet<HostName>,
}

impl Who {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let mut known = look(&self.site.open()?.site).map_err(CliError::Invalid)?;
        for (name, recipient) in self.site.recipients()? {
            known
                .recipients
                .insert(name.to_string(), recipient.to_string());
        }
        if let Some(wanted) = &self.secret {
            known.only(wanted)?;
        }
        match (self.json.form(), &self.secret) {
            (Form::Json, _) => out.json(&known)?,
            (Form::Text, Some(_)) => out.text(&known.in_full())?,
            (Form::Text, None) => out.text(&known.in_short())?,
        }
        Ok(Exit::Fine)
    }
}

/// Compiles every host to see what reaches it.
fn look(site: &Site) -> Result<Known, Diagnostics> {
    let mut known = Known::default();
    let mut wrong = Diagnostics::new();
    for host in site.hosts() {
        match site.compile(&HostInput::new(host.clone())) {
            Ok(compiled) => {
                let contents = compiled.sealed.values();
                for secret in contents.flat_map(|content| content.secrets()) {
                    known
                        .secrets
                        .entry(secret)
                        .or_default()
                        .insert(host.clone());
                }
            }
            Err(told) if told.needs_only_facts() => {
                known.unchecked.insert(host.clone());
            }
            Err(told) => wrong.extend(told),
        }
    }
    wrong.into_result().map(|()| known)
}

impl Known {
    /// Leaves everything else out.
    fn only(&mut self, wanted: &str) -> Result<(), SecretError> {
        let bare = wanted.strip_prefix(SECRET_PREFIX).unwrap_or(wanted);
        let unknown = |known: &Self| SecretError::Unknown {
            name: format!("{SECRET_PREFIX}{bare}"),
            nearest: holdfast_catalog::diag::nearest(
                bare,
                known.secrets.keys().map(SecretName::as_str),
            )
            .map(str::to_owned),
        };
        if !self.secrets.keys().any(|name| name.as_str() == bare) {
            return Err(unknown(self));
        }
        self.secrets.retain(|name, _| name.as_str() == bare);
        Ok(())
    }

    fn readers(&self) -> String {
        let named = self.recipients.iter();
        named
            .map(|(name, recipient)| format!("reads   {name}  {recipient}\n"))
            .collect()
    }

    /// A line for each secret.
    fn in_short(&self) -> String {
        let mut text = self.readers();
        // Into memory, which does not fail.
        for (secret, hosts) in &self.secrets {
            let first = hosts.first().map_or("", |host| host.as_str());
            let _ = match hosts.len() {
                1 => writeln!(text, "{secret}  {first}"),
                count => writeln!(
                    text,
                    "{secret}  {}, {first} first",
                    words::count(count, "host")
                ),
            };
        }
        self.add_unchecked(&mut text);
        text
    }

    /// Every host.
    fn in_full(&self) -> String {
        let mut text = self.readers();
        for host in self.secrets.values().flatten() {
            let _ = writeln!(text, "gets    {host}");
        }
        self.add_unchecked(&mut text);
        text
    }

    fn add_unchecked(&self, text: &mut String) {
        if !self.unchecked.is_empty() {
            let count = words::count(self.unchecked.len(), "host");
            let _ = writeln!(text, "unchecked: what {count} get depends on their facts");
        }
    }
}
