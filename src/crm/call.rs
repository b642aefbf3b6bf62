//! One call to a vendor and its answer, and the words for answers that every vendor gives alike.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Trouble, TroubleKind};
use crate::net;
use crate::text::clean;

/// Messages of vendors are cut to this many columns.
const MESSAGE_COLUMNS: usize = 300;

/// A call to a vendor, before it is signed.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) once: bool,
}

/// What a call carries.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Empty,
    Json(Value),
    Raw(Vec<u8>, HeaderValue),
    Token,
}

impl Call {
    /// A call of this method to a path below the account's base. The path is used as it is; see [`Call::segment`].
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Call {
            method,
            path: path.into(),
            segments: Vec::new(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::Empty,
            once: false,
        }
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Call::new(Method::GET, path)
    }

    /// A POST.
    pub fn post(path: impl Into<String>) -> Self {
        Call::new(Method::POST, path)
    }

    /// Adds one path segment, encoded whatever it holds.
    #[must_use]
    pub fn segment(mut self, text: impl Into<String>) -> Self {
        self.segments.push(text.into());
        self
    }

    /// Adds a query parameter, encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// Carries JSON.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Body::Json(body);
        self
    }

    /// Carries these bytes (CSV, a form, multipart) of this content type.
    #[must_use]
    pub fn raw(mut self, body: Vec<u8>, content_type: &'static str) -> Self {
        self.body = Body::Raw(body, HeaderValue::from_static(content_type));
        self
    }

    /// Carries the account's token as a form, as introspection endpoints (RFC 7662) want it.
    #[must_use]
    pub fn token_form(mut self) -> Self {
        self.body = Body::Token;
        self
    }

    /// Says that a repeat could write twice: an answer that never came is [`TroubleKind::Unclear`] instead of something to
    /// try again.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }
}

/// An answer of the vendor.
#[derive(Clone, Debug)]
pub struct ApiReply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, at most 16 MB.
    pub body: Vec<u8>,
}

impl ApiReply {
    /// The body as JSON of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the body is a web page.
    pub fn is_page(&self) -> bool {
        let typed =
            self.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        typed || self.body.trim_ascii_start().starts_with(b"<")
    }
}

/// The class of an answer by its status alone, with the vendor's name and its own words; `None` = a success.
pub fn by_status(vendor: &str, reply: &ApiReply, words: &str) -> Option<Trouble> {
    let status = reply.status;
    let said = if words.is_empty() { String::new() } else { format!(": {words}") };
    let retry_after = net::skew::retry_after(&reply.headers, Timestamp::now()).map(|wait| wait.as_secs());
    let (kind, message, next_step) = match status.as_u16() {
        200..=299 => return None,
        401 => (
            TroubleKind::Credentials,
            format!("{vendor} does not accept the sign-in any more{said}"),
            format!("Connect {vendor} again."),
        ),
        403 => (
            TroubleKind::Permission,
            format!("{vendor} does not allow this{said}"),
            format!("Ask your {vendor} administrator for access to the API and to these records."),
        ),
        402 => (
            TroubleKind::Plan,
            format!("{vendor} says that this account is unpaid or its plan does not include this{said}"),
            "Check the account's plan and payment.".to_owned(),
        ),
        429 => (
            TroubleKind::Busy { retry_after },
            format!("{vendor} asks us to slow down{said}"),
            "Nothing to do: it goes on by itself.".to_owned(),
        ),
        408 | 500..=599 => (
            if status == StatusCode::SERVICE_UNAVAILABLE && retry_after.is_some() {
                TroubleKind::Busy { retry_after }
            } else {
                TroubleKind::Vendor
            },
            format!("{vendor} has trouble of its own (status {}){said}", status.as_u16()),
            "Nothing to do: it is tried again by itself.".to_owned(),
        ),
        404 => (TroubleKind::Missing, format!("{vendor} does not find what was asked for{said}"), String::new()),
        other => (TroubleKind::Refused, format!("{vendor} refused the request (status {other}){said}"), String::new()),
    };
    Some(Trouble { kind, message: words_of(&message), next_step })
}

/// A web page where data was expected: a firewall, a proxy, a sign-in wall or a wrong address answered.
pub(super) fn page(vendor: &str, reply: &ApiReply) -> Trouble {
    Trouble {
        kind: TroubleKind::Blocked,
        message: format!(
            "{vendor} answered with a web page instead of data (status {}): something on the way blocks us.",
            reply.status.as_u16()
        ),
        next_step: format!("Check proxy, firewall and VPN, and whether {vendor} limits API access to some addresses."),
    }
}

/// The vendor's words, made safe to show and cut to a bearable length.
pub fn words_of(foreign: &str) -> String {
    clean(foreign).shorten(MESSAGE_COLUMNS).to_string()
}

/// `Retry-After` and the like as a wait.
pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count.min(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> ApiReply {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        ApiReply { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() }
    }

    #[test]
    fn statuses_fall_into_the_classes_that_decide_what_a_run_does_next() {
        let kind =
            |status, headers: &[_]| by_status("Acme", &reply(status, headers, ""), "no").map(|trouble| trouble.kind);
        assert_eq!(kind(204, &[]), None);
        assert_eq!(kind(401, &[]), Some(TroubleKind::Credentials));
        assert_eq!(kind(500, &[]), Some(TroubleKind::Vendor));
        assert_eq!(kind(503, &[("retry-after", "3")]), Some(TroubleKind::Busy { retry_after: Some(3) }));
        assert_eq!(kind(422, &[]), Some(TroubleKind::Refused));
    }

    #[test]
    fn a_vendors_words_cannot_steer_the_terminal_or_flood_it() {
        let hostile = format!("\u{1b}]0;x\u{7}{}", "long ".repeat(500));
        let trouble = by_status("Acme", &reply(400, &[], ""), &hostile).unwrap();
        assert!(!trouble.message.contains('\u{1b}'));
        assert!(trouble.message.chars().count() <= MESSAGE_COLUMNS);
    }

    #[test]
    fn a_page_is_known_by_type_or_by_look() {
        assert!(reply(403, &[("content-type", "text/html; charset=utf-8")], "").is_page());
        assert!(reply(200, &[], "  <!DOCTYPE html>").is_page());
        assert!(!reply(200, &[("content-type", "application/json")], "{}").is_page());
    }
}
