//! The configuration as the program meets it at its start.

use super::world::{Told, World};

#[test]
fn a_wrong_setting_stops_every_command_before_it_does_anything() {
    let world = World::new();
    world.file("config.toml", "[network]\ntimeot = \"20s\"\n");
    let told = world.run(&["list", "ls"]);
    assert_eq!(told.code, 2);
    for words in ["config.toml, line 2", "'timeot'", "Did you mean 'timeout'?"] {
        assert!(told.err.contains(words), "{}", told.err);
    }
    assert!(!world.home().join("data").exists(), "the store was touched");
    // What needs no settings still works: it may be what explains the mistake.
    assert_eq!(world.run(&["help", "list"]).code, 0);
}

#[test]
fn a_named_file_that_is_missing_is_an_error_and_the_environment_is_read() {
    let world = World::new();
    let missing = Told::of(world.program().args(["list", "ls"]).env("LEADFERRY_CONFIG", "gone.toml"));
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("gone.toml"), "{}", missing.err);
    let wrong = Told::of(world.program().args(["list", "ls"]).env("LEADFERRY_TUI__THEME", "drak"));
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("LEADFERRY_TUI__THEME"), "{}", wrong.err);
}
