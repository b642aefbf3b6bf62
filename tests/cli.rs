//! The command line as a person and a script meet it: help, refusals, exit codes, answers.

#[cfg(test)]
#[path = "cli/config.rs"]
mod config;
#[cfg(test)]
#[path = "cli/demo.rs"]
mod demo;
#[cfg(test)]
#[path = "cli/help.rs"]
mod help;
#[cfg(test)]
#[path = "cli/list.rs"]
mod list;
#[cfg(test)]
#[path = "cli/prompts.rs"]
mod prompts;
#[cfg(test)]
#[path = "cli/refusals.rs"]
mod refusals;
#[cfg(test)]
#[path = "cli/world.rs"]
mod world;
