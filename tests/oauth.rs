//! Signing in against a certified OAuth server that misbehaves on request: by callback, by paste, by device code; refreshing.

#![cfg(test)]

mod peers;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use leadferry::config::{CrmSettings, Network};
use leadferry::failure::{Code, Failure};
use leadferry::net;
use leadferry::oauth::{
    Answer, Client, Flow, Grant, OAuth, Opener, Persist, SecretIn, SignIn, SignInStep, Standard, TokenKeeper, Vendor,
    WAIT, Way, sign_in,
};
use leadferry::vault::Secret;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

/// The peer as a vendor. Its base replaces the host.
const OAUTH: OAuth = OAuth {
    authorize_url: "https://peer.test/auth",
    token_url: "https://peer.test/token",
    revoke_url: Some("https://peer.test/token/revocation"),
    device_url: Some("https://peer.test/device/auth"),
    scopes: &["openid", "crm.read"],
    scope_separator: " ",
    extra: &[],
    pkce: true,
    client: Client::Either,
    secret_in: SecretIn::Basic,
    redirect: "http://127.0.0.1:0/callback",
    answer: Answer::Query,
};

type Step = SignInStep<()>;

/// A running peer with its own client app, and a person's browser that follows links there.
struct Server {
    base: String,
    http: reqwest::Client,
    _peer: peers::Peer,
}

impl Server {
    async fn start(faults: Value) -> Option<Server> {
        let peer = peers::start("oauth-server", &[])?;
        let base = format!("http://127.0.0.1:{}", peer.port);
        let server = Server { base, http: net::client(&Network::default()).unwrap(), _peer: peer };
        server.faults(faults).await;
        Some(server)
    }

    async fn faults(&self, faults: Value) {
        self.http.post(format!("{}/_test/faults", self.base)).json(&faults).send().await.unwrap();
    }

    async fn seen(&self, grant_type: &str) -> usize {
        let seen: Value = self.get("/_test/seen").await;
        seen.as_array()
            .unwrap()
            .iter()
            .filter(|call| call["grant_type"].as_str().unwrap().ends_with(grant_type))
            .count()
    }

    async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}{path}", self.base)).send().await.unwrap().json().await.unwrap()
    }

    /// Goes through the server's pages and says where the browser would be sent to.
    async fn browse(&self, address: &str) -> Value {
        let mut url = Url::parse(&format!("{}/_test/browse", self.base)).unwrap();
        url.query_pairs_mut().append_pair("url", address);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    fn flow(&self) -> Flow {
        self.flow_of("tui-public", None, "20s")
    }

    fn flow_of(&self, client: &str, secret: Option<&str>, timeout: &str) -> Flow {
        let vendor = Vendor {
            id: "peer",
            name: "Peer CRM",
            oauth: OAUTH,
            account_hosts: &[],
            issuer: Some(self.base.clone()),
            quirks: Arc::new(Standard),
        };
        let settings =
            CrmSettings { client_id: Some(client.into()), base: Some(self.base.clone()), ..Default::default() };
        let http = net::client(&Network { timeout: timeout.into(), ..Default::default() }).unwrap();
        Flow::new(vendor, &settings, secret.map(Secret::from), http, Arc::new(Timestamp::now)).unwrap()
    }

    /// Signs in by the callback, as at a desk: the opener is the person's browser.
    async fn by_callback(&self, flow: Flow) -> (Result<Grant, Failure>, Vec<Step>) {
        let (opened, mut open) = mpsc::unbounded_channel();
        let opener: Opener = Arc::new(move |address: &Url| {
            opened.send(address.to_string()).unwrap();
            Ok(())
        });
        let session = Session::start(flow, Way::Address(Some(opener)), WAIT);
        let address = open.recv().await.unwrap();
        let landed = self.browse(&address).await;
        let location = landed["location"].as_str().unwrap_or_else(|| panic!("the browser did not come back: {landed}"));
        assert_eq!(self.http.get(location).send().await.unwrap().status(), 200);
        session.all_steps().await
    }

    async fn grant(&self) -> Grant {
        self.by_callback(self.flow()).await.0.unwrap()
    }
}

struct Session {
    steps: mpsc::UnboundedReceiver<Step>,
    paste: mpsc::Sender<String>,
    cancel: CancellationToken,
    outcome: JoinHandle<Result<Grant, Failure>>,
    told: Vec<Step>,
}

impl Session {
    fn start(flow: Flow, way: Way, wait: Duration) -> Session {
        let (tell, steps) = mpsc::unbounded_channel();
        let (paste, pasted) = mpsc::channel(4);
        let cancel = CancellationToken::new();
        let session = SignIn { way, steps: tell, pasted, cancel: cancel.clone(), wait };
        let outcome = tokio::spawn(async move { sign_in(&flow, session).await });
        Session { steps, paste, cancel, outcome, told: Vec::new() }
    }

    async fn step(&mut self) -> Step {
        let step = self.steps.recv().await.expect("the sign-in ended without this step");
        self.told.push(step.clone());
        step
    }

    /// The address to open and the port that listens.
    async fn opened(&mut self) -> (String, u16) {
        match self.step().await {
            SignInStep::Open { authorize_url, listening: Ok(()), port, .. } => (authorize_url, port),
            other => panic!("{other:?}"),
        }
    }

    async fn over(self) -> Result<Grant, Failure> {
        self.outcome.await.unwrap()
    }

    /// Waits until it is over; the outcome and all that was told.
    async fn all_steps(mut self) -> (Result<Grant, Failure>, Vec<Step>) {
        while let Some(step) = self.steps.recv().await {
            self.told.push(step);
        }
        (self.outcome.await.unwrap(), self.told)
    }
}

/// The failure a person reads: it names the vendor and what to do.
fn refused(outcome: Result<Grant, Failure>) -> Failure {
    let failure = outcome.expect_err("signed in although the server misbehaved");
    assert!(failure.message.contains("Peer CRM"), "{failure:?}");
    assert!(!failure.remedy.is_empty(), "{failure:?}");
    failure
}

#[tokio::test]
async fn at_a_desk_the_browser_brings_the_answer() {
    let Some(server) = Server::start(json!({})).await else { return };
    let (outcome, steps) = server.by_callback(server.flow()).await;
    let grant = outcome.unwrap();
    assert!(grant.tokens.refresh.is_some());
    assert!(grant.tokens.expires_at.unwrap() > Timestamp::now() + SignedDuration::from_mins(55));
    assert_eq!(grant.tokens.scopes, ["openid", "crm.read"]);
    assert!(matches!(steps[..], [SignInStep::Open { browser: true, .. }, SignInStep::Exchanging]), "{steps:?}");
    let me =
        server.http.get(format!("{}/me", server.base)).bearer_auth(grant.tokens.access.expose()).send().await.unwrap();
    assert_eq!(me.status(), 200);
    let flow = server.flow();
    assert_eq!(flow.revoke(&grant).await, Ok(true));
    let keeper = keeper(flow, grant, |_| {});
    let stale = keeper.current().await.unwrap().access;
    assert_eq!(keeper.refresh_after_401(&stale).await.unwrap_err().code, Code::SignInNeeded);
}

#[tokio::test]
async fn an_app_with_a_secret_signs_in_too() {
    let Some(server) = Server::start(json!({})).await else { return };
    let right = server.flow_of("tui-confidential", Some("test-only-secret"), "20s");
    assert!(server.by_callback(right).await.0.is_ok());
    let wrong = server.flow_of("tui-confidential", Some("forgotten"), "20s");
    let failure = refused(server.by_callback(wrong).await.0);
    assert_eq!(failure.code, Code::Forbidden);
    assert!(failure.remedy.contains("client_secret"), "{failure:?}");
}

#[tokio::test]
async fn without_a_browser_the_address_is_pasted() {
    let Some(server) = Server::start(json!({})).await else { return };
    for part in [0, 1, 2] {
        let mut session = Session::start(server.flow(), Way::Address(None), WAIT);
        let (address, _) = session.opened().await;
        let landed = server.browse(&address).await;
        let location = landed["location"].as_str().unwrap();
        let code = Url::parse(location).unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        session.paste.send("http://localhost/?code=foreign&state=foreign".into()).await.unwrap();
        assert!(matches!(session.step().await, SignInStep::Ignored { .. }));
        // As a terminal hands it over: wrapped and quoted; or its query; or the code alone.
        let (start, end) = location.split_at(30);
        let text = [format!("'{start}\n{end}'"), location.split_once('?').unwrap().1.to_owned(), code];
        session.paste.send(text[part].clone()).await.unwrap();
        let grant = session.over().await.unwrap();
        assert!(grant.tokens.refresh.is_some());
        assert!(!grant.callback.contains_key("code") && !grant.callback.contains_key("state"), "{:?}", grant.callback);
    }
}

#[tokio::test]
async fn a_refusal_is_told_by_callback_and_by_paste() {
    let Some(server) = Server::start(json!({"deny_consent": true})).await else { return };
    let failure = refused(server.by_callback(server.flow()).await.0);
    assert_eq!(failure.code, Code::SignInNeeded);
    assert_eq!(failure.message, "Peer CRM refused the sign-in: the person said no.");

    let mut session = Session::start(server.flow(), Way::Address(None), WAIT);
    let (address, _) = session.opened().await;
    let location = server.browse(&address).await["location"].as_str().unwrap().to_owned();
    session.paste.send(location).await.unwrap();
    assert_eq!(refused(session.over().await).message, failure.message);
    assert_eq!(server.seen("authorization_code").await, 0);
}

#[tokio::test]
async fn a_wrong_state_is_ignored_and_the_right_answer_still_wins() {
    let Some(server) = Server::start(json!({"wrong_state": true})).await else { return };
    let mut session = Session::start(server.flow(), Way::Address(None), WAIT);
    let (address, _) = session.opened().await;
    let wrong = server.browse(&address).await["location"].as_str().unwrap().to_owned();
    assert_eq!(server.http.get(&wrong).send().await.unwrap().status(), 400);
    let SignInStep::Ignored { reason } = session.step().await else { panic!("{:?}", session.told) };
    assert!(reason.contains("state"), "{reason}");
    assert_eq!(server.seen("authorization_code").await, 0, "a foreign code was used");

    server.faults(json!({"reset": true})).await;
    let right = server.browse(&address).await["location"].as_str().unwrap().to_owned();
    assert_eq!(server.http.get(&right).send().await.unwrap().status(), 200);
    assert!(session.over().await.is_ok());
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused() {
    let Some(server) = Server::start(json!({"wrong_iss": true})).await else { return };
    let failure = refused(server.by_callback(server.flow()).await.0);
    assert!(failure.message.contains("https://evil.example"), "{failure:?}");
    assert_eq!(server.seen("authorization_code").await, 0, "the code was sent although the issuer was wrong");
}

#[tokio::test]
async fn a_token_endpoint_in_trouble_is_told_in_words() {
    let Some(server) = Server::start(json!({})).await else { return };
    for (faults, words) in [
        (json!({"token_500": 1}), "HTTP 500"),
        (json!({"token_garbage": 1}), "a page instead of data"),
        (json!({"token_drop": 1}), "cut before its answer arrived"),
        (json!({"token_429": "always"}), "too busy"),
    ] {
        server.faults(faults).await;
        let failure = refused(server.by_callback(server.flow()).await.0);
        assert!(failure.message.contains(words), "{words}: {failure:?}");
        server.faults(json!({"reset": true})).await;
    }
}

#[tokio::test]
async fn a_busy_token_endpoint_is_waited_for() {
    let Some(server) = Server::start(json!({"token_429": 1})).await else { return };
    let begun = std::time::Instant::now();
    assert!(server.by_callback(server.flow()).await.0.is_ok());
    assert!(begun.elapsed() >= Duration::from_secs(1), "Retry-After was not kept");
    assert_eq!(server.seen("authorization_code").await, 2);
}

#[tokio::test]
async fn a_slow_token_endpoint_is_waited_for_until_the_timeout() {
    let Some(server) = Server::start(json!({"token_delay_ms": 300})).await else { return };
    assert!(server.by_callback(server.flow()).await.0.is_ok());
    server.faults(json!({"token_delay_ms": 10_000})).await;
    let failure = refused(server.by_callback(server.flow_of("tui-public", None, "300ms")).await.0);
    assert!(failure.message.contains("did not answer in time"), "{failure:?}");
}

#[tokio::test]
async fn a_device_code_is_approved_elsewhere() {
    let Some(server) = Server::start(json!({})).await else { return };
    let mut session = Session::start(server.flow(), Way::Device, WAIT);
    let SignInStep::Device { user_code, verification_uri, verification_uri_complete, expires } = session.step().await
    else {
        panic!("{:?}", session.told)
    };
    assert!(!user_code.is_empty() && verification_uri.starts_with(&server.base));
    assert!(expires > Timestamp::now() + SignedDuration::from_mins(4));
    server.browse(&verification_uri_complete.unwrap()).await;
    let grant = session.over().await.unwrap();
    assert!(!grant.tokens.access.expose().is_empty());
}

#[tokio::test]
async fn a_device_code_that_is_refused_or_never_typed_says_so() {
    let Some(server) = Server::start(json!({"deny_consent": true})).await else { return };
    let mut session = Session::start(server.flow(), Way::Device, WAIT);
    let SignInStep::Device { verification_uri_complete, .. } = session.step().await else {
        panic!("{:?}", session.told)
    };
    server.browse(&verification_uri_complete.unwrap()).await;
    assert_eq!(refused(session.over().await).code, Code::SignInNeeded);

    let session = Session::start(server.flow(), Way::Device, Duration::from_millis(50));
    assert!(refused(session.over().await).message.contains("No answer"));
}

#[tokio::test]
async fn esc_and_the_time_limit_free_the_port() {
    let Some(server) = Server::start(json!({})).await else { return };
    let mut session = Session::start(server.flow(), Way::Address(None), WAIT);
    let (_, port) = session.opened().await;
    session.cancel.cancel();
    assert_eq!(session.over().await.unwrap_err().code, Code::Cancelled);
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok(), "Esc left port {port} taken");

    let mut session = Session::start(server.flow(), Way::Address(None), Duration::from_millis(50));
    let (_, port) = session.opened().await;
    let failure = refused(session.over().await);
    assert_eq!(failure.code, Code::SignInNeeded);
    assert!(failure.message.contains("within 1 s"), "{failure:?}");
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok(), "the time limit left port {port} taken");
}

/// A keeper that tells each stored refresh token.
fn keeper(flow: Flow, grant: Grant, stored: impl Fn(String) + Send + Sync + 'static) -> TokenKeeper {
    let persist: Persist = Box::new(move |tokens| {
        stored(tokens.refresh.unwrap().expose().to_owned());
        async { Ok(()) }.boxed()
    });
    TokenKeeper::new(flow, grant, persist)
}

#[tokio::test]
async fn ten_waiters_cause_one_refresh_and_the_rotated_token_is_stored_first() {
    let Some(server) = Server::start(json!({"access_ttl": 30})).await else { return };
    let grant = server.grant().await;
    let first = grant.tokens.refresh.as_ref().unwrap().expose().to_owned();
    let stored = Arc::new(Mutex::new(Vec::new()));
    let log = stored.clone();
    let keeper = keeper(server.flow(), grant, move |token| log.lock().unwrap().push(token));
    let tokens = join_all((0..10).map(|_| keeper.current())).await;
    let stored = stored.lock().unwrap().clone();
    assert_eq!(server.seen("refresh_token").await, 1);
    assert_eq!(stored.len(), 1);
    assert_ne!(stored[0], first, "the server rotates, but the old token was kept");
    for tokens in tokens {
        assert_eq!(tokens.unwrap().refresh.unwrap().expose(), stored[0]);
    }
}

#[tokio::test]
async fn a_token_that_died_is_renewed_after_a_401_again_and_again() {
    let Some(server) = Server::start(json!({})).await else { return };
    let keeper = keeper(server.flow(), server.grant().await, |_| {});
    for renewed in 1..=3 {
        let stale = keeper.current().await.unwrap().access;
        let fresh = keeper.refresh_after_401(&stale).await.unwrap().access;
        assert_ne!(fresh.expose(), stale.expose());
        assert_eq!(server.seen("refresh_token").await, renewed);
    }
}

#[tokio::test]
async fn a_connection_that_the_vendor_ended_asks_for_a_sign_in() {
    let Some(server) = Server::start(json!({"refresh_invalid_grant": 1, "access_ttl": 1})).await else { return };
    let keeper = keeper(server.flow(), server.grant().await, |_| {});
    for _ in 0..2 {
        let failure = keeper.current().await.unwrap_err();
        assert_eq!(failure.code, Code::SignInNeeded);
        assert_eq!(failure.message, "Peer CRM has ended the connection: revoked by the admin.");
    }
    assert_eq!(server.seen("refresh_token").await, 1, "a dead refresh token was tried again");
}

#[tokio::test]
async fn a_refresh_sits_out_passing_trouble() {
    let Some(server) = Server::start(json!({})).await else { return };
    let keeper = keeper(server.flow(), server.grant().await, |_| {});
    for faults in [json!({"token_500": 2}), json!({"token_garbage": 1}), json!({"token_429": 1})] {
        server.faults(faults.clone()).await;
        let stale = keeper.current().await.unwrap().access;
        let fresh = keeper.refresh_after_401(&stale).await;
        assert!(fresh.is_ok(), "{faults}: {fresh:?}");
    }
    server.faults(json!({"token_500": 3})).await;
    let stale = keeper.current().await.unwrap().access;
    let failure = keeper.refresh_after_401(&stale).await.unwrap_err();
    assert!(failure.code == Code::Failed && failure.message.contains("HTTP 500"), "{failure:?}");
    assert!(keeper.refresh_after_401(&stale).await.is_ok(), "the refresh token was forgotten");
}

#[tokio::test]
async fn a_rotated_token_lost_on_the_way_ends_in_words() {
    let Some(server) = Server::start(json!({})).await else { return };
    let keeper = keeper(server.flow(), server.grant().await, |_| {});
    server.faults(json!({"token_drop": 1})).await;
    let stale = keeper.current().await.unwrap().access;
    let failure = keeper.refresh_after_401(&stale).await.unwrap_err();
    assert_eq!(failure.code, Code::SignInNeeded);
    assert!(failure.message.contains("ended the connection") && failure.remedy.contains("--reconnect"), "{failure:?}");
}
