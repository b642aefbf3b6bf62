//! What a person is asked in a real terminal.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use super::world::World;

const LONGEST_MS: Option<u64> = Some(20_000);

/// Runs a line of shell in a terminal that shows what is typed, as people's do; `$LF` is the program.
fn terminal(world: &World, line: &str) -> PtySession {
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("stty echo; {line}")]).env("LF", env!("CARGO_BIN_EXE_leadferry"));
    shell.env("LEADFERRY_HOME", world.home()).current_dir(world.home());
    spawn_command(shell, LONGEST_MS).unwrap()
}

#[test]
fn a_deletion_is_asked_about_and_anything_but_yes_means_no() {
    let world = World::new();
    world.file("prospects.csv", "id,email\n1,a@example.test\n");
    world.json(&["list", "save", "Top", "prospects.csv"]);
    for (answer, words) in [("", "Nothing was deleted."), ("no", "Nothing was deleted."), ("y", "Deleted Top.")] {
        let mut terminal = terminal(&world, "$LF list delete Top");
        terminal.exp_string("Delete Top with 1 lead and 1 version for good? [y/N]").unwrap();
        terminal.send_line(answer).unwrap();
        terminal.exp_string(words).unwrap();
        terminal.exp_eof().unwrap();
    }
    assert_eq!(world.json(&["list", "ls"]), serde_json::json!([]));
}

#[test]
fn a_secret_is_typed_without_being_seen() {
    let world = World::new();
    let mut terminal = terminal(&world, "$LF webhook add bridge --url https://example.com/hook --auth bearer");
    terminal.exp_string("bearer token (not shown):").unwrap();
    terminal.send_line("hunter2").unwrap();
    let rest = terminal.exp_eof().unwrap();
    assert!(rest.contains("Webhook bridge is active.") && !rest.contains("hunter2"), "{rest}");
}

#[test]
fn ctrl_c_at_a_hidden_prompt_ends_the_command_and_shows_typing_again() {
    let world = World::new();
    let add = "$LF webhook add b --url https://example.com/hook --auth bearer";
    let mut terminal = terminal(&world, &format!("{add}; stty -a | tr ' ' '\\n' | grep -x -e '-\\?echo;\\?'"));
    terminal.exp_string("(not shown):").unwrap();
    terminal.send_control('c').unwrap();
    terminal.exp_string("Stopped.").unwrap();
    let rest = terminal.exp_eof().unwrap();
    assert_eq!(rest.trim(), "echo", "typing stays hidden after the command");
}
