//! Signing in to the practice CRM in each of its ways.

use leadferry::engine::messages::{Reply, Request, SignInStep};
use leadferry::events::EventName;
use leadferry::failure::Code;
use leadferry::oauth::Method;
use leadferry::sandbox;
use leadferry::vault::Secret;

use super::desk::{Desk, LIST, answer, connected, leads, step, wish};

/// The value of a hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let from = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the field").1;
    from.split('"').next().expect("a value").to_owned()
}

/// Opens the sign-in page and presses a button, as a person does in a browser: where it is sent back to.
async fn decide(desk: &Desk, authorize_url: &str, decision: &str) -> String {
    let page = desk.http.get(authorize_url).send().await.expect("a page").text().await.expect("a page");
    let (request, key) = (hidden(&page, "request"), hidden(&page, "key"));
    let form = [("request", &*request), ("key", &key), ("user", "sam@example.com"), ("decision", decision)];
    let url = format!("{}/oauth/decide", desk.sandbox().origin());
    let answer = desk.http.post(url).form(&form).send().await.expect("an answer");
    answer.headers()["location"].to_str().expect("an address").to_owned()
}

async fn open(
    desk: &Desk,
    method: Method,
) -> (u64, tokio::sync::broadcast::Receiver<leadferry::engine::messages::Event>, String) {
    let (number, mut events) = desk.begin_sign_in(wish("practice", method)).await;
    let SignInStep::Open { authorize_url, listening, port, browser, .. } = step(number, &mut events).await else {
        panic!("no address to open")
    };
    assert_eq!((listening, browser), (Ok(()), false));
    assert_ne!(port, 0);
    (number, events, authorize_url)
}

/// The browser's answer would not come through, or the account would be a stranger's.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_comes_back_connects_the_account() {
    let desk = Desk::practice().await;
    let (number, mut events, authorize_url) = open(&desk, Method::Browser).await;
    let back = decide(&desk, &authorize_url, "allow").await;
    assert!(desk.http.get(back).send().await.expect("thanks").status().is_success());
    let connection = connected(number, &mut events).await.expect("a connection");
    assert_eq!((connection.who.user.as_str(), connection.method), ("sam@example.com", Method::Browser));
    assert_eq!(desk.connections().await, [connection]);
    let told = [("practice".to_owned(), 3, LIST.to_owned())];
    assert_eq!(desk.events_of(EventName::OauthCompleted).await, told);
    let event = &desk.events().await[0];
    assert_eq!(event.source, "lookalike");

    // The tokens are kept: the account still answers after a restart.
    let desk = desk.restart().await;
    let test = Request::TestConnection { platform: "practice".into(), account: String::new() };
    answer!(desk, test, Reply::Connections(one) => assert_eq!(one[0].who.user, "sam@example.com"));
}

/// Somebody on a server without a browser could not sign in, or a mistyped address would end the sign-in.
#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_address_connects_and_a_wrong_one_is_ignored() {
    let desk = Desk::practice().await;
    let (number, mut events, authorize_url) = open(&desk, Method::Paste).await;
    let back = decide(&desk, &authorize_url, "allow").await;
    let say = |text: &str| Request::AnswerSignIn { sign_in: number, text: text.into() };
    answer!(desk, say("http://127.0.0.1/callback?code=x&state=forged"), Reply::Done => ());
    assert!(matches!(step(number, &mut events).await, SignInStep::Ignored { .. }));
    answer!(desk, say(&back), Reply::Done => ());
    assert_eq!(connected(number, &mut events).await.expect("a connection").who.user, "sam@example.com");
    assert_eq!(desk.refused(say(&back)).await.code, Code::NotFound);
}

/// A device code approved elsewhere would not sign in.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_code_approved_in_a_second_shell_connects() {
    let desk = Desk::practice().await;
    let (number, mut events) = desk.begin_sign_in(wish("practice", Method::Device)).await;
    let SignInStep::Device { user_code, .. } = step(number, &mut events).await else { panic!("no code") };
    sandbox::approve(&desk.http, desk.home.path(), &user_code).await.expect("approved");
    let connection = connected(number, &mut events).await.expect("a connection");
    assert_eq!(connection.method, Method::Device);
}

/// A refusal at the vendor would look like a hang, or leave a connection or an event behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_or_stopped_sign_in_leaves_nothing() {
    let desk = Desk::practice().await;
    let (number, mut events, authorize_url) = open(&desk, Method::Browser).await;
    let back = decide(&desk, &authorize_url, "deny").await;
    desk.http.get(back).send().await.expect("a word");
    assert_eq!(connected(number, &mut events).await.expect_err("a refusal").code, Code::SignInNeeded);

    let (number, mut events, authorize_url) = open(&desk, Method::Browser).await;
    answer!(desk, Request::CancelSignIn { sign_in: number }, Reply::Done => ());
    assert_eq!(connected(number, &mut events).await.expect_err("stopped").code, Code::Cancelled);
    let back = decide(&desk, &authorize_url, "allow").await;
    assert!(desk.http.get(back).send().await.is_err(), "the port is free again");
    assert_eq!((desk.connections().await, desk.events().await), (vec![], vec![]));
}

/// A wrong token would be stored and fail only at the first sync.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_tried_before_it_is_kept() {
    let desk = Desk::practice().await;
    let mut wrong = wish("practice", Method::Token);
    wrong.token = Some(Secret::new("practice_no_such_token"));
    let (number, mut events) = desk.begin_sign_in(wrong).await;
    assert_eq!(connected(number, &mut events).await.expect_err("a refusal").code, Code::SignInNeeded);
    assert!(desk.connections().await.is_empty());

    let connection = desk.connect().await;
    assert_eq!(connection.method, Method::Token);
    desk.save(&leads(3)).await;
    let remove = Request::RemoveConnection { platform: "practice".into(), account: String::new() };
    answer!(desk, remove, Reply::Done => ());
    let start = Request::StartRun {
        list: LIST.into(),
        destination: super::desk::to("crm:practice"),
        settings: None,
        mode: None,
    };
    assert_eq!(desk.refused(start).await.code, Code::SignInNeeded);
}
