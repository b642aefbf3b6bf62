//! A damaged store must be reported: never a panic, never rows that are silently missing or old.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use super::tests::{Home, copy_folder, note, put};
use super::*;
use crate::lead::Lead;

/// Leads that do not compress to nothing.
fn leads() -> Vec<Lead> {
    let lead = |n: u32| Lead { cells: vec![BASE64.encode(Sha256::digest(n.to_be_bytes()))] };
    (0..300).map(lead).collect()
}

/// A store with enough in it that sled has several segments, a snapshot and replaced pages.
fn filled() -> Home {
    let home = Home::new();
    for round in 0..3u64 {
        let store = home.open().unwrap();
        for count in 0..40u64 {
            let mut batch = put(count);
            batch.put_block(Ulid(1), round as u32, count as u32, &leads());
            store.commit_blocking(batch).unwrap();
        }
    }
    home
}

/// What a look at the store came to.
#[derive(Debug, PartialEq)]
enum Seen {
    Refused,
    Reported,
    Whole,
}

fn look(home: &Home) -> Seen {
    let store = match home.open() {
        Ok(store) => store,
        Err(failure) => {
            assert_eq!(failure.code, Code::Store, "{failure:?}");
            return Seen::Refused;
        }
    };
    match store.verify() {
        Err(failure) => {
            assert_eq!(failure.code, Code::Store);
            Seen::Reported
        }
        Ok(found) if !found.damages.is_empty() => Seen::Reported,
        Ok(_) => {
            for count in 0..40u64 {
                assert_eq!(store.get(count.to_be_bytes()).unwrap(), Some(note(count)), "silently lost");
                for round in 0..3 {
                    assert_eq!(store.block(Ulid(1), round, count as u32).unwrap(), leads(), "silently lost");
                }
            }
            Seen::Whole
        }
    }
}

fn damage_everywhere(places: usize, mut damage: impl FnMut(&Path, &mut dyn FnMut(u64) -> u64)) {
    let home = filled();
    let sound = tempfile::tempdir().unwrap();
    copy_folder(&home.paths().data, sound.path());
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut seen = Vec::new();
    for _ in 0..places {
        fs::remove_dir_all(&home.paths().data).unwrap();
        copy_folder(sound.path(), &home.paths().data);
        damage(&home.sled(), &mut |below| random.next_u64() % below);
        seen.push(look(&home));
    }
    println!(
        "SEEN refused {} reported {} whole {}",
        seen.iter().filter(|s| **s == Seen::Refused).count(),
        seen.iter().filter(|s| **s == Seen::Reported).count(),
        seen.iter().filter(|s| **s == Seen::Whole).count()
    );
    println!(
        "{:?}",
        std::process::Command::new("ls").arg("-laR").arg(home.sled()).output().map(|o| String::from_utf8(o.stdout))
    );
    assert!(seen.iter().any(|seen| *seen != Seen::Whole), "no damage hit anything: {seen:?}");
}

#[test]
fn flipped_bits_anywhere_are_harmless_or_reported() {
    damage_everywhere(50, |sled, random| {
        let file = sled.join("db");
        let mut bytes = fs::read(&file).unwrap();
        for _ in 0..3 {
            let at = random(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << random(8);
        }
        fs::write(file, bytes).unwrap();
    });
}

#[test]
fn a_file_cut_anywhere_is_reported() {
    damage_everywhere(25, |sled, random| {
        let file = fs::OpenOptions::new().write(true).open(sled.join("db")).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(random(length)).unwrap();
    });
}

#[test]
fn zeroed_pages_are_harmless_or_reported() {
    damage_everywhere(25, |sled, random| {
        let file = sled.join("db");
        let mut bytes = fs::read(&file).unwrap();
        let at = random(bytes.len() as u64 / 4096) as usize * 4096;
        bytes[at..at + 4096].fill(0);
        fs::write(file, bytes).unwrap();
    });
}

#[test]
fn damage_in_sleds_small_files_is_harmless_or_reported() {
    damage_everywhere(25, |sled, random| {
        let small = fs::read_dir(sled).unwrap().map(|entry| entry.unwrap().path());
        let small: Vec<_> = small.filter(|path| path.is_file() && !path.ends_with("db")).collect();
        let file = &small[random(small.len() as u64) as usize];
        let mut bytes = fs::read(file).unwrap();
        let at = random(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << random(8);
        fs::write(file, bytes).unwrap();
    });
}

#[test]
fn an_older_or_missing_sled_folder_is_a_lost_tail() {
    let home = filled();
    let old = tempfile::tempdir().unwrap();
    copy_folder(&home.sled(), old.path());
    home.open().unwrap().commit_blocking(put(41)).unwrap();
    fs::remove_dir_all(home.sled()).unwrap();
    copy_folder(old.path(), &home.sled());
    let failure = home.open().unwrap_err();
    assert!(failure.message.contains("the last 1 of its 122 commits are missing"), "{failure:?}");
    fs::remove_dir_all(home.sled()).unwrap();
    assert!(home.open().unwrap_err().message.contains("is damaged"));
}
