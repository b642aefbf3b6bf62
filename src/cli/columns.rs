//! Short aligned tables for people: numbers to the right, everything else to the left, two blanks between.

use super::out::Out;
use crate::failure::Failure;
use crate::text::{Clean, clean};

/// No cell takes more than this, so that a row stays readable; `--json` has it all.
const WIDEST: usize = 100;

/// A table under one line of headings.
pub struct Columns {
    rows: Vec<Vec<Clean>>,
    /// A heading that begins with `#` (not shown) stands over numbers.
    right: Vec<bool>,
}

impl Columns {
    /// Begins with the headings; one that starts with `#` stands over numbers, and the `#` is not shown.
    pub fn new(headings: &[&str]) -> Columns {
        let right = headings.iter().map(|heading| heading.starts_with('#')).collect();
        let headings = headings.iter().map(|heading| clean(heading.trim_start_matches('#'))).collect();
        Columns { rows: vec![headings], right }
    }

    /// Adds a row, a cell per heading.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| clean(&cell).shorten(WIDEST)).collect());
    }

    /// Prints it, or the sentence when it has no rows.
    ///
    /// # Errors
    /// As [`Out::line`].
    pub fn print(&self, out: &mut Out, when_empty: &str) -> Result<(), Failure> {
        if self.rows.len() == 1 {
            return out.line(when_empty);
        }
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(Clean::width).max();
        let widths: Vec<usize> = (0..self.right.len()).map(|column| width(column).unwrap_or(0)).collect();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), right) in row.iter().zip(&widths).zip(&self.right) {
                let blanks = " ".repeat(width - cell.width());
                let (before, after) = if *right { (blanks.as_str(), "") } else { ("", blanks.as_str()) };
                line.push_str(&format!("{before}{cell}{after}  "));
            }
            out.line(line)?;
        }
        Ok(())
    }
}

/// A time as tables show it: to the second, in UTC.
pub fn time(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A time, or nothing.
pub fn maybe_time(at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(String::new, time)
}
