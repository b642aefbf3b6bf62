//! Where the master key comes from. One source today; more are more variants of [`KeySource`].

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::file;
use crate::failure::{Code, Failure};

/// The bytes of a key. Both the master key and the data keys are 32 random bytes.
pub(super) type KeyBytes = Zeroizing<[u8; 32]>;

/// What the master key is taken from; fixed when the store is made, never replaced silently by another source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// 32 random bytes in a file that only its owner may read, kept apart from the data.
    File(PathBuf),
}

impl KeySource {
    /// The name that the file of data keys records.
    pub fn name(&self) -> &'static str {
        match self {
            KeySource::File(_) => "key file",
        }
    }

    /// The key, or `None` when there is none yet.
    pub(super) fn read(&self) -> Result<Option<KeyBytes>, Failure> {
        match self {
            KeySource::File(path) => read_file(path),
        }
    }

    /// Makes a new key. Only for a store that is being made.
    pub(super) fn make(&self) -> Result<KeyBytes, Failure> {
        let key = random_key()?;
        match self {
            KeySource::File(path) => file::replace(path, &key[..]).map_err(|error| unreadable(path, &error))?,
        }
        Ok(key)
    }

    /// That the key is gone though a store needs it.
    pub(super) fn missing(&self) -> Failure {
        match self {
            KeySource::File(path) => Failure::new(
                Code::Store,
                format!("The key file {} is gone, and nothing in the store opens without it.", path.display()),
                "Put the file back from a copy; without one, move the data folder away to start anew.",
            ),
        }
    }

    /// That the key is there but is another store's.
    pub(super) fn wrong(&self) -> Failure {
        match self {
            KeySource::File(path) => Failure::new(
                Code::Store,
                format!("The key file {} does not fit the store: it is another store's, or damaged.", path.display()),
                "Put the store's own key file back from a copy.",
            ),
        }
    }
}

/// 32 bytes from the operating system.
pub(super) fn random_key() -> Result<KeyBytes, Failure> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(&mut key[..]).map_err(|error| {
        Failure::new(Code::Store, format!("The system gave no random numbers for a key: {error}."), "Try again.")
    })?;
    Ok(key)
}

fn read_file(path: &Path) -> Result<Option<KeyBytes>, Failure> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, &error)),
    };
    let mode = file.metadata().map_err(|error| unreadable(path, &error))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Failure::new(
            Code::Store,
            format!("The key file {} is open to other users (mode {mode:03o}).", path.display()),
            format!("Close it with `chmod 600 {}`, then start again.", path.display()),
        ));
    }
    let mut key = Zeroizing::new([0; 32]);
    let whole = file.read_exact(&mut key[..]).is_ok() && file.read(&mut [0]).is_ok_and(|more| more == 0);
    if !whole {
        let length = fs::metadata(path).map_or(0, |file| file.len());
        return Err(Failure::new(
            Code::Store,
            format!("The key file {} is damaged: {length} bytes in place of 32.", path.display()),
            "Put the store's own key file back from a copy.",
        ));
    }
    Ok(Some(key))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Code::Store,
        format!("The key file {} cannot be used: {error}.", path.display()),
        "Make the file and its folder yours, readable and writable.",
    )
}
