//! Calls against a scripted server: signing, refreshing, the classes that broken answers fall into, addresses.

use std::sync::atomic::AtomicUsize;

use wiremock::matchers::{any, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::config::{Network, Rate};
use crate::crm::credentials::FixedToken;
use crate::crm::hubspot::HubSpot;
use crate::crm::salesforce::Salesforce;

/// Hands out `new` after `old` was refused, and counts how often it is asked to.
struct Renewable(AtomicUsize);

#[async_trait::async_trait]
impl Credentials for Renewable {
    async fn current(&self) -> Result<Secret, Failure> {
        Ok(Secret::new("old"))
    }

    async fn refresh_after(&self, stale: &Secret) -> Result<Secret, Failure> {
        assert_eq!(stale.expose(), "old");
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Secret::new("new"))
    }
}

fn api_at(base: &str, credentials: Arc<dyn Credentials>) -> Api {
    net::install_provider();
    let network = Network { timeout: "300ms".into(), ..Network::default() };
    let access = Access { base: Url::parse(base).unwrap(), fields: BTreeMap::new(), token: Map::new() };
    let limiter = Arc::new(Limiter::new(Rate { calls: 100, seconds: 1 }));
    Api::new(&HubSpot, net::client(&network).unwrap(), access, credentials, limiter)
}

async fn answered(answer: ResponseTemplate, call: Call) -> Result<ApiReply, Trouble> {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    api_at(&server.uri(), Arc::new(FixedToken(Secret::new("t")))).send(call).await
}

async fn kind(answer: ResponseTemplate, call: Call) -> Option<TroubleKind> {
    answered(answer, call).await.err().map(|trouble| trouble.kind)
}

#[tokio::test]
async fn a_refused_token_is_refreshed_once_and_the_call_repeated() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Bearer old")).respond_with(ResponseTemplate::new(401)).mount(&server).await;
    let fine = ResponseTemplate::new(200).set_body_json(serde_json::json!({"fine": true}));
    Mock::given(header("authorization", "Bearer new")).respond_with(fine).expect(1).mount(&server).await;
    let credentials = Arc::new(Renewable(AtomicUsize::new(0)));
    let answer: Value = api_at(&server.uri(), credentials.clone()).json(Call::get("/x")).await.unwrap();
    assert_eq!((answer["fine"].as_bool(), credentials.0.load(Ordering::Relaxed)), (Some(true), 1));
}

#[tokio::test]
async fn a_token_that_stays_refused_asks_for_a_new_sign_in() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(401)).expect(2).mount(&server).await;
    let trouble =
        api_at(&server.uri(), Arc::new(Renewable(AtomicUsize::new(0)))).send(Call::get("/x")).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Credentials);
    assert!(trouble.next_step.contains("Connect HubSpot again"));
}

#[tokio::test]
async fn a_write_without_an_answer_is_unclear_and_a_read_is_only_tried_again() {
    let slow = || ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(2));
    assert_eq!(kind(slow(), Call::post("/x").once()).await, Some(TroubleKind::Unclear));
    assert_eq!(kind(slow(), Call::get("/x")).await, Some(TroubleKind::Vendor));
    let broken = || ResponseTemplate::new(500);
    assert_eq!(kind(broken(), Call::post("/x").once()).await, Some(TroubleKind::Unclear));
    assert_eq!(kind(broken(), Call::get("/x")).await, Some(TroubleKind::Vendor));
    // A vendor that says "later" has not written anything.
    let later = ResponseTemplate::new(503).insert_header("retry-after", "1");
    assert_eq!(kind(later, Call::post("/x").once()).await, Some(TroubleKind::Busy { retry_after: Some(1) }));
}

#[tokio::test]
async fn nothing_was_written_when_nobody_took_the_connection() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let api = api_at(&format!("http://127.0.0.1:{port}"), Arc::new(FixedToken(Secret::new("secret-token"))));
    let trouble = api.send(Call::post("/x").once()).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Vendor);
    assert!(trouble.message.contains("cannot be reached") && !trouble.message.contains("secret-token"), "{trouble:?}");
}

#[tokio::test]
async fn a_web_page_in_the_vendors_place_is_told_as_such() {
    let page = |status| ResponseTemplate::new(status).set_body_raw("<html>Sorry</html>", "text/html");
    let trouble = answered(page(403), Call::post("/x").once()).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Blocked);
    assert!(trouble.message.contains("web page") && trouble.next_step.contains("firewall"));
    assert_eq!(kind(page(200), Call::get("/x")).await, Some(TroubleKind::Blocked));
    assert_eq!(kind(page(200), Call::post("/x").once()).await, Some(TroubleKind::Unclear));
    assert_eq!(kind(page(502), Call::get("/x")).await, Some(TroubleKind::Vendor));
}

#[tokio::test]
async fn a_flood_is_not_read_to_its_end() {
    let flood = ResponseTemplate::new(200).set_body_bytes(vec![b'0'; REPLY_CAP + 1]);
    let trouble = answered(flood, Call::get("/x")).await.unwrap_err();
    assert!(trouble.message.contains("16 MB"), "{trouble:?}");
}

#[tokio::test]
async fn paths_queries_and_segments_keep_what_they_hold() {
    let server = MockServer::start().await;
    let name = "a/b ?#%é";
    Mock::given(method("GET"))
        .and(path("/prefix/lists/name/a%2Fb%20%3F%23%25%C3%A9"))
        .and(wiremock::matchers::query_param("q", "x & y='1'"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let api = api_at(&format!("{}/prefix/", server.uri()), Arc::new(FixedToken(Secret::new("t"))));
    api.send(Call::get("/lists/name").segment(name).query("q", "x & y='1'")).await.unwrap();
}

fn token(address: &str) -> Map<String, Value> {
    Map::from_iter([("instance_url".to_owned(), Value::from(address))])
}

fn based(base: &str) -> CrmSettings {
    CrmSettings { base: Some(base.into()), ..CrmSettings::default() }
}

#[test]
fn a_token_answer_cannot_send_our_leads_to_a_stranger() {
    let at = |settings: &CrmSettings, address: &str| account_base(&Salesforce, settings, &token(address));
    let own = CrmSettings::default();
    assert_eq!(at(&own, "https://acme.my.salesforce.com").unwrap().host_str(), Some("acme.my.salesforce.com"));
    for stranger in
        ["https://salesforce.com.evil.test", "http://acme.my.salesforce.com", "https://evil.test", "no address"]
    {
        let failure = at(&own, stranger).unwrap_err();
        assert!(failure.message.contains("not one of its hosts"), "{stranger}: {failure:?}");
    }
    let moved = at(&based("http://127.0.0.1:9500/salesforce"), "http://127.0.0.1:9500/salesforce").unwrap();
    assert_eq!(moved.as_str(), "http://127.0.0.1:9500/salesforce");
}

#[test]
fn a_configured_address_replaces_the_vendors() {
    let base = |settings: &CrmSettings| account_base(&HubSpot, settings, &Map::new());
    assert_eq!(base(&CrmSettings::default()).unwrap().as_str(), "https://api.hubapi.com/");
    assert_eq!(base(&based("http://127.0.0.1:9500/hubspot")).unwrap().as_str(), "http://127.0.0.1:9500/hubspot");
    let both = CrmSettings { api_base: Some("https://proxy.test/api".into()), ..based("https://other.test") };
    assert_eq!(base(&both).unwrap().as_str(), "https://proxy.test/api");
    assert!(base(&based("http://other.test")).is_err(), "plain http to another machine");
}
