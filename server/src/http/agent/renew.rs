//! A new certificate for an old one, also for one that ended while the host was away.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use holdfast_schemas::enrol::{Identity, RenewRequest};
use holdfast_store::{Certificate, StoreError, with};
use jiff::Timestamp;

use crate::context::Server;
use crate::http::enrol::{certify, identity, on_record};
use crate::http::identity::refuse;
use crate::http::limit::SIGNING_COST;
use crate::http::{Document, Refusal, RenewalIdentity};
use crate::pki::RENEWAL_GRACE;

/// Most certificates on record for a host; the oldest goes first. An agent whose answer got lost
/// renews again, with the certificate it still has.
const MAX_CERTIFICATES: usize = 8;

/// `POST /v1/agent/renew`.
pub(in crate::http) async fn renew(
    State(server): State<Arc<Server>>,
    who: RenewalIdentity,
    Document(ask, _room): Document<RenewRequest>,
) -> Result<Json<Identity>, Refusal> {
    let now = Timestamp::now();
    let name = who.host().name().clone();
    server.intake.admit(&name, SIGNING_COST)?;
    let certificate = certify(&server, &name, &ask.csr, now)?;
    let added = on_record(&certificate);
    let (at_work, renewed) = (server.clone(), name.clone());
    let denied = with(&server.store, move |store| {
        let (judgement, judged) = std::sync::mpsc::sync_channel(1);
        store.update_host(
            &renewed,
            Box::new(move |record| {
                let denied = who.still_good(record, now).err();
                if denied.is_none() {
                    add(&mut record.certificates, added, now);
                }
                // Somebody listens: it is the store's word whether this runs at all.
                let _ = judgement.send(denied);
            }),
        )?;
        at_work.hosts.refresh(store, &renewed)?;
        Ok::<_, StoreError>(judged.try_recv().ok().flatten())
    })
    .await?;
    if let Some(denied) = denied {
        return Err(refuse(&denied, &name));
    }
    tracing::info!(host.name = %name, expires = %certificate.expires, "renewed a certificate");
    Ok(Json(identity(&server, name, certificate)))
}

/// Puts a certificate on record, within the bound.
fn add(known: &mut Vec<Certificate>, added: Certificate, now: Timestamp) {
    known.retain(|old| old.expires + RENEWAL_GRACE > now);
    let surplus = (known.len() + 1).saturating_sub(MAX_CERTIFICATES);
    known.drain(..surplus);
    known.push(added);
}
