//! The demo's own files: folders and files that nobody but their owner can read, replaced whole or not at all.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::failure::{Code, Failure};

/// Makes a folder (and those above it) with mode 0700.
pub(super) fn make_folder(path: &Path) -> Result<(), Failure> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| failure(path, &error))
}

/// Replaces a file by these bytes with mode 0600: a reader sees the old ones or the new ones, never a part.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&fresh, path));
    written.map_err(|error| {
        // What is left over would only puzzle; the first error is the one to tell.
        let _ = std::fs::remove_file(&fresh);
        failure(path, &error)
    })
}

/// Holds a lock file for as long as the answer lives; `None` when another process holds it.
pub(super) fn lock(path: &Path) -> Result<Option<File>, Failure> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = opened.map_err(|error| failure(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(failure(path, &error)),
    }
}

fn failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Code::Failed,
        format!("The demo could not write {}: {error}.", path.display()),
        "Free some space there or make the folder yours, then start the demo again.",
    )
}
