//! What the server says of itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use holdfast_schemas::operator_api::ServerStatus;

use super::hosts::names;
use crate::context::Server;

/// `GET /v1/status`.
pub(in crate::http) async fn status(State(server): State<Arc<Server>>) -> Json<ServerStatus> {
    let revisions = server.revisions.load_full();
    Json(ServerStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        active: revisions.active.clone(),
        refused: revisions.refused.clone(),
        hosts: names(&server).len() as u64,
        agents: Some(server.agents.clone()),
        recipients: server.secrets.keyring.recipients(),
    })
}
