//! The order of resources.
