//! `leadferry webhook log` and `replay`: what was sent, and sending it again.

use serde_json::json;

use crate::cli::columns::{Columns, time};
use crate::cli::follow::outcome;
use crate::cli::list::counted;
use crate::cli::out::Out;
use crate::cli::session::{Session, ask};
use crate::engine::messages::{Reply, Request};
use crate::failure::Failure;

/// Shows deliveries, newest first.
pub async fn log(session: &Session, out: &mut Out, webhook: Option<String>, limit: usize) -> Result<u8, Failure> {
    let request = Request::Deliveries { webhook, run: None, limit };
    let deliveries = ask!(session, request, Reply::Deliveries(all) => all)?;
    if out.is_json() {
        out.json(&deliveries)?;
        return Ok(0);
    }
    let mut table = Columns::new(&["Delivery", "Webhook", "Time", "Outcome", "#Tries", "Answer", "#ms", "Leads"]);
    for one in deliveries {
        let became = outcome(one.outcome).to_owned();
        let (tries, ms) = (one.attempts.to_string(), one.ms.to_string());
        table.row([one.id, one.webhook, time(one.time), became, tries, one.answer, ms, one.leads]);
    }
    table.print(out, "Nothing was sent yet.")?;
    Ok(0)
}

/// Queues one delivery, or all that were given up, again.
pub async fn replay(
    session: &Session,
    out: &mut Out,
    webhook: String,
    delivery: Option<String>,
) -> Result<u8, Failure> {
    let request = Request::Replay { webhook: webhook.clone(), delivery };
    let queued = ask!(session, request, Reply::Count(queued) => queued)?;
    if out.is_json() {
        out.json(&json!({ "webhook": webhook, "queued": queued }))?;
    } else {
        out.line(format!("Queued {} for {webhook} again.", counted(queued, "delivery", "deliveries")))?;
    }
    Ok(0)
}
