//! Help, manual and completions.

use super::world::World;

/// Every command that does something, as it is called.
const COMMANDS: &[&str] = &[
    "",
    "demo",
    "demo approve",
    "demo status",
    "list",
    "list save",
    "list ls",
    "list show",
    "list export",
    "list rename",
    "list delete",
    "list diff",
    "connect",
    "connection",
    "connection ls",
    "connection show",
    "connection test",
    "connection fields",
    "connection remove",
    "webhook",
    "webhook add",
    "webhook edit",
    "webhook ls",
    "webhook show",
    "webhook test",
    "webhook activate",
    "webhook pause",
    "webhook rotate-secret",
    "webhook log",
    "webhook replay",
    "webhook remove",
    "sync",
    "sync run",
    "run",
    "run ls",
    "run show",
    "run retry",
    "run export",
    "event",
    "event ls",
    "doctor",
    "completions",
    "man",
    "help",
];

#[test]
fn the_help_of_every_command_reads_well() {
    let world = World::new();
    let mut pages = String::new();
    for command in COMMANDS {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let told = world.run(&words);
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{command}");
        pages.push_str(&format!("$ leadferry {}\n{}\n", words.join(" "), told.out));
    }
    insta::assert_snapshot!("help", pages);
}

/// The list above must not forget a command: each one that a page names has a page of its own.
#[test]
fn no_command_is_without_a_page() {
    let world = World::new();
    for command in COMMANDS {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let page = world.run(&words).out;
        let Some((_, listed)) = page.split_once("Commands:\n") else { continue };
        for line in listed.lines().take_while(|line| line.starts_with("  ")) {
            let Some(name) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) else { continue };
            let name = name.split_whitespace().next().unwrap();
            let called = format!("{command} {name}");
            assert!(COMMANDS.contains(&called.trim()), "{called} is missing");
        }
    }
}

#[test]
fn every_command_takes_json_and_settings() {
    let world = World::new();
    for command in COMMANDS {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let page = world.run(&words).out;
        assert!(page.contains("--json") && page.contains("--set"), "{command}");
    }
}

#[test]
fn help_finds_commands_and_topics() {
    let world = World::new();
    assert!(world.run(&["help", "list", "save"]).out.contains("Usage: leadferry list save"));
    assert!(world.run(&["help"]).out.contains("Usage: leadferry"));
    assert!(world.run(&["help", "filter"]).out.contains("state = TX"));
    let missing = world.run(&["help", "lsit"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("Did you mean list?"), "{}", missing.err);
}

/// A script reads `help json`: a command that is not in it cannot be relied on.
#[test]
fn the_answers_of_all_commands_are_documented() {
    let world = World::new();
    let page = world.run(&["help", "json"]).out;
    let nouns = ["demo", "list", "connection", "webhook", "sync", "run", "event"];
    for command in COMMANDS.iter().filter(|command| !command.is_empty() && !nouns.contains(command)) {
        assert!(page.contains(command), "help json says nothing of {command}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 92), "a line is too long");
}

#[test]
fn manual_and_completions_are_made_from_the_commands() {
    let world = World::new();
    let man = world.run(&["man"]);
    assert!(man.code == 0 && man.out.contains(".TH leadferry"), "{}", man.err);
    for shell in ["bash", "zsh", "fish"] {
        let script = world.run(&["completions", shell]);
        assert!(script.code == 0 && script.out.contains("rotate-secret"), "{shell}");
    }
    let answer = world.json(&["completions", "bash"]);
    assert!(answer["script"].as_str().unwrap().contains("leadferry"));
}
