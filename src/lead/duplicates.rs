//! E-mail addresses that stand more than once among some leads.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use roaring::RoaringBitmap;

use super::cancel::Cancel;
use super::row::Cells;
use super::table::Table;
use super::{Field, fold_email};
use crate::failure::Failure;

/// So many addresses are given as examples.
const EXAMPLES: usize = 5;

/// What stands twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DuplicateReport {
    /// How many addresses stand more than once.
    pub addresses: usize,
    /// How many rows have one of these addresses.
    pub rows: usize,
    /// The first few such addresses, folded, with their rows in the order of the file.
    pub examples: Vec<(String, Vec<u32>)>,
}

/// Looks for addresses that stand more than once among `rows`. Addresses are compared trimmed and without case; leads without
/// one do not count.
pub fn duplicate_emails(table: &Table, rows: &RoaringBitmap, cancel: &Cancel) -> Result<DuplicateReport, Failure> {
    let mut report = DuplicateReport::default();
    let mut groups: Vec<_> = repeated(table, rows, cancel)?.into_iter().filter(|(_, rows)| rows.len() > 1).collect();
    groups.sort_by_key(|(_, rows)| rows.first().copied());
    report.addresses = groups.len();
    report.rows = groups.iter().map(|(_, rows)| rows.len()).sum();
    report.examples = groups.into_iter().take(EXAMPLES).collect();
    Ok(report)
}

/// The rows that remain when of each address only the first in the file is kept. Leads without an address all remain.
pub fn dedupe_emails(table: &Table, rows: &RoaringBitmap, cancel: &Cancel) -> Result<RoaringBitmap, Failure> {
    let mut kept = rows.clone();
    for rows in repeated(table, rows, cancel)?.values() {
        for row in rows.iter().skip(1) {
            kept.remove(*row);
        }
    }
    Ok(kept)
}

/// The rows of every address that may stand more than once. The first look keeps only a hash per row, so that millions of
/// different addresses take little memory; the second reads again what those of equal hash really say.
fn repeated(table: &Table, rows: &RoaringBitmap, cancel: &Cancel) -> Result<HashMap<String, Vec<u32>>, Failure> {
    let mut groups: HashMap<String, Vec<u32>> = HashMap::new();
    let Some(column) = table.schema().position(Field::Email) else { return Ok(groups) };
    let hasher = RandomState::new();
    let mut hashes: Vec<(u64, u32)> = Vec::new();
    let wanted = |range: std::ops::Range<u32>| rows.range_cardinality(range) > 0;
    table.scan(
        cancel,
        wanted,
        |block| {
            let mut hashes = Vec::new();
            block.each_of(rows.range(block.rows()), |row, cells| {
                let email = fold_email(cells.cell(column));
                if !email.is_empty() {
                    hashes.push((hasher.hash_one(&email), row));
                }
            });
            hashes
        },
        |_, block: Vec<(u64, u32)>| hashes.extend(block),
    )?;
    hashes.sort_unstable();
    let mut suspects: Vec<u32> = hashes
        .chunk_by(|one, other| one.0 == other.0)
        .filter(|group| group.len() > 1)
        .flatten()
        .map(|(_, row)| *row)
        .collect();
    suspects.sort_unstable();
    for some in suspects.chunks(4_096) {
        cancel.check()?;
        table.each_of(some, &mut |row, cells| groups.entry(fold_email(cells.cell(column))).or_default().push(row))?;
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::test_tables::csv;

    #[test]
    fn addresses_that_stand_twice_are_counted_and_the_first_of_each_is_kept() {
        let table = csv("email,n\nA@x.test,1\n,2\nb@x.test,3\n a@X.test ,4\n,5\na@x.test,6\nb@x.test,7\n");
        let all: RoaringBitmap = (0..7).collect();
        let report = duplicate_emails(&table, &all, &Cancel::new()).unwrap();
        assert_eq!((report.addresses, report.rows), (2, 5));
        assert_eq!(report.examples, [("a@x.test".to_owned(), vec![0, 3, 5]), ("b@x.test".to_owned(), vec![2, 6])]);
        let kept = dedupe_emails(&table, &all, &Cancel::new()).unwrap();
        assert_eq!(kept.iter().collect::<Vec<_>>(), [0, 1, 2, 4]);
        let some: RoaringBitmap = [1, 2, 3, 4].into_iter().collect();
        assert_eq!(duplicate_emails(&table, &some, &Cancel::new()).unwrap(), DuplicateReport::default());
    }
}
