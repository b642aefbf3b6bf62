//! What stands in the store: typed records, each in its tree, and how a record becomes the plaintext of a sealed value.
//!
//! Records are JSON, compressed when that pays: an encoding that names its fields stays readable when a record gains a
//! field (`#[serde(default)]`) or loses one, so a store of the first release opens for ever. Only the blocks of leads,
//! whose shape does not change, are in a compact encoding.

use std::fmt;
use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::vault::{DataKey, sealed};

/// The trees. Each is a one-byte prefix inside one sled tree, so that a batch over several of them is atomic.
/// The numbers are on disk: a new tree takes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tree {
    /// The store's own records: schema version, tally.
    Meta = 1,
    /// Saved lists: name, provenance.
    List = 2,
    /// Their versions.
    ListVersion = 3,
    /// Their leads, in blocks. No records: see [`super::Batch::put_block`].
    ListBlock = 4,
    /// Authorised CRM accounts.
    Connection = 5,
    /// Outgoing endpoints.
    Webhook = 6,
    /// Executions of syncs.
    Run = 7,
    /// Outcomes per block of leads of a run.
    RunBlock = 8,
    /// Requests of runs.
    Delivery = 9,
    /// Analytics events.
    Event = 10,
    /// Notices.
    Notice = 11,
    /// Remembered mappings, of headers and of syncs.
    Mapping = 12,
    /// Remembered settings of the screens.
    Setting = 13,
    /// Payload templates.
    Template = 14,
}

impl Tree {
    /// Every tree.
    pub const ALL: [Tree; 14] = [
        Tree::Meta,
        Tree::List,
        Tree::ListVersion,
        Tree::ListBlock,
        Tree::Connection,
        Tree::Webhook,
        Tree::Run,
        Tree::RunBlock,
        Tree::Delivery,
        Tree::Event,
        Tree::Notice,
        Tree::Mapping,
        Tree::Setting,
        Tree::Template,
    ];

    /// The tree of a full key's first byte.
    pub(super) fn of(byte: u8) -> Option<Tree> {
        Tree::ALL.into_iter().find(|tree| *tree as u8 == byte)
    }

    /// A full key: the tree's byte, then the record's key.
    pub(super) fn key(self, key: &[u8]) -> Vec<u8> {
        let mut full = Vec::with_capacity(1 + key.len());
        full.push(self as u8);
        full.extend_from_slice(key);
        full
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Tree::Meta => "store record",
            Tree::List => "list",
            Tree::ListVersion => "list version",
            Tree::ListBlock => "block of leads",
            Tree::Connection => "connection",
            Tree::Webhook => "webhook",
            Tree::Run => "run",
            Tree::RunBlock => "block of outcomes",
            Tree::Delivery => "delivery",
            Tree::Event => "event",
            Tree::Notice => "notice",
            Tree::Mapping => "mapping",
            Tree::Setting => "setting",
            Tree::Template => "template",
        })
    }
}

/// Which data key seals a type's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedBy {
    /// The key of records.
    Records,
    /// The key of secrets. Only here may a record have [`crate::vault::Secret`] fields.
    Secrets,
}

/// A type that is stored. Its keys hold ids, numbers and hashes, never personal data: keys are not sealed.
///
/// A field that is added later wants `#[serde(default)]`; map keys must be strings or numbers, and floats finite (JSON).
pub trait Record: Serialize + DeserializeOwned {
    /// Where it stands. Several types may share a tree when their keys have different beginnings.
    const TREE: Tree;
    /// What seals it.
    const SEALED_BY: SealedBy = SealedBy::Records;
}

/// The data key as the first byte of a stored value.
pub(super) fn key_byte(key: DataKey) -> u8 {
    match key {
        DataKey::Records => 1,
        DataKey::Secrets => 2,
        DataKey::List(_) => 3,
    }
}

const JSON: u8 = 1;
const JSON_ZSTD: u8 = 2;
/// Shorter records are not worth compressing.
const WORTH_COMPRESSING: usize = 512;

/// The plaintext of a record: a byte for the format, then the record.
pub(super) fn encode<T: Record>(record: &T) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
    // Room for most records at once, since what a growing buffer leaves behind is not wiped.
    let mut plain = Zeroizing::new(Vec::with_capacity(4096));
    plain.push(JSON);
    match T::SEALED_BY {
        SealedBy::Records => serde_json::to_writer(&mut *plain, record)?,
        SealedBy::Secrets => sealed::while_sealing(|| serde_json::to_writer(&mut *plain, record))?,
    }
    if plain.len() > WORTH_COMPRESSING {
        let packed = Zeroizing::new(zstd::encode_all(&plain[1..], 1).map_err(serde_json::Error::io)?);
        if packed.len() + 1 < plain.len() {
            plain.truncate(1);
            plain[0] = JSON_ZSTD;
            plain.extend_from_slice(&packed);
        }
    }
    Ok(plain)
}

/// The record in a plaintext.
pub(super) fn decode<T: DeserializeOwned>(plain: &[u8]) -> Result<T, serde_json::Error> {
    match plain.split_first() {
        Some((&JSON, json)) => serde_json::from_slice(json),
        Some((&JSON_ZSTD, packed)) => {
            let json = Zeroizing::new(zstd::decode_all(packed).map_err(serde_json::Error::io)?);
            serde_json::from_slice(&json)
        }
        _ => Err(serde_json::Error::io(io::Error::other("it is in an unknown format"))),
    }
}
