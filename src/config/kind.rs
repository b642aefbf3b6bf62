//! What a setting takes: how its text in the environment is read, which values are refused, and what is allowed, in words.

use std::net::IpAddr;

use serde::Deserialize;
use toml::Value;
use url::{Host, Url};

use super::{Rate, SecretSource, parse_duration};

/// What a setting takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text that is not empty.
    Text,
    /// A file.
    Path,
    /// A [`SecretSource`].
    Secret,
    /// HTTPS, or HTTP on this machine.
    Url,
    /// `20s`.
    Duration,
    /// `90/10s`.
    Rate,
    /// A list of networks (address and prefix length) or single addresses.
    Networks,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number in these bounds.
    Count {
        /// The least allowed.
        least: i64,
        /// The most allowed.
        most: i64,
    },
    /// `true` or `false`.
    Switch,
}

impl Kind {
    /// The value that text from the environment or a flag stands for. Text that fits no form stays text and is refused by
    /// [`Kind::accepts`].
    pub fn read(self, text: &str) -> Value {
        let as_toml = || toml::from_str::<toml::Table>(&format!("value = {text}")).ok()?.remove("value");
        let as_text = || Value::String(text.to_owned());
        match self {
            Kind::Switch | Kind::Count { .. } => as_toml().unwrap_or_else(as_text),
            Kind::Networks if text.trim_start().starts_with('[') => as_toml().unwrap_or_else(as_text),
            Kind::Networks => text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(Value::from)
                .collect::<Vec<_>>()
                .into(),
            Kind::Secret if text.trim_start().starts_with('{') => as_toml().unwrap_or_else(as_text),
            _ => as_text(),
        }
    }

    /// Whether a setting of this kind takes the value.
    pub fn accepts(self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Kind::Text | Kind::Path => text.is_some_and(|text| !text.trim().is_empty()),
            Kind::Secret => SecretSource::deserialize(value.clone()).is_ok_and(|source| !source.is_empty()),
            Kind::Url => text.is_some_and(is_endpoint),
            Kind::Duration => text.is_some_and(|text| parse_duration(text).is_ok()),
            Kind::Rate => text.is_some_and(|text| text.parse::<Rate>().is_ok()),
            Kind::Networks => {
                value.as_array().is_some_and(|all| all.iter().all(|one| one.as_str().is_some_and(is_network)))
            }
            Kind::OneOf(words) => text.is_some_and(|text| words.contains(&text)),
            Kind::Count { least, most } => value.as_integer().is_some_and(|number| (least..=most).contains(&number)),
            Kind::Switch => value.is_bool(),
        }
    }

    /// What is allowed, to stand after "Write".
    pub fn allowed(self) -> String {
        match self {
            Kind::Text => "a text in quotes".into(),
            Kind::Path => "the path of a file in quotes".into(),
            Kind::Secret => "{ env = \"NAME\" }, { file = \"PATH\" } or { command = \"…\" }".into(),
            Kind::Url => {
                "an https:// address in quotes; http:// only for this machine, such as http://127.0.0.1:9500".into()
            }
            Kind::Duration => {
                "a whole number and a unit in quotes: \"500ms\", \"20s\", \"5m\", \"1h\" or \"30d\"".into()
            }
            Kind::Rate => "calls per time in quotes: \"90/10s\" or \"100/1m\"".into(),
            Kind::Networks => "networks or addresses: [\"127.0.0.0/8\", \"fd00::/8\"]".into(),
            Kind::OneOf(words) => format!("one of {}", words.join(", ")),
            Kind::Count { least, most } => format!("a whole number from {least} to {most}"),
            Kind::Switch => "true or false".into(),
        }
    }

    /// The words that are allowed, where they can be counted.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Kind::OneOf(words) => words,
            _ => &[],
        }
    }
}

/// HTTPS anywhere, HTTP on this machine; no user name in it.
fn is_endpoint(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    url.username().is_empty() && url.password().is_none() && (url.scheme() == "https" || url.scheme() == "http" && here)
}

fn is_network(text: &str) -> bool {
    let Some((address, prefix)) = text.split_once('/') else { return text.parse::<IpAddr>().is_ok() };
    let most = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    prefix.parse::<u8>().is_ok_and(|prefix| prefix <= most)
}
