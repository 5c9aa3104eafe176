//! The fleet: every host that enrolled or that the repo declares.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use holdfast_schemas::HostName;
use holdfast_schemas::inventory::Inventory;
use holdfast_schemas::operator_api::{HostSummary, Page};
use holdfast_store::{StoreError, with};
use jiff::Timestamp;

use super::PageAsked;
use crate::context::Server;
use crate::fleet::status;
use crate::http::Refusal;

/// Every host there is to speak of.
pub(super) fn names(server: &Server) -> BTreeSet<HostName> {
    let mut names: BTreeSet<HostName> = server
        .hosts
        .all()
        .iter()
        .map(|entry| entry.name().clone())
        .collect();
    if let Some(active) = server.active.load_full() {
        names.extend(active.site.hosts().cloned());
    }
    names
}

/// `GET /v1/hosts`.
pub(in crate::http) async fn hosts(
    State(server): State<Arc<Server>>,
    asked: PageAsked,
) -> Result<Json<Page<HostSummary>>, Refusal> {
    let after = match asked.after.as_deref().map(str::parse::<HostName>) {
        None => Bound::Unbounded,
        Some(Ok(after)) => Bound::Excluded(after),
        Some(Err(_)) => {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "query_malformed",
                "`after` is what the page before gave as `next`",
            ));
        }
    };
    let all = names(&server);
    let mut rest = all.range((after, Bound::Unbounded)).cloned();
    let wanted: Vec<HostName> = rest.by_ref().take(asked.limit).collect();
    let next = rest.next().and(wanted.last()).map(HostName::to_string);
    let rows = with(&server.store, move |store| {
        let now = Timestamp::now();
        let row = |name: HostName| {
            let record = store.host(&name)?;
            Ok::<_, StoreError>(match record {
                Some(record) => status::summary(&record, now),
                None => status::never_enrolled(name),
            })
        };
        wanted.into_iter().map(row).collect::<Result<Vec<_>, _>>()
    })
    .await?;
    Ok(Json(Page { rows, next }))
}

/// `GET /v1/hosts/{name}`.
pub(in crate::http) async fn host(
    State(server): State<Arc<Server>>,
    name: Result<Path<HostName>, PathRejection>,
) -> Result<Json<HostSummary>, Refusal> {
    let name = host_name(name)?;
    let asked = name.clone();
    let record = with(&server.store, move |store| store.host(&asked)).await?;
    if let Some(record) = record {
        return Ok(Json(status::summary(&record, Timestamp::now())));
    }
    match names(&server).contains(&name) {
        true => Ok(Json(status::never_enrolled(name))),
        false => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "host_unknown",
            format!("no host {name} is enrolled or declared in the repo"),
        )),
    }
}

/// `GET /v1/hosts/{name}/inventory`.
pub(in crate::http) async fn inventory(
    State(server): State<Arc<Server>>,
    name: Result<Path<HostName>, PathRejection>,
) -> Result<Json<Inventory>, Refusal> {
    let name = host_name(name)?;
    let asked = name.clone();
    let stored = with(&server.store, move |store| store.inventory(&asked)).await?;
    let stored = stored.ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "inventory_unknown",
            format!("no inventory of {name} was handed in"),
        )
    })?;
    Ok(Json(stored.inventory))
}

fn host_name(name: Result<Path<HostName>, PathRejection>) -> Result<HostName, Refusal> {
    name.map(|Path(name)| name).map_err(|error| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "host_name_malformed",
            "this cannot be the name of a host",
        )
        .because(&error)
    })
}
