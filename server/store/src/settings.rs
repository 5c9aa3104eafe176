//! Small things the server remembers about itself, by name, as JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Store, StoreError};

/// The names of settings and counters.
pub mod keys {
    /// The revision that is served.
    pub const ACTIVE_REVISION: &str = "active-revision";
    /// The newest revision that was refused, with its diagnostics.
    pub const REFUSED_REVISION: &str = "refused-revision";
    /// What the server calls itself.
    pub const SERVER_IDENTITY: &str = "server-identity";
    /// Counter: serial numbers of certificates.
    pub const CERTIFICATE_SERIAL: &str = "certificate-serial";
    /// Counter: the highest generation given to any host.
    pub const GENERATION: &str = "generation";
}

/// Reads a setting as a type; `None` if it was never put.
pub fn get_setting<T: DeserializeOwned>(
    store: &dyn Store,
    name: &str,
) -> Result<Option<T>, StoreError> {
    let Some(value) = store.setting(name)? else {
        return Ok(None);
    };
    let read = serde_json::from_value(value);
    read.map(Some)
        .map_err(|error| StoreError::damaged(name)(error.into()))
}

/// Puts a setting of any type that is JSON.
pub fn put_setting<T: Serialize>(
    store: &dyn Store,
    name: &str,
    value: &T,
) -> Result<(), StoreError> {
    let value = serde_json::to_value(value).map_err(|source| StoreError::Encode {
        key: name.to_owned(),
        source,
    })?;
    store.put_setting(name, Some(value))
}
