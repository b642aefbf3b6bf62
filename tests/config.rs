//! The settings as a person writes them: what is read, which source wins, and how each mistake is refused.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use leadferry::config::{Config, Loaded, SECTIONS, SecretSource, Sources, example, load};
use leadferry::failure::{Code, Failure};

const PLATFORMS: &[&str] = &["hubspot", "salesforce", "practice"];

fn read(file: &Path, env: &[(&str, &str)], flags: &[&str]) -> Result<Loaded, Failure> {
    let env: Vec<_> = env.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let flags: Vec<_> = flags.iter().map(|flag| flag.to_string()).collect();
    load(Sources { file, named: false, env: &env, flags: &flags, platforms: PLATFORMS })
}

fn read_text(text: &str, env: &[(&str, &str)], flags: &[&str]) -> Result<Loaded, Failure> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    read(file.path(), env, flags)
}

/// Each fixture opens with `#: words | words`: all of them must stand in the refusal.
#[test]
fn every_mistake_in_the_file_is_refused_with_the_place_and_what_is_allowed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 20, "the fixtures are gone");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let expected = text.lines().next().unwrap().strip_prefix("#: ").unwrap();
        let failure = read(&file, &[], &[]).expect_err(&file.display().to_string());
        assert_eq!(failure.code, Code::Unreadable);
        assert!(failure.message.starts_with(&file.display().to_string()), "{}", failure.message);
        let said = format!("{} {}", failure.message, failure.remedy);
        for words in expected.split(" | ") {
            assert!(said.contains(words), "{}: no {words:?} in {said:?}", file.display());
        }
        assert!(!said.contains("hunter2"), "a secret was printed: {said}");
    }
}

#[test]
fn the_example_file_shows_every_setting_with_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    if std::env::var_os("UPDATE_EXAMPLE").is_some() {
        fs::write(&path, example()).unwrap();
    } else {
        assert_eq!(committed, example(), "run this test with UPDATE_EXAMPLE=1 to write config.example.toml anew");
    }
    let mut shown = read_text(&example(), &[], &[]).unwrap().config;
    assert_eq!(shown.crm.remove("salesforce"), Some(Default::default()));
    assert_eq!(shown, Config::default());
}

#[test]
fn every_line_of_the_example_works_when_its_mark_is_taken_away() {
    let is_setting = |line: &str| {
        let name = line.strip_prefix("# ").and_then(|line| line.split_once(" = ")).map(|(name, _)| name);
        name.is_some_and(|name| SECTIONS.iter().any(|section| section.settings.iter().any(|one| one.name == name)))
    };
    let all: String = example()
        .lines()
        .map(|line| if is_setting(line) { &line[2..] } else { line })
        .flat_map(|line| [line, "\n"])
        .collect();
    let config = read_text(&all, &[], &[]).unwrap().config;
    let written = toml::Table::try_from(&config).unwrap();
    for section in SECTIONS {
        let table = &written[section.name];
        let table = if section.name == "crm" { &table["salesforce"] } else { table };
        for setting in section.settings {
            assert!(table.get(setting.name).is_some(), "{}.{} is not set by its example", section.name, setting.name);
        }
        assert_eq!(table.as_table().unwrap().len(), section.settings.len(), "[{}]", section.name);
    }
}

#[test]
fn without_a_file_the_defaults_hold_unless_the_file_was_named() {
    let missing = Path::new("/no/such/config.toml");
    assert_eq!(read(missing, &[], &[]).unwrap().config, Config::default());
    let named = load(Sources { file: missing, named: true, env: &[], flags: &[], platforms: PLATFORMS }).unwrap_err();
    assert!(named.message.contains("/no/such/config.toml"), "{}", named.message);
}

#[test]
fn the_environment_wins_over_the_file_and_a_flag_over_both() {
    let file = "[network]\ntimeout = \"1s\"\n[tui]\ntheme = \"dark\"\nmouse = false\n";
    let env = [
        ("LEADFERRY_NETWORK__TIMEOUT", "2s"),
        ("LEADFERRY_TUI__MOUSE", "true"),
        ("LEADFERRY_NETWORK__ALLOW", "127.0.0.0/8, ::1/128"),
        ("LEADFERRY_CRM__SALESFORCE__CLIENT_ID", "abc"),
        ("LEADFERRY_HOME", "/h"),
        ("PATH", "/bin"),
    ];
    let config = read_text(file, &env, &["network.timeout=3s"]).unwrap().config;
    assert_eq!(config.network.timeout, "3s");
    assert_eq!(config.network.allow, ["127.0.0.0/8", "::1/128"]);
    assert!(config.tui.mouse && config.tui.theme == "dark");
    assert_eq!(config.crm["salesforce"].client_id.as_deref(), Some("abc"));
    let toml_list = read_text("", &[("LEADFERRY_NETWORK__ALLOW", "[\"10.0.0.0/8\"]")], &[]).unwrap().config;
    assert_eq!(toml_list.network.allow, ["10.0.0.0/8"]);
}

#[test]
fn a_mistake_in_the_environment_or_a_flag_names_it() {
    let wrong = |env: &[(&str, &str)], flags: &[&str]| read_text("", env, flags).unwrap_err().message;
    assert!(wrong(&[("LEADFERRY_NETWORK__TIMEOT", "2s")], &[]).contains("LEADFERRY_NETWORK__TIMEOT"));
    assert!(wrong(&[("LEADFERRY_WEBHOOK__CONCURRENCY", "many")], &[]).contains("LEADFERRY_WEBHOOK__CONCURRENCY"));
    assert!(wrong(&[("LEADFERRY_CRM__CLIENT_ID", "x")], &[]).contains("LEADFERRY_CRM__CLIENT_ID"));
    assert!(wrong(&[], &["tui.theme=drak"]).contains("--set tui.theme"));
    assert!(wrong(&[], &["tui.theme"]).contains("has no value"));
}

#[test]
fn a_client_secret_in_the_file_works_with_one_warning_and_never_as_a_flag() {
    let loaded = read_text("[crm.salesforce]\nclient_secret = \"hunter2\"\n", &[], &[]).unwrap();
    assert_eq!(loaded.config.crm["salesforce"].client_secret, Some(SecretSource::Bare("hunter2".into())));
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].contains("line 2") && !loaded.warnings[0].contains("hunter2"));

    let source = read_text("", &[], &["crm.salesforce.client_secret={ env = \"SF\" }"]).unwrap();
    assert_eq!(source.config.crm["salesforce"].client_secret, Some(SecretSource::Env { env: "SF".into() }));
    let refused = read_text("", &[], &["crm.salesforce.client_secret=hunter2"]).unwrap_err();
    assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
}

#[test]
fn the_practice_crm_of_the_demo_is_an_ordinary_section() {
    let config = read_text("[crm.practice]\nbase = \"http://127.0.0.1:9500\"\n", &[], &[]).unwrap().config;
    assert_eq!(config.crm["practice"].base.as_deref(), Some("http://127.0.0.1:9500"));
}
