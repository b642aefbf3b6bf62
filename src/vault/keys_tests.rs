//! What a user would lose if keys were made, lost, shared or destroyed wrongly.

use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }
    fn key_file(&self) -> PathBuf {
        self.0.path().join("master.key")
    }
    fn data_keys(&self) -> PathBuf {
        self.0.path().join("data-keys")
    }
    fn open(&self, new: bool) -> Result<Keys, Failure> {
        Keys::open(KeySource::File(self.key_file()), &self.data_keys(), new)
    }
}

#[test]
fn what_was_sealed_opens_after_a_restart_and_only_in_its_place() {
    let folder = Folder::new();
    let sealed = folder.open(true).unwrap().seal(DataKey::Records, b"here", b"value").unwrap();
    let keys = folder.open(false).unwrap();
    assert_eq!(keys.unseal(DataKey::Records, b"here", &sealed).unwrap().as_slice(), b"value");
    assert_eq!(keys.unseal(DataKey::Records, b"there", &sealed), Err(NotOpened::Damaged));
    assert_eq!(keys.unseal(DataKey::Secrets, b"here", &sealed), Err(NotOpened::Damaged));
}

#[test]
fn the_key_files_are_closed_to_others_and_an_open_one_is_refused() {
    let folder = Folder::new();
    folder.open(true).unwrap();
    for file in [folder.key_file(), folder.data_keys()] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    fs::set_permissions(folder.key_file(), fs::Permissions::from_mode(0o640)).unwrap();
    let failure = folder.open(false).unwrap_err();
    assert_eq!(failure.code, Code::Store);
    assert!(failure.message.contains("mode 640") && failure.remedy.contains("chmod 600"), "{failure:?}");
}

#[test]
fn a_lost_key_is_an_error_and_never_a_silent_new_one() {
    let folder = Folder::new();
    folder.open(true).unwrap();
    fs::remove_file(folder.key_file()).unwrap();
    for new in [false, true] {
        let failure = folder.open(new).unwrap_err();
        assert!(failure.code == Code::Store && failure.message.contains("is gone"), "{failure:?}");
    }
    assert!(!folder.key_file().exists(), "a new key would hide that the old one is lost");

    let folder = Folder::new();
    folder.open(true).unwrap();
    fs::remove_file(folder.data_keys()).unwrap();
    assert!(folder.open(false).unwrap_err().message.contains("is gone"));
}

#[test]
fn another_stores_key_and_a_cut_key_are_named_as_such() {
    let (folder, other) = (Folder::new(), Folder::new());
    folder.open(true).unwrap();
    other.open(true).unwrap();
    fs::copy(other.key_file(), folder.key_file()).unwrap();
    assert!(folder.open(false).unwrap_err().message.contains("does not fit"));
    fs::write(folder.key_file(), [7; 31]).unwrap();
    assert!(folder.open(false).unwrap_err().message.contains("31 bytes"));
}

#[test]
fn a_newer_or_damaged_file_of_data_keys_is_refused() {
    let folder = Folder::new();
    folder.open(true).unwrap();
    let text = fs::read_to_string(folder.data_keys()).unwrap();
    fs::write(folder.data_keys(), text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    assert!(folder.open(false).unwrap_err().message.contains("newer"));
    fs::write(folder.data_keys(), &text[..text.len() / 2]).unwrap();
    assert!(folder.open(false).unwrap_err().message.contains("damaged"));
}

#[test]
fn destroying_a_lists_key_destroys_what_it_sealed() {
    let folder = Folder::new();
    let keys = folder.open(true).unwrap();
    let (gone, kept) = (Ulid(1), Ulid(2));
    keys.ensure_list(gone).unwrap();
    keys.ensure_list(kept).unwrap();
    let sealed = keys.seal(DataKey::List(gone), b"", b"leads").unwrap();
    keys.destroy_list(gone).unwrap();
    assert_eq!(keys.unseal(DataKey::List(gone), b"", &sealed), Err(NotOpened::NoKey));
    assert_eq!(folder.open(false).unwrap().lists(), [kept]);
    // A list of the same id would get another key.
    keys.ensure_list(gone).unwrap();
    assert_eq!(keys.unseal(DataKey::List(gone), b"", &sealed), Err(NotOpened::Damaged));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_change_of_a_sealed_value_is_noticed(plain in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let key = random_key().unwrap();
        let mut sealed = seal(&key, b"place", &plain).unwrap();
        let opened = unseal(&key, b"place", &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert_eq!(unseal(&key, b"place", &sealed), Err(NotOpened::Damaged));
        prop_assert_eq!(unseal(&key, b"place", &sealed[..at]), Err(NotOpened::Damaged));
    }
}
