//! Saved lead lists: a name, versions, provenance. The leads themselves lie in sealed blocks in the store.

pub mod catalogue;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::lead::Schema;

/// Where a list's leads came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Always `lookalike`, as the analytics events name it.
    pub source: String,
    /// The file's name, without its folder.
    pub file: String,
    /// The filter in force, canonical text; empty for none.
    pub filter: String,
}

/// One version of a list, without its leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListVersion {
    /// Counts from 1.
    pub version: u32,
    /// How many leads.
    pub leads: u64,
    /// How many blocks of about 1,000.
    pub blocks: u32,
    /// The columns of its leads.
    pub schema: Schema,
    /// Where they came from.
    pub provenance: Provenance,
    /// When it was saved.
    pub saved: Timestamp,
    /// SHA-256 over schema and leads, hex: unchanged content makes no new version.
    pub digest: String,
}

/// A list as `list ls` and the Lists tab show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSummary {
    /// The list's id; never changes.
    pub id: String,
    /// Its name; unique, compared without case.
    pub name: String,
    /// The newest version.
    pub version: u32,
    /// Leads in it.
    pub leads: u64,
    /// When it was last saved.
    pub saved: Timestamp,
    /// Where the newest version came from.
    pub provenance: Provenance,
}
