//! The shape of the program that no compiler checks: imports point one way, and each danger has one door. See ARCHITECTURE.md.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use leadferry::crm::registry;

/// The rooms from the ground up. A room may import its own step and those below it.
const STEPS: &[&[&str]] = &[
    &["failure", "text"],
    &["config", "lead"],
    &["crm", "events", "list", "net", "oauth", "store", "sync", "vault", "webhook"],
    &["engine", "sandbox"],
    &["app"],
    &["effects"],
    &["tui"],
    &["cli"],
];

/// Words that may stand in the code of some places only: a word, the places, why.
const DOORS: &[(&str, &[&str], &str)] = &[
    ("sled::", &["store/"], "only store/ knows how data becomes durable"),
    ("ClientBuilder", &["net/", "webhook/send.rs"], "only net/ decides whom a connection trusts"),
    ("reqwest::Client::new", &[], "only net/ decides whom a connection trusts"),
    ("chacha20poly1305", &["vault/"], "only vault/ touches keys"),
    ("set_stringn", &["tui/text.rs"], "only text that was cleaned reaches the screen"),
    ("Span::", &[], "only text that was cleaned reaches the screen"),
    ("Line::from", &[], "only text that was cleaned reaches the screen"),
    ("oauth::", &["crm/", "engine/", "app/", "effects/", "tui/", "cli/", "sandbox/", "oauth/"], "sign-in exists once"),
];

/// What the interface without a terminal must not know.
const PURE: &[&str] =
    &["crossterm", "ratatui", "tokio", "Timestamp::now", "SystemTime", "std::fs", "std::io", "std::env"];

/// The code of every file under `src`, by its path there, without tests and comments.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.contains("test") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                sources.push((name, code.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    assert!(sources.len() > 100, "the sources were not found");
    sources
}

fn step(room: &str) -> Option<usize> {
    STEPS.iter().position(|rooms| rooms.contains(&room))
}

#[test]
fn imports_point_one_way() {
    let mut wrong = Vec::new();
    for (file, code) in sources() {
        let room = file.split(['/', '.']).next().unwrap_or_default().to_owned();
        if matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let own = step(&room).unwrap_or_else(|| panic!("{room} stands on no step: add it to STEPS"));
        for used in code.split("crate::").skip(1) {
            let used = used.split(|ch: char| !ch.is_alphanumeric() && ch != '_').next().unwrap_or_default();
            if step(used).is_some_and(|step| step > own) {
                wrong.push(format!("{file} imports {used}"));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "these imports point upwards: {wrong:#?}");
}

#[test]
fn each_danger_has_one_door() {
    let mut wrong = Vec::new();
    for (file, code) in sources() {
        for (word, places, why) in DOORS {
            if code.contains(word) && !places.iter().any(|place| file.starts_with(place)) {
                wrong.push(format!("{file} has {word}: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_interface_without_a_terminal_has_no_clock_and_no_input_or_output() {
    let mut wrong = Vec::new();
    for (file, code) in sources().into_iter().filter(|(file, _)| file.starts_with("app/")) {
        wrong.extend(PURE.iter().filter(|word| code.contains(**word)).map(|word| format!("{file} has {word}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_shared_code_asks_which_vendor_it_is() {
    let vendors = registry::ALL.iter().map(|crm| crm.spec()).filter(|spec| !spec.practice);
    let vendors: Vec<String> = vendors.map(|spec| format!("\"{}\"", spec.id)).collect();
    let mut wrong = Vec::new();
    for (file, code) in sources() {
        let shared = !file.starts_with("crm/") && !file.starts_with("sandbox/");
        wrong.extend(
            vendors.iter().filter(|id| shared && code.contains(id.as_str())).map(|id| format!("{file} names {id}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
