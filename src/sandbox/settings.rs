//! The demo's configuration: an ordinary `config.toml` that trusts the practice authority and names the practice CRM.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{CLIENT_ID, Sandbox, files};
use crate::config::Config;
use crate::failure::{Code, Failure};

/// The network that the practice webhook receiver is on.
const LOOPBACK: &str = "127.0.0.0/8";

impl Sandbox {
    /// Writes `config.toml` into the demo's folder and answers its path. What a person set there stays, except for what the demo
    /// itself needs: `[network] extra_ca`, loopback in `allow`, and `[crm.practice]`.
    ///
    /// # Errors
    /// [`Code::Unreadable`] when there is such a file and it is not TOML.
    pub fn write_config(&self, home: &Path) -> Result<PathBuf, Failure> {
        let path = home.join("config.toml");
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let mut settings: Table = kept.parse().map_err(|error: toml::de::Error| {
            Failure::new(
                Code::Unreadable,
                format!("{} is not readable: {}.", path.display(), error.message()),
                "Mend that line, or remove the file: the demo writes a new one.",
            )
        })?;
        self.set(&mut settings);
        let text = format!("# The demo's settings. Addresses are brought up to date at every start.\n\n{settings}");
        files::write_private(&path, text.as_bytes())?;
        Ok(path)
    }

    /// The same settings without a file, on top of the defaults.
    pub fn config(&self) -> Config {
        let mut settings = Table::new();
        self.set(&mut settings);
        settings.try_into().unwrap_or_default()
    }

    fn set(&self, settings: &mut Table) {
        in_table(settings, "network", |network| {
            network.insert("extra_ca".into(), self.ca_path().to_string_lossy().into_owned().into());
            let allow = network.entry("allow").or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(allow) = allow
                && !allow.iter().any(|range| range.as_str() == Some(LOOPBACK))
            {
                allow.push(LOOPBACK.into());
            }
        });
        in_table(settings, "crm", |crm| {
            in_table(crm, "practice", |practice| {
                practice.insert("client_id".into(), CLIENT_ID.into());
                practice.insert("base".into(), self.origin().into());
            });
        });
    }
}

/// Changes the table of this name, put in the place of whatever else stands there.
fn in_table(within: &mut Table, name: &str, change: impl FnOnce(&mut Table)) {
    let entry = within.entry(name).or_insert_with(|| Value::Table(Table::new()));
    if !entry.is_table() {
        *entry = Value::Table(Table::new());
    }
    if let Value::Table(table) = entry {
        change(table);
    }
}
