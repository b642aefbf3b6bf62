//! Sign-in and refresh by our own flow, against a simulated vendor.

use std::sync::Arc;

use jiff::Timestamp;
use leadferry::config::CrmSettings;
use leadferry::crm::Crm;
use leadferry::crm::sign_in::vendor;
use leadferry::oauth::{Flow, Grant, SignIn, SignInStep, TokenKeeper, WAIT, Way, sign_in};
use leadferry::vault::Secret;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::sim::http;

/// The flow of one app at a vendor whose addresses are below `base`.
pub(super) fn flow(crm: &'static dyn Crm, base: &str, client_id: &str, secret: Option<&str>) -> Flow {
    let base = Some(base.to_owned());
    let settings = CrmSettings { client_id: Some(client_id.into()), base, ..CrmSettings::default() };
    let vendor = vendor(crm).unwrap();
    Flow::new(vendor, &settings, secret.map(Secret::new), http(), Arc::new(Timestamp::now)).unwrap()
}

/// Signs in with the address that a browser would end on pasted back.
pub(super) async fn pasted(flow: &Flow) -> Grant {
    let (steps, mut told) = mpsc::unbounded_channel::<SignInStep<()>>();
    let (paste, pasted) = mpsc::channel(1);
    let session = SignIn { way: Way::Address(None), steps, pasted, cancel: CancellationToken::new(), wait: WAIT };
    let person = async {
        while let Some(step) = told.recv().await {
            if let SignInStep::Open { authorize_url, .. } = step {
                let answer = http().get(authorize_url).send().await.unwrap();
                paste.send(answer.headers()["location"].to_str().unwrap().to_owned()).await.unwrap();
            }
        }
    };
    let (grant, ()) = tokio::join!(sign_in(flow, session), person);
    grant.unwrap()
}

/// Tokens that are renewed as those of a real connection are, with what the token answer said besides them.
pub(super) async fn kept(crm: &'static dyn Crm, base: &str, client: [&str; 2]) -> (TokenKeeper, Map<String, Value>) {
    let flow = flow(crm, base, client[0], Some(client[1]));
    let grant = pasted(&flow).await;
    let said = grant.tokens.extra.clone();
    (TokenKeeper::new(flow, grant, Box::new(|_| Box::pin(async { Ok(()) }))), said)
}
