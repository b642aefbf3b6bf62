//! `leadferry webhook test`: one lead goes out, and the exchange is shown.

use std::path::Path;

use clap::Args;

use crate::cli::list::{first_lead, open};
use crate::cli::out::Out;
use crate::cli::session::{Session, ask};
use crate::engine::messages::{Reply, Request};
use crate::failure::{Code, Failure};
use crate::lead::{Cancel, Lead, Schema};
use crate::webhook::Exchange;

/// `leadferry webhook test`
#[derive(Debug, Args)]
pub struct Trial {
    /// The webhook
    name: String,
    /// The lead to send: a file and its row, counted from 1
    #[arg(long, value_name = "FILE:ROW", conflicts_with = "list")]
    lead: Option<String>,
    /// Send the first lead of this list; without either a made-up lead goes out
    #[arg(long, value_name = "LIST")]
    list: Option<String>,
}

impl Trial {
    /// Carries it out. Anything but a 2xx answer is a failure, after the exchange was shown.
    pub async fn run(self, session: &Session, out: &mut Out) -> Result<u8, Failure> {
        let lead = match (&self.lead, &self.list) {
            (Some(place), _) => Some(lead_at(place, out)?),
            (None, Some(list)) => Some(first_lead(session, list).await?),
            (None, None) => None,
        };
        let request = Request::TestWebhook { spec: None, name: Some(self.name.clone()), lead };
        let exchange = ask!(session, request, Reply::Tested(exchange) => exchange)?;
        if out.is_json() {
            out.json(&exchange)?;
        } else {
            show(&exchange, out)?;
        }
        match exchange.status {
            200..=299 => Ok(0),
            0 => Err(Failure::new(
                Code::Failed,
                format!("No answer from {}: {}", self.name, exchange.response.error),
                "Check the address, and whether the receiver runs.",
            )),
            status => Err(Failure::new(
                Code::Failed,
                format!("{} answered {status}; only 2xx counts as delivered.", self.name),
                "See the response above for the receiver's reason.",
            )),
        }
    }
}

/// The lead at `FILE:ROW`.
fn lead_at(place: &str, out: &mut Out) -> Result<(Schema, Lead), Failure> {
    let parsed = place.rsplit_once(':').and_then(|(file, row)| Some((file, row.parse::<u32>().ok()?.checked_sub(1)?)));
    let Some((file, row)) = parsed else {
        let remedy = "Write the file, a colon and the row, counted from 1: prospects.csv:1";
        return Err(Failure::new(Code::Usage, format!("--lead {place} names no row."), remedy));
    };
    let table = open(Path::new(file), &Cancel::new(), out)?;
    if row >= table.len() {
        let message = format!("{file} has {} leads and no row {}.", table.len(), row + 1);
        return Err(Failure::new(Code::Usage, message, "Name one of them."));
    }
    Ok(((**table.schema()).clone(), table.lead(row)?))
}

fn show(exchange: &Exchange, out: &mut Out) -> Result<(), Failure> {
    let Exchange { status, ms, request, response } = exchange;
    out.line(format!("{} {}", request.method, request.url))?;
    for (name, value) in &request.headers {
        out.line(format!("{name}: {value}"))?;
    }
    out.line("")?;
    out.page(&request.body)?;
    out.line("")?;
    if *status == 0 {
        return out.line(format!("No answer after {ms} ms: {}", response.error));
    }
    out.line(format!("{status} after {ms} ms"))?;
    for (name, value) in &response.headers {
        out.line(format!("{name}: {value}"))?;
    }
    out.line("")?;
    out.page(&response.body)
}
