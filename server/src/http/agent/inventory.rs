//! What a host's agent found on it. Other facts than before make its catalog due again.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use holdfast_schemas::inventory::Inventory;
use holdfast_store::{StoreError, with};
use jiff::Timestamp;

use crate::context::Server;
use crate::http::{Document, HostIdentity, Refusal};

/// `PUT /v1/agent/inventory`.
pub(in crate::http) async fn put_inventory(
    State(server): State<Arc<Server>>,
    identity: HostIdentity,
    Document(inventory, room): Document<Inventory>,
) -> Result<StatusCode, Refusal> {
    server.intake.admit(identity.name(), room.bytes())?;
    let before = identity.host().record().facts;
    let (at_work, name) = (server.clone(), identity.name().clone());
    let record = with(&server.store, move |store| {
        let record = store.put_inventory(&name, inventory, Timestamp::now())?;
        at_work.hosts.refresh(store, &name)?;
        Ok::<_, StoreError>(record)
    })
    .await?;
    if record.facts != before {
        tracing::debug!(host.name = %record.name, "facts changed");
        server.facts_have_changed();
    }
    Ok(StatusCode::NO_CONTENT)
}
