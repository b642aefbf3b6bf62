//! The one set-up of HTTP clients: no redirects, no proxy from the environment, time limits; and which addresses are allowed.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use url::{Host, Url};

use super::Tls;
use crate::config::{Network, parse_duration};
use crate::failure::{Code, Failure};

/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_secs(10);
/// What servers see of us.
const USER_AGENT: &str = concat!("leadferry/", env!("CARGO_PKG_VERSION"));

/// The client for sign-in and CRM calls.
///
/// # Errors
/// A wrong `[network]` setting.
pub fn client(network: &Network) -> Result<Client, Failure> {
    client_with(network, &Tls::load(network)?, |builder| builder)
}

/// The same with more settings of one's own (a resolver that guards addresses, pool limits) and shared TLS.
///
/// # Errors
/// A wrong `[network]` setting.
pub fn client_with(
    network: &Network,
    tls: &Tls,
    more: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Client, Failure> {
    let timeout = parse_duration(&network.timeout)
        .map_err(|error| Failure::new(Code::Unreadable, error, "Correct `timeout` under [network]."))?;
    let builder = Client::builder()
        .tls_backend_preconfigured(tls.config().clone())
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT.min(timeout))
        .timeout(timeout);
    more(builder)
        .build()
        .map_err(|error| Failure::new(Code::Failed, format!("The HTTP client could not be set up: {error}."), ""))
}

/// Checks an address of a sign-in or CRM endpoint: HTTPS, or plain HTTP to loopback; no user name in it, no fragment.
///
/// # Errors
/// [`Code::Usage`] saying what is wrong with it.
pub fn check_endpoint(address: &str) -> Result<Url, Failure> {
    let wrong = |what: &str| {
        Failure::new(
            Code::Usage,
            format!("The address {} {what}.", super::redact::url(address)),
            "Use an https:// address; http:// is allowed for localhost only.",
        )
    };
    let url = Url::parse(address).map_err(|error| wrong(&format!("cannot be read ({error})")))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(wrong("is not encrypted (plain http)")),
        _ => return Err(wrong("is not an https:// address")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("has a user name or password in it"));
    }
    if url.fragment().is_some() {
        return Err(wrong("has a `#` part"));
    }
    Ok(url)
}

/// Whether an address is this machine by its very text: `localhost`, 127.0.0.0/8 or `[::1]`. No name is looked up.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

/// Reads a body of at most `limit` bytes; `Ok(None)` when there is more.
///
/// # Errors
/// The connection broke or the time ran out.
pub async fn read_body(mut response: Response, limit: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
