//! Variables: layers, how they merge, how their expressions resolve, and where a value came from.

mod explain;
mod layer;

pub use explain::{Explanation, Held};
pub use layer::{LayerSource, MergeRule};
