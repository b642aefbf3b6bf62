//! Lofty's sign-in as two of its pages describe it: apps with a secret by the one, PKCE without a secret by the other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Request, Response, Uri, header};
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};

/// The token endpoint of apps with a secret (help.lofty.com)…
const WITH_SECRET: (&str, &str) = ("crm.lofty.com", "/api/user-web/oauth/token");
/// …and of those without (developer.lofty.com).
const WITHOUT: (&str, &str) = ("api.lofty.com", "/oauth/token");

/// The sign-in page knows the app by `clientId`.
pub(super) fn authorize_url(mut address: Url) -> Url {
    let pairs: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    let renamed = pairs.iter().map(|(name, value)| (if name == "client_id" { "clientId" } else { name }, value));
    address.query_pairs_mut().clear().extend_pairs(renamed);
    address
}

/// With a secret the client id stands among the parameters, too; without one the call goes to the other endpoint, unless
/// the configuration names one of its own.
pub(super) fn encode(mut request: Request<Vec<u8>>) -> Request<Vec<u8>> {
    match client_of(&request) {
        Some(id) => {
            let named = form_urlencoded::parse(request.body()).any(|(name, _)| name == "client_id");
            if !named {
                // Basic holds it form-encoded already.
                request.body_mut().extend_from_slice(format!("&client_id={id}").as_bytes());
                request.headers_mut().remove(header::CONTENT_LENGTH);
            }
        }
        None => {
            let uri = request.uri().to_string();
            if let Some(before) = uri.strip_suffix(WITH_SECRET.1) {
                let moved = format!("{}{}", before.replacen(WITH_SECRET.0, WITHOUT.0, 1), WITHOUT.1);
                if let Ok(uri) = moved.parse::<Uri>() {
                    *request.uri_mut() = uri;
                }
            }
        }
    }
    request
}

/// The client id in a Basic header.
fn client_of(request: &Request<Vec<u8>>) -> Option<String> {
    let basic = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(basic).ok()?).ok()?;
    Some(pair.split_once(':')?.0.to_owned())
}

/// How the token endpoint refuses is not documented. Where it does not in RFC 6749's words, a refused client is told by
/// the status, and everything else ends the sign-in: asking again would not help.
pub(super) fn normalise(response: Response<Vec<u8>>) -> Response<Vec<u8>> {
    let status = response.status();
    if !matches!(status.as_u16(), 400..=403) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let rewritten = serde_json::from_slice::<Map<String, Value>>(&body).ok().and_then(|mut error| {
        if error.get("error").is_some_and(Value::is_string) {
            return None;
        }
        let code = if status.as_u16() == 401 { "invalid_client" } else { "invalid_grant" };
        let words = error.get("message").cloned().unwrap_or_default();
        error.insert("error".to_owned(), json!(code));
        error.insert("error_description".to_owned(), if words.is_string() { words } else { json!("") });
        serde_json::to_vec(&error).ok()
    });
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, rewritten.unwrap_or(body))
}
