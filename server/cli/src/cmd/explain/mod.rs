//! `holdfast explain`: where the value of a variable comes from; all variables of a host; whom a
//! line of the repo concerns.

mod draw;

use std::path::{Path, PathBuf};

use holdfast_catalog::HostInput;
use holdfast_schemas::HostName;

use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::{HostArgs, Opened, SiteArgs};
use crate::output::{Form, JsonSwitch, Output};
use crate::records;

/// Explains a variable, all of them, or a line.
#[derive(Debug, Clone, clap::Args)]
pub struct Explain {
    /// The host, as the repo names it
    #[arg(required_unless_present = "line")]
    host: Option<HostName>,
    /// The variable, as templates name it: `region.id`, `nginx.port`; all of them unless named
    variable: Option<String>,
    /// Say whom a line of the repo concerns: which variables it sets, and for which hosts
    #[arg(long, value_name = "FILE:LINE", conflicts_with_all = ["host", "variable", "facts"])]
    line: Option<String>,
    /// What the host's agent found, as JSON (`holdfast-agent facts --json`)
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// What a server knows of its hosts, facts included (`holdfast hosts --export`)
    #[arg(long, value_name = "FILE", conflicts_with = "facts")]
    records: Option<PathBuf>,
    #[command(flatten)]
    site: SiteArgs,
    #[command(flatten)]
    json: JsonSwitch,
}

impl Explain {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let opened = self.site.open()?;
        match (&self.line, &self.host, &self.variable) {
            (Some(line), ..) => self.line(line, &opened, out)?,
            (None, Some(host), Some(variable)) => {
                let input = self.input(host, &opened)?;
                let explanation = opened.site.explain(&input, variable);
                let explanation = explanation.map_err(CliError::Invalid)?;
                match self.json.form() {
                    Form::Json => out.json(&explanation)?,
                    Form::Text => out.text(&explanation.to_string())?,
                }
            }
            (None, Some(host), None) => {
                let input = self.input(host, &opened)?;
                let table = opened.site.variables(&input).map_err(CliError::Invalid)?;
                match self.json.form() {
                    Form::Json => out.json(&table)?,
                    Form::Text => out.text(&draw::table(&table))?,
                }
            }
            // Refused when the arguments were read.
            (None, None, _) => {}
        }
        Ok(Exit::Fine)
    }

    fn input(&self, host: &HostName, opened: &Opened) -> Result<HostInput, CliError> {
        let args = HostArgs::new(
            host.clone(),
            (self.facts.clone(), self.records.clone()),
            self.site.clone(),
        );
        args.input(opened)
    }

    fn line(&self, line: &str, opened: &Opened, out: &mut Output<'_>) -> Result<(), CliError> {
        let (file, number) = place(line).ok_or_else(|| CliError::NoLine(line.to_owned()))?;
        // As the repo names it, or as a shell completes it.
        let inner = Path::new(file).strip_prefix(self.site.folder());
        let inner = inner.unwrap_or(Path::new(file));
        let path = self.site.folder().join(inner);
        let bytes = std::fs::read(&path).map_err(|source| CliError::LineFile { path, source })?;
        let text = String::from_utf8_lossy(&bytes);
        let known = self.records.as_deref().map(records::read).transpose()?;
        let known = known.unwrap_or_default();
        let hosts = opened.site.hosts().map(|host| known.input(host));
        let hosts: Vec<HostInput> = hosts.collect();
        let inner = inner.to_string_lossy();
        let inner = inner.trim_start_matches("./");
        let reach = opened.site.line((inner, &text), number, &hosts);
        match self.json.form() {
            Form::Json => out.json(&reach),
            Form::Text => out.text(&draw::line(&reach)),
        }
    }
}

/// `FILE:LINE`, and the column that stands behind it where it was copied from a message.
fn place(text: &str) -> Option<(&str, usize)> {
    let (before, last) = text.rsplit_once(':')?;
    let last: usize = last.parse().ok()?;
    let (file, line) = match before.rsplit_once(':') {
        Some((file, line)) if line.parse::<usize>().is_ok() => (file, line.parse().ok()?),
        _ => (before, last),
    };
    (!file.is_empty() && line > 0).then_some((file, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_named_with_or_without_a_column() {
        assert_eq!(place("groups/web.yaml:3"), Some(("groups/web.yaml", 3)));
        assert_eq!(place("groups/web.yaml:3:9"), Some(("groups/web.yaml", 3)));
        assert_eq!(place("groups/web.yaml"), None);
        assert_eq!(place(":3"), None);
        assert_eq!(place("a:0"), None);
    }
}
