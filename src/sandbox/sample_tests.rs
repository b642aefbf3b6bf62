use std::collections::HashSet;

use std::sync::Arc;

use super::*;
use crate::lead::{Cancel, OpenOptions, Source, Table};

/// A sample as the program opens it.
pub(in crate::sandbox) fn opened(bytes: &'static [u8]) -> Arc<Table> {
    let source = Source::Reader("sample.csv".into(), Box::new(bytes));
    Table::open(source, &OpenOptions::default(), &Cancel::default(), &mut |_| ()).expect("a table of leads")
}

fn rows(bytes: &'static [u8]) -> Vec<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
    reader.records().map(|row| row.expect("the samples are CSV in UTF-8")).collect()
}

fn reserved(host: &str) -> bool {
    let host = host.to_lowercase();
    ["example.com", "example.org", "example.net"].iter().any(|end| host == *end || host.ends_with(&format!(".{end}")))
        || host.ends_with(".test")
        || host.ends_with(".example")
}

/// A newcomer would count other numbers than the documentation names.
#[test]
fn the_samples_hold_what_is_promised() {
    let prospects = rows(PROSPECTS);
    let header: Vec<&str> = prospects[0].iter().collect();
    assert_eq!(header.len(), 20);
    let (whole, spoiled): (Vec<_>, Vec<_>) = prospects[1..].iter().partition(|row| row.len() == header.len());
    assert_eq!((whole.len(), spoiled.len()), (2000, 3));
    assert!(spoiled.iter().all(|row| row.len() == header.len() + 1));

    let scores: Vec<u32> = whole.iter().map(|row| row[16].parse().expect("a score")).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores.iter().all(|score| *score <= 100));
    let ids: HashSet<&str> = whole.iter().map(|row| &row[0]).collect();
    assert_eq!(ids.len(), 2000);
    let emails: Vec<String> =
        whole.iter().map(|row| row[3].to_lowercase()).filter(|email| email.contains('@')).collect();
    let different: HashSet<&String> = emails.iter().collect();
    assert_eq!(emails.len() - different.len(), 20, "twice in another case");
    assert_eq!(whole.iter().filter(|row| row[3].is_empty()).count(), 60, "without e-mail");

    let seeds = rows(SEEDS);
    assert_eq!(seeds.len(), 101);
    let without: Vec<&str> = header.into_iter().filter(|name| !["Lead Score", "Why"].contains(name)).collect();
    assert_eq!(seeds[0].iter().collect::<Vec<_>>(), without);
}

/// Somebody real would get a call or a mail meant for an invented person.
#[test]
fn no_real_person_can_be_reached() {
    for row in rows(PROSPECTS).iter().skip(1).chain(rows(SEEDS).iter().skip(1)) {
        let host = match row[3].split_once('@') {
            Some((_, host)) => host.to_owned(),
            None => row[3].split_whitespace().last().unwrap_or("x.test").to_owned(),
        };
        assert!(reserved(&host), "{}", &row[3]);
        let digits: String = row[4].chars().filter(char::is_ascii_digit).collect();
        let line = digits.strip_prefix('1').filter(|_| digits.len() == 11).unwrap_or(&digits);
        assert!(line.is_empty() || (line.len() == 10 && &line[3..8] == "55501"), "{}", &row[4]);
        if let Some(site) = row[8].strip_prefix("https://") {
            assert!(reserved(site), "{site}");
        }
    }
}

/// A person's changed sample would be overwritten at the next start.
#[test]
fn samples_are_written_once() {
    let home = tempfile::tempdir().expect("a folder");
    let (prospects, seeds) = write_samples(home.path()).expect("written");
    assert_eq!(std::fs::read(&seeds).expect("there"), SEEDS);
    std::fs::write(&prospects, "mine").expect("changed");
    write_samples(home.path()).expect("written");
    assert_eq!(std::fs::read_to_string(&prospects).expect("there"), "mine");
}

/// A newcomer would have to tell the program what the columns mean, or not see the rows it could not read.
#[test]
fn every_column_is_recognised_and_spoiled_rows_are_counted() {
    for (bytes, rows, spoiled) in [(PROSPECTS, 2000, 3), (SEEDS, 100, 0)] {
        let table = opened(bytes);
        assert_eq!((table.len(), table.bad_row_count()), (rows, spoiled));
        let foreign: Vec<_> = table.schema().columns.iter().filter(|column| column.field.is_none()).collect();
        assert!(foreign.is_empty(), "{foreign:?}");
    }
}
