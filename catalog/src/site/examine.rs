//! A site that may be wrong in places, and what can be said of its hosts all the same.
//!
//! A mistake in one file shall not hide those in hosts that have nothing to do with it. What was
//! wrong while the site was parsed tells which files are broken; a host that depends on one of
//! them is held, since whatever compiling it said might follow from that file alone. All others
//! are compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_schemas::HostName;

use super::assemble::{Assembled, assemble};
use super::{Group, Parts, Site, Snapshot};
use crate::compile::{Compiled, HostInput};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::groups::members;
use crate::lower::prepare;

/// A site as far as it can be understood.
#[derive(Debug)]
pub struct Examined {
    wrong: Diagnostics,
    broken: Broken,
    hosts: BTreeSet<HostName>,
    /// Incomplete where something is wrong, so it is not handed out.
    site: Site,
}

/// Why a host has no catalog.
#[derive(Debug)]
pub enum Obstacle {
    /// This is wrong.
    Wrong(Diagnostics),
    /// It depends on this file, in which something is wrong that was told already.
    Held(Arc<str>),
}

/// Files in which something is wrong, by what depends on them.
#[derive(Debug, Default)]
struct Broken {
    /// One that any host may depend on.
    everywhere: Option<Arc<str>>,
    hosts: BTreeMap<String, Arc<str>>,
    /// Groups whose members are known nevertheless.
    groups: BTreeMap<String, Arc<str>>,
    roles: BTreeMap<String, Arc<str>>,
}

impl Site {
    /// Reads a repo as far as it can be understood.
    pub fn examine(snapshot: &Snapshot) -> Examined {
        let Assembled {
            parts,
            wrong,
            hosts,
        } = assemble(snapshot);
        let broken = Broken::of(&wrong, &parts.groups);
        Examined {
            wrong: wrong.sorted(),
            broken,
            hosts,
            site: Site {
                parts: Arc::new(parts),
            },
        }
    }
}

impl Examined {
    /// What is wrong with the site by itself, before any host is looked at.
    pub fn wrong(&self) -> &Diagnostics {
        &self.wrong
    }

    /// What may well be a mistake, and keeps nothing from compiling.
    pub fn advice(&self) -> &Diagnostics {
        self.site.advice()
    }

    /// The hosts that the repo declares, those whose files cannot be read included.
    pub fn hosts(&self) -> impl Iterator<Item = &HostName> {
        self.hosts.iter()
    }

    /// The catalog of a host, where nothing that it depends on is broken.
    pub fn compile(&self, host: &HostInput) -> Result<Compiled, Obstacle> {
        match self.held(host) {
            Some(file) => Err(Obstacle::Held(file)),
            None => self.site.compile(host).map_err(Obstacle::Wrong),
        }
    }

    /// The site, if nothing is wrong with it.
    pub fn into_site(self) -> Result<Site, Diagnostics> {
        let site = self.site;
        self.wrong.into_result().map(|()| site)
    }

    /// The broken file that a host depends on.
    fn held(&self, host: &HostInput) -> Option<Arc<str>> {
        let broken = &self.broken;
        let everywhere = broken.everywhere.as_ref();
        let own = || broken.hosts.get(host.name.as_str());
        if let Some(file) = everywhere.or_else(own) {
            return Some(Arc::clone(file));
        }
        if broken.groups.is_empty() && broken.roles.is_empty() {
            return None;
        }
        // What is wrong with the host's groups comes again when it is compiled.
        let mut told = Diagnostics::new();
        let groups = members(&self.site.parts, host, &mut told)?;
        let of_groups = groups
            .iter()
            .find_map(|group| broken.groups.get(&*group.name));
        let roles = named_roles(&self.site.parts, &groups, host);
        let mut of_roles = roles.iter().filter_map(|role| broken.roles.get(&**role));
        of_groups.or_else(|| of_roles.next()).cloned()
    }
}

/// The roles that a host has, those that could not be read included.
fn named_roles(parts: &Arc<Parts>, groups: &[&Group], host: &HostInput) -> BTreeSet<Arc<str>> {
    let own = parts.hosts.get(&host.name).map(|host| &host.file);
    let files = groups.iter().map(|group| &group.file).chain(own);
    let files = files.chain([&parts.globals]);
    let mut names: BTreeSet<Arc<str>> = files
        .flat_map(|file| file.roles.iter().map(|(name, _)| Arc::clone(name)))
        .collect();
    let site = Site {
        parts: Arc::clone(parts),
    };
    let prepared = prepare(&site, host, &mut Diagnostics::new());
    let roles = prepared.iter().flat_map(|host| &host.roles);
    names.extend(roles.map(|role| Arc::clone(&role.name)));
    names
}

impl Broken {
    fn of(wrong: &Diagnostics, groups: &[Group]) -> Self {
        let mut broken = Self::default();
        for one in wrong {
            broken.add(one, groups);
        }
        broken
    }

    /// The place of a mistake that is told first is where it is; others only explain it.
    fn add(&mut self, one: &Diagnostic, groups: &[Group]) {
        let Some(label) = one.labels.first() else {
            return;
        };
        let path: Arc<str> = label.span.path().into();
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            // What is wrong with a test is nothing to the hosts.
            ["tests", ..] => {}
            ["hosts", file] => drop(self.hosts.insert(file_stem(file), path)),
            ["roles", role, _, ..] => drop(self.roles.insert(role.to_owned(), Arc::clone(&path))),
            ["groups", file] if one.code != Code::GroupCycle => {
                let name = file_stem(file);
                let at = label.span.range().start;
                let mut groups = groups.iter();
                // Who is in a group that was not understood, or by what is wrong, is not known.
                match groups.any(|group| *group.name == *name && group.is_beside_members(at)) {
                    true => drop(self.groups.insert(name, path)),
                    false => self.everywhere = Some(path),
                }
            }
            _ => self.everywhere = Some(path),
        }
    }
}

/// `web-1` of `web-1.yaml` and `web-1.yml`.
fn file_stem(file: &str) -> String {
    let stem = file.strip_suffix(".yaml").or(file.strip_suffix(".yml"));
    stem.unwrap_or(file).to_owned()
}
