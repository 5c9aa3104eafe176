//! What can go wrong between a client and a server, and whether trying again can help.

use std::error::Error;
use std::sync::Arc;

use holdfast_schemas::Problem;

/// Why a client could not be made: nothing was sent yet.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The server's address is not a URL.
    #[error("{url:?} is not the address of a server, which looks like https://HOST:PORT")]
    Address {
        /// The text given.
        url: String,
        /// What the parser says.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// A certificate or key is not readable PEM.
    #[error("{what} cannot be read as PEM")]
    Pem {
        /// Which one.
        what: &'static str,
        /// What the parser says.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// A PEM text holds no certificate at all.
    #[error("{what} holds no certificate")]
    NoCertificate {
        /// Which one.
        what: &'static str,
    },
    /// Certificate and key cannot be used.
    #[error("{what} cannot be used for TLS")]
    Tls {
        /// Which one.
        what: &'static str,
        /// What the TLS library says.
        #[source]
        source: rustls::Error,
    },
    /// The bearer token holds characters that no header may hold.
    #[error("the credential's token is not one: it holds characters that cannot be sent")]
    Token,
    /// The HTTP client could not be built.
    #[error("the HTTP client cannot be set up")]
    Http(#[source] reqwest::Error),
}

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The client could not be set up.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The server was not reached, is not the one that is trusted, or went away.
    #[error("{doing}: no answer from {server}")]
    Transport {
        /// What was asked for, as in `checking in`.
        doing: &'static str,
        /// The server's address.
        server: String,
        /// Whether the same call may succeed later.
        transient: bool,
        /// What happened.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server said no.
    #[error("{doing}: the server refused")]
    Refused {
        /// What was asked for.
        doing: &'static str,
        /// Why, in the server's words.
        #[source]
        problem: Problem,
    },
    /// The answer is not of the form agreed on.
    #[error("{doing}: the answer of {server} cannot be understood")]
    Malformed {
        /// What was asked for.
        doing: &'static str,
        /// The server's address.
        server: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer is larger than anything expected.
    #[error("{doing}: the answer of {server} has more than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        doing: &'static str,
        /// The server's address.
        server: String,
        /// The most that is accepted.
        limit: u64,
    },
}

impl ClientError {
    /// Whether the same call may succeed later without anybody doing anything about it.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport { transient, .. } => *transient,
            Self::Refused { problem, .. } => may_pass(problem.status),
            Self::Setup(_) | Self::Malformed { .. } | Self::TooLarge { .. } => false,
        }
    }

    /// The server's refusal, where it is one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused { problem, .. } => Some(problem),
            _ => None,
        }
    }
}

/// Statuses of a server that is overloaded, restarting or out of disk (RFC 9110, RFC 6585).
fn may_pass(status: u16) -> bool {
    status == 408 || status == 429 || status >= 500
}

/// What a verifier of ours said of a certificate. The TLS library shows it as debug text only.
pub(crate) fn own_judgement(error: &(dyn Error + 'static)) -> Option<Arc<dyn Error + Send + Sync>> {
    use rustls::{CertificateError, OtherError};
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return match tls {
                rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(said))) => {
                    Some(Arc::clone(said))
                }
                _ => None,
            };
        }
        cause = next_cause(error);
    }
    None
}

/// Whether an error of the transport may pass: a certificate that is not trusted does not get
/// trusted by trying again.
pub(crate) fn transport_may_pass(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return !speaks_of_trust(tls);
        }
        cause = next_cause(error);
    }
    true
}

/// The next error of a chain. An I/O error's `source()` leaves out the very error it wraps.
fn next_cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let wrapped = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    match wrapped {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn speaks_of_trust(error: &rustls::Error) -> bool {
    use rustls::AlertDescription as Alert;
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => true,
        rustls::Error::AlertReceived(alert) => matches!(
            alert,
            Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::CertificateRequired
                | Alert::UnknownCA
                | Alert::AccessDenied
        ),
        _ => false,
    }
}
