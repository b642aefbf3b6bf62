//! The only door to sled: sealed, typed records; blocks of leads; commits that are on the disk before they are answered.
//!
//! A [`Store`] is one data folder, owned by one process. Reading is direct and synchronous. Writing goes in [`Batch`]es
//! to a writer thread, which makes all waiting batches durable with one flush and fsync and then answers them. What is
//! read may be a moment ahead of what is durable; only the answer of a commit says that something is saved.
//!
//! ```text
//! data/owner.lock     the owner's process id, held by flock
//! data/data-keys      the data keys, wrapped by the master key (see `vault`)
//! data/acknowledged   how many commits were answered: reveals a lost tail
//! data/sled/          one tree; key = tree byte + record key, value = key byte + sealed plaintext
//! ```

mod batch;
mod blocks;
mod disk;
mod guard;
mod lock;
mod open;
mod read;
mod record;
mod tally;
mod verify;
mod writer;

use std::path::Path;
use std::sync::Arc;

pub use batch::Batch;
pub use blocks::LEADS_PER_BLOCK;
pub use guard::panic_is_caught;
pub use read::Keyed;
pub use record::{Record, SealedBy, Tree};
pub use verify::{Damage, Verified};

use self::disk::Disk;
use self::lock::OwnerLock;
use self::writer::Writer;
use crate::failure::{Code, Failure};
use crate::vault::{DataKey, KeySource, Keys};

/// The layout of the store that this program writes.
pub const SCHEMA: u32 = 1;

/// An open store. Cheap to clone; the last clone that goes waits for the writer and frees the folder.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

/// The writer stands first: it is dropped, and done, before the rest goes.
struct Inner {
    writer: Writer,
    shared: Arc<Shared>,
}

/// What readers and the writer share. The order is that of closing: sled before the lock.
struct Shared {
    disk: Disk,
    keys: Keys,
    _lock: OwnerLock,
}

impl Store {
    /// Makes the batch durable: flushed and fsynced, with the folder, when this returns. Many that wait share one flush.
    /// Dropping the future does not take the batch back.
    ///
    /// # Errors
    /// [`Code::Store`] when it could not be written; the store then takes no more commits. [`Code::Failed`] when a record
    /// of the batch cannot be encoded; then nothing of it is written.
    pub async fn commit(&self, batch: Batch) -> Result<(), Failure> {
        if batch.is_empty() {
            return Ok(());
        }
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.0.writer.send(batch, move |outcome| drop(answer.send(outcome)));
        answered.await.unwrap_or_else(|_| Err(writer::gone()))
    }

    /// As [`Store::commit`], for threads outside the runtime.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn commit_blocking(&self, batch: Batch) -> Result<(), Failure> {
        if batch.is_empty() {
            return Ok(());
        }
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        self.0.writer.send(batch, move |outcome| drop(answer.send(outcome)));
        answered.recv().unwrap_or_else(|_| Err(writer::gone()))
    }

    /// Where the master key comes from, for `doctor` and the status.
    pub fn key_source(&self) -> &KeySource {
        self.0.shared.keys.source()
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Store({})", self.0.shared.disk.folder.display())
    }
}

/// The key of the schema version in [`Tree::Meta`].
const SCHEMA_KEY: &[u8] = b"schema";

impl Shared {
    /// The value of a row: the data key's byte, then the plaintext sealed for this place.
    fn seal(&self, by: DataKey, key: &[u8], plain: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut value = vec![record::key_byte(by)];
        value.extend(self.keys.seal(by, &place(key), plain)?);
        Ok(value)
    }
}

/// The associated data of a value: tree and key, and the schema version, but for the row that says the version.
fn place(key: &[u8]) -> Vec<u8> {
    let schema = if key == Tree::Meta.key(SCHEMA_KEY) { 0 } else { SCHEMA };
    [key, &schema.to_be_bytes()].concat()
}

/// The store is there but is not what was written.
fn damaged(folder: &Path, cause: &str) -> Failure {
    let cause = cause.trim_end_matches('.');
    Failure::new(
        Code::Store,
        format!("The store in {} is damaged: {cause}.", folder.display()),
        "Nothing was removed: put a copy of the data folder back, or move it away to start anew.",
    )
}

/// The store may be sound, but the system does not let us use it.
fn refused(folder: &Path, cause: &str) -> Failure {
    let cause = cause.trim_end_matches('.');
    Failure::new(
        Code::Store,
        format!("The store in {} cannot be used: {cause}.", folder.display()),
        "Make the folder yours and writable, and see that the disk has room.",
    )
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "damage_tests.rs"]
mod damage_tests;
