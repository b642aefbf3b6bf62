//! Reading records and blocks of leads.

use serde::de::DeserializeOwned;
use sled::IVec;
use ulid::Ulid;
use zeroize::Zeroizing;

use super::record::{Record, Tree, decode};
use super::{Shared, Store, blocks, place};
use crate::failure::{Code, Failure};
use crate::lead::Lead;
use crate::vault::DataKey;

/// A record with its key.
pub type Keyed<T> = (Vec<u8>, T);

impl Store {
    /// The record of this type under this key.
    ///
    /// # Errors
    /// [`Code::Store`]: it is there and cannot be read.
    pub fn get<T: Record>(&self, key: impl AsRef<[u8]>) -> Result<Option<T>, Failure> {
        self.0.shared.get(key.as_ref())
    }

    /// All records of this type whose keys begin so, in the order of their keys.
    ///
    /// # Errors
    /// [`Code::Store`]: one of them cannot be read.
    pub fn scan<T: Record>(&self, prefix: impl AsRef<[u8]>) -> Result<Vec<Keyed<T>>, Failure> {
        self.scan_after(prefix, None, usize::MAX)
    }

    /// The first `limit` records whose keys begin with `prefix` and stand behind the full key `after`.
    ///
    /// # Errors
    /// As [`Store::scan`].
    pub fn scan_after<T: Record>(
        &self,
        prefix: impl AsRef<[u8]>,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Keyed<T>>, Failure> {
        let shared = &self.0.shared;
        let prefix = T::TREE.key(prefix.as_ref());
        let rows = shared.disk.with(|db| match after {
            None => db.scan_prefix(&prefix).take(limit).collect::<Result<Vec<_>, _>>(),
            Some(after) => {
                // The smallest key that is greater.
                let start = [&T::TREE.key(after), &[0][..]].concat();
                let inside =
                    |row: &sled::Result<(IVec, IVec)>| row.as_ref().is_ok_and(|(key, _)| key.starts_with(&prefix));
                let from = start.max(prefix.clone());
                db.range(from..).take_while(|row| row.is_err() || inside(row)).take(limit).collect()
            }
        })?;
        shared.open_all(rows)
    }

    /// The last `limit` records, newest first: those whose keys begin with `prefix` and stand before the full key `before`.
    ///
    /// # Errors
    /// As [`Store::scan`].
    pub fn last<T: Record>(
        &self,
        prefix: impl AsRef<[u8]>,
        before: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Keyed<T>>, Failure> {
        let shared = &self.0.shared;
        let prefix = T::TREE.key(prefix.as_ref());
        let rows = shared.disk.with(|db| match before {
            None => db.scan_prefix(&prefix).rev().take(limit).collect::<Result<Vec<_>, _>>(),
            Some(before) => {
                let end = T::TREE.key(before);
                let inside =
                    |row: &sled::Result<(IVec, IVec)>| row.as_ref().is_ok_and(|(key, _)| key.starts_with(&prefix));
                if end < prefix {
                    return Ok(Vec::new());
                }
                db.range(prefix.clone()..end).rev().take_while(|row| row.is_err() || inside(row)).take(limit).collect()
            }
        })?;
        shared.open_all(rows)
    }

    /// How many records of this type have keys that begin so. Opens none of them.
    ///
    /// # Errors
    /// [`Code::Store`]: the store is damaged.
    pub fn count<T: Record>(&self, prefix: impl AsRef<[u8]>) -> Result<usize, Failure> {
        let prefix = T::TREE.key(prefix.as_ref());
        self.0.shared.disk.with(|db| db.scan_prefix(&prefix).keys().try_fold(0, |sum, key| key.map(|_| sum + 1)))
    }

    /// The leads of block `n` of a version of a list.
    ///
    /// # Errors
    /// [`Code::Store`]: the block is missing or damaged, or the list was deleted.
    pub fn block(&self, list: Ulid, version: u32, n: u32) -> Result<Vec<Lead>, Failure> {
        let shared = &self.0.shared;
        let prefix = blocks::block_prefix(list, version, n);
        let parts = shared.disk.with(|db| {
            db.scan_prefix(&prefix).values().try_fold(Vec::new(), |mut whole, part| {
                whole.extend_from_slice(&part?);
                Ok(whole)
            })
        })?;
        if parts.is_empty() {
            return Err(unreadable(Tree::ListBlock, "it is missing"));
        }
        let plain = shared.unseal(&prefix, &parts).map_err(|cause| unreadable(Tree::ListBlock, &cause))?;
        blocks::decode(&plain).map_err(|cause| unreadable(Tree::ListBlock, &cause))
    }
}

impl Shared {
    pub(super) fn get<T: Record>(&self, key: &[u8]) -> Result<Option<T>, Failure> {
        let key = T::TREE.key(key);
        let value = self.disk.with(|db| db.get(&key))?;
        value.map(|value| self.open_record(&key, &value)).transpose()
    }

    fn open_all<T: Record>(&self, rows: Vec<(IVec, IVec)>) -> Result<Vec<Keyed<T>>, Failure> {
        rows.into_iter().map(|(key, value)| Ok((key[1..].to_vec(), self.open_record(&key, &value)?))).collect()
    }

    fn open_record<T: Record>(&self, key: &[u8], value: &[u8]) -> Result<T, Failure> {
        self.open_as(key, value).map_err(|cause| unreadable(T::TREE, &cause))
    }

    /// The record in a row, as any type; the error is the cause in words.
    pub(super) fn open_as<T: DeserializeOwned>(&self, key: &[u8], value: &[u8]) -> Result<T, String> {
        // serde's words may quote the value, so they are not passed on.
        decode(&self.unseal(key, value)?).map_err(|error| match error.is_data() {
            true => "it lacks or has something that this program does not know".to_owned(),
            false => "it is in an unknown format".to_owned(),
        })
    }

    /// The plaintext of a value; the error is the cause in words.
    pub(super) fn unseal(&self, key: &[u8], value: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        let (by, sealed) = match value.split_first() {
            Some((1, sealed)) => (DataKey::Records, sealed),
            Some((2, sealed)) => (DataKey::Secrets, sealed),
            Some((3, sealed)) => {
                let list = key.get(1..17).and_then(|list| list.try_into().ok()).map(Ulid::from_bytes);
                (DataKey::List(list.ok_or("it is damaged")?), sealed)
            }
            _ => return Err("it is in an unknown format".into()),
        };
        self.keys.unseal(by, &place(key), sealed).map_err(|cause| cause.to_string())
    }
}

fn unreadable(tree: Tree, cause: &str) -> Failure {
    Failure::new(
        Code::Store,
        format!("A {tree} in the store cannot be read: {cause}."),
        "Put a copy of the data folder back; the rest of the store can still be used.",
    )
}
