//! Tables for tests, from text.

use std::sync::Arc;

use super::{Cancel, OpenOptions, Source, Table};
use crate::failure::Failure;

/// Opens bytes as a stream, with every snapshot on the way.
pub(crate) fn open(bytes: &[u8]) -> (Result<Arc<Table>, Failure>, Vec<Arc<Table>>) {
    let source = Source::Reader("leads.csv".into(), Box::new(std::io::Cursor::new(bytes.to_vec())));
    let mut snapshots = Vec::new();
    let table = Table::open(source, &OpenOptions::default(), &Cancel::new(), &mut |table| snapshots.push(table));
    (table, snapshots)
}

/// A table of text that can be read.
pub(crate) fn csv(text: &str) -> Arc<Table> {
    open(text.as_bytes()).0.unwrap()
}

/// All cells of a table, row by row.
pub(crate) fn cells(table: &Table) -> Vec<Vec<String>> {
    let rows: Vec<u32> = (0..table.len()).collect();
    table.leads(&rows).unwrap().into_iter().map(|lead| lead.cells).collect()
}
