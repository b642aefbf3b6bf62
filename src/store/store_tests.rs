//! What a user would lose, or be told wrongly, if the store did not keep its word.

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use std::{fs, thread};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use ulid::Ulid;

use super::disk::{Durability, Fsync};
use super::open::Schema;
use super::*;
use crate::config::paths::Paths;
use crate::lead::Lead;
use crate::vault::Secret;

/// Long enough for a busy machine; no test waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Note {
    pub text: String,
    #[serde(default)]
    pub count: u64,
}

impl Record for Note {
    const TREE: Tree = Tree::Notice;
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Account {
    name: String,
    #[serde(with = "crate::vault::sealed")]
    token: Secret,
}

impl Record for Account {
    const TREE: Tree = Tree::Connection;
    const SEALED_BY: SealedBy = SealedBy::Secrets;
}

/// A home folder of its own.
pub(super) struct Home(TempDir);

impl Home {
    pub fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }
    pub fn paths(&self) -> Paths {
        Paths::under(self.0.path())
    }
    pub fn open(&self) -> Result<Store, Failure> {
        Store::open(&self.paths(), PATIENCE)
    }
    pub fn sled(&self) -> PathBuf {
        self.paths().data.join("sled")
    }
}

pub(super) fn note(count: u64) -> Note {
    Note { text: format!("note {count}"), count }
}

pub(super) fn put(count: u64) -> Batch {
    let mut batch = Batch::new();
    batch.put(count.to_be_bytes(), &note(count));
    batch
}

pub(super) fn leads(count: usize) -> Vec<Lead> {
    let lead = |n| Lead { cells: vec![format!("Dana {n}"), format!("dana{n}@whitfield.test"), String::new()] };
    (0..count).map(lead).collect()
}

#[test]
fn records_come_back_after_a_restart() {
    let home = Home::new();
    let store = home.open().unwrap();
    let account = Account { name: "eu-team".into(), token: "tok-123".into() };
    let mut batch = Batch::new();
    batch.put(b"a", &account).put(b"n", &note(7));
    store.commit_blocking(batch).unwrap();
    drop(store);
    let store = home.open().unwrap();
    assert_eq!(store.get::<Account>(b"a").unwrap(), Some(account));
    assert_eq!(store.get::<Note>(b"n").unwrap(), Some(note(7)));
    assert_eq!(store.get::<Note>(b"a").unwrap(), None, "trees share no keys");
    let mut batch = Batch::new();
    batch.delete::<Note>(b"n");
    store.commit_blocking(batch).unwrap();
    drop(store);
    assert_eq!(home.open().unwrap().get::<Note>(b"n").unwrap(), None);
}

#[test]
fn a_record_of_an_older_release_gains_the_new_fields_default() {
    #[derive(Serialize, Deserialize)]
    struct OldNote {
        text: String,
    }
    impl Record for OldNote {
        const TREE: Tree = Tree::Notice;
    }
    let home = Home::new();
    let store = home.open().unwrap();
    let mut batch = Batch::new();
    batch.put(b"n", &OldNote { text: "x".repeat(5000) });
    store.commit_blocking(batch).unwrap();
    let read = store.get::<Note>(b"n").unwrap().unwrap();
    assert_eq!((read.text.len(), read.count), (5000, 0));
}

#[test]
fn pages_go_forwards_and_newest_first() {
    let home = Home::new();
    let store = home.open().unwrap();
    let mut batch = Batch::new();
    for n in 0u8..40 {
        batch.put([n % 2, n], &note(n.into()));
    }
    store.commit_blocking(batch).unwrap();
    let counts = |rows: Vec<(Vec<u8>, Note)>| rows.into_iter().map(|(_, note)| note.count).collect::<Vec<_>>();
    assert_eq!(counts(store.scan([1]).unwrap()), (0..20).map(|n| n * 2 + 1).collect::<Vec<_>>());
    assert_eq!(counts(store.scan_after([1], None, 2).unwrap()), [1, 3]);
    assert_eq!(counts(store.scan_after([1], Some(&[1, 3]), 2).unwrap()), [5, 7]);
    assert_eq!(counts(store.scan_after([0], Some(&[0, 36]), 9).unwrap()), [38]);
    assert_eq!(counts(store.last([0], None, 2).unwrap()), [38, 36]);
    assert_eq!(counts(store.last([1], Some(&[1, 5]), 9).unwrap()), [3, 1]);
    assert_eq!(counts(store.last([1], Some(&[0, 5]), 9).unwrap()), [0u64; 0]);
    assert_eq!(store.count::<Note>([]).unwrap(), 40);
    let mut batch = Batch::new();
    batch.put([1, 200], &note(200)).delete_all::<Note>([1]);
    store.commit_blocking(batch).unwrap();
    assert_eq!(store.count::<Note>([1]).unwrap(), 0, "what the batch itself put is deleted too");
}

#[test]
fn a_secret_in_a_record_that_is_not_sealed_as_one_is_refused() {
    #[derive(Serialize, Deserialize)]
    struct Careless {
        #[serde(with = "crate::vault::sealed")]
        token: Secret,
    }
    impl Record for Careless {
        const TREE: Tree = Tree::Webhook;
    }
    let home = Home::new();
    let store = home.open().unwrap();
    let mut batch = Batch::new();
    batch.put(b"n", &note(1)).put(b"w", &Careless { token: "t".into() });
    assert_eq!(store.commit_blocking(batch).unwrap_err().code, Code::Failed);
    assert_eq!(store.get::<Note>(b"n").unwrap(), None, "half of a batch was written");
    store.commit_blocking(put(1)).unwrap();
}

#[test]
fn nothing_readable_stands_on_the_disk() {
    let home = Home::new();
    let store = home.open().unwrap();
    let mut batch = Batch::new();
    batch.put(b"a", &Account { name: "ACCOUNTNAME".into(), token: "TOKENTOKEN".into() });
    batch.put_block(Ulid(5), 1, 0, &[Lead { cells: vec!["LEADLEAD@x.test".into()] }]);
    store.commit_blocking(batch).unwrap();
    drop(store);
    for file in files(home.0.path()) {
        let bytes = fs::read(&file).unwrap();
        for plain in ["ACCOUNTNAME", "TOKENTOKEN", "LEADLEAD"] {
            let found = bytes.windows(plain.len()).any(|window| window == plain.as_bytes());
            assert!(!found, "{plain} is readable in {}", file.display());
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn blocks_of_leads_come_back_and_a_shorter_one_replaces_a_longer_one() {
    let home = Home::new();
    let store = home.open().unwrap();
    let list = Ulid(5);
    let mut batch = Batch::new();
    batch.put_block(list, 1, 0, &leads(LEADS_PER_BLOCK)).put_block(list, 1, 1, &leads(3)).put_block(
        list,
        2,
        0,
        &leads(9),
    );
    store.commit_blocking(batch).unwrap();
    drop(store);
    let store = home.open().unwrap();
    assert_eq!(store.block(list, 1, 0).unwrap(), leads(LEADS_PER_BLOCK));
    assert_eq!(store.block(list, 1, 1).unwrap(), leads(3));
    assert!(store.block(list, 1, 2).unwrap_err().message.contains("missing"));
    let found = store.verify().unwrap();
    assert_eq!((found.leads, found.records[&Tree::ListBlock], found.damages), (1012, 3, vec![]));
    let mut batch = Batch::new();
    batch.put_block(list, 1, 0, &leads(1)).delete_version(list, 2);
    store.commit_blocking(batch).unwrap();
    assert_eq!(store.block(list, 1, 0).unwrap(), leads(1));
    assert!(store.block(list, 2, 0).is_err());
}

#[test]
fn the_leads_of_a_deleted_list_cannot_be_had_back_from_a_copy() {
    let home = Home::new();
    let store = home.open().unwrap();
    let (gone, kept) = (Ulid(5), Ulid(6));
    let mut batch = Batch::new();
    batch.put_block(gone, 1, 0, &leads(50)).put_block(kept, 1, 0, &leads(50));
    store.commit_blocking(batch).unwrap();
    drop(store);
    let data = home.paths().data;
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&data, copy.path());

    let store = home.open().unwrap();
    let mut batch = Batch::new();
    batch.delete_list(gone);
    store.commit_blocking(batch).unwrap();
    assert!(store.block(gone, 1, 0).is_err());
    drop(store);

    // Everything of the copy is put back but the file of data keys.
    fs::remove_dir_all(home.sled()).unwrap();
    fs::remove_file(copy.path().join("data-keys")).unwrap();
    copy_folder(copy.path(), &data);
    let store = home.open().unwrap();
    let failure = store.block(gone, 1, 0).unwrap_err();
    assert!(failure.message.contains("its key was destroyed"), "{failure:?}");
    assert_eq!(store.block(kept, 1, 0).unwrap(), leads(50));
    assert_eq!(store.verify().unwrap().damages.len(), 1);
}

pub(super) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy_folder(&path, &to.join(name));
        } else {
            fs::copy(path, to.join(name)).unwrap();
        }
    }
}

#[test]
fn a_deletion_cut_short_before_its_key_went_is_finished_at_the_next_start() {
    let home = Home::new();
    let store = home.open().unwrap();
    store.0.shared.keys.ensure_list(Ulid(5)).unwrap();
    drop(store);
    assert_eq!(home.open().unwrap().0.shared.keys.lists(), []);
}

#[test]
fn a_newer_store_is_refused_with_its_version() {
    let home = Home::new();
    let store = home.open().unwrap();
    let mut batch = Batch::new();
    batch.put(SCHEMA_KEY, &Schema { version: SCHEMA + 1 });
    store.commit_blocking(batch).unwrap();
    drop(store);
    let failure = home.open().unwrap_err();
    assert_eq!(failure.code, Code::Store);
    assert!(failure.message.contains("newer leadferry (version 2"), "{failure:?}");
}

#[test]
fn a_lost_key_file_is_said_and_not_replaced() {
    let home = Home::new();
    drop(home.open().unwrap());
    let key = home.paths().keys.join("master.key");
    let bytes = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(home.open().unwrap_err().message.contains("is gone"));
    fs::write(&key, bytes).unwrap();
    assert!(home.open().unwrap_err().message.contains("open to other users"), "a copy made with the usual mode");
}

/// Fails or holds the step that makes a commit durable.
struct Scripted {
    real: Fsync,
    /// Told of each step before it is done.
    started: Sender<()>,
    /// What becomes of each step; without a script it is done.
    script: Receiver<io::Result<()>>,
}

impl Durability for Scripted {
    fn make_durable(&mut self, disk: &Disk) -> io::Result<()> {
        let _ = self.started.send(());
        self.script.recv().unwrap_or(Ok(()))?;
        self.real.make_durable(disk)
    }
}

/// A store whose steps wait for the script, with the first step (that of making the store) done.
fn scripted(home: &Home) -> (Store, Receiver<()>, Sender<io::Result<()>>) {
    let (started, steps) = channel();
    let (script, scripted) = channel();
    script.send(Ok(())).unwrap();
    let durability = Scripted { real: Fsync::default(), started, script: scripted };
    let store = Store::open_with(&home.paths(), PATIENCE, Box::new(durability)).unwrap();
    steps.recv().unwrap();
    (store, steps, script)
}

#[test]
fn many_that_wait_share_one_flush() {
    let home = Home::new();
    let (store, steps, script) = scripted(&home);
    let (answers, answered) = channel();
    let send = |count| {
        let answers = answers.clone();
        store.0.writer.send(put(count), move |outcome| answers.send(outcome).unwrap());
    };
    send(0);
    steps.recv().unwrap();
    // The first is being made durable; these wait behind it.
    (1..=100).for_each(send);
    assert!(answered.try_recv().is_err(), "answered before it was durable");
    drop(script);
    for _ in 0..=100 {
        answered.recv().unwrap().unwrap();
    }
    assert_eq!(steps.try_iter().count(), 1, "a flush for the hundred");
    assert_eq!(store.count::<Note>([]).unwrap(), 101);
}

#[test]
fn a_failed_write_reaches_every_waiter_and_nothing_is_taken_after_it() {
    let home = Home::new();
    let (store, steps, script) = scripted(&home);
    let (answers, answered) = channel();
    let send = |count| {
        let answers = answers.clone();
        store.0.writer.send(put(count), move |outcome| answers.send(outcome).unwrap());
    };
    send(0);
    steps.recv().unwrap();
    (1..=10).for_each(send);
    script.send(Ok(())).unwrap();
    answered.recv().unwrap().unwrap();
    script.send(Err(io::Error::from_raw_os_error(28))).unwrap();
    for _ in 1..=10 {
        let failure = answered.recv().unwrap().unwrap_err();
        assert!(failure.code == Code::Store && failure.message.contains("No space left"), "{failure:?}");
    }
    drop(script);
    assert!(store.commit_blocking(put(11)).unwrap_err().message.contains("takes nothing more"));
    drop(store);
    let store = home.open().unwrap();
    assert_eq!(store.get::<Note>(0u64.to_be_bytes()).unwrap(), Some(note(0)));
    store.commit_blocking(put(12)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_of_many_tasks_all_arrive() {
    let home = Home::new();
    let store = home.open().unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|count| {
            let store = store.clone();
            tokio::spawn(async move { store.commit(put(count)).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    drop(store);
    assert_eq!(home.open().unwrap().count::<Note>([]).unwrap(), 64);
}

/// The other process of the tests below: commits and tells each answer, until it is killed. Among the other tests it has no
/// home and ends at once.
#[test]
fn other_process() {
    let Ok(home) = std::env::var("STORE_TEST_HOME") else { return };
    let store = Store::open(&Paths::under(Path::new(&home)), PATIENCE).unwrap();
    let first = store.count::<Note>([]).unwrap() as u64;
    for count in first.. {
        let mut batch = put(count);
        batch.put_block(Ulid(u128::from(count % 3)), 1, count as u32, &leads(40));
        store.commit_blocking(batch).unwrap();
        println!("\nsaved {count}");
    }
}

fn start_other(home: &Home) -> (Child, impl Iterator<Item = u64> + use<>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::other_process", "--nocapture"])
        .env("STORE_TEST_HOME", home.0.path())
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let saved = lines.filter_map(|line| line.strip_prefix("saved ").and_then(|count| count.parse().ok()));
    (child, saved)
}

#[test]
fn whatever_was_answered_is_there_after_a_kill() {
    let home = Home::new();
    let mut last = None;
    for round in 1..=4 {
        let (mut child, mut saved) = start_other(&home);
        // The kill falls wherever the child then is: sealing, writing, flushing.
        saved.nth(round * 7).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        last = saved.last().or(last);
        let store = home.open().unwrap();
        let notes = store.scan::<Note>([]).unwrap();
        let whole: Vec<_> = (0..notes.len() as u64).map(note).collect();
        assert_eq!(notes.iter().map(|(_, note)| note.clone()).collect::<Vec<_>>(), whole);
        assert!(last.is_none_or(|last| last < notes.len() as u64), "note {last:?} was answered and is gone");
        for count in 0..notes.len() as u64 {
            assert_eq!(store.block(Ulid(u128::from(count % 3)), 1, count as u32).unwrap(), leads(40), "torn batch");
        }
        assert_eq!(store.verify().unwrap().damages, []);
    }
}

#[test]
fn a_held_store_names_its_owner_and_opens_once_it_is_free() {
    let home = Home::new();
    let (mut child, mut saved) = start_other(&home);
    saved.next().unwrap();
    let failure = Store::open(&home.paths(), Duration::ZERO).unwrap_err();
    assert_eq!(failure.code, Code::Store);
    assert_eq!(failure.message, format!("The leadferry data folder is in use by process {}.", child.id()));
    let paths = home.paths();
    let waiting = thread::spawn(move || Store::open(&paths, PATIENCE));
    child.kill().unwrap();
    child.wait().unwrap();
    waiting.join().unwrap().unwrap();
    let mut owner = String::new();
    fs::File::open(home.paths().data.join("owner.lock")).unwrap().read_to_string(&mut owner).unwrap();
    assert_eq!(owner.trim(), std::process::id().to_string());
}

proptest! {
    #[test]
    fn any_cells_survive_a_block(cells in prop::collection::vec(prop::collection::vec(any::<String>(), 0..5), 0..20)) {
        let leads: Vec<_> = cells.into_iter().map(|cells| Lead { cells }).collect();
        prop_assert_eq!(blocks::decode(&blocks::encode(&leads).unwrap()).unwrap(), leads);
    }

    #[test]
    fn a_plaintext_of_noise_is_an_error_and_no_panic(noise in any::<Vec<u8>>(), format in 0u8..3) {
        let noise = [&[format], noise.as_slice()].concat();
        let _ = blocks::decode(&noise);
        let _ = record::decode::<Note>(&noise);
    }
}

#[test]
fn a_folder_that_may_not_be_used_is_said_and_not_called_damaged() {
    let home = Home::new();
    let store = home.open().unwrap();
    drop(store);
    // A folder stands where sled's file should: the system refuses, also for root.
    fs::remove_file(home.sled().join("db")).unwrap();
    fs::create_dir(home.sled().join("db")).unwrap();
    let failure = home.open().unwrap_err();
    assert!(failure.code == Code::Store && failure.message.contains("cannot be used"), "{failure:?}");
}
