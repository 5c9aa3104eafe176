//! From sorted files to a site: everything read, everything compiled, all errors at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_schemas::HostName;

use super::by_facts;
use super::element::Element;
use super::files::{Files, RoleFiles, sort};
use super::group::{Group, stem};
use super::host::{Host, RECORD, WELL_KNOWN};
use super::inclusion;
use super::names::{RESERVED, is_plain};
use super::resource::Declared;
use super::role::{ContentFile, Role};
use super::settings::Settings;
use super::snapshot::Snapshot;
use super::varfile::VarFile;
use super::variables::Variables;
use super::veil::Veil;
use super::yaml::{self, Node};
use super::{Parts, typed, typos};
use crate::diag::{Code, Diagnostic, Diagnostics, Source, Span, did_you_mean, listed};
use crate::groups::order;
use crate::render::{Engine, Programs};
use crate::vars::{Term, suspects};

/// Reads the settings of a repo alone.
pub(super) fn settings(snapshot: &Snapshot) -> Result<Settings, Diagnostics> {
    let path = "holdfast.yaml";
    let found = snapshot.files.get(path).cloned();
    let alone = Snapshot {
        revision: String::new(),
        files: found
            .map(|entry| (path.to_owned(), entry))
            .into_iter()
            .collect(),
    };
    let mut wrong = Diagnostics::new();
    let files = sort(&alone, &mut wrong);
    let settings = read_settings(files.settings.as_ref(), &mut wrong);
    wrong.into_result().map(|()| settings)
}

fn read_settings(source: Option<&Arc<Source>>, wrong: &mut Diagnostics) -> Settings {
    let node = source.and_then(|source| read(source, wrong));
    node.map(|node| Settings::read(&node, wrong))
        .unwrap_or_default()
}

/// What a repo gave.
pub(super) struct Assembled {
    /// Whole where nothing is wrong.
    pub(super) parts: Parts,
    pub(super) wrong: Diagnostics,
    /// The hosts that it declares, those whose files cannot be read included.
    pub(super) hosts: BTreeSet<HostName>,
}

/// Reads and checks all of a repo, as far as it can be understood.
pub(super) fn assemble(snapshot: &Snapshot) -> Assembled {
    let mut wrong = Diagnostics::new();
    let mut programs = Programs::default();
    let mut files = sort(snapshot, &mut wrong);
    let mut settings = read_settings(files.settings.as_ref(), &mut wrong);
    let variables = files
        .variables
        .as_ref()
        .and_then(|source| read(source, &mut wrong));
    let variables = variables.map(|node| Variables::read(&node, &mut programs, &mut wrong));
    let mut variables = variables.unwrap_or_else(Variables::none);
    let declared: BTreeSet<String> = files.roles.keys().cloned().collect();
    let sources = documents(&files);
    let mut roles = read_roles(std::mem::take(&mut files.roles), &mut programs, &mut wrong);
    let mut given = inclusion::take_given(&mut roles);
    let with_params = roles.values().filter(|role| !role.params.is_empty());
    let with_params: BTreeSet<&str> = with_params.map(|role| &*role.name).collect();
    with_params
        .iter()
        .for_each(|name| settings.rules.split(&Arc::from(*name)));
    variables.leave_to_roles(&with_params, &mut wrong);
    let veil = Veil {
        variables: &variables,
        roles: &roles,
    };
    inclusion::veil_given(&mut given, &veil, &mut wrong);
    let globals = files.globals.as_ref();
    let globals = globals.and_then(|source| veiled(source, &veil, &mut wrong));
    let globals = globals.map(|node| VarFile::globals(&node, &mut programs, &mut wrong));
    let reading = (&settings, &veil);
    let groups = read_groups(&files, reading, (&mut programs, &mut wrong));
    let hosts = read_hosts(&files, &veil, (&mut programs, &mut wrong));
    inclusion::put_given(given, &mut roles, &mut programs);
    let globals = globals.unwrap_or_else(VarFile::empty);
    let declared_parts = by_facts::Declared {
        settings: &settings,
        variables: &variables,
        globals: &globals,
        groups: &groups,
        hosts: &hosts,
        roles: &roles,
        programs: &programs,
    };
    let secrecy = has_secrets(&programs, &roles).then(|| declared_parts.secrecy());
    if let Some(secrecy) = &secrecy {
        declared_parts.refuse(secrecy, &mut wrong);
    }
    let engine = Engine::new(programs, settings.whitespace, secrecy.as_ref(), &mut wrong);
    let attributes = hosts
        .values()
        .flat_map(|host| host.attributes.keys().cloned());
    let attributes = attributes
        .chain(WELL_KNOWN.into_iter().map(Arc::from))
        .chain(attributes_of_broken(&files.hosts, &wrong))
        .collect();
    let mut parts = Parts {
        revision: snapshot.revision.clone(),
        settings,
        variables,
        demands: typed::Demands::new(),
        globals,
        order: order(&groups, &engine, &mut wrong),
        groups,
        hosts,
        roles,
        attributes,
        engine,
        secrecy,
        suspects: Vec::new(),
        sources,
        tests: files.tests,
        advice: Diagnostics::new(),
    };
    parts.suspects = suspects(all_layers(&parts), &parts.engine);
    check_roles(&parts, &declared, &mut wrong);
    inclusion::check(&parts, &mut wrong);
    parts.demands = typed::check(&parts, &mut wrong);
    check_attributes(&parts, &mut wrong);
    typos::check(&parts, &mut wrong);
    let (wrong, advice) = wrong.apart();
    parts.advice = advice.sorted();
    let hosts = files
        .hosts
        .iter()
        .filter_map(|source| stem(source).parse().ok());
    Assembled {
        parts,
        wrong,
        hosts: hosts.collect(),
    }
}

/// What files of hosts in which something is wrong seem to give as attributes: whoever asks for
/// one of them made no mistake.
fn attributes_of_broken(hosts: &[Arc<Source>], wrong: &Diagnostics) -> Vec<Arc<str>> {
    let places = wrong.iter().filter_map(|one| one.labels.first());
    let broken: BTreeSet<&str> = places.map(|label| label.span.path()).collect();
    let broken = hosts.iter().filter(|source| broken.contains(source.path()));
    let lines = broken.flat_map(|source| source.text().lines());
    let keys = lines.filter_map(|line| line.split_once(':'));
    let keys = keys.map(|(key, _)| key.trim()).filter(|key| is_plain(key));
    keys.map(Arc::from).collect()
}

/// Every YAML file that was read.
fn documents(files: &Files) -> Vec<Arc<Source>> {
    let alone = [&files.settings, &files.variables, &files.globals];
    let alone = alone.into_iter().flatten();
    let roles = files.roles.values().filter_map(|role| role.role.as_ref());
    let all = alone.chain(&files.groups).chain(&files.hosts).chain(roles);
    all.cloned().collect()
}

fn has_secrets(programs: &Programs, roles: &BTreeMap<Arc<str>, Role>) -> bool {
    let mut files = roles.values().flat_map(|role| role.files.values());
    !programs.secrets.is_empty() || files.any(|file| matches!(file, ContentFile::Secret(_)))
}

/// The variables of every layer of every host.
fn all_layers(parts: &Parts) -> impl Iterator<Item = &Arc<Term>> {
    let roles = parts.roles.values().map(|role| &role.defaults);
    let groups = parts.groups.iter().map(|group| &group.file.vars);
    let hosts = parts.hosts.values().map(|host| &host.file.vars);
    roles
        .chain([&parts.variables.defaults, &parts.globals.vars])
        .chain(groups)
        .chain(hosts)
}

fn read(source: &Arc<Source>, wrong: &mut Diagnostics) -> Option<Node> {
    let mut told = Vec::new();
    let node = yaml::read(source, &mut told);
    told.into_iter().for_each(|one| wrong.push(one));
    node
}

/// Reads a file that holds variables.
fn veiled(source: &Arc<Source>, veil: &Veil<'_>, wrong: &mut Diagnostics) -> Option<Node> {
    let mut node = read(source, wrong)?;
    veil.file(&mut node, wrong);
    Some(node)
}

fn read_groups(
    files: &Files,
    (settings, veil): (&Settings, &Veil<'_>),
    (programs, wrong): (&mut Programs, &mut Diagnostics),
) -> Vec<Group> {
    let mut groups = Vec::new();
    for source in &files.groups {
        let name = stem(source);
        if !is_plain(name) {
            let message = format!("`{name}` cannot be the name of a group");
            wrong.push(Diagnostic::new(
                Code::InvalidValue,
                message,
                &Span::whole(source),
            ));
            continue;
        }
        let node = veiled(source, veil, wrong);
        groups.extend(
            node.and_then(|node| Group::read(name, &node, settings, (&mut *programs, &mut *wrong))),
        );
    }
    groups.sort_by(|a, b| (a.rank(), &a.name).cmp(&(b.rank(), &b.name)));
    groups
}

fn read_hosts(
    files: &Files,
    veil: &Veil<'_>,
    (programs, wrong): (&mut Programs, &mut Diagnostics),
) -> BTreeMap<HostName, Host> {
    let mut hosts = BTreeMap::new();
    for source in &files.hosts {
        let name: HostName = match stem(source).parse() {
            Ok(name) => name,
            Err(error) => {
                let message = format!("{} names no host: {error}", source.path());
                wrong.push(Diagnostic::new(
                    Code::InvalidValue,
                    message,
                    &Span::whole(source),
                ));
                continue;
            }
        };
        let node = veiled(source, veil, wrong);
        if let Some(host) = node.and_then(|node| Host::read(&node, programs, wrong)) {
            hosts.insert(name, host);
        }
    }
    hosts
}

fn read_roles(
    files: BTreeMap<String, RoleFiles>,
    programs: &mut Programs,
    wrong: &mut Diagnostics,
) -> BTreeMap<Arc<str>, Role> {
    let mut roles = BTreeMap::new();
    for (name, files) in files {
        let Some(source) = &files.role else {
            let source = Source::new(format!("roles/{name}/role.yaml"), "");
            let message = format!("role `{name}` has no role.yaml");
            wrong.push(Diagnostic::new(
                Code::MissingFile,
                message,
                &Span::whole(&source),
            ));
            continue;
        };
        let node = read(source, wrong);
        let Some(mut role) = node.and_then(|node| Role::read(&name, &node, programs, wrong)) else {
            continue;
        };
        if RESERVED.contains(&name.as_str()) {
            let message = format!("`{name}` is a name that the language keeps for itself");
            wrong.push(Diagnostic::new(
                Code::ReservedName,
                message,
                &Span::whole(source),
            ));
        }
        role.files = files.files;
        let treats = |element: &Element| element.resources().any(Declared::treats_whitespace);
        if role.resources.iter().any(treats) {
            programs.whitespace.insert(Arc::clone(&role.name));
        }
        for template in files.templates {
            let prefix = format!("roles/{name}/templates/");
            role.templates
                .extend(template.path().strip_prefix(&prefix).map(str::to_owned));
            programs.add_template(template);
        }
        roles.insert(Arc::clone(&role.name), role);
    }
    roles
}

/// Every role that is named has to be there; what is wrong inside of one is told there.
fn check_roles(parts: &Parts, declared: &BTreeSet<String>, wrong: &mut Diagnostics) {
    let groups = parts.groups.iter().map(|group| &group.file);
    let hosts = parts.hosts.values().map(|host| &host.file);
    let files = groups.chain(hosts).chain([&parts.globals]);
    for (name, span) in files.flat_map(|file| &file.roles) {
        if declared.contains(&**name) {
            continue;
        }
        let known = || parts.roles.keys().map(|role| &**role);
        let help = did_you_mean(name, known());
        let help = help.unwrap_or_else(|| match parts.roles.is_empty() {
            true => "the repo has no roles".to_owned(),
            false => format!("the roles are {}", listed(known())),
        });
        let message = format!("there is no role `{name}`");
        wrong.push(Diagnostic::new(Code::UnknownName, message, span).help(help));
    }
}

/// An attribute that no host has is a typo.
fn check_attributes(parts: &Parts, wrong: &mut Diagnostics) {
    let known: BTreeSet<&str> = parts
        .attributes
        .iter()
        .map(|name| &**name)
        .chain(RECORD)
        .collect();
    for (name, span) in parts.engine.host_attributes() {
        if known.contains(name.as_str()) {
            continue;
        }
        let message = format!("no host has an attribute `{name}`");
        let help = did_you_mean(&name, known.iter().copied());
        let help =
            help.unwrap_or_else(|| "an attribute is set in a file `hosts/NAME.yaml`".to_owned());
        wrong.push(Diagnostic::new(Code::Undefined, message, &span).help(help));
    }
}
