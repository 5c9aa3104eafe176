//! What works and looks like a mistake: variables that nothing reads, values that no host gets,
//! groups that no host is in, paths that two roles claim, services that nothing installs.
//!
//! A [`Linter`] looks at the site once and at its hosts one by one, from as many threads as
//! wanted: what each thread sees goes into [`Seen`], and all of it together becomes [`Findings`].
//! Where something cannot be known, such as a group that needs facts, it says less: a finding is
//! worth a look, always. A comment beside a finding silences it, with a reason (`allow.rs`).

mod allow;
mod groups;
mod meet;
mod paths;
mod reads;
mod refresh;
mod seen;
mod services;
mod shadow;
mod titles;
mod variables;

pub use allow::Allowed;
pub use seen::Seen;

use crate::compile::HostInput;
use crate::diag::Diagnostics;
use crate::site::Site;
use allow::Comments;
use reads::Reads;
use titles::Titles;

/// Looks for what looks like a mistake.
#[derive(Debug)]
pub struct Linter<'s> {
    site: &'s Site,
    titles: Titles<'s>,
}

/// What was found.
#[derive(Debug)]
pub struct Findings {
    /// What looks like a mistake, by place; identical ones told once.
    pub told: Diagnostics,
    /// What comments silence.
    pub allowed: Vec<Allowed>,
}

impl<'s> Linter<'s> {
    /// A linter of a site.
    pub fn of(site: &'s Site) -> Self {
        Self {
            site,
            titles: Titles::of(&site.parts.roles),
        }
    }

    /// Looks at a host.
    pub fn look(&self, host: &HostInput, seen: &mut Seen) {
        shadow::look(self.site, host, seen);
        match self.site.compile(host) {
            Ok(compiled) => {
                services::look(&compiled.catalog, &self.titles, seen);
                refresh::look(&compiled.catalog, seen);
            }
            Err(wrong) => seen.cannot_compile(host, wrong),
        }
    }

    /// What was found, once every host was looked at.
    pub fn findings(&self, seen: &Seen) -> Findings {
        let parts = &self.site.parts;
        let mut told = Diagnostics::new();
        let reads = Reads::of(parts);
        variables::unused(parts, &reads, &mut told);
        variables::unused_parameters(parts, &reads, &mut told);
        shadow::shadowed(parts, &reads, seen, &mut told);
        groups::unreachable(parts, seen, &mut told);
        paths::contested(parts, &self.titles, &mut told);
        services::without_package(seen, &self.titles, &mut told);
        refresh::orphans(&self.titles, &mut told);
        refresh::never(seen, &self.titles, &mut told);
        let comments = Comments::of(parts, &mut told);
        comments.silence(told.sorted(), seen)
    }
}
