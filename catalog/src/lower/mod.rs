//! From a role's resources to what the catalog holds.

use crate::compile::{Compiled, HostInput};
use crate::diag::Diagnostics;
use crate::site::Site;

pub(crate) fn compile(site: &Site, host: &HostInput) -> Result<Compiled, Diagnostics> {
    let _ = site;
    Ok(Compiled {
        catalog: holdfast_schemas::catalog::Catalog {
            format: holdfast_schemas::catalog::CATALOG_FORMAT,
            host: host.name.clone(),
            enforcement: Default::default(),
            resources: Vec::new(),
        },
        blobs: Default::default(),
        notes: Vec::new(),
    })
}
