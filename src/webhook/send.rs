//! Sending one webhook request: the guarded client, an answer read with a cap, and words for what went wrong.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use tokio::time::Instant;

use super::guard::{Guard, Refusal, Unreachable};
use super::request::Request;
use super::{Exchange, ResponseSeen};
use crate::config::Network;
use crate::failure::Failure;
use crate::net::{self, Tls};

/// The most bytes that are read of an answer.
pub const MAX_ANSWER: usize = 64 << 10;
/// The longest that is waited for an answer's body.
const BODY_TIME: Duration = Duration::from_secs(5);

/// Sends webhook requests. One for all webhooks: cheap to clone, connections are shared.
#[derive(Clone)]
pub struct Sender {
    client: reqwest::Client,
    guard: Guard,
}

/// What came of one request.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// From dialling to the end of the answer, in milliseconds.
    pub ms: u64,
    /// The answer, or why there was none.
    pub result: Result<Answer, Trouble>,
}

/// An answer, read as far as it was let.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// At most [`MAX_ANSWER`] bytes, as they came.
    pub body: Vec<u8>,
    /// Why the body is not whole; it changes nothing about what the status says.
    pub cut: Option<String>,
    /// Who answered.
    pub address: Option<SocketAddr>,
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The network guard forbids the destination: final.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The name has no address.
    #[error("{0}")]
    Unresolved(String),
    /// No connection came up.
    #[error("{0}")]
    Unreachable(String),
    /// The other side is not who it should be, or speaks no TLS that we accept.
    #[error("{0}")]
    Untrusted(String),
    /// Too slow.
    #[error("{0}")]
    TimedOut(String),
    /// The connection broke before an answer; the request may have arrived.
    #[error("{0}")]
    Broken(String),
}

impl Sender {
    /// A sender with the trust, time limit and allowed networks of `[network]`.
    pub fn new(network: &Network, tls: &Tls) -> Result<Sender, Failure> {
        Sender::with_guard(network, tls, Guard::new(&network.allow)?)
    }

    /// The same with a guard of one's own.
    pub fn with_guard(network: &Network, tls: &Tls, guard: Guard) -> Result<Sender, Failure> {
        let resolver = std::sync::Arc::new(guard.clone());
        // Not decompressed: an answer is only shown, and a bomb or garbage in it must not matter.
        let more = |builder: reqwest::ClientBuilder| builder.dns_resolver(resolver).https_only(true).gzip(false);
        Ok(Sender { client: net::client_with(network, tls, more)?, guard })
    }

    /// The guard, for checking an address before it is saved.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends once. Never fails: what went wrong is part of the attempt.
    pub async fn send(&self, request: &Request) -> Attempt {
        let started = Instant::now();
        let result = match self.guard.check_url(&request.url) {
            Err(refusal) => Err(refusal.into()),
            Ok(()) => self.call(request).await,
        };
        Attempt { ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX), result }
    }

    async fn call(&self, request: &Request) -> Result<Answer, Trouble> {
        let call = self
            .client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone());
        let mut response = call.send().await.map_err(|error| trouble(&request.authority(), &error))?;
        let mut answer = Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: Vec::new(),
            cut: None,
            address: response.remote_addr(),
        };
        let read = tokio::time::timeout(BODY_TIME, read_body(&mut response, &mut answer.body)).await;
        answer.cut = read.unwrap_or_else(|_| Some(format!("cut after {} s", BODY_TIME.as_secs())));
        Ok(answer)
    }
}

/// Says why the body is not whole, if it is not.
async fn read_body(response: &mut reqwest::Response, body: &mut Vec<u8>) -> Option<String> {
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - body.len())]),
            Ok(None) => return None,
            Err(_) => return Some("the connection broke before its end".into()),
        }
        if body.len() == MAX_ANSWER {
            return Some(format!("cut at {} KB", MAX_ANSWER >> 10));
        }
    }
}

impl Attempt {
    /// The answer in one line for a log: `200`, `503`, or a sentence when there was none. Foreign text in part.
    pub fn answer(&self) -> String {
        match &self.result {
            Ok(answer) => answer.status.as_u16().to_string(),
            Err(trouble) => trouble.to_string(),
        }
    }

    /// Request and answer, side by side, for a test.
    pub fn exchange(&self, request: &Request) -> Exchange {
        let (status, response) = match &self.result {
            Ok(answer) => (answer.status.as_u16(), answer.seen()),
            Err(trouble) => (0, ResponseSeen { error: trouble.to_string(), ..ResponseSeen::default() }),
        };
        Exchange { status, ms: self.ms, request: request.seen(), response }
    }
}

impl Answer {
    fn seen(&self) -> ResponseSeen {
        let shown = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let packed = self.headers.get(http::header::CONTENT_ENCODING).filter(|_| !self.body.is_empty());
        let body = match packed {
            Some(how) => format!("({} bytes, {})", self.body.len(), String::from_utf8_lossy(how.as_bytes())),
            None => String::from_utf8_lossy(&self.body).into_owned(),
        };
        let body = self.cut.as_ref().map_or_else(|| body.clone(), |cut| format!("{body}… ({cut})"));
        ResponseSeen { headers: self.headers.iter().map(shown).collect(), body, error: String::new() }
    }
}

/// Turns the client's nested error into the one cause that a person can do something about.
fn trouble(host: &str, error: &reqwest::Error) -> Trouble {
    let causes = causes(error);
    let found = |cause: &&(dyn Error + 'static)| {
        if let Some(unreachable) = cause.downcast_ref::<Unreachable>() {
            return Some(match unreachable {
                Unreachable::Refused(refusal) => Trouble::Refused(refusal.clone()),
                Unreachable::Unknown { .. } => Trouble::Unresolved(format!("{unreachable}.")),
            });
        }
        cause.downcast_ref::<rustls::Error>().map(|error| Trouble::Untrusted(untrusted(host, error)))
    };
    if let Some(trouble) = causes.iter().find_map(found) {
        return trouble;
    }
    if error.is_timeout() {
        let what = if error.is_connect() { "did not let us connect" } else { "did not answer" };
        return Trouble::TimedOut(format!("{host} {what} in time."));
    }
    let kind = causes.iter().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    let deepest = causes.last().map(ToString::to_string).unwrap_or_default();
    match (error.is_connect(), kind) {
        (true, Some(io::ErrorKind::ConnectionRefused)) => {
            Trouble::Unreachable(format!("{host} refused the connection: nothing listens there."))
        }
        (true, _) => Trouble::Unreachable(format!("No connection to {host} came up: {deepest}.")),
        (false, Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)) => {
            Trouble::Broken(format!("{host} cut the connection before it answered."))
        }
        (false, _) => Trouble::Broken(format!("{host} gave no answer that can be read: {deepest}.")),
    }
}

/// An error and everything under it. What `io::Error` carries is not among its sources, so it is unpacked here.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut found: Vec<&'a (dyn Error + 'static)> = vec![error];
    let mut at = error;
    loop {
        let inner =
            at.downcast_ref::<io::Error>().and_then(io::Error::get_ref).map(|inner| inner as &(dyn Error + 'static));
        match inner.or_else(|| at.source()) {
            Some(next) => at = next,
            None => return found,
        }
        found.push(at);
    }
}

fn untrusted(host: &str, error: &rustls::Error) -> String {
    use rustls::{AlertDescription, CertificateError as Bad, Error as Tls};
    match error {
        Tls::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => format!("The certificate of {host} has expired."),
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                format!("The certificate of {host} is not valid yet; check this machine's clock.")
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                format!("The certificate of {host} is for another name.")
            }
            Bad::UnknownIssuer => format!(
                "The certificate of {host} is signed by nobody this machine trusts ([network] extra_ca adds an authority)."
            ),
            other => format!("The certificate of {host} is not acceptable: {other}."),
        },
        Tls::AlertReceived(AlertDescription::ProtocolVersion) | Tls::PeerIncompatible(_) => {
            format!("{host} speaks no TLS that is safe; version 1.2 or newer is needed.")
        }
        Tls::AlertReceived(AlertDescription::CertificateRequired) => {
            format!("{host} wants a client certificate, which webhooks cannot show.")
        }
        Tls::InvalidMessage(_) => format!("{host} does not speak TLS on this port."),
        other => format!("No safe connection to {host} came up: {other}."),
    }
}
