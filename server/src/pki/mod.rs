//! Whom the server believes, and by what it is believed itself.
//!
//! One certificate authority, made by the first `serve`, vouches for the server's own listeners
//! and for every enrolled host; one Ed25519 key signs catalogs. All of it lives in `DATA/pki`,
//! readable by the server's user alone, one file per identity so that a crash never leaves a key
//! without its certificate.

mod authority;
mod error;
mod files;
mod peer;
mod server_certificate;
mod signer;
mod tls;

pub use authority::{Authority, CERTIFICATE_LIFE, HostCertificate, RENEWAL_GRACE};
pub use error::{CsrError, PkiError};
pub(crate) use files::read_private;
pub use files::{open_private_dir, write_private};
pub use peer::{Peer, PeerCertificate};
pub use server_certificate::ServerNames;
pub(crate) use server_certificate::outward_address;
pub use signer::CatalogSigner;
pub use tls::{Audience, TlsIdentity};

use std::path::Path;

/// `N` random bytes as lower-case hexadecimal digits: a secret, or a name nobody else has.
pub fn random_hex<const N: usize>() -> Result<String, PkiError> {
    authority::random::<N>().map(|bytes| authority::hex(&bytes))
}

/// Every key the server has.
#[derive(Debug)]
pub struct Pki {
    /// Vouches for the server and its hosts.
    pub authority: Authority,
    /// Signs catalogs.
    pub signer: CatalogSigner,
}

impl Pki {
    /// Reads `DATA/pki`, or makes it on the first run.
    pub fn open(folder: &Path) -> Result<Self, PkiError> {
        open_private_dir(folder)?;
        Ok(Self {
            authority: Authority::open(folder)?,
            signer: CatalogSigner::open(folder)?,
        })
    }
}
