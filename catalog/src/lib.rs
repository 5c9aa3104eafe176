//! The compiler: site and host to catalog. Pure: no clock, disk, network or randomness.

pub mod site;
