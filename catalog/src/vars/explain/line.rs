//! Whom a line of the repo concerns: the variables that it sets and the hosts in which they win,
//! the members of the group it stands in, the hosts that have its role.
//!
//! What is said of variables is exact. Whether a catalog changes with them is told as far as names
//! tell: a host is reached where a role of it reads the variable, or something made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::{HostState, LayerSource, Merged};
use super::outcome::{LineConcern, LineEffect, LineOutcome, LineReach, LineSubject};
use super::reach::Readers;
use super::spot::spots;
use crate::compile::HostInput;
use crate::diag::Diagnostics;
use crate::lower::{Prepared, prepare};
use crate::site::{Role, Site, reachable};
use holdfast_schemas::HostName;

impl Site {
    /// Whom a line of a file of the repo concerns, of these hosts; `text` is what the file holds.
    pub fn line<'a>(
        &self,
        (file, text): (&str, &str),
        line: usize,
        hosts: impl IntoIterator<Item = &'a HostInput>,
    ) -> LineReach {
        let mut prepared = Vec::new();
        let mut unknown = Vec::new();
        for host in hosts {
            match prepare(self, host, &mut Diagnostics::new()) {
                Some(one) => prepared.push((&host.name, one)),
                None => unknown.push(host.name.clone()),
            }
        }
        let looking = Looking {
            site: self,
            hosts: &prepared,
        };
        LineReach {
            file: file.to_owned(),
            line,
            hosts: prepared.len() + unknown.len(),
            effects: looking.file(file, text, line),
            unknown,
        }
    }
}

type Path = Vec<Arc<str>>;

struct Looking<'s> {
    site: &'s Site,
    hosts: &'s [(&'s HostName, Prepared<'s>)],
}

impl Looking<'_> {
    fn file(&self, file: &str, text: &str, line: usize) -> Vec<LineEffect> {
        let parts: Vec<&str> = file.split('/').collect();
        if let ["roles", role, "templates" | "files", ..] = parts[..] {
            return vec![self.role(role)];
        }
        let Some(spots) = spots(file, text, line) else {
            return vec![nothing()];
        };
        let effects = spots.into_iter().map(|spot| self.spot(&parts, spot));
        let mut effects: Vec<LineEffect> = effects.collect();
        effects.dedup();
        effects
    }

    fn spot(&self, file: &[&str], spot: Path) -> LineEffect {
        let words: Vec<&str> = spot.iter().map(|part| &**part).collect();
        let stem = |name: &str| name.trim_end_matches(".yaml").to_owned();
        match (file, &words[..]) {
            (["globals.yaml"], ["vars", _, ..]) => self.sets(&LayerSource::Global, &spot[1..]),
            (["globals.yaml"], ["unset", at]) => self.unsets(file, at),
            (["globals.yaml"], ["roles", at]) => self.given(file, at),
            (["globals.yaml"], ["vars" | "unset" | "roles"]) => {
                self.everybody(LineSubject::Settings)
            }
            (["globals.yaml"], _) => self.sets(&LayerSource::Global, &spot),
            (["groups", name], rest) => match (self.group(&stem(name)), rest) {
                (Some(layer), ["vars", _, ..]) => self.sets(&layer, &spot[1..]),
                (Some(_), ["unset", at]) => self.unsets(file, at),
                (Some(LayerSource::Group { name, .. }), _) => self.members(&name),
                _ => nothing(),
            },
            (["hosts", name], ["vars", _, ..]) => self.own(&stem(name), &spot[1..]),
            (["hosts", name], _) => self.host(&stem(name)),
            (["roles", role, "role.yaml"], ["params", param, "default", ..]) => {
                let layer = LayerSource::RoleDefault {
                    role: (*role).into(),
                };
                let path: Path = [Arc::from(*role), Arc::from(*param)].into();
                self.sets(&layer, &path)
            }
            (["roles", role, "role.yaml"], ["params", param, ..]) => LineEffect {
                what: LineSubject::Declares {
                    variable: format!("{role}.{param}"),
                },
                ..self.role(role)
            },
            (["roles", role, "role.yaml"], _) => self.role(role),
            (["variables.yaml"], ["variables", name, "default", ..]) => {
                self.sets(&LayerSource::Declared, &[Arc::from(*name)])
            }
            (["variables.yaml"], ["variables", name, ..]) => {
                let variable = (*name).to_owned();
                self.everybody(LineSubject::Declares { variable })
            }
            (["holdfast.yaml"], ["merge", pattern]) => self.merges(pattern),
            (["holdfast.yaml" | "variables.yaml"], _) => self.everybody(LineSubject::Settings),
            _ => nothing(),
        }
    }

    fn group(&self, name: &str) -> Option<LayerSource> {
        let mut groups = self.site.parts.groups.iter();
        let group = groups.find(|group| *group.name == *name)?;
        Some(LayerSource::Group {
            name: Arc::clone(&group.name),
            tier: Arc::clone(&group.tier),
            priority: group.priority,
        })
    }

    /// A value that a layer sets: where it wins, where not, whom it reaches.
    fn sets(&self, layer: &LayerSource, path: &[Arc<str>]) -> LineEffect {
        self.sets_in(layer, path, |_| true)
    }

    /// A value that a host's own file sets.
    fn own(&self, host: &str, path: &[Arc<str>]) -> LineEffect {
        self.sets_in(&LayerSource::Host, path, |name| name.as_str() == host)
    }

    fn sets_in(
        &self,
        layer: &LayerSource,
        path: &[Arc<str>],
        whose: impl Fn(&HostName) -> bool,
    ) -> LineEffect {
        let path = self.as_mapping(layer, path);
        let readers = Readers::of(&self.site.parts);
        let made = readers.made_of(path.first().map_or("", |name| name));
        let reading = readers.roles(&made);
        let mut concerns = Concerns::default();
        for (name, prepared) in self.hosts.iter().filter(|(name, _)| whose(name)) {
            let state = &prepared.state;
            let number = state.layers.iter().position(|one| one.source == *layer);
            let Some(number) = number else { continue };
            let outcome = outcome(state, number, &path);
            let roles = self.roles(prepared).into_iter();
            let roles = roles.filter(|role| reading.contains(&role.name));
            let mut roles: Vec<Arc<str>> = roles.map(|role| Arc::clone(&role.name)).collect();
            roles.sort_unstable();
            if outcome == LineOutcome::Used && !roles.is_empty() {
                concerns.add(LineOutcome::Reaches { roles }, name);
            }
            concerns.add(outcome, name);
        }
        let used = concerns.0.contains_key(&LineOutcome::Used);
        LineEffect {
            what: LineSubject::Sets {
                variable: path.join("."),
            },
            concerns: concerns.list(),
            remark: used.then_some(
                "whom it reaches goes by names: a role that reads the variable may give the same \
                 resources all the same",
            ),
        }
    }

    /// The path as far as mappings go: the items of a list are not variables.
    fn as_mapping(&self, layer: &LayerSource, path: &[Arc<str>]) -> Path {
        let mut all = crate::site::layers(&self.site.parts);
        let vars = all.find(|one| one.source == *layer && one.vars.at(&path[..1]).is_some());
        let Some(vars) = vars.filter(|_| *layer != LayerSource::Host) else {
            let words = path
                .iter()
                .take_while(|part| part.parse::<usize>().is_err());
            return words.cloned().collect();
        };
        let known = (1..=path.len()).rev();
        let mut known = known.filter(|length| vars.vars.at(&path[..*length]).is_some());
        path[..known.next().unwrap_or(path.len())].to_vec()
    }

    fn unsets(&self, file: &[&str], at: &str) -> LineEffect {
        let globals = &self.site.parts.globals;
        let (files, layer) = match file {
            ["groups", name] => {
                let name = name.trim_end_matches(".yaml");
                let mut groups = self.site.parts.groups.iter();
                let group = groups.find(|group| *group.name == *name);
                (group.map(|group| &group.file), self.group(name))
            }
            _ => (Some(globals), Some(LayerSource::Global)),
        };
        let unset = files.zip(at.parse::<usize>().ok());
        let unset = unset.and_then(|(file, at)| file.unset.get(at));
        let (Some(unset), Some(layer)) = (unset, layer) else {
            return nothing();
        };
        let mut concerns = Concerns::default();
        for (name, prepared) in self.hosts {
            let layers = &prepared.state.layers;
            let number = layers.iter().position(|one| one.source == layer);
            let below = number.map(|number| &layers[..number]).unwrap_or_default();
            if below.iter().any(|one| one.vars.at(&unset.path).is_some()) {
                concerns.add(LineOutcome::Holds, name);
            }
        }
        LineEffect {
            what: LineSubject::Unsets {
                variable: unset.path.join("."),
            },
            concerns: concerns.list(),
            remark: Some("a host is named where a lower layer sets it"),
        }
    }

    fn merges(&self, pattern: &str) -> LineEffect {
        let path: Path = pattern.split('.').map(Arc::from).collect();
        let mut concerns = Concerns::default();
        for (name, prepared) in self.hosts {
            let layers = &prepared.state.layers;
            let mut paths = Vec::new();
            layers
                .iter()
                .for_each(|layer| matching(&layer.vars, &path, &mut Vec::new(), &mut paths));
            let several = paths
                .iter()
                .any(|path| paths.iter().filter(|other| *other == path).count() > 1);
            if several {
                concerns.add(LineOutcome::Holds, name);
            }
        }
        LineEffect {
            what: LineSubject::Merges {
                pattern: pattern.to_owned(),
            },
            concerns: concerns.list(),
            remark: Some("a host is named where several layers set such a variable"),
        }
    }

    fn members(&self, group: &Arc<str>) -> LineEffect {
        let is_in = |prepared: &Prepared<'_>| {
            let layers = &prepared.state.layers;
            layers.iter().any(
                |layer| matches!(&layer.source, LayerSource::Group { name, .. } if name == group),
            )
        };
        LineEffect {
            what: LineSubject::Group {
                group: Arc::clone(group),
            },
            concerns: self.those(is_in, LineOutcome::Member),
            remark: Some(
                "these are in it now; `holdfast groups --preview` says who joins and leaves",
            ),
        }
    }

    /// The role that an entry of `roles:` gives.
    fn given(&self, file: &[&str], at: &str) -> LineEffect {
        let globals = &self.site.parts.globals;
        let role = at.parse().ok().and_then(|at: usize| globals.roles.get(at));
        match (file, role) {
            (["globals.yaml"], Some((role, _))) => self.role(role),
            _ => nothing(),
        }
    }

    fn role(&self, role: &str) -> LineEffect {
        let has = |prepared: &Prepared<'_>| {
            let roles = self.roles(prepared);
            roles.iter().any(|one| *one.name == *role)
        };
        LineEffect {
            what: LineSubject::Role {
                role: role.to_owned(),
            },
            concerns: self.those(has, LineOutcome::HasRole),
            remark: Some(
                "they are given the role, or a role that may include it; whether a `when` holds in each is not looked at",
            ),
        }
    }

    /// The roles that a host is given, and those that these may include.
    fn roles<'p>(&'p self, prepared: &'p Prepared<'_>) -> Vec<&'p Role> {
        reachable(&self.site.parts, &prepared.roles)
    }

    fn host(&self, host: &str) -> LineEffect {
        let own = self.hosts.iter().filter(|(name, _)| name.as_str() == host);
        let mut concerns = Concerns::default();
        own.for_each(|(name, _)| concerns.add(LineOutcome::Holds, name));
        LineEffect {
            what: LineSubject::Host {
                host: host.to_owned(),
            },
            concerns: concerns.list(),
            remark: Some(
                "attributes and tags can move the host between groups: `holdfast groups --preview` says so",
            ),
        }
    }

    fn everybody(&self, what: LineSubject) -> LineEffect {
        LineEffect {
            what,
            concerns: self.those(|_| true, LineOutcome::Holds),
            remark: None,
        }
    }

    fn those(&self, is_one: impl Fn(&Prepared<'_>) -> bool, how: LineOutcome) -> Vec<LineConcern> {
        let mut concerns = Concerns::default();
        let those = self.hosts.iter().filter(|(_, prepared)| is_one(prepared));
        those.for_each(|(name, _)| concerns.add(how.clone(), name));
        concerns.list()
    }
}

fn nothing() -> LineEffect {
    LineEffect {
        what: LineSubject::Nothing,
        concerns: Vec::new(),
        remark: None,
    }
}

/// Whether what a layer says at a path is the host's value, or what stands in its place.
fn outcome(state: &HostState, number: usize, path: &[Arc<str>]) -> LineOutcome {
    let by = |layer: usize, place: String| LineOutcome::Overridden {
        by: state.layers[layer].source.to_string(),
        place,
    };
    match Merged::at(&state.tree, path) {
        Some(merged) if merged.layers().contains(&number) => LineOutcome::Used,
        Some(merged) => {
            let last = merged.last_leaf();
            last.map_or(LineOutcome::Used, |leaf| {
                by(leaf.layer, leaf.term.span.to_string())
            })
        }
        None => {
            let above = state.layers.iter().enumerate().skip(number + 1).rev();
            let mut unset = above.filter_map(|(layer, one)| {
                let unset = one
                    .unset
                    .iter()
                    .find(|unset| path.starts_with(&unset.path))?;
                Some(by(layer, unset.span.to_string()))
            });
            // Otherwise something above it is set as a whole: its nearest holder.
            unset.next().unwrap_or_else(|| {
                let holders = (1..path.len()).rev();
                let mut holders =
                    holders.filter_map(|length| Merged::at(&state.tree, &path[..length]));
                let leaf = holders
                    .next()
                    .and_then(|holder| holder.last_leaf().cloned());
                leaf.map_or(LineOutcome::Used, |leaf| {
                    by(leaf.layer, leaf.term.span.to_string())
                })
            })
        }
    }
}

/// The paths in a layer that a pattern means.
fn matching(
    term: &super::super::Term,
    pattern: &[Arc<str>],
    path: &mut Path,
    found: &mut Vec<Path>,
) {
    let Some((first, rest)) = pattern.split_first() else {
        found.push(path.clone());
        return;
    };
    for (name, field) in term.as_map().into_iter().flatten() {
        if **first == *"*" || first == name {
            path.push(Arc::clone(name));
            matching(&field.term, rest, path, found);
            path.pop();
        }
    }
}

/// Hosts by what is done to them.
#[derive(Default)]
struct Concerns(BTreeMap<LineOutcome, BTreeSet<HostName>>);

impl Concerns {
    fn add(&mut self, how: LineOutcome, host: &HostName) {
        self.0.entry(how).or_default().insert(host.clone());
    }

    fn list(self) -> Vec<LineConcern> {
        let concerns = self.0.into_iter();
        let concerns = concerns.map(|(how, hosts)| LineConcern {
            how,
            hosts: hosts.into_iter().collect(),
        });
        concerns.collect()
    }
}
