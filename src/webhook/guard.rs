//! The network guard: webhooks reach the public internet, and of the rest only what `[network] allow` names.
//!
//! The guard is the resolver of the webhook client, so that the address it checked is the address that is dialled. IP literals
//! never come to a resolver and are checked before a request is made.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use ipnet::IpNet;
use url::{Host, Url};

use super::ranges;
use crate::failure::{Code, Failure};

/// Names that mean this machine or this network, whatever a resolver says.
const LOCAL_SUFFIXES: [&str; 4] = ["local", "internal", "localhost", "home.arpa"];

/// The addresses of a name, as a resolver gives them.
pub type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// How names become addresses.
pub type Lookup = Arc<dyn Fn(String) -> Addresses + Send + Sync>;

/// Decides which addresses a webhook may reach.
#[derive(Clone)]
pub struct Guard {
    allow: Arc<[IpNet]>,
    lookup: Lookup,
}

/// Why a destination is refused: final, no retry helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    host: String,
    address: Option<IpAddr>,
    what: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Refusal { host, address, what } = self;
        match address {
            Some(address) if address.to_string() != *host => write!(out, "{host} leads to {address}, {what}")?,
            _ => write!(out, "{host} is {what}")?,
        }
        out.write_str(", and webhooks reach only the public internet.")
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// What to do when the destination is meant.
    pub fn remedy(&self) -> String {
        let block = match self.address.map(ranges::unwrap) {
            Some(IpAddr::V4(four)) => format!("{four}/32"),
            Some(IpAddr::V6(six)) => format!("{six}/128"),
            None => "127.0.0.0/8".to_owned(),
        };
        format!("Check the address; if it is meant, put allow = [\"{block}\"] under [network] in config.toml.")
    }

    /// As a person reads it.
    pub fn failure(&self) -> Failure {
        Failure::new(Code::Forbidden, self.to_string(), self.remedy())
    }
}

/// Why a name gave no address to dial.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// An address is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The resolver knows none, or did not answer.
    #[error("{host} has no address: {error}")]
    Unknown {
        /// The name.
        host: String,
        /// What the resolver said.
        error: io::Error,
    },
}

impl Guard {
    /// A guard with the system's resolver. `allow` holds CIDR blocks or single addresses; a bad entry is a usage failure.
    pub fn new(allow: &[String]) -> Result<Guard, Failure> {
        Guard::with_lookup(allow, Arc::new(|host| Box::pin(system_lookup(host))))
    }

    /// The same over a resolver of one's own.
    pub fn with_lookup(allow: &[String], lookup: Lookup) -> Result<Guard, Failure> {
        let allow = allow.iter().map(|entry| parse_block(entry)).collect::<Result<Vec<_>, _>>()?;
        Ok(Guard { allow: allow.into(), lookup })
    }

    /// What can be said of an address without asking a resolver: IP literals, and names that are local by their form.
    pub fn check_url(&self, url: &Url) -> Result<(), Refusal> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.check(&address.to_string(), IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => self.check(&address.to_string(), IpAddr::V6(address)),
            // With no block allowed, no answer of a resolver could make a local name right.
            Some(Host::Domain(name)) if self.allow.is_empty() && is_local(name) => Err(local(name, None)),
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }

    /// The addresses to dial for a name. One refused address refuses the name: which of them is dialled is chance.
    pub async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Unreachable> {
        if self.allow.is_empty() && is_local(host) {
            return Err(local(host, None).into());
        }
        let unknown = |error| Unreachable::Unknown { host: host.to_owned(), error };
        let addresses = (self.lookup)(host.to_owned()).await.map_err(unknown)?;
        if addresses.is_empty() {
            return Err(unknown(io::Error::other("the name exists, but without addresses")));
        }
        for &address in &addresses {
            if is_local(host) && !self.allows(address) {
                return Err(local(host, Some(address)).into());
            }
            self.check(host, address)?;
        }
        Ok(addresses)
    }

    fn check(&self, host: &str, address: IpAddr) -> Result<(), Refusal> {
        match ranges::special(address) {
            Some(what) if !self.allows(address) => Err(Refusal { host: host.to_owned(), address: Some(address), what }),
            _ => Ok(()),
        }
    }

    fn allows(&self, address: IpAddr) -> bool {
        let meant = ranges::unwrap(address);
        self.allow.iter().any(|block| block.contains(&meant) || block.contains(&address))
    }
}

impl reqwest::dns::Resolve for Guard {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = Guard::resolve(&guard, name.as_str()).await?;
            // Port 0 makes the client take the URL's.
            let dialled = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(dialled) as reqwest::dns::Addrs)
        })
    }
}

fn local(host: &str, address: Option<IpAddr>) -> Refusal {
    Refusal { host: host.to_owned(), address, what: "a name of this machine or this network".into() }
}

fn is_local(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let ends_in = |suffix: &str| name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !name.contains('.') || LOCAL_SUFFIXES.into_iter().any(ends_in)
}

fn parse_block(entry: &str) -> Result<IpNet, Failure> {
    let parsed = entry.parse::<IpNet>().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from));
    parsed.map_err(|_| {
        Failure::new(
            Code::Usage,
            format!("[network] allow holds '{entry}', which is not a network."),
            "Write networks such as \"127.0.0.0/8\" or single addresses.",
        )
    })
}

async fn system_lookup(host: String) -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for found in tokio::net::lookup_host((host.as_str(), 0)).await? {
        if !addresses.contains(&found.ip()) {
            addresses.push(found.ip());
        }
    }
    Ok(addresses)
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
