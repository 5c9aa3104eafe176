//! Reading a site from a folder, for the verbs that need no server.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdfast_catalog::site::glob;
use holdfast_catalog::{Examined, HostInput, Site, Snapshot};
use holdfast_schemas::{Digest, HostName};
use holdfast_source::{ContentSink, Discard, Options, Revision, SinkError, Source, SourceError};
use serde_json::{Map, Value};

use crate::error::CliError;
use crate::records;

/// How a verb finds its site.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SiteArgs {
    /// The folder of the catalog repo
    #[arg(long, value_name = "DIR", default_value = ".")]
    site: PathBuf,
}

/// How a verb finds one host of a site.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct HostArgs {
    /// The host, as the repo names it
    host: HostName,
    /// What the host's agent found, as JSON (`holdfast-agent facts --json`)
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// What a server knows of its hosts, facts included (`holdfast hosts --export`)
    #[arg(long, value_name = "FILE", conflicts_with = "facts")]
    records: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
}

/// A site that was read and parsed.
pub(crate) struct Opened {
    pub(crate) site: Site,
    folder: PathBuf,
    source: Source,
}

impl SiteArgs {
    /// Reads and parses the folder as it stands, committed or not.
    pub(crate) fn open(&self) -> Result<Opened, CliError> {
        let (source, snapshot) = self.read()?;
        Ok(Opened {
            site: Site::parse(&snapshot).map_err(CliError::Invalid)?,
            folder: self.site.clone(),
            source,
        })
    }

    /// Reads the folder as it stands, as far as it can be understood.
    pub(crate) fn examine(&self) -> Result<Examined, CliError> {
        self.read().map(|(_, snapshot)| Site::examine(&snapshot))
    }

    /// Reads and parses the site as it was committed: `HEAD`, a branch, a tag, a commit.
    pub(crate) fn open_at(&self, revision: &str) -> Result<Site, CliError> {
        let unreadable = |source| CliError::Site {
            site: self.site.clone(),
            source,
        };
        let path = std::fs::canonicalize(&self.site).unwrap_or_else(|_| self.site.clone());
        // A repository on this machine is read where it is, so the folder for copies stays unused.
        let options = Options::new(&path);
        let source = Source::open(&path.to_string_lossy(), options).map_err(unreadable)?;
        let revision = source.resolve(revision).map_err(unreadable)?;
        let snapshot = source.read(&revision, &mut Discard).map_err(unreadable)?;
        Site::parse(&snapshot).map_err(CliError::Invalid)
    }

    /// Who can read the site's secrets; nothing but `holdfast.yaml` has to be right for that.
    pub(crate) fn recipients(&self) -> Result<BTreeMap<Arc<str>, Arc<str>>, CliError> {
        let (_, snapshot) = self.read()?;
        holdfast_catalog::site::recipients(&snapshot).map_err(CliError::Invalid)
    }

    /// What is said of a site that cannot be read.
    pub(crate) fn unreadable(&self) -> impl Fn(SourceError) -> CliError + use<> {
        let site = self.site.clone();
        move |source| CliError::Site {
            site: site.clone(),
            source,
        }
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.site
    }

    fn read(&self) -> Result<(Source, Snapshot), CliError> {
        let unreadable = |source| CliError::Site {
            site: self.site.clone(),
            source,
        };
        let source = Source::working_tree(&self.site).map_err(unreadable)?;
        let snapshot = source
            .read(&Revision::working_tree(), &mut Discard)
            .map_err(unreadable)?;
        Ok((source, snapshot))
    }
}

impl Opened {
    /// The bytes of content files, by digest: reads the site again, and keeps these alone.
    pub(crate) fn contents(
        &self,
        wanted: BTreeSet<Digest>,
    ) -> Result<BTreeMap<Digest, Vec<u8>>, CliError> {
        let mut sink = Collect::of(wanted);
        if !sink.wanted.is_empty() {
            self.source
                .read(&Revision::working_tree(), &mut sink)
                .map_err(|source| CliError::Site {
                    site: self.folder.clone(),
                    source,
                })?;
        }
        match sink.wanted.first() {
            None => Ok(sink.found),
            Some(_) => Err(CliError::Changed(self.folder.clone())),
        }
    }
}

/// Keeps the content that is wanted, and strikes it off.
pub(crate) struct Collect {
    wanted: BTreeSet<Digest>,
    found: BTreeMap<Digest, Vec<u8>>,
}

impl Collect {
    /// Nothing found yet.
    pub(crate) fn of(wanted: BTreeSet<Digest>) -> Self {
        Self {
            wanted,
            found: BTreeMap::new(),
        }
    }

    /// Whether nothing is wanted any more.
    pub(crate) fn is_complete(&self) -> bool {
        self.wanted.is_empty()
    }

    /// What was found.
    pub(crate) fn into_found(self) -> BTreeMap<Digest, Vec<u8>> {
        self.found
    }
}

/// The hosts that names and patterns mean; all of them where there are none.
pub(crate) fn chosen(
    declared: &BTreeSet<&HostName>,
    wanted: &[String],
) -> Result<Vec<HostName>, CliError> {
    let means = |pattern: &str, host: &HostName| glob(pattern, host.as_str());
    let nobody = wanted
        .iter()
        .find(|pattern| !declared.iter().any(|host| means(pattern, host)));
    if let Some(pattern) = nobody {
        let known = declared.iter().map(|host| host.as_str());
        return Err(CliError::NoHost {
            pattern: pattern.clone(),
            nearest: holdfast_catalog::diag::nearest(pattern, known).map(str::to_owned),
        });
    }
    let is_wanted =
        |host: &&&HostName| wanted.is_empty() || wanted.iter().any(|pattern| means(pattern, host));
    let hosts = declared.iter().filter(is_wanted);
    Ok(hosts.map(|host| (*host).clone()).collect())
}

impl ContentSink for Collect {
    fn has(&mut self, digest: &Digest, _: u64) -> Result<bool, SinkError> {
        Ok(!self.wanted.contains(digest))
    }

    fn put(&mut self, digest: &Digest, size: u64, bytes: &mut dyn Read) -> Result<(), SinkError> {
        let mut kept = Vec::new();
        bytes.take(size).read_to_end(&mut kept)?;
        // Should it have changed since its digest was taken, it stays wanted.
        if Digest::of(&kept) == *digest {
            self.wanted.remove(digest);
            self.found.insert(*digest, kept);
        }
        Ok(())
    }
}

impl HostArgs {
    /// Of a verb that has other arguments between them.
    pub(crate) fn new(
        host: HostName,
        (facts, records): (Option<PathBuf>, Option<PathBuf>),
        site: SiteArgs,
    ) -> Self {
        Self {
            host,
            facts,
            records,
            site,
        }
    }

    /// What compilation takes of the host.
    pub(crate) fn input(&self, opened: &Opened) -> Result<HostInput, CliError> {
        let records = self.records.as_deref().map(records::read).transpose()?;
        let known = records.unwrap_or_default();
        if !opened.site.declares(&self.host) && !known.has(&self.host) {
            let known = opened.site.hosts().map(HostName::as_str);
            return Err(CliError::UnknownHost {
                name: self.host.clone(),
                nearest: holdfast_catalog::diag::nearest(self.host.as_str(), known)
                    .map(str::to_owned),
            });
        }
        let input = known.input(&self.host);
        Ok(match self.facts()? {
            None => input,
            Some(facts) => input.with_facts(facts),
        })
    }

    fn facts(&self) -> Result<Option<Map<String, Value>>, CliError> {
        self.facts.as_deref().map(read_facts).transpose()
    }
}

/// The facts in a file.
pub(crate) fn read_facts(path: &Path) -> Result<Map<String, Value>, CliError> {
    let text = std::fs::read(path).map_err(|source| CliError::FactsFile {
        path: path.to_path_buf(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|source| CliError::Facts {
        path: path.to_path_buf(),
        source,
    })
}
