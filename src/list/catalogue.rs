//! The catalogue of lists in the store: names, versions, drafts that become versions, deletion.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use super::{ListSummary, ListVersion, Provenance};
use crate::failure::{Code, Failure};
use crate::lead::{Lead, Schema};
use crate::store::{Batch, LEADS_PER_BLOCK, Record, Store, Tree};

/// A list's row of the catalogue.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ListRecord {
    id: Ulid,
    name: String,
    newest: u32,
}

impl ListRecord {
    /// Whether both would be one list.
    fn is(&self, other: &ListRecord) -> bool {
        self.id == other.id || same_name(&self.name, &other.name)
    }
}

/// Whether two names are one: case does not count.
fn same_name(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

impl Record for ListRecord {
    const TREE: Tree = Tree::List;
}

impl Record for ListVersion {
    const TREE: Tree = Tree::ListVersion;
}

/// A version being written.
struct Draft {
    list: ListRecord,
    fresh: bool,
    schema: Schema,
    provenance: Provenance,
    blocks: u32,
    leads: u64,
    hash: Sha256,
}

/// A committed draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The list's name.
    pub name: String,
    /// The version that holds the leads.
    pub version: u32,
    /// How many leads.
    pub leads: u64,
    /// Whether an older version held the same.
    pub unchanged: bool,
}

/// The catalogue; the only way to lists.
pub struct Catalogue {
    store: Store,
    drafts: Mutex<Drafts>,
    /// Held while a list's record is read, changed and written back.
    changing: tokio::sync::Mutex<()>,
}

/// Versions being written, by their numbers, none of which is given twice.
#[derive(Default)]
struct Drafts {
    last: u64,
    open: BTreeMap<u64, Draft>,
}

impl Catalogue {
    /// The catalogue of a store.
    pub fn new(store: Store) -> Self {
        Catalogue { store, drafts: Mutex::default(), changing: tokio::sync::Mutex::default() }
    }

    fn drafts(&self) -> MutexGuard<'_, Drafts> {
        self.drafts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn records(&self) -> Result<Vec<ListRecord>, Failure> {
        Ok(self.store.scan::<ListRecord>(&[])?.into_iter().map(|(_, record)| record).collect())
    }

    fn find(&self, name: &str) -> Result<Option<ListRecord>, Failure> {
        Ok(self.records()?.into_iter().find(|list| list.newest > 0 && same_name(&list.name, name.trim())))
    }

    fn named(&self, name: &str) -> Result<ListRecord, Failure> {
        self.find(name)?.ok_or_else(|| {
            Failure::new(
                Code::NotFound,
                format!("There is no list called '{name}'."),
                "See the saved lists with 'leadferry list ls' or in the Lists tab.",
            )
        })
    }

    fn version_of(&self, list: &ListRecord, version: u32) -> Result<ListVersion, Failure> {
        let version = if version == 0 { list.newest } else { version };
        self.store.get::<ListVersion>(&version_key(list.id, version))?.ok_or_else(|| {
            Failure::new(
                Code::NotFound,
                format!("The list '{}' has no version {version}.", list.name),
                format!("Its newest version is {}.", list.newest),
            )
        })
    }

    /// Starts a version of a list of this name, new or known; answers the draft's number.
    ///
    /// # Errors
    /// An empty name, or the store cannot be read.
    pub fn begin(&self, name: &str, schema: Schema, provenance: Provenance) -> Result<u64, Failure> {
        let name = checked_name(name)?;
        let known = self.find(&name)?;
        let fresh = known.is_none();
        let list = known.unwrap_or_else(|| ListRecord { id: Ulid::new(), name, newest: 0 });
        let mut hash = Sha256::new();
        for column in &schema.columns {
            feed(&mut hash, &column.header);
            feed(&mut hash, column.field.map_or("", |field| field.name()));
        }
        let draft = Draft { list, fresh, schema, provenance, blocks: 0, leads: 0, hash };
        let mut drafts = self.drafts();
        if drafts.open.values().any(|other| other.list.is(&draft.list)) {
            return Err(Failure::new(
                Code::Failed,
                format!("The list '{}' is being saved already.", draft.list.name),
                "Wait until that save has ended.",
            ));
        }
        drafts.last += 1;
        let number = drafts.last;
        drafts.open.insert(number, draft);
        Ok(number)
    }

    /// Adds leads to a draft. Until the draft is committed no list shows them.
    ///
    /// # Errors
    /// No such draft, or the store cannot be written.
    pub async fn put(&self, number: u64, leads: &[Lead]) -> Result<(), Failure> {
        let mut batch = Batch::new();
        {
            let mut drafts = self.drafts();
            let draft = drafts.open.get_mut(&number).ok_or_else(no_draft)?;
            let full = LEADS_PER_BLOCK as u64;
            if leads.len() as u64 > full || draft.leads != u64::from(draft.blocks) * full {
                // A lead is found by its position: only the last block may be short.
                return Err(Failure::new(Code::Failed, "A block of leads has the wrong size.", "Save the list again."));
            }
            let version = draft.list.newest + 1;
            if draft.blocks == 0 {
                // What a draft that was cut off by the end of the process left under the same number.
                batch.delete_version(draft.list.id, version);
            }
            batch.put_block(draft.list.id, version, draft.blocks, leads);
            draft.blocks += 1;
            draft.leads += leads.len() as u64;
            for lead in leads {
                draft.hash.update((lead.cells.len() as u64).to_le_bytes());
                lead.cells.iter().for_each(|cell| feed(&mut draft.hash, cell));
            }
        }
        self.store.commit(batch).await
    }

    /// Makes a draft the newest version, durably; a draft that says the same as the newest version makes none.
    ///
    /// # Errors
    /// No such draft, or the store cannot be written: then the list is as it was.
    pub async fn commit(&self, number: u64, now: Timestamp) -> Result<Committed, Failure> {
        let _changing = self.changing.lock().await;
        let draft = self.take(number)?;
        let digest = STANDARD_NO_PAD.encode(draft.hash.finalize());
        // It may have been renamed since the draft was begun.
        let mut list = self.store.get::<ListRecord>(draft.list.id.to_bytes())?.unwrap_or(draft.list);
        if list.newest > 0 {
            let newest = self.version_of(&list, 0)?;
            if newest.digest == digest {
                let mut batch = Batch::new();
                batch.delete_version(list.id, list.newest + 1);
                self.store.commit(batch).await?;
                let (name, leads) = (list.name, draft.leads);
                return Ok(Committed { name, version: list.newest, leads, unchanged: true });
            }
        }
        list.newest += 1;
        let version = ListVersion {
            version: list.newest,
            leads: draft.leads,
            blocks: draft.blocks,
            schema: draft.schema,
            provenance: draft.provenance,
            saved: now,
            digest,
        };
        let mut batch = Batch::new();
        batch.put(version_key(list.id, list.newest), &version);
        batch.put(list.id.to_bytes(), &list);
        self.store.commit(batch).await?;
        Ok(Committed { name: list.name, version: list.newest, leads: draft.leads, unchanged: false })
    }

    fn take(&self, number: u64) -> Result<Draft, Failure> {
        self.drafts().open.remove(&number).ok_or_else(no_draft)
    }

    /// Forgets a draft and what was written of it.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn drop_draft(&self, number: u64) -> Result<(), Failure> {
        let Ok(draft) = self.take(number) else { return Ok(()) };
        let mut batch = Batch::new();
        match draft.fresh {
            true => batch.delete_list(draft.list.id),
            false => batch.delete_version(draft.list.id, draft.list.newest + 1),
        };
        self.store.commit(batch).await
    }

    /// All lists, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn all(&self) -> Result<Vec<ListSummary>, Failure> {
        let mut lists = Vec::new();
        for list in self.records()?.into_iter().filter(|list| list.newest > 0) {
            let newest = self.version_of(&list, 0)?;
            lists.push(summary(&list, newest));
        }
        lists.sort_by_key(|list| list.name.to_lowercase());
        Ok(lists)
    }

    /// A list with all its versions, oldest first.
    ///
    /// # Errors
    /// No such list, or the store cannot be read.
    pub fn get(&self, name: &str) -> Result<(ListSummary, Vec<ListVersion>), Failure> {
        let list = self.named(name)?;
        let rows = self.store.scan::<ListVersion>(&list.id.to_bytes())?;
        let versions: Vec<ListVersion> = rows.into_iter().map(|(_, record)| record).collect();
        let newest = self.version_of(&list, 0)?;
        Ok((summary(&list, newest), versions))
    }

    /// The id and one version of a list (0 = newest).
    ///
    /// # Errors
    /// No such list or version, or the store cannot be read.
    pub fn version(&self, name: &str, version: u32) -> Result<(Ulid, ListVersion), Failure> {
        let list = self.named(name)?;
        Ok((list.id, self.version_of(&list, version)?))
    }

    /// One version of a list that is known by its id; fails when list or version were deleted.
    ///
    /// # Errors
    /// No such list or version, or the store cannot be read.
    pub fn version_by_id(&self, id: Ulid, version: u32) -> Result<ListVersion, Failure> {
        self.store.get::<ListVersion>(&version_key(id, version))?.ok_or_else(|| {
            Failure::new(Code::NotFound, "The list of this run was deleted.", "Save the list again and send it anew.")
        })
    }

    /// One block of leads.
    ///
    /// # Errors
    /// No such list, version or block, or the store cannot be read.
    pub fn block(&self, id: Ulid, version: u32, block: u32) -> Result<Vec<Lead>, Failure> {
        self.store.block(id, version, block)
    }

    /// Gives a list another name.
    ///
    /// # Errors
    /// No such list, the name is taken or empty, or the store cannot be written.
    pub async fn rename(&self, name: &str, to: &str) -> Result<(), Failure> {
        let _changing = self.changing.lock().await;
        let mut list = self.named(name)?;
        let to = checked_name(to)?;
        let begun = |draft: &Draft| draft.list.id != list.id && same_name(&draft.list.name, &to);
        if self.find(&to)?.is_some_and(|other| other.id != list.id) || self.drafts().open.values().any(begun) {
            return Err(Failure::new(
                Code::Usage,
                format!("There is a list called '{to}' already."),
                "Choose another name, or delete that list first.",
            ));
        }
        list.name = to;
        let mut batch = Batch::new();
        batch.put(list.id.to_bytes(), &list);
        self.store.commit(batch).await
    }

    /// Deletes a list with all its versions and destroys the key that sealed its leads.
    ///
    /// # Errors
    /// No such list, or the store cannot be written.
    pub async fn delete(&self, name: &str) -> Result<(), Failure> {
        let _changing = self.changing.lock().await;
        let list = self.named(name)?;
        // A save under way would bring half of it back.
        self.drafts().open.retain(|_, draft| draft.list.id != list.id);
        let mut batch = Batch::new();
        batch.delete::<ListRecord>(&list.id.to_bytes());
        batch.delete_all::<ListVersion>(&list.id.to_bytes());
        batch.delete_list(list.id);
        self.store.commit(batch).await
    }
}

fn feed(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

fn version_key(list: Ulid, version: u32) -> Vec<u8> {
    let mut key = list.to_bytes().to_vec();
    key.extend(version.to_be_bytes());
    key
}

fn summary(list: &ListRecord, newest: ListVersion) -> ListSummary {
    ListSummary {
        id: list.id.to_string(),
        name: list.name.clone(),
        version: newest.version,
        leads: newest.leads,
        saved: newest.saved,
        provenance: newest.provenance,
    }
}

fn no_draft() -> Failure {
    Failure::new(Code::Failed, "This save was given up.", "Save the list again.")
}

fn checked_name(name: &str) -> Result<String, Failure> {
    let name = name.trim();
    match name.chars().count() {
        0 => Err(Failure::new(Code::Usage, "A list needs a name.", "Please enter a list name.")),
        1..=200 if !name.chars().any(char::is_control) => Ok(name.to_owned()),
        _ => Err(Failure::new(
            Code::Usage,
            "This list name is too long or holds control characters.",
            "Use up to 200 ordinary characters.",
        )),
    }
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
