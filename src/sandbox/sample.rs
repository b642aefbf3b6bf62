//! The sample leads that come with the program: invented people, reserved domains, numbers that ring nowhere.

use std::path::{Path, PathBuf};

use super::files;
use crate::failure::Failure;

/// 2,000 prospects with a likeness score, best first, and three spoiled rows; CSV.
pub const PROSPECTS: &[u8] = include_bytes!("../../assets/sample/prospects.csv");

/// 100 of the best customers; CSV with the same columns but no score.
pub const SEEDS: &[u8] = include_bytes!("../../assets/sample/seeds.csv");

/// Writes the samples into the demo's folder, unless they are there: the person may have changed them. Answers the paths of
/// prospects and seeds.
///
/// # Errors
/// [`crate::failure::Code::Failed`] when the folder cannot be written.
pub fn write_samples(home: &Path) -> Result<(PathBuf, PathBuf), Failure> {
    let folder = home.join("sample");
    files::make_folder(&folder)?;
    let (prospects, seeds) = (folder.join("prospects.csv"), folder.join("seeds.csv"));
    for (path, bytes) in [(&prospects, PROSPECTS), (&seeds, SEEDS)] {
        if !path.exists() {
            files::write_private(path, bytes)?;
        }
    }
    Ok((prospects, seeds))
}

#[cfg(test)]
#[path = "sample_tests.rs"]
pub(super) mod tests;
