//! A site: from the files of a catalog repo to typed groups, hosts and roles with positions.

mod assemble;
mod by_facts;
mod declaration;
mod defaults;
mod element;
mod examine;
pub(crate) mod fields;
pub(crate) mod files;
mod group;
mod host;
mod include;
mod inclusion;
mod names;
mod probe;
mod recipients;
mod resource;
mod role;
mod schema;
pub(crate) mod secret;
mod settings;
mod snapshot;
mod steps;
mod typed;
mod typos;
mod varfile;
mod variables;
mod veil;
pub(crate) mod yaml;

pub(crate) use declaration::{Declaration, Subject};
pub(crate) use element::Element;
pub use examine::{Examined, Obstacle};
pub use group::glob;
pub(crate) use group::{Group, Pattern, Sought, is_pattern};
pub(crate) use host::Host;
pub(crate) use include::{Include, Included};
pub(crate) use inclusion::reachable;
pub(crate) use probe::{Probe, ProbeKind};
pub(crate) use resource::{Declared, read_kind, refreshes};
pub(crate) use role::{ContentFile, Role, TITLE};
pub(crate) use schema::{Expected, Extent, Schema, Seen, Walk, describe};
pub use secret::{Plain, Secret, Veiled, is_encrypted};
pub(crate) use settings::Settings;
pub use snapshot::{
    Entry, MAX_CONTENT, MAX_ENCRYPTED, MAX_FILES, MAX_TEXT, Snapshot, encrypted, is_content,
};
pub(crate) use steps::{Loop, Names, Steps};
pub(crate) use typed::{Demands, layers};
pub(crate) use varfile::{Unset, VarFile};
pub(crate) use variables::Variables;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_schemas::HostName;

use crate::compile::HostInput;
use crate::diag::{Diagnostics, Source};
use crate::groups::{Order, by_name};
use crate::render::{Engine, Secrecy};
use crate::vars::Explanation;

/// A parsed site. It is shared between threads freely, and cloned for nothing.
#[derive(Debug, Clone)]
pub struct Site {
    pub(crate) parts: Arc<Parts>,
}

/// What a site consists of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) revision: String,
    pub(crate) settings: Settings,
    /// What the site declares of its variables.
    pub(crate) variables: Variables,
    /// What expressions have to give.
    pub(crate) demands: Demands,
    pub(crate) globals: VarFile,
    /// By tier, priority and name: the order in which they apply.
    pub(crate) groups: Vec<Group>,
    /// In which order the groups of a host are decided.
    pub(crate) order: Order,
    pub(crate) hosts: BTreeMap<HostName, Host>,
    pub(crate) roles: BTreeMap<Arc<str>, Role>,
    /// Attributes that some host has, or that every fleet may have.
    pub(crate) attributes: BTreeSet<Arc<str>>,
    pub(crate) engine: Engine,
    /// What guards its secrets, where it has any.
    pub(crate) secrecy: Option<Secrecy>,
    /// Variables that may be defined by each other.
    pub(crate) suspects: Vec<Arc<str>>,
    /// Every YAML file of the language, for the comments in it.
    pub(crate) sources: Vec<Arc<Source>>,
    /// What is under `tests/`, unread.
    pub(crate) tests: BTreeMap<String, Entry>,
    /// What may well be a mistake.
    pub(crate) advice: Diagnostics,
}

impl Parts {
    /// Whether a role is there once per title.
    pub(crate) fn repeats(&self, role: &str) -> bool {
        self.roles.get(role).is_some_and(|role| role.repeatable)
    }
}

impl Site {
    /// Reads and checks all of a repo.
    pub fn parse(snapshot: &Snapshot) -> Result<Self, Diagnostics> {
        Self::examine(snapshot).into_site()
    }

    /// What the revision is called.
    pub fn revision(&self) -> &str {
        &self.parts.revision
    }

    /// The hosts that the repo declares, by name. Others compile too: with the globals and the
    /// groups that match them.
    pub fn hosts(&self) -> impl Iterator<Item = &HostName> {
        self.parts.hosts.keys()
    }

    /// Whether the repo declares this host: a file under `hosts/`.
    pub fn declares(&self, host: &HostName) -> bool {
        self.parts.hosts.contains_key(host)
    }

    /// Whether the repo means this host when it names hosts: a file under `hosts/`, a group's
    /// `hosts:` by its name or by a pattern that does not hold for every name, or a group's
    /// `match` that holds for it by its name. Such a name is not for whoever asks first.
    pub fn names(&self, host: &HostName) -> bool {
        let mut groups = self.parts.groups.iter();
        let sought = Sought::new(host.as_str(), None);
        self.parts.hosts.contains_key(host)
            || groups.any(|group| group.names(&sought))
            || by_name(&self.parts, host)
    }

    /// Who can read what the repo holds encrypted: age recipients, by their names.
    pub fn recipients(&self) -> &BTreeMap<Arc<str>, Arc<str>> {
        &self.parts.settings.recipients
    }

    /// What may well be a mistake, and keeps nothing from compiling.
    pub fn advice(&self) -> &Diagnostics {
        &self.parts.advice
    }

    /// Everything that the repo holds encrypted, by place: the values of every layer, and the
    /// content files. A variable that several layers set has several of one name.
    pub fn secrets(&self) -> Vec<&Secret> {
        let roles = self.parts.roles.values();
        let files = roles.flat_map(|role| role.files.values());
        let files = files.filter_map(|file| match file {
            ContentFile::Secret(secret) => Some(&**secret),
            ContentFile::Plain { .. } => None,
        });
        let values = self.parts.engine.secrets().iter();
        let all = values.map(|secret| &**secret).chain(files);
        let all = all.filter(|secret| matches!(secret.held, Veiled::Encrypted(_)));
        let mut all: Vec<&Secret> = all.collect();
        all.sort_by(|a, b| a.place.cmp(&b.place));
        all
    }

    /// Where the value of a variable (`region.id`, `nginx.port`) of a host comes from.
    pub fn explain(&self, host: &HostInput, variable: &str) -> Result<Explanation, Diagnostics> {
        crate::vars::explain(self, host, variable)
    }
}

/// Who can read what a repo holds encrypted: age recipients, by the names that `holdfast.yaml`
/// gives them. Nothing else of the repo is looked at: it may be wrong, or about to be mended.
pub fn recipients(snapshot: &Snapshot) -> Result<BTreeMap<Arc<str>, Arc<str>>, Diagnostics> {
    assemble::settings(snapshot).map(|settings| settings.recipients)
}
