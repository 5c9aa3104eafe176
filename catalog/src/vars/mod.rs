//! Variables: layers, how they merge, how their expressions resolve, and where a value came from.

mod circles;
mod elsewhere;
mod explain;
mod hiding;
mod layer;
mod merge;
mod resolve;
mod rules;
mod scope;
mod term;
mod typed;

pub(crate) use circles::{ask, suspects};
pub(crate) use explain::explain;
pub use explain::{
    DeclaredAs, Explanation, Held, LineConcern, LineEffect, LineOutcome, LineReach, LineSubject,
    PartOf, VariableRow, VariableTable,
};
pub(crate) use hiding::Hiding;
pub(crate) use layer::Layer;
pub use layer::{LayerSource, MergeRule};
pub(crate) use merge::{Leaf, Merged, merge};
pub(crate) use resolve::{HostState, Ingredients, is_lazy};
pub(crate) use rules::Rules;
pub(crate) use scope::{Missing, Scope};
pub(crate) use term::{Form, Term, TermField, TermMap, shown};
pub(crate) use typed::{ask as ask_declared, misfits};
