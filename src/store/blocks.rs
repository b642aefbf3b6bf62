//! The leads of lists, in compressed blocks of about a thousand, each list's sealed under its own key.
//!
//! A sealed block is cut into parts: sled moves big values out of its log into files that it never syncs, small ones stay.

use ulid::Ulid;

use super::record::Tree;
use crate::lead::Lead;

/// How many leads a block should hold. Any other number works too.
pub const LEADS_PER_BLOCK: usize = 1000;

/// The biggest part. sled keeps up to 16 values in a page, and pages below 128 KiB in its log.
pub(super) const PART: usize = 7 << 10;

/// Cells as postcard, under zstd. It does not depend on [`Lead`], which may change while blocks stay.
const POSTCARD_ZSTD: u8 = 1;

/// The plaintext of a block.
///
/// # Errors
/// In words; only for want of memory.
pub fn encode(leads: &[Lead]) -> Result<Vec<u8>, String> {
    let rows: Vec<&[String]> = leads.iter().map(|lead| lead.cells.as_slice()).collect();
    let rows = postcard::to_allocvec(&rows).map_err(|error| error.to_string())?;
    let mut plain = vec![POSTCARD_ZSTD];
    plain.extend(zstd::encode_all(rows.as_slice(), 3).map_err(|error| error.to_string())?);
    Ok(plain)
}

/// The leads of a block.
///
/// # Errors
/// In words, when it is no block of ours.
pub fn decode(plain: &[u8]) -> Result<Vec<Lead>, String> {
    let Some((&POSTCARD_ZSTD, packed)) = plain.split_first() else { return Err("it is in an unknown format".into()) };
    let rows = zstd::decode_all(packed).map_err(|error| error.to_string())?;
    let rows: Vec<Vec<String>> = postcard::from_bytes(&rows).map_err(|error| error.to_string())?;
    Ok(rows.into_iter().map(|cells| Lead { cells }).collect())
}

/// The beginning of the full keys of everything of a list.
pub(super) fn list_prefix(list: Ulid) -> Vec<u8> {
    Tree::ListBlock.key(&list.to_bytes())
}

/// The beginning of the full keys of a version.
pub(super) fn version_prefix(list: Ulid, version: u32) -> Vec<u8> {
    let mut key = list_prefix(list);
    key.extend(version.to_be_bytes());
    key
}

/// The beginning of the full keys of a block's parts; also the place it is sealed for.
pub(super) fn block_prefix(list: Ulid, version: u32, n: u32) -> Vec<u8> {
    let mut key = version_prefix(list, version);
    key.extend(n.to_be_bytes());
    key
}

/// The full key of one part of a block.
pub(super) fn part_key(block: &[u8], part: usize) -> Vec<u8> {
    let mut key = block.to_vec();
    key.extend((part as u32).to_be_bytes());
    key
}

/// The block prefix of a part's full key: all but the number of the part.
pub(super) fn block_of_part(key: &[u8]) -> Option<&[u8]> {
    (key.len() == 1 + 16 + 4 + 4 + 4).then(|| &key[..key.len() - 4])
}
