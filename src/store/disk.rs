//! sled's files: opening them without a panic, and making them durable by our own hand.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use super::guard::catch;
use super::lock::LOOK_AGAIN;
use super::{damaged, refused};
use crate::failure::Failure;

/// sled's page cache. The data of a store is small beside the lead table, which is not in it.
const CACHE: u64 = 64 << 20;

/// The open database. Closing it is inside the fence too: sled flushes then, and may panic on damage.
pub(super) struct Disk {
    /// `None` only while it is being dropped.
    db: Option<sled::Db>,
    /// sled's folder.
    pub folder: PathBuf,
}

impl Disk {
    /// Opens sled's folder, waiting until `deadline` for threads of a store that was just closed in this process.
    ///
    /// # Errors
    /// [`crate::failure::Code::Store`]: damaged, or not ours to use.
    pub(super) fn open(folder: PathBuf, deadline: Instant) -> Result<Disk, Failure> {
        loop {
            match open_once(&folder)? {
                Ok(db) => return Ok(Disk { db: Some(db), folder }),
                // The lock of the data folder is ours, so this is an earlier handle that is still closing.
                Err(sled::Error::Io(error)) if is_lock(&error) && Instant::now() < deadline => {
                    thread::sleep(LOOK_AGAIN)
                }
                Err(sled::Error::Io(error)) if is_lock(&error) || is_refusal(&error) => {
                    return Err(refused(&folder, &error.to_string()));
                }
                Err(error) => return Err(damaged(&folder, &error.to_string())),
            }
        }
    }

    /// Reads; what sled cannot read is damage.
    pub(super) fn with<T>(&self, read: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, Failure> {
        self.try_with(read).map_err(|cause| damaged(&self.folder, &cause))
    }

    /// Runs a piece of work on the database; the error is sled's, or its panic's, in words.
    pub(super) fn try_with<T>(&self, work: impl FnOnce(&sled::Db) -> sled::Result<T>) -> Result<T, String> {
        let db = self.db.as_ref().ok_or("it is closed")?;
        catch(|| work(db))?.map_err(|error| match error {
            // Without sled's own "IO error:".
            sled::Error::Io(error) => error.to_string(),
            error => error.to_string(),
        })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let db = self.db.take();
        let _ = catch(|| drop(db));
    }
}

fn is_lock(error: &io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// Whether it is the system that says no, and not the content of the files.
fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, NotFound, Other, UnexpectedEof};
    !matches!(error.kind(), InvalidData | InvalidInput | NotFound | Other | UnexpectedEof)
}

/// One try, on a thread of its own: sled panics on some damage, and what it leaves behind on a thread goes with it.
fn open_once(folder: &Path) -> Result<sled::Result<sled::Db>, Failure> {
    let path = folder.to_owned();
    let opening = thread::Builder::new()
        .name("store-open".into())
        .spawn(move || catch(|| sled::Config::new().path(path).flush_every_ms(None).cache_capacity(CACHE).open()));
    match opening.map_err(|error| refused(folder, &error.to_string()))?.join() {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(panic)) => Err(damaged(folder, &panic)),
        Err(_) => Err(damaged(folder, "sled stopped")),
    }
}

/// Makes what was applied to sled durable. A seam: tests count and fail it.
pub(super) trait Durability: Send {
    /// Returns once everything that was applied before is on the disk.
    fn make_durable(&mut self, disk: &Disk) -> io::Result<()>;
}

/// The real one: sled's flush, then an fsync of each file that it wrote, by handles of our own, and of their folders.
#[derive(Debug, Default)]
pub(super) struct Fsync {
    db: Option<File>,
    /// sled moves big values to files of their own, which are written once.
    blobs: HashSet<OsString>,
}

impl Durability for Fsync {
    fn make_durable(&mut self, disk: &Disk) -> io::Result<()> {
        disk.try_with(|db| db.flush()).map_err(io::Error::other)?;
        self.sync_new_blobs(&disk.folder.join("blobs"))?;
        if let Some(db) = &self.db {
            return db.sync_all();
        }
        // The first time: what opening may have written, and the folders' entries.
        let db = self.db.insert(File::open(disk.folder.join("db"))?);
        db.sync_all()?;
        sync(&disk.folder.join("conf"))?;
        sync(&disk.folder)?;
        disk.folder.parent().map_or(Ok(()), sync)
    }
}

impl Fsync {
    fn sync_new_blobs(&mut self, folder: &Path) -> io::Result<()> {
        let mut blobs = HashSet::new();
        let mut fresh = false;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if !self.blobs.contains(&name) {
                match sync(&entry.path()) {
                    // sled removes a blob when nothing needs it any more.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    synced => synced?,
                }
                fresh = true;
            }
            blobs.insert(name);
        }
        self.blobs = blobs;
        if fresh { sync(folder) } else { Ok(()) }
    }
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
