//! From a role's resources to what the catalog holds: one file per type of resource.

mod absent;
mod agree;
mod attrs;
mod context;
mod directory;
mod each;
mod exec;
mod expand;
mod file;
mod frame;
mod group;
mod host;
mod include;
mod included;
mod package;
mod params;
mod probe;
mod sealed;
mod service;
mod stated;
mod symlink;
mod user;
mod wanted;

pub(crate) use absent::Absent;
pub(crate) use expand::{Built, Named, Wanted};
pub(crate) use frame::{Frame, RoleName};
pub(crate) use host::{Prepared, prepare};
pub(crate) use params::params_of;
pub(crate) use stated::stated;
pub(crate) use wanted::Edges;

use holdfast_schemas::catalog::{CATALOG_FORMAT, Catalog};
use holdfast_schemas::resource::{Kind, Spec};

use crate::compile::{Compiled, HostInput};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::graph;
use crate::site::Site;
use crate::vars::{ask, ask_declared};
use attrs::Attrs;
use context::{Context, Made, Purpose};

/// The attributes that a type of resource has.
pub(crate) const fn attributes(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::File => file::ATTRIBUTES,
        Kind::Directory => directory::ATTRIBUTES,
        Kind::Symlink => symlink::ATTRIBUTES,
        Kind::Package => package::ATTRIBUTES,
        Kind::Service => service::ATTRIBUTES,
        Kind::User => user::ATTRIBUTES,
        Kind::Group => group::ATTRIBUTES,
        Kind::Exec => exec::ATTRIBUTES,
    }
}

/// The specification of a resource.
fn spec(kind: Kind, attrs: &mut Attrs<'_>, context: &mut Context<'_, '_>) -> Option<Spec> {
    match kind {
        Kind::File => file::lower(attrs, context),
        Kind::Directory => directory::lower(attrs),
        Kind::Symlink => symlink::lower(attrs),
        Kind::Package => package::lower(attrs),
        Kind::Service => service::lower(attrs),
        Kind::User => user::lower(attrs),
        Kind::Group => group::lower(attrs),
        Kind::Exec => exec::lower(attrs),
    }
}

/// The catalog of a host.
pub(crate) fn compile(site: &Site, host: &HostInput) -> Result<Compiled, Diagnostics> {
    let mut wrong = Diagnostics::new();
    let Some(prepared) = prepare(site, host, &mut wrong) else {
        return Err(wrong.sorted());
    };
    let state = &prepared.state;
    let mut made = Made::nothing(Purpose::Catalog, &site.parts, state);
    made.chosen.clone_from(&prepared.chosen);
    for role in &prepared.roles {
        let chosen = prepared.chosen.get(&*role.name).cloned();
        include::once(role, chosen, (state, &mut made));
    }
    ask(state, &site.parts.suspects);
    ask_declared(state, &made.roles());
    let health = probe::of_roles(&made);
    let built = (made.built, &*made.frames);
    let ordered = graph::order(built, &made.absent, &mut wrong);
    state
        .take_wrong()
        .into_iter()
        .for_each(|one| wrong.push(one));
    let (resources, notes) = ordered.unwrap_or_default();
    let catalog = Catalog {
        format: CATALOG_FORMAT,
        host: host.name.clone(),
        enforcement: prepared.mode,
        resources,
        health,
    };
    if let (true, Err(error)) = (wrong.is_empty(), catalog.check()) {
        let place = Span::whole(&crate::diag::Source::new("", ""));
        wrong.push(Diagnostic::new(Code::TooLarge, error.to_string(), &place));
    }
    let told = wrong.into_iter().map(|one| one.in_host(&host.name));
    let mut wrong = Diagnostics::new();
    told.for_each(|one| wrong.push(one));
    wrong.into_result().map(|()| Compiled {
        catalog,
        blobs: made.blobs,
        sealed: made.sealed,
        notes,
    })
}
