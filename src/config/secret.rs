//! Where a client secret comes from; it is fetched only when it is needed.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::failure::{Code, Failure};

/// Where a secret comes from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum SecretSource {
    /// An environment variable.
    Env {
        /// Its name.
        env: String,
    },
    /// The first line of a file.
    File {
        /// Its path.
        file: PathBuf,
    },
    /// The first line that a shell command prints.
    Command {
        /// The command, given to `sh -c`.
        command: String,
    },
    /// The secret itself; works, with a warning.
    Bare(String),
}

impl SecretSource {
    /// Fetches the secret: its first line, without the blanks around it.
    ///
    /// # Errors
    /// [`Code::Unreadable`], naming the source; never what it held.
    pub fn resolve(&self) -> Result<Zeroizing<String>, Failure> {
        let read = match self {
            SecretSource::Env { env } => {
                std::env::var(env).map_err(|_| format!("The environment variable {env} is not set or is no text"))
            }
            SecretSource::File { file } => std::fs::read_to_string(file)
                .map_err(|error| format!("The secret file {} cannot be read: {error}", file.display())),
            SecretSource::Command { command } => output(command),
            SecretSource::Bare(secret) => Ok(secret.clone()),
        };
        let text = Zeroizing::new(read.map_err(|cause| unreadable(&cause))?);
        let line = text.lines().next().unwrap_or_default().trim();
        if line.is_empty() {
            return Err(unreadable(&format!("The client secret from {self} is empty")));
        }
        Ok(Zeroizing::new(line.to_owned()))
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            SecretSource::Env { env: text } | SecretSource::Command { command: text } | SecretSource::Bare(text) => {
                text.trim().is_empty()
            }
            SecretSource::File { file } => file.as_os_str().is_empty(),
        }
    }
}

/// Runs the command with the terminal at its standard error, so that a password manager can ask.
fn output(command: &str) -> Result<String, String> {
    let run = Command::new("sh").arg("-c").arg(command).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = run.map_err(|error| format!("The secret command cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("The secret command `{command}` ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("What the secret command `{command}` printed is no text"))
}

fn unreadable(cause: &str) -> Failure {
    Failure::new(Code::Unreadable, format!("{cause}."), "Correct client_secret in the configuration, or its source.")
}

impl fmt::Display for SecretSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Env { env } => write!(out, "the environment variable {env}"),
            SecretSource::File { file } => write!(out, "the file {}", file.display()),
            SecretSource::Command { command } => write!(out, "the command `{command}`"),
            SecretSource::Bare(_) => out.write_str("the configuration itself"),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SecretSource({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_secret_wherever_it_comes_from() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hunter2 \nsecond line\n").unwrap();
        for source in [
            SecretSource::File { file: file.path().into() },
            SecretSource::Command { command: "printf 'hunter2\\nmore'".into() },
            SecretSource::Bare("hunter2".into()),
        ] {
            assert_eq!(source.resolve().unwrap().as_str(), "hunter2", "{source}");
        }
    }

    #[test]
    fn a_source_without_a_secret_is_named() {
        for (source, named) in [
            (SecretSource::Env { env: "LEADFERRY_TEST_NO_SUCH".into() }, "LEADFERRY_TEST_NO_SUCH"),
            (SecretSource::File { file: "/no/such/file".into() }, "/no/such/file"),
            (SecretSource::Command { command: "exit 3".into() }, "exit 3"),
            (SecretSource::Command { command: "true".into() }, "empty"),
        ] {
            let failure = source.resolve().unwrap_err();
            assert!(failure.message.contains(named), "{}", failure.message);
        }
    }

    #[test]
    fn a_secret_in_the_file_is_not_printed_by_a_log_of_the_settings() {
        let printed = format!("{:?}", SecretSource::Bare("hunter2".into()));
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
