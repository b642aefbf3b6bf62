//! Wrong usage: exit 2, one sentence of cause, one of remedy; one object under `--json`.

use super::world::World;

#[test]
fn mistakes_are_told_with_what_would_be_right() {
    let world = World::new();
    let prospects = world.file("prospects.csv", "id,email\n1,a@example.test\n");
    let prospects = prospects.to_str().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["lsit"], "Did you mean the command list?"),
        (&["no/such/file.csv"], "There is no file no/such/file.csv."),
        (&["list"], "Usage: leadferry list"),
        (&["list", "svae"], "save"),
        (&["list", "save", "Top"], "<FILE>"),
        (&["list", "save", "Top", prospects, "--dedupe", "phone"], "email"),
        (&["sync", "run", "Top"], "--to"),
        (&["sync", "run", "Top", "--to", "salesforce"], "crm:PLATFORM"),
        (&["sync", "run", "Top", "--to", "crm:salesforce", "--wait", "soon"], "20s"),
        (&["webhook", "add", "w", "--url", "https://example.com", "--auth", "bearer:hunter2"], "api-key:HEADER"),
        (&["webhook", "replay", "w"], "--all"),
        (&["--set", "tui.theme=drak", "list", "ls"], "Did you mean 'dark'?"),
        (&[prospects, "list", "ls"], "stands before a command"),
        (&[prospects], "needs a terminal"),
        (&["help", "nothing"], "There is no help"),
    ];
    for (arguments, words) in cases {
        let told = world.run(arguments);
        assert_eq!(told.code, 2, "{arguments:?}: {told:?}");
        assert_eq!(told.out, "", "{arguments:?}");
        assert!(told.err.contains(words), "{arguments:?}: {}", told.err);
        assert!(!told.err.contains('\x1b'), "{arguments:?}: {}", told.err);
        let json = world.run(&[*arguments, &["--json"]].concat());
        assert_eq!(json.code, 2, "{arguments:?}");
        assert_eq!(json.err.lines().count(), 1, "{arguments:?}: {}", json.err);
        let error = json.error();
        let keys: Vec<&String> = error.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["code", "message", "remedy"], "{arguments:?}");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{arguments:?}");
    }
}

#[test]
fn json_may_stand_before_or_behind_the_command() {
    let world = World::new();
    let (before, behind) = (world.run(&["--json", "help", "filter"]), world.run(&["help", "filter", "--json"]));
    assert_eq!(before.out, behind.out);
    assert!(before.out.starts_with("{\"help\":"), "{}", before.out);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::new();
    let program = env!("CARGO_BIN_EXE_leadferry");
    let script = format!("set -o pipefail; '{program}' help json | true");
    let status = std::process::Command::new("bash").args(["-c", &script]).env("LEADFERRY_HOME", world.home()).status();
    assert!(status.unwrap().success());
}
