//! What can be wrong with keys and certificates.

use std::path::PathBuf;

/// The server's own keys cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file or folder of `DATA/pki` cannot be used.
    #[error("cannot {doing} {path}")]
    File {
        /// As in "read" or "write".
        doing: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file holds something else than it should.
    #[error(
        "{path} does not hold {expected}; restore it from a backup (a new one would strand every enrolled host)"
    )]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
    /// A certificate cannot be made.
    #[error("cannot issue a certificate for {subject}")]
    Issue {
        /// For whom.
        subject: String,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
    /// The TLS library does not take a certificate or key of ours.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

/// A certificate signing request that is refused.
#[derive(Debug, thiserror::Error)]
pub enum CsrError {
    /// Longer than any honest one.
    #[error("the certificate signing request has {0} bytes, at most {max} are accepted", max = super::authority::MAX_CSR)]
    TooLarge(usize),
    /// Not a PKCS#10 request in PEM, or not signed by its own key.
    #[error("the certificate signing request cannot be used")]
    Malformed(#[source] rcgen::Error),
    /// Its key is of another kind than we take.
    #[error("the key of the certificate signing request is neither ECDSA P-256 nor Ed25519")]
    KeyAlgorithm,
    /// The certificate cannot be made.
    #[error("the certificate cannot be issued")]
    Issue(#[source] PkiError),
}
