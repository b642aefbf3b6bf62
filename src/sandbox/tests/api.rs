use reqwest::StatusCode;
use serde_json::{Value, json};

use super::*;

impl Demo {
    async fn call(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let call = self.client.post(self.url(path)).bearer_auth(self.sandbox.token()).json(body);
        let answer = call.send().await.expect("an answer");
        (answer.status(), answer.json().await.expect("JSON"))
    }
}

/// One bad lead would lose the good ones of its batch, or the demo's contacts would be gone after a restart.
#[tokio::test]
async fn every_row_of_a_batch_has_its_own_result() {
    let demo = Demo::start().await;
    let rows = json!({"match_by": "external_id", "contacts": [
        {"external_id": "1", "first_name": "Jo", "last_name": "Roe", "email": "jo@example.com"},
        {"external_id": "2", "email": "no-name@example.com"},
        {"external_id": "3", "last_name": "Poe", "email": "JO@example.com"},
    ]});
    let (status, answer) = demo.call("/api/contacts/batch", &rows).await;
    assert_eq!(status, StatusCode::OK);
    let results = answer["results"].as_array().expect("results");
    assert_eq!(results[0], json!({"status": "created", "id": "c_1"}));
    assert_eq!(results[1]["error"]["message"], "Last name is missing.");
    assert_eq!(results[2]["error"]["code"], "duplicate");

    let demo = demo.restart().await;
    let (_, answer) = demo.call("/api/contacts/batch", &rows).await;
    assert_eq!(answer["results"][0]["status"], "unchanged");
    let (_, found) =
        demo.call("/api/contacts/find", &json!({"by": "email", "values": ["Jo@Example.com", "x@x.test"]})).await;
    assert_eq!(found["results"][0]["contacts"][0]["id"], "c_1");
    assert_eq!(found["results"][1]["contacts"], json!([]));
}

/// The group of a sync would not appear in the practice CRM.
#[tokio::test]
async fn lists_take_contacts() {
    let demo = Demo::start().await;
    demo.call("/api/contacts/batch", &json!({"contacts": [{"external_id": "1", "last_name": "Roe"}]})).await;
    let (_, list) = demo.call("/api/lists", &json!({"name": "Top Investors"})).await;
    assert_eq!(list, json!({"id": "l_1", "name": "Top Investors", "created": true}));
    let (_, added) = demo.call("/api/lists/l_1/members", &json!({"contacts": ["c_1", "c_2"]})).await;
    assert_eq!((&added["added"], &added["refused"][0]["id"]), (&json!(1), &json!("c_2")));
    assert_eq!(demo.call("/api/lists/l_9/members", &json!({"contacts": []})).await.0, StatusCode::NOT_FOUND);
    assert_eq!(demo.sandbox.seen().lists[0].members, 1);
}

/// Mistakes of the caller would look like success.
#[tokio::test]
async fn calls_without_token_over_limit_or_with_a_wrong_body_are_refused() {
    let demo = Demo::start().await;
    let answer = demo.get("/api/me").await;
    assert_eq!((answer.status(), answer.headers().contains_key("www-authenticate")), (StatusCode::UNAUTHORIZED, true));
    assert_eq!(demo.call("/api/contacts/batch", &json!({"rows": []})).await.0, StatusCode::BAD_REQUEST);
    let rows: Vec<Value> = (0..51).map(|id| json!({"external_id": id.to_string(), "last_name": "Roe"})).collect();
    let (status, answer) = demo.call("/api/contacts/batch", &json!({"contacts": rows})).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (StatusCode::BAD_REQUEST, Some("too_many")));
}

/// The limiter could not be practised: too many calls would go through, or the wait would not be said.
#[tokio::test]
async fn more_than_a_hundred_calls_in_ten_seconds_have_to_wait() {
    let demo = Demo::start().await;
    let ask = || demo.client.get(demo.url("/api/me")).bearer_auth(demo.sandbox.token()).send();
    for _ in 0..100 {
        assert_eq!(ask().await.expect("an answer").status(), StatusCode::OK);
        demo.pass(0);
    }
    demo.pass(4);
    let refused = ask().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: i64 = refused.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((6..=7).contains(&wait), "{wait}");
    demo.pass(wait);
    assert_eq!(ask().await.expect("an answer").status(), StatusCode::OK);
}
