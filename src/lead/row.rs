//! The cells of one row in a buffer that is used again and again, so that work over a whole file allocates nothing per row.

use super::Lead;

/// Anything with cells: a [`Lead`], or a [`Row`] in the middle of a scan.
pub trait Cells {
    /// The value at a column; `""` past the end of a short row.
    fn cell(&self, position: usize) -> &str;
    /// How many cells are there.
    fn count(&self) -> usize;
}

impl Cells for Lead {
    fn cell(&self, position: usize) -> &str {
        Lead::cell(self, position)
    }

    fn count(&self) -> usize {
        self.cells.len()
    }
}

/// The cells of the row under a scan.
#[derive(Clone, Debug, Default)]
pub struct Row {
    text: String,
    ends: Vec<usize>,
}

impl Cells for Row {
    fn cell(&self, position: usize) -> &str {
        let Some(&end) = self.ends.get(position) else { return "" };
        let start = position.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..end]
    }

    fn count(&self) -> usize {
        self.ends.len()
    }
}

impl Row {
    /// Empties the buffer and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds to the cell being built.
    pub(super) fn push_str(&mut self, part: &str) {
        self.text.push_str(part);
    }

    /// Ends the cell being built.
    pub(super) fn end_cell(&mut self) {
        self.ends.push(self.text.len());
    }

    /// Gives the row exactly so many cells: cuts what is beyond, adds empty ones.
    pub(super) fn set_count(&mut self, columns: usize) {
        self.ends.truncate(columns);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
        self.ends.resize(columns, self.text.len());
    }

    /// An owned lead of these cells.
    pub fn to_lead(&self) -> Lead {
        Lead { cells: (0..self.count()).map(|position| self.cell(position).to_owned()).collect() }
    }
}
