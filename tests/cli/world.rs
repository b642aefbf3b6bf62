//! A home folder of its own for each test, and the program in it.

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// One test's home folder.
pub struct World {
    home: PathBuf,
    /// Removed with the test, where the folder is its own.
    _own: Option<TempDir>,
}

/// What one call of the program gave.
#[derive(Debug)]
pub struct Told {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl World {
    /// An empty home.
    pub fn new() -> World {
        let own = tempfile::tempdir().unwrap();
        World { home: own.path().to_owned(), _own: Some(own) }
    }

    /// A home that is there already.
    pub fn at(home: impl Into<PathBuf>) -> World {
        World { home: home.into(), _own: None }
    }

    /// The folder itself.
    pub fn home(&self) -> &std::path::Path {
        &self.home
    }

    /// A file in the home with this text.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The program in this home, with nothing else of the environment that could change its output.
    pub fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_leadferry"));
        program.env_clear().env("LEADFERRY_HOME", &self.home).env("PATH", std::env::var_os("PATH").unwrap());
        program.current_dir(&self.home);
        program
    }

    /// Runs the program with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Told {
        self.run_with(arguments, "")
    }

    /// The same with this on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Told {
        Told::of(self.program().args(arguments).write_stdin(input))
    }

    /// Runs the program with `--json` and reads its one answer; fails the test when it failed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let told = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(told.code, 0, "{arguments:?}: {told:?}");
        serde_json::from_str(&told.out).unwrap_or_else(|error| panic!("{error}: {told:?}"))
    }
}

impl Told {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Told {
        let output = command.output().unwrap();
        Told {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The error of a call with `--json`.
    pub fn error(&self) -> Value {
        serde_json::from_str(self.err.lines().last().unwrap_or_default())
            .unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
