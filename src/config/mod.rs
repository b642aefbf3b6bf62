//! The settings: one tree of structs, filled from the configuration file, then the environment, then flags.
//!
//! A setting is one field here; `config.example.toml`, the refusals of unknown keys and wrong values, and the documentation
//! follow from it.

mod duration;
mod example;
mod kind;
mod load;
mod rate;
mod secret;

pub mod paths;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use duration::parse_duration;
pub use example::example;
pub use kind::Kind;
pub use load::{Loaded, Sources, load};
pub use rate::Rate;
pub use secret::SecretSource;

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

/// A table of the configuration file and its settings, as the loader and the example file see it.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// `network`; `crm` stands for every `crm.PLATFORM`.
    pub name: &'static str,
    /// Its documentation, a line each.
    pub doc: &'static [&'static str],
    /// Its settings in order.
    pub settings: &'static [Setting],
}

/// One setting, as the loader and the example file see it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key.
    pub name: &'static str,
    /// Its documentation, a line each.
    pub doc: &'static [&'static str],
    /// What it takes.
    pub kind: Kind,
    /// A value for the example file, in TOML, when there is no default to show.
    pub sample: Option<&'static str>,
}

/// Every section, in the order of the file.
pub const SECTIONS: [Section; 5] =
    [Network::SECTION, CrmSettings::SECTION, WebhookSettings::SECTION, TuiSettings::SECTION, LogSettings::SECTION];

/// Defines a section once: the struct with its documentation, the defaults, and the [`Section`] that describes them.
/// A row reads `name: type = default, kind;`, with `, sample "…"` where the default is to have no value.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $name:ident = $table:literal {
            $(
                $(#[doc = $doc:literal])*
                $field:ident: $type:ty = $default:expr, $kind:expr $(, sample $sample:literal)?;
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $( $(#[doc = $doc])* pub $field: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                $name { $( $field: $default, )* }
            }
        }

        impl $name {
            /// What the loader and the example file know of it.
            pub const SECTION: Section = Section {
                name: $table,
                doc: &[$($about),*],
                settings: &[$(
                    Setting {
                        name: stringify!($field),
                        doc: &[$($doc),*],
                        kind: $kind,
                        sample: [$(Some($sample),)? None][0],
                    },
                )*],
            };
        }
    };
}

section! {
    /// How to reach the world.
    Network = "network" {
        /// A PEM file with one more certificate authority to trust.
        extra_ca: Option<PathBuf> = None, Kind::Path, sample "\"/path/ca.pem\"";
        /// Private networks that webhooks may reach, such as "127.0.0.0/8"; none by default.
        allow: Vec<String> = Vec::new(), Kind::Networks;
        /// How long one request may take.
        timeout: String = "20s".into(), Kind::Duration;
    }
}

section! {
    /// Your app at a CRM; the same settings for every platform id.
    CrmSettings = "crm" {
        /// The OAuth client id of your app at the vendor.
        client_id: Option<String> = None, Kind::Text, sample "\"your-client-id\"";
        /// Its secret: { env = "NAME" }, { file = "PATH" } or { command = "…" }; the first line counts.
        /// The secret itself, as a string, works too, with a warning.
        client_secret: Option<SecretSource> = None, Kind::Secret, sample "{ env = \"SF_SECRET\" }";
        /// Replaces scheme, host and an optional path prefix of all the vendor's addresses: sandbox, proxy, simulator.
        base: Option<String> = None, Kind::Url, sample "\"https://sandbox.example.com\"";
        /// Replaces the address of the sign-in page.
        authorize_url: Option<String> = None, Kind::Url, sample "\"https://sandbox.example.com/authorize\"";
        /// Replaces the address of the token endpoint.
        token_url: Option<String> = None, Kind::Url, sample "\"https://sandbox.example.com/token\"";
        /// Replaces what stands before the vendor's own API paths.
        api_base: Option<String> = None, Kind::Url, sample "\"https://sandbox.example.com/api\"";
        /// The redirect address registered with the vendor; port 0 picks a free one where the vendor allows it.
        redirect: Option<String> = None, Kind::Url, sample "\"http://localhost:8976/callback\"";
        /// Our own ceiling of calls, below the vendor's; the vendor's answers can only lower it.
        rate: Option<String> = None, Kind::Rate, sample "\"90/10s\"";
    }
}

section! {
    /// Defaults of outgoing webhooks.
    WebhookSettings = "webhook" {
        /// How often one delivery is tried before it is parked, unless the webhook has retries of its own.
        max_attempts: u32 = 10, Kind::Count { least: 1, most: 31 };
        /// Requests under way at once, per webhook.
        concurrency: u32 = 16, Kind::Count { least: 1, most: 256 };
    }
}

section! {
    /// The terminal interface.
    TuiSettings = "tui" {
        /// The colours: auto, dark, light, high-contrast or plain. NO_COLOR wins.
        theme: String = "auto".into(), Kind::OneOf(&["auto", "dark", "light", "high-contrast", "plain"]);
        /// Glyphs beyond ASCII.
        unicode: bool = true, Kind::Switch;
        /// Mouse click and wheel.
        mouse: bool = true, Kind::Switch;
    }
}

section! {
    /// What is kept, and for how long.
    LogSettings = "log" {
        /// What goes to the log file: error, warn, info or debug.
        level: String = "info".into(), Kind::OneOf(&["error", "warn", "info", "debug"]);
        /// How long runs, deliveries and notices are kept.
        keep: String = "30d".into(), Kind::Duration;
    }
}
