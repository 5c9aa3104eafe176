//! `holdfast explain`: where the value of a variable comes from.

use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::HostArgs;
use crate::output::{Form, JsonSwitch, Output};

/// Explains a variable.
#[derive(Debug, Clone, clap::Args)]
pub struct Explain {
    #[command(flatten)]
    host: HostArgs,
    /// The variable, as templates name it: `region.id`, `nginx.port`
    variable: String,
    #[command(flatten)]
    json: JsonSwitch,
}

impl Explain {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let opened = self.host.site.open()?;
        let input = self.host.input(&opened)?;
        let explanation = opened
            .site
            .explain(&input, &self.variable)
            .map_err(CliError::Invalid)?;
        match self.json.form() {
            Form::Json => out.json(&explanation)?,
            Form::Text => out.text(&explanation.to_string())?,
        }
        Ok(Exit::Fine)
    }
}
