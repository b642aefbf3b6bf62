//! The one way to call a vendor: addressed, signed, limited, refreshed when the token is refused, answers classified.
//!
//! It repeats a call only after a refused token. Waiting and trying again is the business of `sync`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use super::call::{self, ApiReply, Body, Call};
use super::credentials::{Credential, Credentials};
use super::limiter::Limiter;
use super::{Crm, Trouble, TroubleKind};
use crate::config::CrmSettings;
use crate::failure::{Code, Failure};
use crate::net;
use crate::oauth::Endpoints;
use crate::vault::Secret;

/// Replies longer than this are refused.
const REPLY_CAP: usize = 16 * 1024 * 1024;

/// How an account is reached, apart from its token.
#[derive(Clone, Debug)]
pub struct Access {
    /// What stands before the vendor's paths, from [`account_base`].
    pub base: Url,
    /// The values given at sign-in.
    pub fields: BTreeMap<String, String>,
    /// What the token answer said besides the tokens.
    pub token: Map<String, Value>,
}

/// A handle on one account; cheap to clone.
#[derive(Clone)]
pub struct Api {
    crm: &'static dyn Crm,
    http: reqwest::Client,
    access: Arc<Access>,
    credentials: Arc<dyn Credentials>,
    limiter: Arc<Limiter>,
    clock_ahead: Arc<AtomicI64>,
    notes: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl fmt::Debug for Api {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Api({} at {})", self.crm.spec().id, self.access.base)
    }
}

impl Api {
    /// A handle. All handles on one account share its limiter and its credentials.
    pub fn new(
        crm: &'static dyn Crm,
        http: reqwest::Client,
        access: Access,
        credentials: Arc<dyn Credentials>,
        limiter: Arc<Limiter>,
    ) -> Self {
        Api {
            crm,
            http,
            access: Arc::new(access),
            credentials,
            limiter,
            clock_ahead: Arc::default(),
            notes: Arc::default(),
        }
    }

    /// The vendor.
    pub fn crm(&self) -> &'static dyn Crm {
        self.crm
    }

    /// A value given at sign-in, else one of the token answer; empty when there is none.
    pub fn field(&self, name: &str) -> &str {
        let given = self.access.fields.get(name).map(String::as_str);
        given.or_else(|| self.access.token.get(name).and_then(Value::as_str)).unwrap_or_default()
    }

    /// Keeps what a vendor's file learned about the account (which board it is), for its next calls by any handle on it.
    pub fn note(&self, name: &'static str, value: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).insert(name, value);
    }

    /// What was kept under this name.
    pub fn noted(&self, name: &str) -> Option<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// A time of ours by the vendor's clock, as its answers' dates show it; up to a second early.
    pub fn vendor_time(&self, ours: Timestamp) -> Timestamp {
        ours.saturating_add(SignedDuration::from_secs(self.clock_ahead.load(Ordering::Relaxed))).unwrap_or(ours)
    }

    /// Sends a call and reads its answer as JSON.
    ///
    /// # Errors
    /// As [`Api::send`]; an answer of another shape is [`TroubleKind::Unclear`] for a `once` call, else `Vendor`.
    pub async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T, Trouble> {
        let once = call.once;
        let reply = self.send(call).await?;
        reply.json().ok_or_else(|| Trouble {
            kind: if once { TroubleKind::Unclear } else { TroubleKind::Vendor },
            message: format!("{} answered with something that cannot be read.", self.crm.spec().name),
            next_step: String::new(),
        })
    }

    /// Sends a call; when the token is refused, refreshes it and repeats the call once.
    ///
    /// # Errors
    /// The [`Trouble`] that the answer, or its absence, means.
    pub async fn send(&self, call: Call) -> Result<ApiReply, Trouble> {
        let mut token = self.credentials.current().await.map_err(credentials_trouble)?;
        let mut refreshed = false;
        loop {
            let reply = self.exchange(&call, &token).await?;
            let Some(trouble) = self.judge(&call, &reply) else { return Ok(reply) };
            match trouble.kind {
                TroubleKind::Credentials if !refreshed => {
                    token = self.credentials.refresh_after(&token).await.map_err(credentials_trouble)?;
                    refreshed = true;
                }
                TroubleKind::Busy { retry_after: Some(wait) } => {
                    self.limiter.close_for(call::seconds(wait));
                    return Err(trouble);
                }
                _ => return Err(trouble),
            }
        }
    }

    fn judge(&self, call: &Call, reply: &ApiReply) -> Option<Trouble> {
        let status = reply.status.as_u16();
        let ours = matches!(status, 200..=499) && !matches!(status, 401 | 429);
        if ours && reply.is_page() {
            let mut trouble = call::page(self.crm.spec().name, reply);
            if call.once && reply.status.is_success() {
                trouble.kind = TroubleKind::Unclear;
            }
            return Some(trouble);
        }
        let mut trouble = self.crm.classify(reply)?;
        if trouble.kind == TroubleKind::Vendor && call.once {
            trouble.kind = TroubleKind::Unclear;
        }
        Some(trouble)
    }

    async fn exchange(&self, call: &Call, token: &Secret) -> Result<ApiReply, Trouble> {
        let request = self.request(call, token)?;
        let permit = self.limiter.acquire().await.map_err(|wait| self.used_up(wait))?;
        let answer = match self.http.execute(request).await {
            Ok(response) => read(response).await,
            Err(error) => Err(error),
        };
        let reply = answer.map_err(|error| self.unanswered(call, &error))?;
        let Some(reply) = reply else {
            return Err(Trouble {
                kind: if call.once { TroubleKind::Unclear } else { TroubleKind::Refused },
                message: format!("{} answered with more than 16 MB.", self.crm.spec().name),
                next_step: String::new(),
            });
        };
        if let Some(allowance) = self.crm.allowance(&reply.headers) {
            self.limiter.note(allowance);
        }
        drop(permit);
        if let Some(ahead) = net::skew::skew(&reply.headers, Timestamp::now()) {
            self.clock_ahead.store(ahead.as_secs(), Ordering::Relaxed);
        }
        Ok(reply)
    }

    fn request(&self, call: &Call, token: &Secret) -> Result<reqwest::Request, Trouble> {
        let mut headers = call.headers.clone();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let is_static = self.credentials.is_static();
        self.crm.authorise(&mut headers, &Credential { token, is_static, fields: &self.access.fields });
        let builder = self.http.request(call.method.clone(), self.address(call));
        let builder = match &call.body {
            Body::Empty => builder,
            Body::Json(value) => builder.json(value),
            Body::Raw(bytes, kind) => builder.header(header::CONTENT_TYPE, kind).body(bytes.clone()),
            Body::Token => builder.form(&[("token", token.expose())]),
        };
        builder.headers(headers).build().map_err(|error| self.unanswered(call, &error))
    }

    fn address(&self, call: &Call) -> Url {
        let mut address = self.access.base.clone();
        let path = format!("{}{}", address.path().trim_end_matches('/'), call.path);
        address.set_path(&path);
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.pop_if_empty().extend(&call.segments);
        }
        if !call.query.is_empty() {
            address.query_pairs_mut().extend_pairs(&call.query);
        }
        address
    }

    fn used_up(&self, wait: std::time::Duration) -> Trouble {
        let until = SignedDuration::try_from(wait).ok().and_then(|wait| Timestamp::now().checked_add(wait).ok());
        Trouble {
            kind: TroubleKind::Quota { until },
            message: format!("The calls that {} allows are used up.", self.crm.spec().name),
            next_step: "Nothing to do: it goes on by itself once there are calls again.".to_owned(),
        }
    }

    fn unanswered(&self, call: &Call, error: &reqwest::Error) -> Trouble {
        let name = self.crm.spec().name;
        let host = self.access.base.host_str().unwrap_or_default();
        if error.is_builder() {
            let message = format!("The request to {name} could not be built.");
            return Trouble { kind: TroubleKind::Refused, message, next_step: String::new() };
        }
        let (kind, what) = match (error.is_connect(), error.is_timeout()) {
            (true, true) => (TroubleKind::Vendor, "did not take the connection in time"),
            (true, false) => (TroubleKind::Vendor, "cannot be reached"),
            (false, timed_out) => {
                let kind = if call.once { TroubleKind::Unclear } else { TroubleKind::Vendor };
                (kind, if timed_out { "did not answer in time" } else { "broke the connection off" })
            }
        };
        Trouble {
            kind,
            message: call::words_of(&format!("{name} ({host}) {what}.")),
            next_step: "Check the network if this goes on.".to_owned(),
        }
    }
}

async fn read(response: reqwest::Response) -> Result<Option<ApiReply>, reqwest::Error> {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = net::read_body(response, REPLY_CAP).await?;
    Ok(body.map(|body| ApiReply { status, headers, body }))
}

fn credentials_trouble(failure: Failure) -> Trouble {
    let kind = match failure.code {
        Code::SignInNeeded | Code::Forbidden => TroubleKind::Credentials,
        _ => TroubleKind::Vendor,
    };
    Trouble { kind, message: failure.message, next_step: failure.remedy }
}

/// What stands before the vendor's paths for one account: the address that its token answer names, else the configured one,
/// else the vendor's.
///
/// # Errors
/// [`Code::Usage`] when a configured address is none; [`Code::Failed`] when a token answer names a host that is neither the
/// vendor's nor on the origin of `base`.
pub fn account_base(crm: &dyn Crm, settings: &CrmSettings, token: &Map<String, Value>) -> Result<Url, Failure> {
    let spec = crm.spec();
    if let (Some(named), Some(oauth)) = (crm.account_base(token), &spec.oauth) {
        let endpoints = Endpoints::resolve(oauth, settings)?;
        let accepted = Url::parse(&named).ok().filter(|url| endpoints.accepts(url, spec.account_hosts));
        return accepted.ok_or_else(|| {
            let named = call::words_of(&named);
            Failure::new(
                Code::Failed,
                format!("{} names {named} as the account's address, which is not one of its hosts.", spec.name),
                format!("If that is right, set base under [crm.{}] to it.", spec.id),
            )
        });
    }
    match (&settings.api_base, &settings.base) {
        (Some(own), _) => net::check_endpoint(own),
        (None, Some(base)) => {
            let path =
                Url::parse(spec.api_base).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
            net::check_endpoint(&format!("{}{path}", base.trim_end_matches('/')))
        }
        (None, None) => net::check_endpoint(spec.api_base),
    }
}

#[cfg(test)]
#[path = "api_tests.rs"]
mod tests;
