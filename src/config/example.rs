//! The example configuration: every setting with its documentation and its default, made from the structs.

use std::fmt::Write;

use super::{Config, SECTIONS, Section, Setting};

/// The text of `config.example.toml`. What stands there without a `#` is the default; what stands behind one has none.
pub fn example() -> String {
    let defaults = toml::Table::try_from(Config::default()).unwrap_or_default();
    let mut out = String::from(
        "# Every setting of leadferry. A line without # shows the default; a line behind # shows what could stand there.\n\
         # The environment wins over this file: LEADFERRY_NETWORK__TIMEOUT=30s; a flag wins over both: --set network.timeout=30s\n",
    );
    for section in SECTIONS {
        let values = defaults.get(section.name).and_then(toml::Value::as_table);
        write_section(&mut out, &section, values);
    }
    out
}

fn write_section(out: &mut String, section: &Section, values: Option<&toml::Table>) {
    let header = if section.name == "crm" { "crm.salesforce" } else { section.name };
    out.push('\n');
    for line in section.doc {
        let _ = writeln!(out, "#{line}");
    }
    let _ = writeln!(out, "[{header}]");
    for Setting { name, doc, sample, .. } in section.settings {
        for line in *doc {
            let _ = writeln!(out, "#{line}");
        }
        let _ = match (values.and_then(|values| values.get(*name)), sample) {
            (Some(value), _) => writeln!(out, "{name} = {value}"),
            (None, sample) => writeln!(out, "# {name} = {}", sample.unwrap_or_default()),
        };
    }
}
