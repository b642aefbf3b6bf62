//! The one error that reaches a person: a sentence of cause and a sentence of remedy.
//!
//! Modules keep typed errors inside and turn them into a [`Failure`] once, at their edge.

use serde::{Deserialize, Serialize};

/// What kind of failure it is; decides the exit code and is the stable `code` under `--json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Something did not work. Exit 1.
    Failed,
    /// Wrong usage. Exit 2.
    Usage,
    /// A file or value that cannot be read. Exit 2.
    Unreadable,
    /// No list, connection, webhook or run of that name. Exit 2.
    NotFound,
    /// Some leads failed. Exit 3.
    SomeFailed,
    /// A sign-in is needed before this can go on. Exit 4.
    SignInNeeded,
    /// A permission, scope or plan is missing at the vendor. Exit 4.
    Forbidden,
    /// The store is held, damaged or newer than this program. Exit 5.
    Store,
    /// Still waiting for a retry. Exit 6.
    Waiting,
    /// The person stopped it. Exit 1.
    Cancelled,
}

impl Code {
    /// The process's exit code, as DESIGN's command line section lists them.
    pub fn exit(self) -> u8 {
        match self {
            Code::Failed | Code::Cancelled => 1,
            Code::Usage | Code::Unreadable | Code::NotFound => 2,
            Code::SomeFailed => 3,
            Code::SignInNeeded | Code::Forbidden => 4,
            Code::Store => 5,
            Code::Waiting => 6,
        }
    }
}

/// An error as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind it is.
    pub code: Code,
    /// One sentence: what happened, to what, and why. May hold foreign text: clean before showing.
    pub message: String,
    /// One sentence: what to do next. Empty when there is nothing to do.
    pub remedy: String,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(code: Code, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Failure { code, message: message.into(), remedy: remedy.into() }
    }
}
