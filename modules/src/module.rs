//! What a resource type is: observe, diff, apply, refresh.

use crate::host::{Host, HostError, Probe};
use crate::shown::Shown;

/// A resource type, implemented for its specification (`File`, `Package`, …).
///
/// `observe` reads; `diff` is pure; `apply` is told exactly what differs. What a module never
/// knows: whether this is a no-op run, what is logged or reported, whether it will be verified.
pub trait Module: Sized {
    /// What was found on the host: only what bears on the specification.
    type Observed;
    /// One property that differs, typed.
    type Difference;

    /// Reads what bears on the specification.
    fn observe(&self, probe: &dyn Probe) -> Result<Self::Observed, HostError>;

    /// What differs, in the order in which it is applied; empty when all is as wanted. Refusals
    /// that need no change to be tried (a folder where a file is wanted, without force) are errors
    /// of this step, so that a no-op run tells them too.
    fn diff(&self, observed: &Self::Observed) -> Result<Vec<Self::Difference>, HostError>;

    /// Makes it so.
    fn apply(
        &self,
        observed: &Self::Observed,
        differences: &[Self::Difference],
        host: &dyn Host,
    ) -> Result<(), HostError>;

    /// Makes several resources so, in one transaction where the type has such a thing; one result
    /// for each, in their order.
    fn apply_together(work: &[Work<'_, Self>], host: &dyn Host) -> Vec<Result<(), HostError>> {
        let apply = |one: &Work<'_, Self>| one.spec.apply(one.observed, one.differences, host);
        work.iter().map(apply).collect()
    }

    /// The differences as a report shows them.
    fn show(&self, observed: &Self::Observed, differences: &[Self::Difference]) -> Shown;

    /// What of the outcome cannot be known beforehand; `None` when apply does exactly what the
    /// differences say.
    fn unknown(
        &self,
        _observed: &Self::Observed,
        _differences: &[Self::Difference],
    ) -> Option<String> {
        None
    }

    /// Asks the host beforehand, for several resources together, whether applying them would do
    /// what the differences say; for each, what stays unknown of that. Costs what a look must not
    /// cost, so only a no-op run asks.
    fn foresee(work: &[Work<'_, Self>], _probe: &dyn Probe) -> Vec<Option<String>> {
        let unknown = |one: &Work<'_, Self>| one.spec.unknown(one.observed, one.differences);
        work.iter().map(unknown).collect()
    }

    /// What is worth reading about a resource that is as wanted: why it counts as such.
    fn remark(&self, _observed: &Self::Observed) -> Option<String> {
        None
    }

    /// How it is known that what was applied holds.
    fn proof(&self) -> Proof {
        Proof::SecondLook
    }

    /// Acts on a notification; most types have nothing to do.
    fn refresh(&self, _host: &dyn Host) -> Result<Refreshed, HostError> {
        Ok(Refreshed::NothingToDo)
    }
}

/// One resource of several that are applied together: something of it differs.
pub struct Work<'a, M: Module> {
    /// What is wanted.
    pub spec: &'a M,
    /// What was found.
    pub observed: &'a M::Observed,
    /// What differs; not empty.
    pub differences: &'a [M::Difference],
}

/// How it is known that what was applied holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// By observing again: nothing may differ any more.
    SecondLook,
    /// By its not having failed: a command that is to run always differs again at once.
    ItsWord,
}

/// Whether a notification did anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// It did.
    Done,
    /// This type does nothing on a notification, or not in its present state (a service that is
    /// to be stopped is not restarted).
    NothingToDo,
}
