//! Routes of hosts.

mod blobs;
mod certificate;
mod check_in;
mod inventory;
mod renew;
mod reports;
