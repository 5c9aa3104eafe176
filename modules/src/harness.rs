//! The one place that knows how a resource is looked at, mended, verified and refreshed.
//!
//! A no-op run is [`observe`] and nothing more: it is given a [`Probe`], which cannot change
//! anything. Enforcing is observe, diff, apply, and a second look: a difference that is left over
//! is told, whatever the command said that was to remove it. No module knows which of the two it
//! takes part in.

#[cfg(test)]
mod tests;

use holdfast_schemas::resource::Spec;

use crate::host::{Host, HostError, Probe};
use crate::module::{Module, Proof, Refreshed, Work};
use crate::registry::dispatch;
use crate::shown::Shown;

/// What a look at one resource found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observation {
    /// What differs.
    pub shown: Shown,
    /// What of applying it cannot be known beforehand.
    pub unknown: Option<String>,
    /// Where nothing differs: what is worth reading about it all the same.
    pub remark: Option<String>,
}

impl Observation {
    /// Whether nothing differs.
    pub fn in_sync(&self) -> bool {
        self.shown.changes.is_empty()
    }
}

/// What became of a resource that was to be mended if it differs.
#[derive(Debug)]
pub enum Enforced {
    /// Nothing differed; nothing was touched.
    InSync,
    /// This differed, and does no more.
    Changed(Shown),
    /// Something still differs after it was mended.
    NotConverged {
        /// What differed before.
        tried: Shown,
        /// What differs now.
        left: Shown,
    },
    /// It could not be observed or mended.
    Failed {
        /// What differed before, when it came so far that something was tried.
        tried: Option<Shown>,
        /// Why.
        error: HostError,
    },
}

/// Looks at a resource and says what differs. Changes nothing.
pub fn observe(spec: &Spec, probe: &dyn Probe) -> Result<Observation, HostError> {
    dispatch!(spec, module => look(module, probe))
}

/// Asks for resources that differ what of applying them stays unknown; `None` where they would do
/// just what their differences say. Changes nothing, and may take as long as a package manager
/// takes to plan.
pub fn foresee(specs: &[&Spec], probe: &dyn Probe) -> Vec<Option<String>> {
    let same_type = |a: &&Spec, b: &&Spec| a.kind() == b.kind();
    let mut foreseen = Vec::with_capacity(specs.len());
    for neighbours in specs.chunk_by(same_type) {
        foreseen.extend(dispatch!(all neighbours, modules => foresee_together(&modules, probe)));
    }
    foreseen
}

/// Mends a resource if it differs.
pub fn enforce(spec: &Spec, host: &dyn Host) -> Enforced {
    let mut outcomes = dispatch!(spec, module => enforce_together(&[module], host));
    outcomes.remove(0)
}

/// Mends several resources; neighbours of one type are applied in one transaction where their
/// type has such a thing. One outcome for each, in their order.
pub fn enforce_batch(specs: &[&Spec], host: &dyn Host) -> Vec<Enforced> {
    let same_type = |a: &&Spec, b: &&Spec| a.kind() == b.kind();
    let mut outcomes = Vec::with_capacity(specs.len());
    for neighbours in specs.chunk_by(same_type) {
        outcomes.extend(dispatch!(all neighbours, modules => enforce_together(&modules, host)));
    }
    outcomes
}

/// Delivers a notification to a resource.
pub fn refresh(spec: &Spec, host: &dyn Host) -> Result<Refreshed, HostError> {
    dispatch!(spec, module => module.refresh(host))
}

fn look<M: Module>(module: &M, probe: &dyn Probe) -> Result<Observation, HostError> {
    let observed = module.observe(probe)?;
    let differences = module.diff(&observed)?;
    if differences.is_empty() {
        return Ok(Observation {
            remark: module.remark(&observed),
            ..Observation::default()
        });
    }
    Ok(Observation {
        shown: module.show(&observed, &differences).bounded(),
        unknown: module.unknown(&observed, &differences),
        remark: None,
    })
}

/// A resource on its way through enforcement.
enum Stage<M: Module> {
    Settled(Enforced),
    Differs(M::Observed, Vec<M::Difference>),
}

fn first_look<M: Module>(module: &M, probe: &dyn Probe) -> Stage<M> {
    let looked = module.observe(probe).and_then(|observed| {
        let differences = module.diff(&observed)?;
        Ok((observed, differences))
    });
    match looked {
        Err(error) => Stage::Settled(Enforced::Failed { tried: None, error }),
        Ok((_, differences)) if differences.is_empty() => Stage::Settled(Enforced::InSync),
        Ok((observed, differences)) => Stage::Differs(observed, differences),
    }
}

fn foresee_together<M: Module>(modules: &[&M], probe: &dyn Probe) -> Vec<Option<String>> {
    let stages: Vec<Stage<M>> = modules.iter().map(|one| first_look(*one, probe)).collect();
    let work = pending(modules, &stages);
    let mut foreseen = M::foresee(&work, probe).into_iter();
    let of = |stage: &Stage<M>| match stage {
        Stage::Differs(..) => foreseen.next().flatten(),
        Stage::Settled(Enforced::Failed { error, .. }) => Some(error.to_string()),
        Stage::Settled(_) => None,
    };
    stages.iter().map(of).collect()
}

/// The resources that something differs of.
fn pending<'a, M: Module>(modules: &[&'a M], stages: &'a [Stage<M>]) -> Vec<Work<'a, M>> {
    let work = |(spec, stage): (&&'a M, &'a Stage<M>)| match stage {
        Stage::Settled(_) => None,
        Stage::Differs(observed, differences) => Some(Work {
            spec: *spec,
            observed,
            differences,
        }),
    };
    modules.iter().zip(stages).filter_map(work).collect()
}

fn enforce_together<M: Module>(modules: &[&M], host: &dyn Host) -> Vec<Enforced> {
    let stages: Vec<Stage<M>> = modules
        .iter()
        .map(|module| first_look(*module, host.as_probe()))
        .collect();
    let work = pending(modules, &stages);
    let applied = match work.is_empty() {
        true => Vec::new(),
        false => M::apply_together(&work, host),
    };
    let mut applied = applied.into_iter();
    let settle = |(module, stage): (&&M, Stage<M>)| match stage {
        Stage::Settled(outcome) => outcome,
        Stage::Differs(observed, differences) => {
            let tried = module.show(&observed, &differences).bounded();
            let unanswered = || HostError::Garbled {
                what: "the batch".into(),
                detail: "it gave fewer results than it was given resources".into(),
            };
            match applied.next().unwrap_or_else(|| Err(unanswered())) {
                Ok(()) => second_look(*module, tried, host),
                Err(error) => failed(tried, error),
            }
        }
    };
    modules.iter().zip(stages).map(settle).collect()
}

fn second_look<M: Module>(module: &M, tried: Shown, host: &dyn Host) -> Enforced {
    if module.proof() == Proof::ItsWord {
        return Enforced::Changed(tried);
    }
    match look(module, host.as_probe()) {
        Ok(seen) if seen.in_sync() => Enforced::Changed(tried),
        Ok(seen) => Enforced::NotConverged {
            tried,
            left: seen.shown,
        },
        Err(error) => failed(tried, error),
    }
}

fn failed(tried: Shown, error: HostError) -> Enforced {
    Enforced::Failed {
        tried: Some(tried),
        error,
    }
}
