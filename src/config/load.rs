//! Reads the settings: file, then environment, then flags; refuses what it does not know, with the place and what is allowed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::{Config, CrmSettings, Kind, SECTIONS, Section, Setting};
use crate::failure::{Code, Failure};
use crate::text::nearest;

/// Variables of the environment that set a setting begin like this and hold `__` after the section.
const PREFIX: &str = "LEADFERRY_";

/// Where settings come from; the later wins.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The configuration file.
    pub file: &'a Path,
    /// Whether the file must be there, because somebody named it.
    pub named: bool,
    /// The environment; only `LEADFERRY_SECTION__KEY` is looked at.
    pub env: &'a [(String, String)],
    /// `SECTION.KEY=VALUE`, one per flag.
    pub flags: &'a [String],
    /// The platform ids that `[crm.…]` may name.
    pub platforms: &'a [&'a str],
}

/// The settings, and what a person should know about them.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// A sentence each.
    pub warnings: Vec<String>,
}

/// Where a setting stands, for messages.
enum Place<'a> {
    File { path: &'a Path, line: usize },
    Variable(&'a str),
    Flag(&'a str),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { path, line } => write!(out, "{}, line {line}", path.display()),
            Place::Variable(name) => write!(out, "The environment variable {name}"),
            Place::Flag(path) => write!(out, "--set {path}"),
        }
    }
}

/// Fills the settings from all sources.
///
/// # Errors
/// [`Code::Unreadable`] for the first thing that is wrong: where it stands, what is wrong, what is allowed.
pub fn load(sources: Sources<'_>) -> Result<Loaded, Failure> {
    let mut loading = Loading { platforms: sources.platforms, tables: BTreeMap::new(), warnings: Vec::new() };
    loading.file(sources.file, sources.named)?;
    for (name, value) in sources.env {
        loading.variable(name, value)?;
    }
    for flag in sources.flags {
        loading.flag(flag)?;
    }
    let (settings, warnings) = loading.finish();
    let config = Config::deserialize(settings).map_err(|error| {
        Failure::new(Code::Unreadable, format!("The settings do not fit together: {}.", error.message()), "")
    })?;
    Ok(Loaded { config, warnings })
}

struct Loading<'a> {
    platforms: &'a [&'a str],
    /// By path: `[network]` or `[crm, salesforce]`.
    tables: BTreeMap<Vec<String>, Table>,
    warnings: Vec<String>,
}

impl Loading<'_> {
    fn file(&mut self, path: &Path, named: bool) -> Result<(), Failure> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => return Ok(()),
            Err(error) => {
                return Err(Failure::new(
                    Code::Unreadable,
                    format!("The configuration file {} cannot be read: {error}.", path.display()),
                    "Make it a readable text file, or unset LEADFERRY_CONFIG.",
                ));
            }
        };
        let place = |offset: usize| Place::File { path, line: line_at(&text, offset) };
        let syntax = |error: toml::de::Error| {
            let place = place(error.span().map_or(0, |span| span.start));
            let cause = error.message().lines().next().unwrap_or_default().to_owned();
            Failure::new(
                Code::Unreadable,
                format!("{place}: this is not TOML: {cause}."),
                "Write sections as [network] and settings as name = value, with texts in quotes.",
            )
        };
        let values: Table = text.parse().map_err(syntax)?;
        let spans = DeTable::parse(&text).map_err(syntax)?;
        for (key, entry) in in_order(spans.get_ref()) {
            let at = place(key);
            let value = &values[entry.0];
            let section = find_section(entry.0, &at)?;
            if section.name != "crm" {
                self.table(&at, section, &[section.name], value, entry.1, &place)?;
                continue;
            }
            let (Value::Table(platforms), DeValue::Table(inner)) = (value, entry.1) else {
                return Err(not_a_table(&at, "crm.PLATFORM"));
            };
            for (key, (platform, spans)) in in_order(inner) {
                let at = place(key);
                self.check_platform(platform, &at)?;
                self.table(&at, section, &["crm", platform], &platforms[platform], spans, &place)?;
            }
        }
        Ok(())
    }

    /// One table of the file; `path` is the section's place in the settings.
    fn table<'p>(
        &mut self,
        at: &Place<'_>,
        section: &'static Section,
        path: &[&str],
        value: &Value,
        spans: &DeValue<'_>,
        place: &impl Fn(usize) -> Place<'p>,
    ) -> Result<(), Failure> {
        let (Value::Table(values), DeValue::Table(spans)) = (value, spans) else {
            return Err(not_a_table(at, &path.join(".")));
        };
        // An empty table of a platform counts as that platform's defaults.
        self.slot(path);
        for (key, (name, _)) in in_order(spans) {
            let at = place(key);
            let setting = find_setting(section, path, name, &at)?;
            let value = values[name].clone();
            if matches!(setting.kind, Kind::Secret) && value.is_str() {
                self.warnings.push(format!(
                    "{at}: the secret itself stands in the file; {{ env = \"NAME\" }} or {{ file = \"PATH\" }} keeps it out."
                ));
            }
            self.put(path, setting, value, &at)?;
        }
        Ok(())
    }

    fn variable(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        match name.strip_prefix(PREFIX) {
            Some(path) if path.contains("__") => {
                self.text(&path.to_lowercase().replace("__", "."), value, &Place::Variable(name))
            }
            _ => Ok(()),
        }
    }

    fn flag(&mut self, flag: &str) -> Result<(), Failure> {
        let Some((path, value)) = flag.split_once('=') else {
            return Err(Failure::new(
                Code::Usage,
                format!("--set {flag} has no value."),
                "Write --set SECTION.KEY=VALUE, such as --set network.timeout=30s.",
            ));
        };
        if path.ends_with(".client_secret") && !value.trim_start().starts_with('{') {
            return Err(Failure::new(
                Code::Usage,
                format!("--set {path} would show the secret to everybody on this machine."),
                format!("Give its source instead: --set '{path}={{ file = \"PATH\" }}'."),
            ));
        }
        self.text(path, value, &Place::Flag(path))
    }

    /// A setting from one line of text, its path joined by full stops.
    fn text(&mut self, path: &str, value: &str, at: &Place<'_>) -> Result<(), Failure> {
        let parts: Vec<&str> = path.split('.').collect();
        let section = find_section(parts[0], at)?;
        let (table, name) = match (section.name, parts.as_slice()) {
            ("crm", [_, platform, name]) => {
                self.check_platform(platform, at)?;
                (vec!["crm", *platform], *name)
            }
            ("crm", _) => return Err(not_a_setting(at, "crm.PLATFORM.KEY")),
            (_, [table, name]) => (vec![*table], *name),
            _ => return Err(not_a_setting(at, &format!("{}.KEY", section.name))),
        };
        let setting = find_setting(section, &table, name, at)?;
        self.put(&table, setting, setting.kind.read(value), at)
    }

    fn put(&mut self, path: &[&str], setting: &Setting, value: Value, at: &Place<'_>) -> Result<(), Failure> {
        if !setting.kind.accepts(&value) {
            return Err(refused(path, setting, &value, at));
        }
        self.slot(path).insert(setting.name.to_owned(), value);
        Ok(())
    }

    fn slot(&mut self, path: &[&str]) -> &mut Table {
        self.tables.entry(path.iter().map(|part| (*part).to_owned()).collect()).or_default()
    }

    /// The collected tables as one tree.
    fn finish(self) -> (Table, Vec<String>) {
        let (mut root, mut platforms) = (Table::new(), Table::new());
        for (path, table) in self.tables {
            match path.as_slice() {
                [_, platform] => platforms.insert(platform.clone(), Value::Table(table)),
                path => root.insert(path.concat(), Value::Table(table)),
            };
        }
        root.insert("crm".into(), Value::Table(platforms));
        (root, self.warnings)
    }

    fn check_platform(&self, platform: &str, at: &Place<'_>) -> Result<(), Failure> {
        if self.platforms.contains(&platform) {
            return Ok(());
        }
        Err(unknown(format!("{at}: there is no CRM '{platform}'."), platform, self.platforms))
    }
}

/// Keys and values of a table in the order of the file, with the offset of each key.
fn in_order<'t>(table: &'t DeTable<'_>) -> Vec<(usize, (&'t str, &'t DeValue<'t>))> {
    let mut entries: Vec<_> =
        table.iter().map(|(key, value)| (key.span().start, (key.get_ref().as_ref(), value.get_ref()))).collect();
    entries.sort_by_key(|(offset, _)| *offset);
    entries
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn find_section(name: &str, at: &Place<'_>) -> Result<&'static Section, Failure> {
    static TABLES: [Section; 5] = SECTIONS;
    TABLES.iter().find(|section| section.name == name).ok_or_else(|| {
        let names: Vec<&str> = TABLES.iter().map(|section| section.name).collect();
        unknown(format!("{at}: there is no section '{name}'."), name, &names)
    })
}

fn find_setting(
    section: &'static Section,
    path: &[&str],
    name: &str,
    at: &Place<'_>,
) -> Result<&'static Setting, Failure> {
    section.settings.iter().find(|setting| setting.name == name).ok_or_else(|| {
        let names: Vec<&str> = section.settings.iter().map(|setting| setting.name).collect();
        unknown(format!("{at}: [{}] has no setting '{name}'.", path.join(".")), name, &names)
    })
}

fn unknown(message: String, word: &str, allowed: &[&str]) -> Failure {
    let guess =
        nearest(word, allowed.iter().copied()).map_or_else(String::new, |word| format!("Did you mean '{word}'? "));
    Failure::new(Code::Unreadable, message, format!("{guess}Allowed here: {}.", allowed.join(", ")))
}

fn refused(path: &[&str], setting: &Setting, value: &Value, at: &Place<'_>) -> Failure {
    let shown = if matches!(setting.kind, Kind::Secret) { "what stands there".into() } else { value.to_string() };
    let guess = value.as_str().and_then(|text| nearest(text, setting.kind.words().iter().copied()));
    let guess = guess.map_or_else(String::new, |word| format!("Did you mean '{word}'? "));
    Failure::new(
        Code::Unreadable,
        format!("{at}: {}.{} does not take {shown}.", path.join("."), setting.name),
        format!("{guess}Write {}.", setting.kind.allowed()),
    )
}

fn not_a_table(at: &Place<'_>, name: &str) -> Failure {
    Failure::new(
        Code::Unreadable,
        format!("{at}: {name} is a section, not a setting."),
        format!("Write [{name}] on a line of its own and its settings below."),
    )
}

fn not_a_setting(at: &Place<'_>, form: &str) -> Failure {
    Failure::new(Code::Unreadable, format!("{at} names no setting."), format!("Name one as {form}."))
}

impl Config {
    /// The settings of a platform; the defaults when the configuration does not name it.
    pub fn crm(&self, platform: &str) -> CrmSettings {
        self.crm.get(platform).cloned().unwrap_or_default()
    }
}
