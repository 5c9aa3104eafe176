//! The order of resources: as written, moved only as far as an edge demands, never in a circle.

mod automatic;
pub(crate) mod cycles;
mod named;
mod once;
mod order;
mod written;

pub(crate) use named::members;
pub(crate) use order::order;
