//! The small pages of the practice CRM: consent, code entry, a word to the person; and what guards all of its pages.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use url::Url;

const TEMPLATE: &str = include_str!("../../assets/sandbox/dialog.html");
/// No script, style or picture but our own; forms go nowhere else.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// One small page. Everything in it is escaped when it is drawn.
#[derive(Debug, Default, Serialize)]
pub(super) struct Dialog {
    pub(super) title: &'static str,
    pub(super) lines: Vec<String>,
    /// What the app may do, when allowed.
    pub(super) powers: Vec<&'static str>,
    /// Where the form posts; empty = no form.
    pub(super) action: &'static str,
    /// What the form carries unseen.
    pub(super) hidden: Vec<(&'static str, String)>,
    /// Whether to ask for a user code.
    pub(super) ask_code: bool,
    /// Whether to ask who signs in and for Allow or Deny.
    pub(super) ask_consent: bool,
    /// Who signs in unless told otherwise.
    pub(super) user: &'static str,
}

impl Dialog {
    /// A word to the person and nothing to press.
    pub(super) fn word(title: &'static str, line: impl Into<String>) -> Dialog {
        Dialog { title, lines: vec![line.into()], ..Dialog::default() }
    }

    /// The page. `answer_to` is the origin to which the form's answer leads: browsers hold that to the policy, too.
    pub(super) fn respond(&self, status: StatusCode, answer_to: Option<&Url>) -> Response {
        let drawn = minijinja::Environment::new().render_named_str("dialog.html", TEMPLATE, self);
        let Ok(page) = drawn else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
        let mut response = (status, Html(page)).into_response();
        if let Some(to) = answer_to {
            let policy = POLICY
                .replace("form-action 'self'", &format!("form-action 'self' {}", to.origin().ascii_serialization()));
            if let Ok(policy) = HeaderValue::from_str(&policy) {
                response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
            }
        }
        response
    }
}

/// Lets a request through only if it names this machine, so that no foreign name that points here can read a page; and tells
/// browsers what the pages may do.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_loopback_authority(host) {
        let words = "This server answers to 127.0.0.1 and localhost only.\n";
        return (StatusCode::MISDIRECTED_REQUEST, words).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whether a form was drawn by this server and posted from its own page: it carries the form key, and the browser names no
/// other origin.
pub(super) fn is_own_form(headers: &HeaderMap, sent: &str, form_key: &str) -> bool {
    let own_origin = match headers.get(ORIGIN).map(HeaderValue::to_str) {
        None => true,
        Some(Ok(origin)) => origin.strip_prefix("http://").is_some_and(is_loopback_authority),
        Some(Err(_)) => false,
    };
    own_origin && sent == form_key
}

/// What a form gets that is not ours.
pub(super) fn foreign_form() -> Response {
    let word = "This form is from an earlier demo or from another site. Open the page again and repeat it there.";
    Dialog::word("Nothing was changed", word).respond(StatusCode::FORBIDDEN, None)
}

/// `127.0.0.1`, `localhost` or `[::1]`, with any port: an SSH tunnel may use another one.
fn is_loopback_authority(authority: &str) -> bool {
    Url::parse(&format!("http://{authority}/"))
        .is_ok_and(|url| url.username().is_empty() && url.path() == "/" && crate::net::is_loopback(&url))
}
