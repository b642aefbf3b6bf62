//! The one writer: a thread that takes all batches that wait, makes them durable together, then answers all of them.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use ulid::Ulid;

use super::batch::{Batch, Change};
use super::blocks::{PART, part_key};
use super::disk::Durability;
use super::record::{self, Tree};
use super::tally::{Acknowledged, TALLY, Tally};
use super::{Shared, refused};
use crate::failure::{Code, Failure};
use crate::vault::DataKey;

/// More batches than this do not share one flush, so that the first of them does not wait for ever.
const GROUP: usize = 512;

/// What is called when a batch is durable, or is not.
type Answer = Box<dyn FnOnce(Result<(), Failure>) + Send>;
/// Full keys, and what shall stand there.
type Rows = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

struct Job {
    batch: Batch,
    answer: Answer,
}

/// The handle of the writer's thread. Dropping it waits until what was sent is durable.
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        shared: Arc<Shared>,
        durability: Box<dyn Durability>,
        acknowledged: Acknowledged,
        tally: Tally,
    ) -> Result<Writer, Failure> {
        let (jobs, waiting) = channel();
        let folder = shared.disk.folder.clone();
        let mut committer = Committer { shared, durability, acknowledged, tally, stopped: OnceLock::new() };
        let thread = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                while let Some(group) = next_group(&waiting) {
                    committer.commit(group);
                }
            })
            .map_err(|error| refused(&folder, &error.to_string()))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    pub(super) fn send(&self, batch: Batch, answer: impl FnOnce(Result<(), Failure>) + Send + 'static) {
        let job = Job { batch, answer: Box::new(answer) };
        if let Some(jobs) = &self.jobs
            && let Err(unsent) = jobs.send(job)
        {
            (unsent.0.answer)(Err(gone()));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// That the writer's thread ended by a fault of its own.
pub(super) fn gone() -> Failure {
    Failure::new(
        Code::Store,
        "The store's writer has stopped.",
        "Start leadferry again; what was reported as saved is safe.",
    )
}

/// Waits for a batch, then takes all that wait behind it. A batch that destroys keys ends its group: what is written to
/// the list after it must not be sealed under the key that goes.
fn next_group(waiting: &Receiver<Job>) -> Option<Vec<Job>> {
    let mut group = vec![waiting.recv().ok()?];
    while group.len() < GROUP && group.last().is_some_and(|job| job.batch.destroyed.is_empty()) {
        match waiting.try_recv() {
            Ok(job) => group.push(job),
            Err(_) => break,
        }
    }
    Some(group)
}

struct Committer {
    shared: Arc<Shared>,
    durability: Box<dyn Durability>,
    acknowledged: Acknowledged,
    tally: Tally,
    /// Why nothing is written any more: after a failed write nobody knows what is on the disk.
    stopped: OnceLock<Failure>,
}

impl Committer {
    fn commit(&mut self, group: Vec<Job>) {
        let mut rows = Rows::new();
        let mut waiters = Vec::with_capacity(group.len());
        let mut destroyed = Vec::new();
        for Job { batch, answer } in group {
            let sealed = match self.stopped.get() {
                Some(failure) => Err(failure.clone()),
                None => self.seal(batch, &rows),
            };
            match sealed {
                Ok((sealed, lists)) => {
                    rows.extend(sealed);
                    destroyed.extend(lists);
                    waiters.push(answer);
                }
                Err(failure) => answer(Err(failure)),
            }
        }
        if waiters.is_empty() {
            return;
        }
        let outcome = self.write(rows, waiters.len() as u64);
        if let Err(failure) = &outcome {
            let _ = self.stopped.set(failure.clone());
        }
        let outcome =
            outcome.and_then(|()| destroyed.into_iter().try_for_each(|list| self.shared.keys.destroy_list(list)));
        for answer in waiters {
            answer(outcome.clone());
        }
    }

    /// Turns a batch into rows; `before` are the rows of the batches before it in the group.
    fn seal(&self, batch: Batch, before: &Rows) -> Result<(Rows, Vec<Ulid>), Failure> {
        if let Some(failure) = batch.broken {
            return Err(failure);
        }
        let mut rows = Rows::new();
        for change in batch.changes {
            match change {
                Change::Put { key, by, plain } => {
                    let value = self.shared.seal(by, &key, &plain)?;
                    rows.insert(key, Some(value));
                }
                Change::PutBlock { list, prefix, plain } => {
                    self.shared.keys.ensure_list(list)?;
                    self.delete_all(&prefix, before, &mut rows)?;
                    let value = self.shared.seal(DataKey::List(list), &prefix, &plain)?;
                    let parts = value.chunks(PART).enumerate();
                    rows.extend(parts.map(|(part, bytes)| (part_key(&prefix, part), Some(bytes.to_vec()))));
                }
                Change::Delete { key } => {
                    rows.insert(key, None);
                }
                Change::DeleteAll { prefix } => self.delete_all(&prefix, before, &mut rows)?,
            }
        }
        Ok((rows, batch.destroyed))
    }

    fn delete_all(&self, prefix: &[u8], before: &Rows, rows: &mut Rows) -> Result<(), Failure> {
        let stored = self.shared.disk.with(|db| db.scan_prefix(prefix).keys().collect::<Result<Vec<_>, _>>())?;
        let begins = |key: &&Vec<u8>| key.starts_with(prefix);
        let waiting: Vec<_> = before.keys().chain(rows.keys()).filter(begins).cloned().collect();
        rows.extend(stored.into_iter().map(|key| (key.to_vec(), None)));
        rows.extend(waiting.into_iter().map(|key| (key, None)));
        Ok(())
    }

    /// Applies the rows with the tally in one atomic batch; returns once all of it is on the disk and noted outside.
    fn write(&mut self, rows: Rows, commits: u64) -> Result<(), Failure> {
        let mut tally = self.tally;
        let mut batch = sled::Batch::default();
        for (key, value) in rows {
            if let Some(old) = self.shared.disk.with(|db| db.get(&key))? {
                tally.remove(&old);
            }
            match value {
                Some(value) => {
                    tally.add(&value);
                    batch.insert(key, value);
                }
                None => batch.remove(key),
            }
        }
        tally.commits += commits;
        let key = Tree::Meta.key(TALLY);
        let plain = record::encode(&tally).map_err(|error| self.unwritten(&error.to_string()))?;
        batch.insert(key.as_slice(), self.shared.seal(DataKey::Records, &key, &plain)?);
        self.shared.disk.try_with(|db| db.apply_batch(batch)).map_err(|cause| self.unwritten(&cause))?;
        self.durability.make_durable(&self.shared.disk).map_err(|error| self.unwritten(&error.to_string()))?;
        self.acknowledged.note(tally.commits).map_err(|error| self.unwritten(&error.to_string()))?;
        self.tally = tally;
        Ok(())
    }

    fn unwritten(&self, cause: &str) -> Failure {
        let cause = cause.trim_end_matches('.');
        let folder = self.shared.disk.folder.display();
        Failure::new(
            Code::Store,
            format!("The store in {folder} could not be written and takes nothing more: {cause}."),
            "Make room on the disk, then start leadferry again; what was reported as saved is safe.",
        )
    }
}
