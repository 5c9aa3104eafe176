//! The order of resources: as written, moved only as far as an edge demands, never in a circle.

mod automatic;
pub(crate) mod cycles;
mod once;
mod order;

pub(crate) use order::order;
