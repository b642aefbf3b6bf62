//! What would go wrong for a user at Zoho's accounts servers: a sign-in in the wrong data centre, an error taken for a token,
//! a device code that dies at once.

use super::*;

fn request(path: &str, form: &str) -> Request<Vec<u8>> {
    Request::post(format!("https://accounts.zoho.com{path}")).body(form.as_bytes().to_vec()).unwrap()
}

fn answer(body: Value) -> (u16, Value) {
    let response = normalise(Response::builder().status(200).body(serde_json::to_vec(&body).unwrap()).unwrap());
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

#[test]
fn the_device_flow_is_asked_for_in_zohos_way_and_the_secret_stays_home_until_it_is_needed() {
    let asked = encode(request("/oauth/v3/device/code", "scope=a%2Cb&client_id=me&client_secret=s3"));
    let query = asked.uri().query().unwrap();
    assert_eq!(query, "client_id=me&grant_type=device_request&scope=a%2Cb&access_type=offline&prompt=consent");
    assert!(asked.body().is_empty());
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    let form = format!("{grant}&device_code=D&client_id=me&client_secret=s3");
    let polled = encode(request("/zoho/oauth/v2/token", &form));
    assert_eq!(
        polled.uri().path_and_query().unwrap(),
        "/zoho/oauth/v3/device/token?client_id=me&client_secret=s3&grant_type=device_token&code=D"
    );
    let refresh = encode(request("/oauth/v2/token", "grant_type=refresh_token&refresh_token=R"));
    assert_eq!((refresh.uri().query(), refresh.body().len()), (None, 40));
}

#[test]
fn errors_inside_a_success_are_errors_by_the_names_that_everybody_knows() {
    assert_eq!(answer(json!({"error": "invalid_code"})), (400, json!({"error": "invalid_grant"})));
    assert_eq!(answer(json!({"error": "expired"})).1["error"], "expired_token");
    assert_eq!(answer(json!({"error": "invalid_redirect_uri"})), (400, json!({"error": "invalid_redirect_uri"})));
    assert_eq!(answer(json!({"error": "Access Denied", "status": "failure"})).0, 429, "throttled, not refused");
    let page = normalise(Response::new(b"<html>".to_vec()));
    assert_eq!(page.body(), b"<html>");
}

#[test]
fn times_are_seconds_whichever_way_zoho_writes_them() {
    let code = |expires: u64, interval: u64| {
        let (_, body) = answer(json!({"device_code": "D", "expires_in": expires, "interval": interval}));
        (body["expires_in"].as_u64().unwrap(), body["interval"].as_u64().unwrap())
    };
    assert_eq!(code(300_000, 30_000), (300, 30));
    assert_eq!(code(300, 30), (300, 30));
    let (_, unsaid) = answer(json!({"device_code": "D", "expires_in": 300}));
    assert_eq!(unsaid["interval"], 30, "polled once per 30 s unless told otherwise");
    assert_eq!(answer(json!({"access_token": "A", "expires_in": 3_600})).1["expires_in"], 3_600);
    assert_eq!(answer(json!({"access_token": "A", "expires_in": 3_600_000})).1["expires_in"], 3_600);
}

#[test]
fn every_data_centre_is_found_and_is_one_of_zohos_hosts() {
    let at = |name: &str, value: &str| server(&BTreeMap::from([(name.to_owned(), value.to_owned())]));
    assert_eq!(at("accounts-server", "https://accounts.zoho.eu/").unwrap(), "https://accounts.zoho.eu");
    for location in ["us", "eu", "in", "au", "jp", "cn", "sa", "uk", "ca"] {
        let server = at("location", location).unwrap();
        assert!(HOSTS.contains(&server.trim_start_matches("https://")), "{server}");
    }
    assert_eq!(at("location", "moon"), None);
}

#[test]
fn a_code_typed_in_another_data_centre_is_still_waited_for_there() {
    let elsewhere = serde_json::to_vec(&json!({"error": "other_dc", "user_location": "eu"})).unwrap();
    let response = normalise(Response::new(elsewhere));
    assert_eq!(answer(json!({"error": "other_dc", "user_location": "eu"})).1["error"], "authorization_pending");
    assert_eq!(moved(&response), BTreeMap::from([("location".to_owned(), "eu".to_owned())]));
    assert!(moved(&Response::new(b"{}".to_vec())).is_empty());
}
