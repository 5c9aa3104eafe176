//! Why a resource differs: reality left the desired state, or the desired state moved.
//!
//! The ledger holds the wish that each resource was last brought to. The same wish and another
//! reality is drift; another wish is intent; no wish is a resource that is new here, unless the
//! ledger itself was lost.

use holdfast_schemas::report::Cause;
use holdfast_schemas::resource::{Resource, Spec};

use crate::ledger::{self, Knowledge, Memory};

/// Why a resource that differs does so.
pub(crate) fn cause(resource: &Resource, memory: &Memory) -> Cause {
    if acts_by_design(&resource.spec) {
        return Cause::Intended;
    }
    let known = memory.entry(&resource.id).and_then(|entry| entry.spec);
    match (known, memory.knowledge()) {
        (Some(spec), _) if spec == ledger::mark(&resource.spec) => Cause::Drift,
        (Some(_), _) => Cause::Intended,
        (None, Knowledge::Whole) => Cause::New,
        (None, Knowledge::Lost) => Cause::Unknown,
    }
}

/// A command that says it runs every time differs every time, and nobody tampered.
fn acts_by_design(spec: &Spec) -> bool {
    matches!(spec, Spec::Exec(exec) if exec.always)
}
