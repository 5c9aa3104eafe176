//! What a host with a certificate may call: a file per route.

pub(super) mod blobs;
pub(super) mod check_in;
pub(super) mod inventory;
pub(super) mod news;
pub(super) mod renew;
pub(super) mod reports;
