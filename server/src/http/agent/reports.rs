//! Reports: on disk before the receipt, and counted once however often they are sent.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use holdfast_schemas::agent_api::Receipt;
use holdfast_schemas::report::{REPORT_FORMAT, Report};
use holdfast_store::{Appended, StoreError, with};
use jiff::Timestamp;

use crate::context::Server;
use crate::http::{Document, HostIdentity, Refusal};

/// Hexadecimal digits of an incarnation.
const INCARNATION: usize = 32;

/// `POST /v1/agent/reports`.
pub(in crate::http) async fn post_report(
    State(server): State<Arc<Server>>,
    identity: HostIdentity,
    Document(report, room): Document<Report>,
) -> Result<Json<Receipt>, Refusal> {
    refuse_strange(&identity, &report)?;
    server.intake.admit(identity.name(), room.bytes())?;
    let id = report.id.clone();
    let (at_work, name) = (server.clone(), identity.name().clone());
    let appended = with(&server.store, move |store| {
        let appended = store.append_report(report, Timestamp::now())?;
        at_work.hosts.refresh(store, &name)?;
        Ok::<_, StoreError>(appended)
    })
    .await?;
    match appended {
        Appended::New | Appended::Known => Ok(Json(Receipt {
            report: id,
            known: appended == Appended::Known,
        })),
        Appended::Forked => {
            tracing::warn!(host.name = %identity.name(), report.sequence = id.sequence,
                "two different reports came under one number");
            Err(Refusal::new(
                StatusCode::CONFLICT,
                "report_forked",
                "another report came under this incarnation and sequence",
            )
            .hint("two machines share one state folder's copy, or it was set back: enrol this one anew"))
        }
    }
}

fn refuse_strange(identity: &HostIdentity, report: &Report) -> Result<(), Refusal> {
    if report.host != *identity.name() {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "report_of_another_host",
            format!("{} cannot report for {}", identity.name(), report.host),
        ));
    }
    if report.format != REPORT_FORMAT {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "report_format",
            format!(
                "the report has format {}, this server reads format {REPORT_FORMAT}",
                report.format
            ),
        ));
    }
    let digits = report.id.incarnation.as_bytes();
    let is_digit = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != INCARNATION || !digits.iter().all(is_digit) || report.id.sequence == 0 {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "report_id_malformed",
            "a report's incarnation is 32 lower-case hexadecimal digits and its sequence at least 1",
        ));
    }
    Ok(())
}
