//! What one commit does: puts and deletes over any trees, all or none of it.

use ulid::Ulid;
use zeroize::Zeroizing;

use super::blocks;
use super::record::{self, Record, SealedBy};
use crate::failure::{Code, Failure};
use crate::lead::Lead;
use crate::vault::DataKey;

/// One change. Keys are full keys.
pub(super) enum Change {
    Put { key: Vec<u8>, by: DataKey, plain: Zeroizing<Vec<u8>> },
    PutBlock { list: Ulid, prefix: Vec<u8>, plain: Vec<u8> },
    Delete { key: Vec<u8> },
    DeleteAll { prefix: Vec<u8> },
}

/// Changes that become durable together. Later changes of a key win over earlier ones.
#[derive(Default)]
pub struct Batch {
    pub(super) changes: Vec<Change>,
    /// Lists whose keys are destroyed once the rest is durable.
    pub(super) destroyed: Vec<Ulid>,
    /// The first record that could not be encoded; the commit reports it and does nothing.
    pub(super) broken: Option<Failure>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Whether a commit of it would do nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.destroyed.is_empty() && self.broken.is_none()
    }

    /// Writes a record under this key of its tree, over what stands there.
    pub fn put<T: Record>(&mut self, key: impl AsRef<[u8]>, record: &T) -> &mut Batch {
        let by = match T::SEALED_BY {
            SealedBy::Records => DataKey::Records,
            SealedBy::Secrets => DataKey::Secrets,
        };
        match record::encode(record) {
            Ok(plain) => self.changes.push(Change::Put { key: T::TREE.key(key.as_ref()), by, plain }),
            Err(error) => self.break_with(&format!("a {}", T::TREE), &error.to_string()),
        }
        self
    }

    /// Deletes the record of this type under this key, if there is one.
    pub fn delete<T: Record>(&mut self, key: impl AsRef<[u8]>) -> &mut Batch {
        self.changes.push(Change::Delete { key: T::TREE.key(key.as_ref()) });
        self
    }

    /// Deletes every record of this type's tree whose key begins so.
    pub fn delete_all<T: Record>(&mut self, prefix: impl AsRef<[u8]>) -> &mut Batch {
        self.changes.push(Change::DeleteAll { prefix: T::TREE.key(prefix.as_ref()) });
        self
    }

    /// Writes block `n` (from 0) of a version of a list, sealed under the list's own key, which is made when it has none.
    pub fn put_block(&mut self, list: Ulid, version: u32, n: u32, leads: &[Lead]) -> &mut Batch {
        let prefix = blocks::block_prefix(list, version, n);
        match blocks::encode(leads) {
            Ok(plain) => self.changes.push(Change::PutBlock { list, prefix, plain }),
            Err(error) => self.break_with("a block of leads", &error),
        }
        self
    }

    /// Deletes the blocks of one version of a list.
    pub fn delete_version(&mut self, list: Ulid, version: u32) -> &mut Batch {
        self.changes.push(Change::DeleteAll { prefix: blocks::version_prefix(list, version) });
        self
    }

    /// Deletes all blocks of a list and destroys its key, so that no copy of the store gives its leads any more.
    /// The list's records are the caller's to delete, in the same batch.
    pub fn delete_list(&mut self, list: Ulid) -> &mut Batch {
        self.changes.push(Change::DeleteAll { prefix: blocks::list_prefix(list) });
        self.destroyed.push(list);
        self
    }

    fn break_with(&mut self, what: &str, cause: &str) {
        self.broken.get_or_insert_with(|| {
            Failure::new(Code::Failed, format!("A record ({what}) cannot be written: {cause}."), "Please report this.")
        });
    }
}
