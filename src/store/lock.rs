//! One process owns a data folder: `owner.lock`, locked by `flock` and holding the owner's process id.
//!
//! The lock dies with its process, so a left-over file locks nobody out.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::failure::{Code, Failure};

/// How often a held lock is looked at again.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// The held lock; dropping it lets the next process in.
#[derive(Debug)]
pub(super) struct OwnerLock {
    _file: File,
}

impl OwnerLock {
    /// Takes the lock, waiting until `deadline` for a process that holds it.
    ///
    /// # Errors
    /// [`Code::Store`], naming the process that holds it.
    pub(super) fn take(data: &Path, deadline: Instant) -> Result<OwnerLock, Failure> {
        let path = data.join("owner.lock");
        let unusable = |error: io::Error| {
            Failure::new(
                Code::Store,
                format!("The lock file {} cannot be used: {error}.", path.display()),
                "Make the data folder yours and writable.",
            )
        };
        // Not truncated: until the lock is ours, the words in it are its owner's.
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(unusable)?;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => thread::sleep(LOOK_AGAIN),
                Err(Errno::WOULDBLOCK) => return Err(held(&mut file)),
                Err(Errno::INTR) => {}
                Err(error) => return Err(unusable(error.into())),
            }
        }
        sign(&mut file).map_err(unusable)?;
        Ok(OwnerLock { _file: file })
    }
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}

fn held(file: &mut File) -> Failure {
    let mut owner = String::new();
    // The owner may be between locking and signing; then there is no number to name.
    let owner = match file.seek(SeekFrom::Start(0)).and_then(|_| file.take(32).read_to_string(&mut owner)) {
        Ok(_) if owner.trim().parse::<u32>().is_ok() => format!("process {}", owner.trim()),
        _ => "another process".to_owned(),
    };
    Failure::new(
        Code::Store,
        format!("The leadferry data folder is in use by {owner}."),
        "Quit the other leadferry, then start again; or set LEADFERRY_HOME to another folder.",
    )
}
