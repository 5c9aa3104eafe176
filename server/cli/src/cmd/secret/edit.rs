//! `holdfast secret edit`: decrypted for an editor, and encrypted again.

use holdfast_secrets::Plaintext;

use super::identities::{IdentityArgs, open};
use super::place::Place;
use super::scratch::Scratch;
use super::{recipients, value};
use crate::error::CliError;
use crate::exit::Exit;
use crate::offline::SiteArgs;
use crate::output::Output;

/// Edits.
#[derive(Debug, Clone, clap::Args)]
pub struct Edit {
    /// The encrypted file, or FILE:dotted.path for a value in a YAML file
    #[arg(value_name = "FILE[:PATH]")]
    secret: String,
    /// The editor; $VISUAL, $EDITOR or vi unless said
    #[arg(long, value_name = "COMMAND")]
    editor: Option<String>,
    #[command(flatten)]
    identities: IdentityArgs,
    #[command(flatten)]
    site: SiteArgs,
}

impl Edit {
    pub(crate) fn run(self, out: &mut Output<'_>) -> Result<Exit, CliError> {
        let place = Place::find(&self.secret)?;
        let to = recipients(&self.site)?;
        let before = match place.encrypted() {
            Some(encrypted) => open(&self.identities.open()?, encrypted, place.to_string())?,
            None => Plaintext::new(Vec::new()),
        };
        let scratch = Scratch::new(&place.name(), before.expose())?;
        let edited = scratch.edit(&self.editor())?;
        drop(scratch);
        let after = match &place {
            Place::Value { .. } => value(edited),
            Place::File { .. } => edited,
        };
        if after == before && place.encrypted().is_some() {
            out.text(&format!("{place} is as it was\n"))?;
            return Ok(Exit::Fine);
        }
        place.put(&super::encrypt(&to, &after, place.form())?)?;
        out.text(&format!("{place} is encrypted anew\n"))?;
        Ok(Exit::Fine)
    }

    fn editor(&self) -> String {
        let set = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let chosen = self.editor.clone();
        let chosen = chosen.or_else(|| set("VISUAL")).or_else(|| set("EDITOR"));
        chosen.unwrap_or_else(|| "vi".to_owned())
    }
}
