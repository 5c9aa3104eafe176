//! The server over real sockets and real TLS: a file per route, mirrored by URL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agent;
mod callers;
mod enrol;
mod operator;
mod restart;
mod secrets;
mod site;
mod world;
