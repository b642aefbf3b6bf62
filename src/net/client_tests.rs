//! What would go wrong for a user if the client followed, leaked or waited for ever.

use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

#[test]
fn plain_http_is_for_this_machine_only() {
    for fine in ["https://login.example.com/a", "http://localhost:1/x", "http://127.9.9.9/", "http://[::1]:8/"] {
        assert!(check_endpoint(fine).is_ok(), "{fine}");
    }
    for (bad, word) in [
        ("http://login.example.com/", "encrypted"),
        ("http://localhost.example.com/", "encrypted"),
        ("http://192.168.0.1/", "encrypted"),
        ("https://me:pw@example.com/", "user name"),
        ("https://example.com/#x", "`#`"),
        ("ftp://example.com/", "https://"),
        ("example.com/token", "cannot be read"),
    ] {
        let failure = check_endpoint(bad).unwrap_err();
        assert!(failure.message.contains(word), "{bad}: {failure:?}");
        assert!(!failure.message.contains("pw@"), "a password was repeated: {failure:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_we_say_who_we_are() {
    let server = MockServer::start().await;
    let elsewhere = ResponseTemplate::new(302).insert_header("location", "/stolen");
    Mock::given(path("/a")).respond_with(elsewhere).mount(&server).await;
    let client = client(&Network::default()).unwrap();
    let reply = client.get(format!("{}/a", server.uri())).send().await.unwrap();
    assert_eq!(reply.status(), 302);
    let seen = server.received_requests().await.unwrap();
    assert_eq!(seen.len(), 1, "the redirect was followed");
    assert!(seen[0].headers["user-agent"].to_str().unwrap().starts_with("leadferry/"));
}

#[tokio::test]
async fn a_silent_server_is_given_up_after_the_timeout() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(path("/a")).respond_with(slow).mount(&server).await;
    let client = client(&Network { timeout: "100ms".into(), ..Network::default() }).unwrap();
    let error = client.get(format!("{}/a", server.uri())).send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_flood_is_cut_off() {
    let server = MockServer::start().await;
    Mock::given(path("/a"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 5000]))
        .mount(&server)
        .await;
    let client = client(&Network::default()).unwrap();
    let get = || async { client.get(format!("{}/a", server.uri())).send().await.unwrap() };
    assert_eq!(read_body(get().await, 4999).await.unwrap(), None);
    assert_eq!(read_body(get().await, 5000).await.unwrap().map(|body| body.len()), Some(5000));
}

#[test]
fn a_wrong_timeout_names_the_setting() {
    let failure = client(&Network { timeout: "soon".into(), ..Network::default() }).unwrap_err();
    assert!(failure.message.contains("soon") && failure.remedy.contains("timeout"), "{failure:?}");
}
