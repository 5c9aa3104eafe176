//! Asking a running server: where the credential is, and one call after the other.

use std::future::Future;
use std::path::{Path, PathBuf};

use holdfast_client::{ClientError, OperatorClient, PageRequest};
use holdfast_schemas::operator_api::{Credential, Page};

use crate::error::CliError;

/// Where `serve` leaves the credential, seen from where it was started, and where a packaged
/// server does.
const USUAL_PLACES: [&str; 2] = ["data/admin.json", "/var/lib/holdfast/admin.json"];

/// Most rows asked for at once: a page of reports stays well under the size of an answer.
const PAGE: u32 = 200;

/// How a verb finds its server.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ServerArgs {
    /// The operator's credential: the admin.json in the folder that `holdfast serve --data` names
    ///
    /// Without it, ./data/admin.json and then /var/lib/holdfast/admin.json are taken.
    #[arg(long, value_name = "FILE", env = "HOLDFAST_CREDENTIAL")]
    credential: Option<PathBuf>,
}

/// A server, and what is needed to wait for its answers.
pub(crate) struct Asking {
    pub(crate) client: OperatorClient,
    runtime: tokio::runtime::Runtime,
}

impl ServerArgs {
    /// Reads the credential and gets ready to ask.
    pub(crate) fn open(&self) -> Result<Asking, CliError> {
        let path = match &self.credential {
            Some(path) => path.clone(),
            None => usual_place().ok_or(CliError::NoCredential)?,
        };
        let credential = read_credential(&path)?;
        let client = OperatorClient::new(&credential)
            .map_err(|source| CliError::CredentialUse { path, source })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CliError::Runtime)?;
        Ok(Asking { client, runtime })
    }
}

fn usual_place() -> Option<PathBuf> {
    let places = USUAL_PLACES.iter().map(Path::new);
    places
        .filter(|place| place.exists())
        .map(Path::to_owned)
        .next()
}

fn read_credential(path: &Path) -> Result<Credential, CliError> {
    let text = std::fs::read(path).map_err(|source| CliError::CredentialFile {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|source| CliError::Credential {
        path: path.to_owned(),
        source,
    })
}

impl Asking {
    /// Waits for one answer.
    pub(crate) fn wait<T>(
        &self,
        call: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, CliError> {
        self.runtime.block_on(call).map_err(CliError::Client)
    }

    /// Rows of a list, page by page, up to a number of them.
    pub(crate) fn rows<T>(
        &self,
        most: usize,
        page: impl AsyncFn(PageRequest<'_>) -> Result<Page<T>, ClientError>,
    ) -> Result<Rows<T>, CliError> {
        let mut rows = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let missing = u32::try_from(most - rows.len()).unwrap_or(u32::MAX);
            let request = PageRequest {
                after: after.as_deref(),
                limit: Some(missing.min(PAGE)),
            };
            let got = self.wait(page(request))?;
            rows.extend(got.rows);
            // A server that names the same place again would be asked for ever.
            let stuck = got.next.is_some() && got.next == after;
            after = got.next;
            if rows.len() >= most || after.is_none() || stuck {
                let more = after.is_some() || rows.len() > most;
                rows.truncate(most);
                return Ok(Rows { rows, more });
            }
        }
    }
}

/// The rows of a list that were wanted.
pub(crate) struct Rows<T> {
    pub(crate) rows: Vec<T>,
    /// Whether the server has more of them.
    pub(crate) more: bool,
}
