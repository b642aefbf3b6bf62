//! Work over all rows of a table: block by block on all cores, to be stopped at any block, results in the order of the file.

use rayon::prelude::*;

use super::cancel::Cancel;
use super::chunk::Chunk;
use super::row::Row;
use super::table::Table;
use crate::failure::Failure;

/// A few thousand neighbouring rows, read from the file in one go.
pub struct Block<'t> {
    table: &'t Table,
    chunk: &'t Chunk,
    bytes: Vec<u8>,
}

impl Block<'_> {
    /// The ids of its rows.
    pub fn rows(&self) -> std::ops::Range<u32> {
        self.chunk.first_row..self.chunk.end_row()
    }

    /// Shows each row in turn. The cells are one buffer, used again for every row.
    pub fn each(&self, mut each: impl FnMut(u32, &Row)) {
        self.each_of(self.rows(), &mut each);
    }

    /// Shows some of its rows in turn; ids outside the block are passed over.
    pub fn each_of(&self, rows: impl IntoIterator<Item = u32>, mut each: impl FnMut(u32, &Row)) {
        let mut cells = Row::default();
        for row in rows {
            let at = row.checked_sub(self.chunk.first_row).and_then(|at| self.chunk.span(at as usize));
            if let Some(record) = at.and_then(|(start, end)| self.bytes.get(start..end)) {
                self.table.split(record, &mut cells);
                each(row, &cells);
            }
        }
    }
}

impl Table {
    /// Runs `each` over all blocks on all cores and gives the results to `sink`, on the calling thread, in the order of the file.
    /// `wanted` says by its range of row ids whether a block is needed. Fails when cancelled or when the file cannot be read.
    pub fn scan<T: Send>(
        &self,
        cancel: &Cancel,
        wanted: impl Fn(std::ops::Range<u32>) -> bool + Sync,
        each: impl Fn(&Block<'_>) -> T + Sync,
        mut sink: impl FnMut(std::ops::Range<u32>, T),
    ) -> Result<(), Failure> {
        // Enough blocks at once to keep all cores busy, few enough that results, progress and a stop come soon.
        let batch = rayon::current_num_threads() * 4;
        for chunks in self.chunks.chunks(batch) {
            let results: Vec<_> = chunks
                .par_iter()
                .map(|chunk| {
                    cancel.check()?;
                    if !wanted(chunk.first_row..chunk.end_row()) {
                        return Ok(None);
                    }
                    let bytes = self.read(chunk.start, (chunk.end - chunk.start) as usize)?;
                    Ok(Some(each(&Block { table: self, chunk, bytes })))
                })
                .collect::<Result<_, Failure>>()?;
            for (chunk, result) in chunks.iter().zip(results) {
                if let Some(result) = result {
                    sink(chunk.first_row..chunk.end_row(), result);
                }
            }
        }
        Ok(())
    }
}
