//! Opening every value once, to know what is sound.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use super::record::Tree;
use super::{Store, blocks};
use crate::failure::Failure;

/// What a walk over the whole store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many records each tree holds; for blocks of leads, how many blocks.
    pub records: BTreeMap<Tree, u64>,
    /// How many leads the blocks hold.
    pub leads: u64,
    /// What could not be opened.
    pub damages: Vec<Damage>,
}

/// One value that could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Its tree; `None` when its key belongs to none.
    pub tree: Option<Tree>,
    /// Its key, without the tree's byte.
    pub key: Vec<u8>,
    /// Why, in a few words.
    pub cause: String,
}

impl Store {
    /// Walks everything and opens every value.
    ///
    /// # Errors
    /// [`crate::failure::Code::Store`] when sled itself cannot go on; single values that do not open are
    /// [`Verified::damages`].
    pub fn verify(&self) -> Result<Verified, Failure> {
        let shared = &self.0.shared;
        let mut found = Verified::default();
        let mut block = Block::default();
        let mut after: Option<sled::IVec> = None;
        loop {
            // Row by row, so that a big store is not in memory as a whole.
            let row = shared.disk.with(|db| match &after {
                None => db.first(),
                Some(key) => db.get_gt(key),
            })?;
            let Some((key, value)) = row else { break };
            match Tree::of(key[0]) {
                Some(Tree::ListBlock) => match blocks::block_of_part(&key) {
                    Some(prefix) => {
                        if block.prefix != prefix {
                            self.settle(&mut block, &mut found);
                            block.prefix = prefix.to_vec();
                        }
                        block.value.extend_from_slice(&value);
                    }
                    None => found.damage(&key, "its key is damaged".into()),
                },
                Some(tree) => match shared.open_as::<IgnoredAny>(&key, &value) {
                    Ok(_) => *found.records.entry(tree).or_default() += 1,
                    Err(cause) => found.damage(&key, cause),
                },
                None => found.damage(&key, "it belongs to nothing this program knows".into()),
            }
            after = Some(key);
        }
        self.settle(&mut block, &mut found);
        Ok(found)
    }

    /// Opens the block whose parts were collected.
    fn settle(&self, block: &mut Block, found: &mut Verified) {
        let Block { prefix, value } = std::mem::take(block);
        if prefix.is_empty() {
            return;
        }
        match self.0.shared.unseal(&prefix, &value).and_then(|plain| blocks::decode(&plain)) {
            Ok(leads) => {
                *found.records.entry(Tree::ListBlock).or_default() += 1;
                found.leads += leads.len() as u64;
            }
            Err(cause) => found.damage(&prefix, cause),
        }
    }
}

/// A block of leads while its parts come in.
#[derive(Default)]
struct Block {
    prefix: Vec<u8>,
    value: Vec<u8>,
}

impl Verified {
    fn damage(&mut self, key: &[u8], cause: String) {
        self.damages.push(Damage { tree: Tree::of(key[0]), key: key[1..].to_vec(), cause });
    }
}
