//! One webhook request: its headers, its signature, and what of it may be shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use url::Url;

use super::signature::{self, SigningKey};
use super::{Auth, HttpMethod, RequestSeen, WebhookSpec, spec};
use crate::failure::{Code, Failure};
use crate::net::redact;

/// What stands in place of a secret.
const MASK: &str = "***";

/// One attempt at a delivery, ready to go out. It holds credentials and leads, so it cannot be printed.
#[derive(Clone)]
pub struct Request {
    /// POST, PUT or PATCH.
    pub(super) method: Method,
    /// Where to.
    pub(super) url: Url,
    /// In the order in which they go out; secret ones are marked as such.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) body: Vec<u8>,
}

impl Request {
    /// Signs a body for an attempt at `at`. `id` is the delivery's and stays the same over its attempts; `keys` are one key, or
    /// two during a rotation. Fails on settings that [`spec::check`] complains about.
    pub fn sign(
        spec: &WebhookSpec,
        keys: &[SigningKey],
        id: &str,
        at: Timestamp,
        body: Vec<u8>,
    ) -> Result<Request, Failure> {
        let url = spec::parse_url(&spec.url).map_err(|problem| bad("address", &problem))?;
        let seconds = at.as_second();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("leadferry/", env!("CARGO_PKG_VERSION"))));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert("webhook-id", value("webhook-id", id)?);
        headers.insert("webhook-timestamp", HeaderValue::from(seconds));
        headers.insert("webhook-signature", value("webhook-signature", &signature::sign(keys, id, seconds, &body))?);
        if let Some((name, credential)) = credential(&spec.auth)? {
            headers.insert(name, credential);
        }
        let mut own = HeaderMap::new();
        for (header, text) in &spec.headers {
            let (header, mut text) = (name(header)?, value(header, text)?);
            text.set_sensitive(redact::is_secret_header(&header));
            own.append(header, text);
        }
        // Takes the place of a default such as the content type, and keeps a header that stands twice.
        headers.extend(own);
        let method = match spec.method {
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Patch => Method::PATCH,
        };
        Ok(Request { method, url, headers, body })
    }

    /// The request as its owner may see it: secrets masked, and the path, which can be one.
    pub fn seen(&self) -> RequestSeen {
        let shown = |(name, value): (&HeaderName, &HeaderValue)| {
            let text = if value.is_sensitive() { MASK.into() } else { String::from_utf8_lossy(value.as_bytes()) };
            (name.to_string(), text.into_owned())
        };
        let host = [("host".to_owned(), self.authority()), ("content-length".to_owned(), self.body.len().to_string())];
        RequestSeen {
            method: self.method.to_string(),
            url: spec::masked_url(self.url.as_str()),
            headers: host.into_iter().chain(self.headers.iter().map(shown)).collect(),
            body: String::from_utf8_lossy(&self.body).into_owned(),
        }
    }

    /// Host and, where it is not the usual one, port.
    pub(super) fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

fn credential(auth: &Auth) -> Result<Option<(HeaderName, HeaderValue)>, Failure> {
    let (header, text) = match auth {
        Auth::None => return Ok(None),
        Auth::ApiKey { header, key } => (name(header)?, key.expose().to_owned()),
        Auth::Bearer { token } => (AUTHORIZATION, format!("Bearer {}", token.expose())),
        Auth::Basic { user, password } => {
            (AUTHORIZATION, format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose()))))
        }
    };
    let mut credential = value(header.as_str(), &text)?;
    credential.set_sensitive(true);
    Ok(Some((header, credential)))
}

fn name(text: &str) -> Result<HeaderName, Failure> {
    text.parse().map_err(|_| bad("header name", &format!("'{text}' cannot be one")))
}

/// The failure names the header, never its value.
fn value(name: &str, text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| bad("header", &format!("the value of {name} cannot be sent")))
}

fn bad(what: &str, problem: &str) -> Failure {
    Failure::new(
        Code::Usage,
        format!("The webhook's {what} is wrong: {}.", problem.trim_end_matches('.')),
        "Mend it with `leadferry webhook edit`, or in the form.",
    )
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
