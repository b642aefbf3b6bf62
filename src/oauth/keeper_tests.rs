//! What would go wrong for a user in the middle of a sync: a token refreshed twice, lost, used before it was stored, or a dead
//! connection asked for ever.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use tokio::sync::Notify;
use wiremock::matchers::{body_string_contains, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::super::test_vendor::{flow, now};
use super::*;

fn grant(life: i64) -> Grant {
    let mut tokens = Tokens::fixed(Secret::from("A0"));
    tokens.refresh = Some(Secret::from("R0"));
    tokens.expires_at = Some(now() + SignedDuration::from_secs(life));
    Grant { tokens, callback: Default::default() }
}

fn rotated(n: u32) -> ResponseTemplate {
    let answer = json!({"access_token": format!("A{n}"), "refresh_token": format!("R{n}"), "token_type": "Bearer", "expires_in": 3600});
    ResponseTemplate::new(200).set_body_json(answer)
}

/// Remembers what was stored, in order.
fn store() -> (Persist, Arc<Mutex<Vec<String>>>) {
    let stored = Arc::new(Mutex::new(Vec::new()));
    let log = stored.clone();
    let persist: Persist = Box::new(move |tokens| {
        log.lock().unwrap().push(tokens.refresh.unwrap().expose().to_owned());
        async { Ok(()) }.boxed()
    });
    (persist, stored)
}

async fn refreshes(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn a_token_with_time_left_is_used_as_it_is() {
    let server = MockServer::start().await;
    let keeper = TokenKeeper::new(flow(&server.uri()), grant(61), store().0);
    assert_eq!(keeper.current().await.unwrap().access.expose(), "A0");
    assert_eq!(refreshes(&server).await, 0);
}

#[tokio::test]
async fn many_waiters_share_one_refresh() {
    let server = MockServer::start().await;
    Mock::given(path("/token"))
        .and(body_string_contains("refresh_token=R0"))
        .respond_with(rotated(1))
        .mount(&server)
        .await;
    let (persist, stored) = store();
    let keeper = TokenKeeper::new(flow(&server.uri()), grant(60), persist);
    let early = (0..5).map(|_| keeper.current().boxed());
    let stale = Secret::from("A0");
    let late = (0..5).map(|_| keeper.refresh_after_401(&stale).boxed());
    for tokens in futures_util::future::join_all(early.chain(late)).await {
        assert_eq!(tokens.unwrap().access.expose(), "A1");
    }
    // A straggler whose call went out before the refresh.
    assert_eq!(keeper.refresh_after_401(&stale).await.unwrap().access.expose(), "A1");
    assert_eq!(refreshes(&server).await, 1);
    assert_eq!(*stored.lock().unwrap(), ["R1"]);
}

#[tokio::test]
async fn nobody_gets_a_rotated_token_before_it_is_stored() {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(rotated(1)).mount(&server).await;
    let (begun, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (begun.clone(), done.clone());
    let persist: Persist = Box::new(move |_| {
        let (tell, wait) = (tell.clone(), wait.clone());
        async move {
            tell.notify_one();
            wait.notified().await;
            Ok(())
        }
        .boxed()
    });
    let keeper = TokenKeeper::new(flow(&server.uri()), grant(0), persist);
    let mut waiter = keeper.current().boxed();
    tokio::select! {
        _ = &mut waiter => panic!("handed out before it was stored"),
        () = begun.notified() => {}
    }
    assert!(futures_util::poll!(&mut waiter).is_pending());
    done.notify_one();
    assert_eq!(waiter.await.unwrap().access.expose(), "A1");
}

#[tokio::test]
async fn who_stops_waiting_does_not_lose_the_rotated_token() {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(rotated(1)).mount(&server).await;
    let stored = Arc::new(Notify::new());
    let tell = stored.clone();
    let persist: Persist = Box::new(move |_| {
        tell.notify_one();
        async { Ok(()) }.boxed()
    });
    let keeper = TokenKeeper::new(flow(&server.uri()), grant(0), persist);
    let mut waiter = keeper.current().boxed();
    assert!(futures_util::poll!(&mut waiter).is_pending());
    drop(waiter);
    stored.notified().await;
    assert_eq!(keeper.current().await.unwrap().access.expose(), "A1");
    assert_eq!(refreshes(&server).await, 1);
}

#[tokio::test]
async fn a_full_disk_does_not_burn_the_connection() {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(rotated(1)).mount(&server).await;
    let tries = Arc::new(AtomicU32::new(0));
    let counted = tries.clone();
    let persist: Persist = Box::new(move |_| {
        let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err(Failure::new(Code::Store, "The disk is full.", "")) } else { Ok(()) } }.boxed()
    });
    let keeper = TokenKeeper::new(flow(&server.uri()), grant(0), persist);
    assert_eq!(keeper.current().await.unwrap_err().code, Code::Store);
    assert_eq!(keeper.current().await.unwrap().access.expose(), "A1");
    assert_eq!(refreshes(&server).await, 1, "the old refresh token was used again although it is dead");
}

#[tokio::test]
async fn an_ended_connection_says_so_once_and_is_left_alone() {
    let server = MockServer::start().await;
    let gone = json!({"error": "invalid_grant", "error_description": "revoked by the admin"});
    Mock::given(path("/token")).respond_with(ResponseTemplate::new(400).set_body_json(gone)).mount(&server).await;
    let keeper = TokenKeeper::new(flow(&server.uri()), grant(0), store().0);
    for _ in 0..3 {
        let failure = keeper.current().await.unwrap_err();
        assert_eq!(failure.code, Code::SignInNeeded);
        assert_eq!(failure.message, "Testland has ended the connection: revoked by the admin.");
        assert!(failure.remedy.contains("leadferry connect testland --reconnect"), "{failure:?}");
    }
    assert_eq!(refreshes(&server).await, 1);
}

#[tokio::test]
async fn a_short_outage_is_sat_out_and_a_long_one_told_without_forgetting() {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(ResponseTemplate::new(503)).up_to_n_times(3).mount(&server).await;
    Mock::given(path("/token")).and(body_string_contains("R0")).respond_with(rotated(1)).mount(&server).await;
    let keeper = TokenKeeper::new(flow(&server.uri()), grant(0), store().0);
    let failure = keeper.current().await.unwrap_err();
    assert_eq!(failure.code, Code::Failed);
    assert!(failure.message.contains("503") && failure.message.contains("Testland"), "{failure:?}");
    assert_eq!(keeper.current().await.unwrap().access.expose(), "A1");
}

#[tokio::test]
async fn an_outage_does_not_stop_a_token_that_still_lives() {
    let server = MockServer::start().await;
    Mock::given(path("/token")).respond_with(ResponseTemplate::new(503)).mount(&server).await;
    let keeper = TokenKeeper::new(flow(&server.uri()), grant(30), store().0);
    assert_eq!(keeper.current().await.unwrap().access.expose(), "A0");
}

#[tokio::test]
async fn a_static_token_that_is_refused_asks_for_a_new_one() {
    let server = MockServer::start().await;
    let grant = Grant { tokens: Tokens::fixed(Secret::from("pat")), callback: Default::default() };
    let keeper = TokenKeeper::new(flow(&server.uri()), grant, store().0);
    assert_eq!(keeper.current().await.unwrap().access.expose(), "pat");
    let failure = keeper.refresh_after_401(&Secret::from("pat")).await.unwrap_err();
    assert_eq!(failure.code, Code::SignInNeeded);
    assert_eq!(refreshes(&server).await, 0);
}
