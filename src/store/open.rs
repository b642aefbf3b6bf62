//! Opening a store: take the lock, the keys and sled, then see that what is there is what was written.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::blocks::list_prefix;
use super::disk::{Disk, Durability, Fsync};
use super::lock::OwnerLock;
use super::record::{Record, Tree};
use super::tally::{Acknowledged, TALLY, Tally};
use super::writer::Writer;
use super::{Batch, Inner, SCHEMA, SCHEMA_KEY, Shared, Store, damaged, refused};
use crate::config::paths::Paths;
use crate::failure::{Code, Failure};
use crate::vault::{KeySource, Keys};

/// The layout of the store.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Schema {
    pub version: u32,
}

impl Record for Schema {
    const TREE: Tree = Tree::Meta;
}

impl Store {
    /// Opens the store below `paths`, making it on first use. Waits for a process that holds it, at most `wait`. Blocks.
    ///
    /// # Errors
    /// [`Code::Store`]: held, damaged, newer than this program, or its keys are missing, wrong or open to others.
    /// [`Code::Failed`]: a folder cannot be made.
    pub fn open(paths: &Paths, wait: Duration) -> Result<Store, Failure> {
        Store::open_with(paths, wait, Box::<Fsync>::default())
    }

    /// With another way of making commits durable.
    pub(super) fn open_with(paths: &Paths, wait: Duration, durability: Box<dyn Durability>) -> Result<Store, Failure> {
        let deadline = Instant::now() + wait;
        paths.create()?;
        let lock = OwnerLock::take(&paths.data, deadline)?;
        let folder = paths.data.join("sled");
        let (acknowledged, commits) = Acknowledged::open(&paths.data.join("acknowledged"))
            .map_err(|error| refused(&paths.data, &error.to_string()))?;
        let new = commits == 0 && !folder.join("db").exists();
        let source = KeySource::File(paths.keys.join("master.key"));
        let keys = Keys::open(source, &paths.data.join("data-keys"), new)?;
        let shared = Arc::new(Shared { disk: Disk::open(folder, deadline)?, keys, _lock: lock });

        let tally = shared.check(commits)?;
        shared.finish_deletions()?;
        let writer = Writer::start(Arc::clone(&shared), durability, acknowledged, tally.unwrap_or_default())?;
        let store = Store(Arc::new(Inner { writer, shared }));
        if tally.is_none() {
            let mut first = Batch::new();
            first.put(SCHEMA_KEY, &Schema { version: SCHEMA });
            store.commit_blocking(first)?;
        }
        Ok(store)
    }
}

impl Shared {
    /// The tally, if the store holds what it says; `None` for a store that has never been written.
    fn check(&self, acknowledged: u64) -> Result<Option<Tally>, Failure> {
        let folder = self.disk.folder.as_path();
        let schema = self.get::<Schema>(SCHEMA_KEY)?;
        match schema {
            Some(Schema { version }) if version > SCHEMA => return Err(newer(folder, version)),
            Some(Schema { version: SCHEMA }) => {}
            Some(Schema { version }) => return Err(damaged(folder, &format!("it has the unknown version {version}"))),
            None => {}
        }
        let stored = self.get::<Tally>(TALLY)?;
        let found = self.count()?;
        match stored {
            None if schema.is_none() && found.rows == 0 && acknowledged == 0 => Ok(None),
            None => Err(damaged(folder, &format!("it holds {} rows and no count of them", found.rows))),
            Some(stored) if stored.commits < acknowledged => {
                let lost = acknowledged - stored.commits;
                Err(damaged(folder, &format!("the last {lost} of its {acknowledged} commits are missing")))
            }
            Some(stored) if found.rows < stored.rows => {
                let lost = stored.rows - found.rows;
                Err(damaged(folder, &format!("{lost} of its {} rows are missing", stored.rows)))
            }
            Some(stored) if (Tally { commits: stored.commits, ..found }) != stored => {
                Err(damaged(folder, "some of its rows are older than what was last written"))
            }
            stored => Ok(stored),
        }
    }

    /// The tally of the rows that are there.
    fn count(&self) -> Result<Tally, Failure> {
        let tally = Tree::Meta.key(TALLY);
        self.disk.with(|db| {
            let mut found = Tally::default();
            for row in db.iter() {
                let (key, value) = row?;
                if key != tally {
                    found.add(&value);
                }
            }
            Ok(found)
        })
    }

    /// Destroys the keys of lists that have no blocks: a deletion was cut short between the blocks and the key.
    fn finish_deletions(&self) -> Result<(), Failure> {
        for list in self.keys.lists() {
            let empty = self.disk.with(|db| db.scan_prefix(list_prefix(list)).next().transpose())?.is_none();
            if empty {
                self.keys.destroy_list(list)?;
            }
        }
        Ok(())
    }
}

fn newer(folder: &Path, version: u32) -> Failure {
    Failure::new(
        Code::Store,
        format!(
            "The store in {} was written by a newer leadferry (version {version}; this one knows {SCHEMA}).",
            folder.display()
        ),
        "Start that newer version.",
    )
}
