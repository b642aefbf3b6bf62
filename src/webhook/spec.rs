//! What may stand in a webhook's settings: each complaint is said at its field, as one types.

use http::{HeaderName, HeaderValue};
use url::Url;

use super::guard::Guard;
use super::{Auth, WebhookSpec, retry, template};
use crate::lead::filter::Filter;

/// The most leads that one request may carry.
pub const MAX_BATCH: u32 = 1_000;

/// Headers that are ours, or that belong to the connection (RFC 9110 section 7.6.1).
const OURS: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-encoding",
];

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpecField {
    /// The name.
    Name,
    /// The address.
    Url,
    /// API key, bearer, basic.
    Auth,
    /// More headers.
    Headers,
    /// The payload.
    Template,
    /// Leads per request.
    Batch,
    /// Which leads go out.
    Filter,
    /// The delays.
    Retry,
}

/// What is wrong with a field: one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The field.
    pub field: SpecField,
    /// The sentence. May hold foreign text.
    pub message: String,
}

/// Everything that is wrong, field by field; empty when the webhook can be saved. Nothing is sent and no name is looked up, so it can run at each key.
pub fn check(spec: &WebhookSpec, guard: &Guard) -> Vec<Complaint> {
    let batch = !(1..=MAX_BATCH).contains(&spec.batch);
    let found = [
        (SpecField::Name, check_name(&spec.name)),
        (SpecField::Url, check_url(&spec.url, guard)),
        (SpecField::Auth, check_auth(&spec.auth)),
        (SpecField::Headers, check_headers(spec)),
        (SpecField::Template, template::check(spec)),
        (SpecField::Batch, batch.then(|| format!("Give a number of leads from 1 to {MAX_BATCH}."))),
        (SpecField::Filter, Filter::check(&spec.filter).err().map(|error| error.message)),
        (SpecField::Retry, retry::check(&spec.retry)),
    ];
    found.into_iter().filter_map(|(field, message)| Some(Complaint { field, message: message? })).collect()
}

/// The address as it will be called; the error is what is wrong with it, in one sentence.
pub fn parse_url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("Give the address that takes the leads, beginning with https://.".into());
    }
    let url = Url::parse(text).map_err(|error| match text.split_once("://") {
        None => "The address must begin with https://.".to_owned(),
        Some(_) => format!("This is not an address: {error}."),
    })?;
    if url.scheme() != "https" {
        return Err("Only https:// addresses are called: leads are personal data.".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("Put user and password under Auth, not into the address.".into());
    }
    if url.fragment().is_some() {
        return Err("The part after # is never sent; leave it out.".into());
    }
    Ok(url)
}

/// An address for lists and logs: the path and query, which can be a secret, are left out.
pub fn masked_url(text: &str) -> String {
    let Ok(url) = Url::parse(text) else { return "…".into() };
    let origin = url.origin().ascii_serialization();
    let bare = url.path() == "/" && url.query().is_none();
    if bare { origin } else { format!("{origin}/…") }
}

fn check_name(name: &str) -> Option<String> {
    let name = name.trim();
    if name.is_empty() {
        return Some("Give the webhook a name.".into());
    }
    name.chars().any(char::is_control).then(|| "The name holds a character that cannot be shown.".into())
}

fn check_url(text: &str, guard: &Guard) -> Option<String> {
    match parse_url(text) {
        Err(problem) => Some(problem),
        Ok(url) => guard.check_url(&url).err().map(|refusal| refusal.to_string()),
    }
}

fn check_auth(auth: &Auth) -> Option<String> {
    let text = |what: &str, text: &str| {
        if text.is_empty() {
            return Some(format!("The {what} is missing."));
        }
        HeaderValue::from_str(text).is_err().then(|| format!("The {what} holds a character that no header can carry."))
    };
    match auth {
        Auth::None => None,
        Auth::ApiKey { header, key } => check_header_name(header).or_else(|| text("key", key.expose())),
        Auth::Bearer { token } => text("token", token.expose()),
        // The first colon ends the user (RFC 7617), so none can be in it.
        Auth::Basic { user, .. } if user.contains(':') => Some("The user cannot hold a colon.".into()),
        Auth::Basic { user, .. } => user.is_empty().then(|| "The user is missing.".into()),
    }
}

fn check_headers(spec: &WebhookSpec) -> Option<String> {
    spec.headers.iter().find_map(|(name, value)| {
        if name.eq_ignore_ascii_case("authorization") {
            return Some("Put the authorization under Auth, where it is kept as a secret.".into());
        }
        if let Auth::ApiKey { header, .. } = &spec.auth
            && header.eq_ignore_ascii_case(name)
        {
            return Some(format!("{name} is the API key's header already."));
        }
        check_header_name(name).or_else(|| {
            let bad = HeaderValue::from_bytes(value.as_bytes()).is_err();
            bad.then(|| format!("The value of {name} holds a line break or another control character."))
        })
    })
}

fn check_header_name(name: &str) -> Option<String> {
    let Ok(parsed) = name.parse::<HeaderName>() else {
        return Some(format!("'{name}' cannot be the name of a header."));
    };
    let name = parsed.as_str();
    let ours = OURS.contains(&name) || name.starts_with("webhook-");
    ours.then(|| format!("The header {name} is set by leadferry itself."))
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
