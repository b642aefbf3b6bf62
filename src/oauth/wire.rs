//! One call to a vendor's token or device endpoint: the vendor's quirks around it, waiting when it says so, and what can go
//! wrong with it told apart.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use oauth2::{
    AsyncHttpClient, ErrorResponse, ErrorResponseType, HttpRequest, HttpResponse, RequestTokenError,
    StandardErrorResponse,
};
use serde_json::Value;

use super::Vendor;
use super::words::Doing;
use crate::failure::{Code, Failure};
use crate::net;

/// Larger answers are not tokens.
const MOST_BYTES: usize = 1 << 20;
/// How often a busy endpoint is asked again…
const MOST_WAITS: u32 = 3;
/// …and the longest wait for it.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Why a call to an authorisation server did not give what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// No answer in time.
    #[error("it did not answer in time")]
    TimedOut,
    /// No connection came up: nothing reached it.
    #[error("no connection to it came up ({0})")]
    Unreachable(String),
    /// The connection broke after the request was sent: it may have been carried out.
    #[error("the connection was cut before its answer arrived")]
    Cut,
    /// 5xx.
    #[error("it answered with an error of its own (HTTP {0})")]
    Broken(u16),
    /// 429, again and again, or for longer than we wait.
    #[error("it is too busy and asks to wait {} s", .0.as_secs())]
    Busy(Duration),
    /// Not JSON: a proxy's or a captive network's page, most often.
    #[error("it answered with a page instead of data (HTTP {0})")]
    NotJson(u16),
    /// A refusal by the RFCs' error codes.
    #[error("it refused: {error} {description}")]
    Refused { error: String, description: String },
    /// JSON, but not what the RFCs say.
    #[error("its answer could not be understood ({0})")]
    Odd(String),
}

impl Trouble {
    /// Whether the same call may work a moment later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(
            self,
            Trouble::TimedOut | Trouble::Unreachable(_) | Trouble::Cut | Trouble::Broken(_) | Trouble::NotJson(_)
        )
    }

    /// In words for a person.
    pub(super) fn failure(&self, vendor: &Vendor, doing: Doing) -> Failure {
        let remedy = match self {
            Trouble::Refused { error, description } => return vendor.refused(doing, error, description),
            Trouble::Unreachable(_) => "Check the network connection, then try again.".to_owned(),
            Trouble::NotJson(_) => format!(
                "Check for a proxy or a network sign-in page, and the addresses under [crm.{}], then try again.",
                vendor.id
            ),
            Trouble::Odd(_) => format!("Check the addresses under [crm.{}], then try again.", vendor.id),
            _ => "Try again in a few minutes.".to_owned(),
        };
        let what = match doing {
            Doing::SignIn => format!("The sign-in at {} did not complete", vendor.name),
            Doing::Refresh => format!("The access to {} could not be renewed", vendor.name),
        };
        Failure::new(Code::Failed, format!("{what}: {self}."), remedy)
    }
}

/// What the `oauth2` crate says went wrong.
impl<T> From<RequestTokenError<Trouble, StandardErrorResponse<T>>> for Trouble
where
    T: ErrorResponseType + AsRef<str> + 'static,
    StandardErrorResponse<T>: ErrorResponse,
{
    fn from(error: RequestTokenError<Trouble, StandardErrorResponse<T>>) -> Self {
        match error {
            RequestTokenError::Request(trouble) => trouble,
            RequestTokenError::ServerResponse(answer) => Trouble::Refused {
                error: answer.error().as_ref().to_owned(),
                description: answer.error_description().cloned().unwrap_or_default(),
            },
            // serde's own words may repeat values, and values may be tokens: only the place is told.
            RequestTokenError::Parse(error, _) => Trouble::Odd(match error.path().to_string().as_str() {
                "." => "a field is missing or wrong".to_owned(),
                path => format!("the field `{path}` is wrong"),
            }),
            RequestTokenError::Other(words) => Trouble::Odd(words),
        }
    }
}

/// The way to a vendor's token and device endpoints, as the `oauth2` crate's HTTP client.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) http: reqwest::Client,
    pub(super) vendor: Vendor,
}

impl<'c> AsyncHttpClient<'c> for Wire {
    type Error = Trouble;
    type Future = BoxFuture<'c, Result<HttpResponse, Trouble>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.send(request).boxed()
    }
}

impl Wire {
    /// Sends one request. What comes back is a JSON object with status 200, or an error object of the RFCs with status 400.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Trouble> {
        let request = self.vendor.quirks.encode_request(request);
        let mut waits = 0;
        loop {
            let response = self.vendor.quirks.normalise_response(self.once(request.clone()).await?);
            if response.status() != StatusCode::TOO_MANY_REQUESTS {
                return understand(response);
            }
            let wait = net::skew::retry_after(response.headers(), Timestamp::now())
                .unwrap_or_else(|| Duration::from_secs(1 << waits));
            waits += 1;
            if waits > MOST_WAITS || wait > LONGEST_WAIT {
                return Err(Trouble::Busy(wait));
            }
            tracing::info!(vendor = self.vendor.id, seconds = wait.as_secs(), "the token endpoint is busy, waiting");
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&self, request: HttpRequest) -> Result<HttpResponse, Trouble> {
        let request =
            reqwest::Request::try_from(request).map_err(|error| Trouble::Odd(error.without_url().to_string()))?;
        let response = self.http.execute(request).await.map_err(broken)?;
        let mut parts = Response::builder().status(response.status());
        if let Some(headers) = parts.headers_mut() {
            headers.clone_from(response.headers());
        }
        let body = net::read_body(response, MOST_BYTES).await.map_err(broken)?;
        let body = body.ok_or_else(|| Trouble::Odd("it is larger than 1 MB".into()))?;
        parts.body(body).map_err(|error| Trouble::Odd(error.to_string()))
    }
}

fn broken(error: reqwest::Error) -> Trouble {
    // A time-out while connecting is one of no connection: the request was not sent.
    if error.is_connect() {
        Trouble::Unreachable(root_cause(&error))
    } else if error.is_timeout() {
        Trouble::TimedOut
    } else {
        Trouble::Cut
    }
}

/// The innermost error says what the outer ones only wrap.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn understand(response: HttpResponse) -> Result<HttpResponse, Trouble> {
    let (mut parts, body) = response.into_parts();
    let status = parts.status;
    if status.is_server_error() {
        return Err(Trouble::Broken(status.as_u16()));
    }
    let Ok(Value::Object(object)) = serde_json::from_slice(&body) else {
        return Err(Trouble::NotJson(status.as_u16()));
    };
    if !status.is_success() && !object.get("error").is_some_and(Value::is_string) {
        let said =
            ["error_description", "message", "error_message"].iter().find_map(|name| object.get(*name)?.as_str());
        return Err(Trouble::Refused {
            error: format!("HTTP {}", status.as_u16()),
            description: said.unwrap_or("").into(),
        });
    }
    // Vendors send 201, or JSON under another name; the RFC knows neither.
    parts.status = if status.is_success() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(Response::from_parts(parts, body))
}
