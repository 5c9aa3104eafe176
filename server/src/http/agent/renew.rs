//! A new certificate for an old one, also for one that ended while the host was away.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use holdfast_schemas::enrol::{Identity, RenewRequest};
use holdfast_schemas::secret::SealingKey;
use holdfast_store::{Certificate, HostRecord, StoreError, with};
use jiff::Timestamp;

use crate::context::Server;
use crate::http::enrol::{certify, check_sealing_key, identity, on_record};
use crate::http::identity::refuse;
use crate::http::limit::SIGNING_COST;
use crate::http::{Document, Refusal, RenewalIdentity};
use crate::pki::RENEWAL_GRACE;

/// `POST /v1/agent/renew`.
pub(in crate::http) async fn renew(
    State(server): State<Arc<Server>>,
    who: RenewalIdentity,
    Document(ask, _room): Document<RenewRequest>,
) -> Result<Json<Identity>, Refusal> {
    let now = Timestamp::now();
    let name = who.host().name().clone();
    server.intake.admit(&name, SIGNING_COST)?;
    check_sealing_key(&ask.sealing_key)?;
    let certificate = certify(&server, &name, &ask.csr, now)?;
    let added = on_record(&certificate);
    let (at_work, renewed) = (server.clone(), name.clone());
    let taken = with(&server.store, move |store| {
        let (judgement, judged) = std::sync::mpsc::sync_channel(1);
        store.update_host(
            &renewed,
            Box::new(move |record| {
                let judged = match who.still_good(record, now) {
                    Ok(()) => Ok(take(record, (added, ask.sealing_key), now)),
                    Err(denied) => Err(denied),
                };
                // Somebody listens: it is the store's word whether this runs at all.
                let _ = judgement.send(judged);
            }),
        )?;
        at_work.hosts.refresh(store, &renewed)?;
        Ok::<_, StoreError>(judged.try_recv().unwrap_or(Ok(Keys::AsBefore)))
    })
    .await?;
    match taken {
        Err(denied) => return Err(refuse(&denied, &name)),
        Ok(Keys::Other) => server.facts_have_changed(),
        Ok(Keys::AsBefore) => {}
    }
    tracing::info!(host.name = %name, expires = %certificate.expires, "renewed a certificate");
    Ok(Json(identity(&server, name, certificate)))
}

/// Whether a host's secrets are to be sealed anew.
enum Keys {
    AsBefore,
    Other,
}

/// Puts a renewal on record.
fn take(
    record: &mut HostRecord,
    (added, sealing_key): (Certificate, SealingKey),
    now: Timestamp,
) -> Keys {
    record
        .certificates
        .retain(|old| old.expires + RENEWAL_GRACE > now);
    record.add_certificate(added);
    match record.sealing_key.replace(sealing_key) == Some(sealing_key) {
        true => Keys::AsBefore,
        false => Keys::Other,
    }
}
