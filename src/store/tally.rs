//! Noticing that sled lost or rolled back rows without saying so.
//!
//! Inside the store, each commit carries the [`Tally`] of what must then be there: how many rows, and the sum of their
//! seals. Outside it, a small file counts the commits that were acknowledged. At opening the rows must add up to the tally,
//! and the tally must be as young as the file. A killed process may leave the store one commit ahead of the file, never behind.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::record::{Record, Tree};

/// The key of the tally in [`Tree::Meta`].
pub(super) const TALLY: &[u8] = b"tally";

/// What the store must hold after a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// How many commits there were.
    pub commits: u64,
    /// How many rows there are, without the tally itself.
    pub rows: u64,
    /// The ends of all values, added up. The end of a sealed value differs whenever anything in it or its key differs, so
    /// the sum betrays a row that is missing, came back, or fell back to an older value; and it needs no reading of what
    /// did not change.
    pub seals: u128,
}

impl Record for Tally {
    const TREE: Tree = Tree::Meta;
}

impl Tally {
    pub(super) fn add(&mut self, value: &[u8]) {
        self.rows += 1;
        self.seals = self.seals.wrapping_add(end(value));
    }

    pub(super) fn remove(&mut self, value: &[u8]) {
        self.rows = self.rows.saturating_sub(1);
        self.seals = self.seals.wrapping_sub(end(value));
    }
}

/// The last 16 bytes as a number: of a whole value its authentication tag, of a part of one ciphertext.
fn end(value: &[u8]) -> u128 {
    value.iter().rev().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

const SLOT: usize = 24;

/// The file outside sled: two slots written in turn, so that one is whole whenever the power fails.
#[derive(Debug)]
pub(super) struct Acknowledged {
    file: File,
    next: u64,
}

impl Acknowledged {
    /// Opens or makes the file; the number is that of the commits it knows of, 0 when it is new.
    pub(super) fn open(path: &Path) -> io::Result<(Acknowledged, u64)> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let mut newest = None;
        for slot in 0..2 {
            let mut bytes = [0; SLOT];
            let whole = file.read_exact_at(&mut bytes, slot * SLOT as u64).is_ok();
            let (number, check) = bytes.split_at(8);
            if whole && check_of(number) == check {
                let commits = number.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                newest = newest.max(Some((commits, slot)));
            }
        }
        let (commits, slot) = newest.unwrap_or((0, 1));
        Ok((Acknowledged { file, next: 1 - slot }, commits))
    }

    /// Notes, durably, that so many commits are on disk and may be acknowledged.
    pub(super) fn note(&mut self, commits: u64) -> io::Result<()> {
        let number = commits.to_be_bytes();
        let slot = [&number[..], &check_of(&number)].concat();
        self.file.write_all_at(&slot, self.next * SLOT as u64)?;
        self.file.sync_all()?;
        self.next = 1 - self.next;
        Ok(())
    }
}

fn check_of(number: &[u8]) -> [u8; 16] {
    let mut check = [0; 16];
    check.copy_from_slice(&Sha256::digest(number)[..16]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_note_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acknowledged");
        let (mut file, commits) = Acknowledged::open(&path).unwrap();
        assert_eq!(commits, 0);
        for commits in 1..=3 {
            file.note(commits).unwrap();
        }
        let (file, commits) = Acknowledged::open(&path).unwrap();
        assert_eq!(commits, 3);
        // The youngest slot is torn: what it said was not acknowledged yet.
        file.file.write_all_at(b"xxxx", (1 - file.next) * SLOT as u64).unwrap();
        assert_eq!(Acknowledged::open(&path).unwrap().1, 2);
    }

    #[test]
    fn a_row_that_fell_back_does_not_add_up() {
        let (mut tally, mut stale) = (Tally::default(), Tally::default());
        tally.add(b"the younger value, sealed");
        stale.add(b"an older value, SEALED");
        assert_eq!(tally.rows, stale.rows);
        assert_ne!(tally, stale);
        tally.remove(b"the younger value, sealed");
        assert_eq!(tally, Tally::default());
    }
}
