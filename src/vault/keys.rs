//! The data keys: one for secrets, one for records, one per list, wrapped by the master key in one file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fmt, fs, io};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use ulid::Ulid;
use zeroize::Zeroizing;

use super::file;
use super::master::{KeyBytes, KeySource, random_key};
use crate::failure::{Code, Failure};

/// The first byte of everything sealed: XChaCha20-Poly1305, a nonce of 24 random bytes, ciphertext with its tag of 16 bytes.
const XCHACHA20_POLY1305: u8 = 1;
const NONCE: usize = 24;
/// The layout of the file of data keys.
const FORMAT: u32 = 1;

/// Which data key seals a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataKey {
    /// Tokens, passwords, signing secrets.
    Secrets,
    /// Everything else but leads.
    Records,
    /// The leads of one list.
    List(Ulid),
}

impl DataKey {
    fn name(self) -> String {
        match self {
            DataKey::Secrets => "secrets".into(),
            DataKey::Records => "records".into(),
            DataKey::List(list) => format!("list {list}"),
        }
    }

    fn from_name(name: &str) -> Option<DataKey> {
        match name {
            "secrets" => Some(DataKey::Secrets),
            "records" => Some(DataKey::Records),
            name => name.strip_prefix("list ").and_then(|list| list.parse().ok()).map(DataKey::List),
        }
    }
}

/// Why something sealed did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// Its data key was destroyed, or never was.
    #[error("its key was destroyed")]
    NoKey,
    /// It is not what was sealed, or was sealed for another place.
    #[error("it is damaged")]
    Damaged,
}

/// The file of wrapped data keys, as it stands on disk.
#[derive(Serialize, Deserialize)]
struct Wrapped {
    format: u32,
    source: String,
    keys: BTreeMap<String, String>,
}

/// The keys of one store. The owner of the data folder has one of these; it is shared by reference.
pub struct Keys {
    file: PathBuf,
    source: KeySource,
    master: KeyBytes,
    keys: Mutex<BTreeMap<DataKey, KeyBytes>>,
}

impl Keys {
    /// Opens the data keys in `file` with the master key of `source`. When the store is `new`, makes what is missing.
    ///
    /// # Errors
    /// [`Code::Store`]: a key or the file is gone though the store exists, open to others, damaged, newer, or another store's.
    pub fn open(source: KeySource, file: &Path, new: bool) -> Result<Keys, Failure> {
        let wrapped = match fs::read(file) {
            Ok(content) => Some(content),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unusable(file, &error.to_string())),
        };
        let master = match source.read()? {
            Some(master) => master,
            None if new && wrapped.is_none() => source.make()?,
            None => return Err(source.missing()),
        };
        match wrapped {
            Some(content) => {
                let keys = unwrap_all(&content, &source, &master, file)?;
                Ok(Keys { file: file.to_owned(), source, master, keys: Mutex::new(keys) })
            }
            None if new => {
                let keys = BTreeMap::from([(DataKey::Secrets, random_key()?), (DataKey::Records, random_key()?)]);
                let opened = Keys { file: file.to_owned(), source, master, keys: Mutex::new(BTreeMap::new()) };
                opened.replace(opened.lock(), keys)?;
                Ok(opened)
            }
            None => Err(unusable(file, "it is gone, and nothing in the store opens without it")),
        }
    }

    /// Seals a plaintext for one place: `place` must be given again to open it.
    ///
    /// # Errors
    /// [`Code::Store`]: the list has no key, or the system no random numbers.
    pub fn seal(&self, key: DataKey, place: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Failure> {
        let key = self.get(key).ok_or_else(|| {
            Failure::new(Code::Store, "The list was deleted while it was being written.", "Save it under a new name.")
        })?;
        seal(&key, place, plaintext)
    }

    /// Opens what [`Keys::seal`] made for the same place.
    ///
    /// # Errors
    /// [`NotOpened`].
    pub fn unseal(&self, key: DataKey, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        unseal(&self.get(key).ok_or(NotOpened::NoKey)?, place, sealed)
    }

    /// Makes the list's key, durably, unless it has one.
    ///
    /// # Errors
    /// [`Code::Store`]: the file of data keys cannot be written.
    pub fn ensure_list(&self, list: Ulid) -> Result<(), Failure> {
        let held = self.lock();
        if held.contains_key(&DataKey::List(list)) {
            return Ok(());
        }
        let mut keys = held.clone();
        keys.insert(DataKey::List(list), random_key()?);
        self.replace(held, keys)
    }

    /// Destroys the list's key, durably: what it sealed cannot be opened any more, here or in any copy of the store.
    ///
    /// # Errors
    /// [`Code::Store`]: the file of data keys cannot be written.
    pub fn destroy_list(&self, list: Ulid) -> Result<(), Failure> {
        let held = self.lock();
        let mut keys = held.clone();
        match keys.remove(&DataKey::List(list)) {
            Some(_) => self.replace(held, keys),
            None => Ok(()),
        }
    }

    /// The lists that have a key.
    pub fn lists(&self) -> Vec<Ulid> {
        let list = |key: &DataKey| if let DataKey::List(list) = key { Some(*list) } else { None };
        self.lock().keys().filter_map(list).collect()
    }

    /// Where the master key comes from, for `doctor` and the status.
    pub fn source(&self) -> &KeySource {
        &self.source
    }

    /// A copy, so that the lock is not held while something big is sealed or opened.
    fn get(&self, key: DataKey) -> Option<KeyBytes> {
        self.lock().get(&key).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<DataKey, KeyBytes>> {
        // The map is only ever replaced as a whole, so it is right even after a panic elsewhere.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes these keys and, once they are durable, takes them in place of the held ones.
    fn replace(
        &self,
        mut held: MutexGuard<'_, BTreeMap<DataKey, KeyBytes>>,
        keys: BTreeMap<DataKey, KeyBytes>,
    ) -> Result<(), Failure> {
        let mut wrapped = BTreeMap::new();
        for (key, bytes) in &keys {
            let name = key.name();
            let sealed = seal(&self.master, &place_of_key(&name), &bytes[..])?;
            wrapped.insert(name, BASE64.encode(sealed));
        }
        let wrapped = Wrapped { format: FORMAT, source: self.source.name().into(), keys: wrapped };
        let content = serde_json::to_vec_pretty(&wrapped).map_err(|error| unusable(&self.file, &error.to_string()))?;
        file::replace(&self.file, &content).map_err(|error| unusable(&self.file, &error.to_string()))?;
        *held = keys;
        Ok(())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Keys({:?}, …)", self.source)
    }
}

fn place_of_key(name: &str) -> Vec<u8> {
    [b"leadferry data key ", name.as_bytes()].concat()
}

fn unwrap_all(
    content: &[u8],
    source: &KeySource,
    master: &KeyBytes,
    file: &Path,
) -> Result<BTreeMap<DataKey, KeyBytes>, Failure> {
    let wrapped: Wrapped = serde_json::from_slice(content).map_err(|_| unusable(file, "it is damaged"))?;
    if wrapped.format > FORMAT {
        return Err(Failure::new(
            Code::Store,
            format!("The file {} was written by a newer leadferry.", file.display()),
            "Start that newer version.",
        ));
    }
    if wrapped.source != source.name() {
        return Err(unusable(file, &format!("its master key is a {}", wrapped.source)));
    }
    let mut keys = BTreeMap::new();
    for (name, sealed) in &wrapped.keys {
        let key = DataKey::from_name(name).ok_or_else(|| unusable(file, "it names an unknown key"))?;
        let sealed = BASE64.decode(sealed).map_err(|_| unusable(file, "it is damaged"))?;
        let bytes = unseal(master, &place_of_key(name), &sealed).map_err(|_| source.wrong())?;
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| unusable(file, "it is damaged"))?;
        keys.insert(key, Zeroizing::new(bytes));
    }
    if !keys.contains_key(&DataKey::Secrets) || !keys.contains_key(&DataKey::Records) {
        return Err(unusable(file, "it is not complete"));
    }
    Ok(keys)
}

fn unusable(file: &Path, cause: &str) -> Failure {
    Failure::new(
        Code::Store,
        format!("The file of data keys, {}, cannot be used: {cause}.", file.display()),
        "Make the data folder yours and writable, or put the file back from a copy.",
    )
}

fn seal(key: &KeyBytes, place: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Failure> {
    let no_sealing =
        |cause: String| Failure::new(Code::Store, format!("A value cannot be sealed: {cause}."), "Try again.");
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|error| no_sealing(error.to_string()))?;
    let sealed = XChaCha20Poly1305::new(key[..].into())
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: plaintext, aad: place })
        .map_err(|error| no_sealing(error.to_string()))?;
    let mut out = Vec::with_capacity(1 + NONCE + sealed.len());
    out.push(XCHACHA20_POLY1305);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    Ok(out)
}

fn unseal(key: &KeyBytes, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
    let Some((&XCHACHA20_POLY1305, rest)) = sealed.split_first() else { return Err(NotOpened::Damaged) };
    let Some((nonce, sealed)) = rest.split_at_checked(NONCE) else { return Err(NotOpened::Damaged) };
    XChaCha20Poly1305::new(key[..].into())
        .decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: place })
        .map(Zeroizing::new)
        .map_err(|_| NotOpened::Damaged)
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
