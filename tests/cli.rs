//! The command line as a person and a script meet it: help, refusals, exit codes, answers.

#[path = "cli/config.rs"]
mod config;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/list.rs"]
mod list;
#[path = "cli/refusals.rs"]
mod refusals;
#[path = "cli/world.rs"]
mod world;
