//! The order of resources: as written, moved only as far as an edge demands, never in a circle.

mod automatic;
mod order;

pub(crate) use order::order;
