//! The settings: one tree of structs, filled from the configuration file, then the environment, then flags.
//!
//! A setting is one field here; `config.example.toml`, the refusals of unknown keys and the documentation follow from it.

mod duration;
mod rate;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use duration::parse_duration;
pub use rate::Rate;

/// Every setting. `Default` is what an empty file means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How to reach the world.
    pub network: Network,
    /// One table per CRM, keyed by its platform id.
    pub crm: BTreeMap<String, CrmSettings>,
    /// Defaults of outgoing webhooks.
    pub webhook: WebhookSettings,
    /// The terminal interface.
    pub tui: TuiSettings,
    /// What is kept, and for how long.
    pub log: LogSettings,
}

/// `[network]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// A PEM file with one more certificate authority to trust.
    pub extra_ca: Option<PathBuf>,
    /// Private networks (CIDR) that webhooks may reach; none by default.
    pub allow: Vec<String>,
    /// How long one request may take: `20s`.
    pub timeout: String,
}

impl Default for Network {
    fn default() -> Self {
        Network { extra_ca: None, allow: Vec::new(), timeout: "20s".into() }
    }
}

/// `[crm.PLATFORM]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrmSettings {
    /// The OAuth client id of your app at the vendor.
    pub client_id: Option<String>,
    /// Its secret: `{ env = "NAME" }`, `{ file = "PATH" }`, `{ command = "…" }`, or a bare string (with a warning).
    pub client_secret: Option<SecretSource>,
    /// Replaces scheme, host and an optional path prefix of all the vendor's endpoints: sandbox, proxy, simulator.
    pub base: Option<String>,
    /// Replaces the address of the sign-in page.
    pub authorize_url: Option<String>,
    /// Replaces the address of the token endpoint.
    pub token_url: Option<String>,
    /// Replaces what stands before the vendor's own API paths.
    pub api_base: Option<String>,
    /// The redirect address registered with the vendor.
    pub redirect: Option<String>,
    /// Our own ceiling of calls: `90/10s`.
    pub rate: Option<String>,
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SecretSource {
    /// An environment variable.
    Env {
        /// Its name.
        env: String,
    },
    /// The first line of a file.
    File {
        /// Its path.
        file: PathBuf,
    },
    /// The first line that a shell command prints.
    Command {
        /// The command, given to `sh -c`.
        command: String,
    },
    /// The secret itself; works, with a warning.
    Bare(String),
}

/// `[webhook]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// How often one delivery is tried before it is parked.
    pub max_attempts: u32,
    /// Requests under way at once, per webhook.
    pub concurrency: u32,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        WebhookSettings { max_attempts: 10, concurrency: 16 }
    }
}

/// `[tui]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TuiSettings {
    /// `auto`, `dark`, `light`, `high-contrast` or `plain`.
    pub theme: String,
    /// Glyphs beyond ASCII.
    pub unicode: bool,
    /// Mouse click and wheel.
    pub mouse: bool,
}

impl Default for TuiSettings {
    fn default() -> Self {
        TuiSettings { theme: "auto".into(), unicode: true, mouse: true }
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `error`, `warn`, `info` or `debug`.
    pub level: String,
    /// How long runs, deliveries and notices are kept.
    pub keep: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        LogSettings { level: "info".into(), keep: "30d".into() }
    }
}
