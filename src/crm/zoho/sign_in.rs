//! Zoho's accounts servers: one per data centre, errors inside HTTP 200, a device flow of its own making.

use std::collections::BTreeMap;

use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use serde_json::{Map, Value, json};
use url::Url;

/// The accounts servers and API domains of all data centres; sandboxes and developer organisations have subdomains.
pub(super) const HOSTS: &[&str] = &[
    "accounts.zoho.com",
    "accounts.zoho.eu",
    "accounts.zoho.in",
    "accounts.zoho.com.au",
    "accounts.zoho.jp",
    "accounts.zoho.com.cn",
    "accounts.zoho.sa",
    "accounts.zoho.uk",
    "accounts.zohocloud.ca",
    ".zohoapis.com",
    ".zohoapis.eu",
    ".zohoapis.in",
    ".zohoapis.com.au",
    ".zohoapis.jp",
    ".zohoapis.com.cn",
    ".zohoapis.sa",
    ".zohoapis.uk",
    ".zohoapis.ca",
];

/// The grant type of RFC 8628.
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Zoho asks to be polled no more often than this many seconds.
const POLL: u64 = 30;

/// A refresh token is good for 10 access tokens in this many seconds.
const THROTTLED: &str = "600";

/// The accounts server that a callback, or the answer to a poll, names.
pub(super) fn server(callback: &BTreeMap<String, String>) -> Option<String> {
    if let Some(server) = callback.get("accounts-server") {
        return Some(server.trim_end_matches('/').to_owned());
    }
    let domain = match callback.get("location")?.as_str() {
        "us" => "zoho.com",
        "eu" => "zoho.eu",
        "in" => "zoho.in",
        "au" => "zoho.com.au",
        "jp" => "zoho.jp",
        "cn" => "zoho.com.cn",
        "sa" => "zoho.sa",
        "uk" => "zoho.uk",
        "ca" => "zohocloud.ca",
        _ => return None,
    };
    Some(format!("https://accounts.{domain}"))
}

/// What a poll's answer says about where the account is.
pub(super) fn moved(response: &Response<Vec<u8>>) -> BTreeMap<String, String> {
    let answer: Map<String, Value> = serde_json::from_slice(response.body()).unwrap_or_default();
    let location = answer.get("user_location").and_then(Value::as_str);
    location.map(|location| ("location".to_owned(), location.to_owned())).into_iter().collect()
}

/// Puts the device flow's requests into Zoho's form, everything in the query; the others are as Zoho wants them.
pub(super) fn encode(request: Request<Vec<u8>>) -> Request<Vec<u8>> {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(request.body()).into_owned().collect();
    let Ok(mut url) = Url::parse(&request.uri().to_string()) else { return request };
    let value = |name: &str| form.get(name).cloned().unwrap_or_default();
    let query = if url.path().ends_with("/oauth/v3/device/code") {
        vec![
            ("client_id", value("client_id")),
            ("grant_type", "device_request".to_owned()),
            ("scope", value("scope")),
            ("access_type", "offline".to_owned()),
            ("prompt", "consent".to_owned()),
        ]
    } else if form.get("grant_type").is_some_and(|grant| grant == DEVICE_GRANT) {
        if let Some(server) = url.path().strip_suffix("/oauth/v2/token") {
            let path = format!("{server}/oauth/v3/device/token");
            url.set_path(&path);
        }
        vec![
            ("client_id", value("client_id")),
            ("client_secret", value("client_secret")),
            ("grant_type", "device_token".to_owned()),
            ("code", value("device_code")),
        ]
    } else {
        return request;
    };
    url.query_pairs_mut().clear().extend_pairs(query);
    let Ok(uri) = Uri::try_from(url.as_str()) else { return request };
    let (mut parts, _) = request.into_parts();
    parts.uri = uri;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    Request::from_parts(parts, Vec::new())
}

/// Rewrites an answer as the RFCs have it: errors by status and code, times in seconds.
pub(super) fn normalise(response: Response<Vec<u8>>) -> Response<Vec<u8>> {
    let (mut parts, body) = response.into_parts();
    let Ok(mut answer) = serde_json::from_slice::<Map<String, Value>>(&body) else {
        return Response::from_parts(parts, body);
    };
    match answer.get("error").and_then(Value::as_str).map(str::to_owned) {
        Some(error) if error.eq_ignore_ascii_case("access denied") => {
            parts.status = StatusCode::TOO_MANY_REQUESTS;
            parts.headers.insert(header::RETRY_AFTER, HeaderValue::from_static(THROTTLED));
        }
        Some(error) => {
            if parts.status.is_success() {
                parts.status = StatusCode::BAD_REQUEST;
            }
            let code = match error.as_str() {
                "invalid_code" => "invalid_grant",
                "invalid_client_secret" => "invalid_client",
                "expired" => "expired_token",
                // It is pending in another data centre; `moved` reads in which.
                "other_dc" => "authorization_pending",
                other => other,
            };
            answer.insert("error".to_owned(), json!(code));
        }
        None => {
            if answer.contains_key("access_token") {
                answer.entry("token_type").or_insert_with(|| json!("Bearer"));
            }
            in_seconds(&mut answer, "expires_in", 86_400);
            if answer.contains_key("device_code") {
                answer.entry("interval").or_insert_with(|| json!(POLL));
                in_seconds(&mut answer, "interval", 1_000);
            }
        }
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = serde_json::to_vec(&answer).unwrap_or(body);
    Response::from_parts(parts, body)
}

/// Zoho writes some times in milliseconds: one of this size or more is none in seconds.
fn in_seconds(answer: &mut Map<String, Value>, name: &str, at_least: u64) {
    if let Some(time) = answer.get(name).and_then(Value::as_u64).filter(|time| *time >= at_least) {
        answer.insert(name.to_owned(), json!(time / 1_000));
    }
}

#[cfg(test)]
#[path = "sign_in_tests.rs"]
mod tests;
