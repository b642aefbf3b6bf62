//! Sign-in and runs against the simulated Salesforce and HubSpot, which check every call against the vendors' specifications.

use leadferry::engine::messages::{Reply, Request, SignInStep};
use leadferry::events::EventName;
use leadferry::failure::Code;
use leadferry::oauth::Method;
use leadferry::sync::{Outcome, RunState};
use leadferry::vault::Secret;
use serde_json::{Value, json};

use super::desk::{Desk, LIST, answer, connected, counts, leads, over, step, to, until, wish};
use super::peers::{self, Peer};

/// Both vendors' redirect address is on one fixed port, so that only one sign-in can be under way.
static PORT: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The simulator, and an engine that takes it for the vendor.
struct Vendor {
    platform: &'static str,
    peer: Peer,
    desk: Desk,
}

impl Vendor {
    async fn start(platform: &'static str) -> Option<Vendor> {
        let peer = peers::start("crm-sim", &[])?;
        // Salesforce: an app without a secret, whose refresh token rotates.
        let app = match platform {
            "salesforce" => "client_id = \"leadferry-sf-public\"",
            _ => "client_id = \"leadferry-hubspot\"\nclient_secret = \"hubspot-secret\"",
        };
        let settings = format!("[crm.{platform}]\nbase = \"http://127.0.0.1:{}/{platform}\"\n{app}", peer.port);
        let vendor = Vendor { platform, peer, desk: Desk::with(&settings).await };
        vendor.test("config", json!({"platform": "hubspot", "rotate_refresh": true})).await;
        Some(vendor)
    }

    async fn restart(self) -> Vendor {
        Vendor { desk: self.desk.restart().await, ..self }
    }

    fn destination(&self) -> String {
        format!("crm:{}", self.platform)
    }

    fn url(&self, what: &str) -> String {
        format!("http://127.0.0.1:{}/_test/{what}", self.peer.port)
    }

    async fn test(&self, what: &str, body: Value) {
        let sent = self.desk.http.post(self.url(what)).json(&body).send().await.expect("an answer");
        assert!(sent.status().is_success(), "{what}");
    }

    async fn state(&self) -> Value {
        let url = self.url(&format!("state?platform={}", self.platform));
        self.desk.http.get(url).send().await.expect("an answer").json().await.expect("JSON")
    }

    /// Signs in as a person does: opens the address, which the simulator approves at once, and lets the browser come back, or
    /// pastes where it ended.
    async fn sign_in(&self, method: Method) {
        let _port = PORT.lock().await;
        let (number, mut events) = self.desk.begin_sign_in(wish(self.platform, method)).await;
        let SignInStep::Open { authorize_url, listening, .. } = step(number, &mut events).await else {
            panic!("no address to open")
        };
        let sent = self.desk.http.get(authorize_url).send().await.expect("an answer");
        let back = sent.headers()["location"].to_str().expect("an address").to_owned();
        match (method, listening) {
            (Method::Browser, Ok(())) => {
                assert!(self.desk.http.get(back).send().await.expect("thanks").status().is_success());
            }
            // Somebody else on this machine may have the port.
            _ => answer!(self.desk, Request::AnswerSignIn { sign_in: number, text: back }, Reply::Done => ()),
        }
        let connection = connected(number, &mut events).await.expect("a connection");
        assert!(!connection.who.id.is_empty() && !connection.who.user.is_empty(), "{:?}", connection.who);
    }

    /// 300 leads arrive once each, in the group, by the vendor's rules.
    async fn brings_three_hundred(&self) {
        let desk = &self.desk;
        desk.save(&leads(300)).await;
        let plan = Request::Plan { list: LIST.into(), destination: to(&self.destination()) };
        let plan = answer!(desk, plan, Reply::Plan(plan) => plan);
        assert_eq!((plan.leads, plan.settings.group.as_str()), (300, LIST));
        assert!(!plan.account.is_empty() && !plan.fields.is_empty() && plan.calls > 2);
        let run = desk.send(&self.destination()).await;
        assert_eq!((run.state, counts(&run)), (RunState::Done, vec![(Outcome::Created, 300)]), "{:?}", run.trouble);
        self.holds(300).await;
        let synced = (self.platform.to_owned(), 300, LIST.to_owned());
        assert_eq!(desk.events_of(EventName::LeadsSynced).await, [synced]);
        assert_eq!(desk.events_of(EventName::OauthCompleted).await.len(), 1);
    }

    /// What must be there after any run.
    async fn holds(&self, count: usize) -> Value {
        let state = self.state().await;
        assert_eq!((&state["spec_violations"], &state["duplicate_emails"]), (&json!([]), &json!({})));
        assert_eq!(state["rate_refusals"]["limit"], 0);
        assert_eq!(state["contact_count"], count);
        let groups = ["campaigns", "lists"].map(|kind| &state["groups"][kind][0]);
        let group = groups.into_iter().find(|group| group.is_object()).expect("a group");
        assert_eq!(group["members"].as_array().expect("members").len(), count);
        state
    }

    /// A token that expires in mid-run is renewed once, and the new refresh token outlives the program.
    async fn renews_in_mid_run(self, write: &str) {
        self.desk.save(&leads(300)).await;
        self.test("faults", json!({"platform": self.platform, "kind": "expire_token_now", "match": write})).await;
        let run = self.desk.send(&self.destination()).await;
        assert_eq!(counts(&run), [(Outcome::Created, 300)], "{:?}", run.trouble);
        let state = self.holds(300).await;
        assert_eq!(state["oauth"]["refreshes"], 1);

        let vendor = self.restart().await;
        vendor.test("expire", json!({"platform": vendor.platform})).await;
        let account = String::new();
        let test = || Request::TestConnection { platform: vendor.platform.into(), account: account.clone() };
        answer!(vendor.desk, test(), Reply::Connections(one) => assert_eq!(one[0].trouble, None));
        let state = vendor.state().await;
        assert_eq!((&state["oauth"]["refreshes"], &state["oauth"]["refresh_reuse"]), (&json!(2), &json!(0)));

        // Ended at the vendor: the run stops, the connection says so, and a new sign-in mends both.
        let plan = Request::Plan { list: LIST.into(), destination: to(&vendor.destination()) };
        let settings = answer!(vendor.desk, plan, Reply::Plan(plan) => Some(plan.settings));
        vendor.test("expire", json!({"platform": vendor.platform})).await;
        let refused = json!({"platform": vendor.platform, "kind": "invalid_grant", "always": true});
        vendor.test("faults", refused).await;
        let destination = to(&vendor.destination());
        let confirmed = Request::StartRun { list: LIST.into(), destination, settings, mode: None };
        let stopped = vendor.desk.follow(confirmed).await;
        assert_eq!(stopped.state, RunState::Stopped);
        assert_eq!(stopped.trouble.map(|trouble| trouble.code), Some(Code::SignInNeeded));
        assert!(vendor.desk.connections().await[0].trouble.is_some());
        let cleared = vendor.desk.http.delete(vendor.url("faults")).send().await.expect("an answer");
        assert!(cleared.status().is_success());
        vendor.sign_in(Method::Paste).await;
        assert_eq!(vendor.desk.connections().await.len(), 1);
        let events = vendor.desk.engine.events();
        let again = vendor.desk.begin(&vendor.destination()).await;
        assert_eq!(again.id, stopped.id, "the run that was stopped goes on");
        assert_eq!(until(events, &again.id, over).await.state, RunState::Done);
        assert_eq!(vendor.desk.connections().await[0].trouble, None);
        vendor.holds(300).await;
    }
}

/// Leads would not reach a Salesforce org, or reach it twice.
#[tokio::test(flavor = "multi_thread")]
async fn salesforce_by_browser() {
    let Some(vendor) = Vendor::start("salesforce").await else { return };
    vendor.sign_in(Method::Browser).await;
    vendor.brings_three_hundred().await;
}

/// Leads would not reach a HubSpot account, or reach it twice.
#[tokio::test(flavor = "multi_thread")]
async fn hubspot_by_browser() {
    let Some(vendor) = Vendor::start("hubspot").await else { return };
    vendor.sign_in(Method::Browser).await;
    vendor.brings_three_hundred().await;
}

/// An account without an OAuth app could not be used.
#[tokio::test(flavor = "multi_thread")]
async fn hubspot_by_private_app_token() {
    let Some(vendor) = Vendor::start("hubspot").await else { return };
    let mut wish = wish("hubspot", Method::Token);
    wish.token = Some(Secret::new("pat-na1-sim-0001"));
    let (number, mut events) = vendor.desk.begin_sign_in(wish).await;
    connected(number, &mut events).await.expect("a connection");
    vendor.brings_three_hundred().await;
}

/// A long run would end with its first access token, or the program lose the account when it is closed.
#[tokio::test(flavor = "multi_thread")]
async fn salesforce_renews_its_token_in_mid_run() {
    let Some(vendor) = Vendor::start("salesforce").await else { return };
    vendor.sign_in(Method::Paste).await;
    vendor.renews_in_mid_run("PATCH .*composite/sobjects").await;
}

/// The same for HubSpot, with rotation switched on.
#[tokio::test(flavor = "multi_thread")]
async fn hubspot_renews_its_token_in_mid_run() {
    let Some(vendor) = Vendor::start("hubspot").await else { return };
    vendor.sign_in(Method::Paste).await;
    vendor.renews_in_mid_run("batch/upsert").await;
}
