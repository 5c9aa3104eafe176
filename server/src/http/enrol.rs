//! Enrolment: a one-time token and a signing request for an identity.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use holdfast_schemas::enrol::{EnrolRequest, Identity};
use holdfast_schemas::secret::SealingKey;
use holdfast_schemas::{Digest, HostName};
use holdfast_secrets::HostKey;
use holdfast_store::{Certificate, Claim, Enrolment, RedeemError, TokenRefusal, with};
use jiff::Timestamp;

use super::{Connection, Document, Refusal};
use crate::context::Server;
use crate::pki::{CsrError, HostCertificate};

/// How long an enrolment waits for a server that has just started to know its site.
const SITE_DEADLINE: Duration = Duration::from_secs(5);

/// `POST /v1/enrol`.
pub(super) async fn enrol(
    State(server): State<Arc<Server>>,
    Extension(connection): Extension<Arc<Connection>>,
    Attempt: Attempt,
    Document(ask, _room): Document<EnrolRequest>,
) -> Result<Json<Identity>, Refusal> {
    let name = ask.name.clone();
    let enrolled = admit(&server, ask).await;
    match &enrolled {
        Ok(_) => tracing::info!(host.name = %name, peer = %connection.address, "enrolled"),
        Err(_) => tracing::warn!(host.name = %name, peer = %connection.address, "refused to enrol"),
    }
    let certificate = enrolled?;
    server.facts_have_changed();
    Ok(Json(identity(&server, name, certificate)))
}

async fn admit(server: &Arc<Server>, ask: EnrolRequest) -> Result<HostCertificate, Refusal> {
    let claim = claim(&ask);
    let now = Timestamp::now();
    check_sealing_key(&ask.sealing_key)?;
    // The signing costs more than the look: whoever has no token gets none of it.
    let shown = claim.clone();
    let bound = with(&server.store, move |store| {
        store.check_token(&shown, now)?;
        let token = store.token(&shown.secret)?;
        Ok::<_, RedeemError>(token.is_some_and(|token| token.host.is_some()))
    })
    .await
    .map_err(refuse)?;
    if !bound {
        refuse_declared(server, &ask.name).await?;
    }
    let certificate = certify(server, &ask.name, &ask.csr, now)?;
    let enrolment = Enrolment {
        claim,
        certificate: on_record(&certificate),
        sealing_key: Some(ask.sealing_key),
    };
    let at_work = server.clone();
    with(&server.store, move |store| {
        let name = enrolment.claim.name.clone();
        store.redeem(enrolment, now)?;
        at_work.hosts.refresh(store, &name)?;
        Ok::<_, RedeemError>(())
    })
    .await
    .map_err(refuse)?;
    Ok(certificate)
}

/// What a request claims. Its keys make it the same one when it comes again: an answer that was
/// lost costs no token, and who saw the token cannot have other keys put in the place of these.
fn claim(ask: &EnrolRequest) -> Claim {
    let sealing_key = ask.sealing_key.to_string();
    let keys = [&*ask.csr, "\0", &*sealing_key];
    Claim {
        secret: Digest::of(ask.secret.as_bytes()),
        name: ask.name.clone(),
        request: Digest::of(keys.concat()),
    }
}

/// Refuses a key that keeps nothing secret.
pub(super) fn check_sealing_key(key: &SealingKey) -> Result<(), Refusal> {
    match HostKey::new(key) {
        Some(_) => Ok(()),
        None => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "sealing_key_refused",
            "what is sealed to this key would be open to everybody",
        )
        .hint("send the public part of an X25519 key that was drawn at random")),
    }
}

/// A token bound to no name cannot claim a host that the repo names, in a file of its own or in a
/// group: its catalog, and what is secret in it, would go to whoever asks first.
async fn refuse_declared(server: &Server, name: &HostName) -> Result<(), Refusal> {
    let mut settled = server.settled.subscribe();
    let _ = tokio::time::timeout(SITE_DEADLINE, settled.wait_for(|settled| *settled)).await;
    let hint = format!("use a token made for it: `holdfast token create --host {name}`");
    let Some(active) = server.active.load_full() else {
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "site_unknown",
            "no revision of the site compiled yet, so the server cannot tell whether the name is taken",
        )
        .hint(hint));
    };
    if active.site.names(name) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "name_taken",
            format!("the catalog repo names {name}, and this token is bound to no name"),
        )
        .hint(hint));
    }
    Ok(())
}

/// Issues a host's certificate; it is worth nothing until it is on record.
pub(super) fn certify(
    server: &Server,
    name: &HostName,
    csr: &str,
    now: Timestamp,
) -> Result<HostCertificate, Refusal> {
    let issued = server.pki.authority.certify_host(name, csr, now);
    issued.map_err(|error| match &error {
        CsrError::Issue(failure) => Refusal::failed("issue a certificate", failure),
        _ => Refusal::new(
            StatusCode::BAD_REQUEST,
            "csr_refused",
            "the certificate signing request is refused",
        )
        .because(&error)
        .hint("send a PKCS#10 request in PEM, signed with an ECDSA P-256 or Ed25519 key"),
    })
}

pub(super) fn on_record(certificate: &HostCertificate) -> Certificate {
    Certificate {
        serial: certificate.serial.clone(),
        fingerprint: certificate.fingerprint,
        expires: certificate.expires,
    }
}

pub(super) fn identity(server: &Server, name: HostName, certificate: HostCertificate) -> Identity {
    Identity {
        name,
        certificate: certificate.chain,
        ca: server.pki.authority.pem().to_owned(),
        catalog_keys: vec![server.pki.signer.public().clone()],
        expires: certificate.expires,
    }
}

fn refuse(error: RedeemError) -> Refusal {
    let refused = match error {
        RedeemError::Store(error) => return error.into(),
        RedeemError::Refused(refused) => refused,
    };
    let code = match &refused {
        TokenRefusal::Unknown => "token_unknown",
        TokenRefusal::Expired(_) => "token_expired",
        TokenRefusal::Used(_) => "token_used",
        TokenRefusal::WrongHost(_) => "token_wrong_host",
        TokenRefusal::NameTaken(_) => "name_taken",
    };
    let hint = match &refused {
        TokenRefusal::NameTaken(name) => {
            format!("use a token made for it: `holdfast token create --host {name}`")
        }
        _ => "make a new token with `holdfast token create`".to_owned(),
    };
    // Whom a token was used for, or is for, is nobody's business who only has the token.
    let message = match refused {
        TokenRefusal::Used(_) => "the enrolment token was used already".to_owned(),
        other => other.to_string(),
    };
    Refusal::new(StatusCode::FORBIDDEN, code, message).hint(hint)
}

/// One attempt of the peer's address, taken before its body is read.
pub(super) struct Attempt;

impl axum::extract::FromRequestParts<Arc<Server>> for Attempt {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        server: &Arc<Server>,
    ) -> Result<Self, Refusal> {
        let connection = parts.extensions.get::<Arc<Connection>>();
        let allowed = connection.is_some_and(|known| {
            server
                .attempts
                .take(known.address.ip(), Instant::now())
                .is_ok()
        });
        match allowed {
            true => Ok(Self),
            false => Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_attempts",
                "too many attempts to enrol from this address; try again in a while",
            )),
        }
    }
}
