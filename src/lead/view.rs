//! Which rows of a table are shown, and in which order: filter, sort, and the search for the next row with some text.

use std::sync::Arc;

use rayon::prelude::*;
use roaring::RoaringBitmap;

use super::cancel::Cancel;
use super::filter::{Filter, Needle, fold_into, parse_number};
use super::row::Cells;
use super::table::Table;
use crate::failure::Failure;

/// So many values of a column, spread over the rows, decide whether it holds numbers.
const SORT_SAMPLE: usize = 1_000;
/// Rows a search looks at in one go.
const SEARCH_ROWS: usize = 2_048;

/// What to show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ViewSpec {
    /// Which rows.
    pub filter: Filter,
    /// In which order; that of the file when `None`.
    pub sort: Option<SortKey>,
}

/// A column to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SortKey {
    /// The column's position in the schema.
    pub column: usize,
    /// The greatest first. Rows without a value stand last either way.
    pub descending: bool,
}

/// The rows to show, in order. Positions are `0..len`; cloning shares everything.
#[derive(Clone, Debug)]
pub struct RowOrder {
    rows: Rows,
    hits: Option<Arc<RoaringBitmap>>,
}

#[derive(Clone, Debug)]
enum Rows {
    /// All rows in the order of the file.
    All(u32),
    /// Row ids in ascending order.
    Ascending(Arc<[u32]>),
    /// Row ids in another order.
    Sorted(Arc<[u32]>),
}

impl RowOrder {
    /// All of so many rows, in the order of the file.
    pub fn all(rows: u32) -> RowOrder {
        RowOrder { rows: Rows::All(rows), hits: None }
    }

    /// How many rows are shown.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::All(rows) => *rows as usize,
            Rows::Ascending(rows) | Rows::Sorted(rows) => rows.len(),
        }
    }

    /// Whether nothing is shown.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row id at a position.
    pub fn get(&self, position: usize) -> Option<u32> {
        match &self.rows {
            Rows::All(rows) => u32::try_from(position).ok().filter(|row| row < rows),
            Rows::Ascending(rows) | Rows::Sorted(rows) => rows.get(position).copied(),
        }
    }

    /// The row ids of some positions; what lies beyond the end is left out.
    pub fn window(&self, positions: std::ops::Range<usize>) -> Vec<u32> {
        positions.take_while(|position| *position < self.len()).filter_map(|position| self.get(position)).collect()
    }

    /// The position of a row id, if it is shown. In a sorted order this looks through the rows.
    pub fn position(&self, row: u32) -> Option<usize> {
        match &self.rows {
            Rows::All(rows) => (row < *rows).then_some(row as usize),
            Rows::Ascending(rows) => rows.binary_search(&row).ok(),
            Rows::Sorted(rows) => rows.iter().position(|shown| *shown == row),
        }
    }

    /// The rows that passed the filter; `None` when there is no filter and all pass.
    pub fn hits(&self) -> Option<&Arc<RoaringBitmap>> {
        self.hits.as_ref()
    }

    /// All rows shown, as a set.
    pub fn to_bitmap(&self) -> RoaringBitmap {
        match &self.hits {
            Some(hits) => (**hits).clone(),
            None => {
                let mut all = RoaringBitmap::new();
                all.insert_range(0..self.len() as u32);
                all
            }
        }
    }
}

/// Filters and sorts the rows of a table; works on all cores and blocks the caller meanwhile. `progress` gets rows done and rows
/// to do. The sort is stable, by number when nearly all values of the column are numbers, else by text without case; of a
/// column of numbers, values that are none stand behind the numbers, and empty ones last.
pub fn view(
    table: &Table,
    spec: &ViewSpec,
    cancel: &Cancel,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<RowOrder, Failure> {
    let passes = 1 + usize::from(spec.sort.is_some() && !spec.filter.is_everything());
    let total = table.len() as usize * passes;
    let mut order = RowOrder::all(table.len());
    let mut done = 0;
    if !spec.filter.is_everything() {
        order = filtered(table, &spec.filter, cancel, &mut |rows| {
            done += rows;
            progress(done, total);
        })?;
    }
    if let Some(key) = spec.sort {
        order = sorted(table, order, key, cancel, &mut |rows| {
            done += rows;
            progress(done, total);
        })?;
    }
    progress(total, total);
    Ok(order)
}

fn filtered(table: &Table, filter: &Filter, cancel: &Cancel, step: &mut dyn FnMut(usize)) -> Result<RowOrder, Failure> {
    let mut rows: Vec<u32> = Vec::new();
    table.scan(
        cancel,
        |_| true,
        |block| {
            let mut hits = Vec::new();
            block.each(|row, cells| {
                if filter.matches(cells) {
                    hits.push(row);
                }
            });
            hits
        },
        |range, hits: Vec<u32>| {
            rows.extend(hits);
            step(range.len());
        },
    )?;
    // The rows come in the order of the file, so there is nothing that could be out of order.
    let hits = RoaringBitmap::from_sorted_iter(rows.iter().copied()).unwrap_or_default();
    Ok(RowOrder { rows: Rows::Ascending(rows.into()), hits: Some(Arc::new(hits)) })
}

/// What a block of rows is sorted by.
enum Keys {
    /// Numbers in a form whose order is that of the values, in both directions.
    Numbers(Vec<u64>),
    /// Folded texts behind each other, and where each ends.
    Texts(String, Vec<u32>),
}

fn sorted(
    table: &Table,
    order: RowOrder,
    key: SortKey,
    cancel: &Cancel,
    step: &mut dyn FnMut(usize),
) -> Result<RowOrder, Failure> {
    let numeric = is_numeric(table, &order, key.column)?;
    let base: Arc<[u32]> = match &order.rows {
        Rows::All(rows) => (0..*rows).collect(),
        Rows::Ascending(rows) | Rows::Sorted(rows) => Arc::clone(rows),
    };
    let part = |range: std::ops::Range<u32>| {
        &base[base.partition_point(|row| *row < range.start)..base.partition_point(|row| *row < range.end)]
    };
    let (mut numbers, mut text, mut ends) = (Vec::new(), String::new(), vec![0_u64]);
    table.scan(
        cancel,
        |range| !part(range).is_empty(),
        |block| {
            let rows = part(block.rows()).iter().copied();
            if numeric {
                let mut numbers = Vec::with_capacity(rows.len());
                block.each_of(rows, |_, cells| numbers.push(number_key(cells.cell(key.column), key.descending)));
                return Keys::Numbers(numbers);
            }
            let (mut text, mut ends) = (String::new(), Vec::with_capacity(rows.len()));
            block.each_of(rows, |_, cells| {
                fold_into(cells.cell(key.column).trim(), &mut text);
                ends.push(text.len() as u32);
            });
            Keys::Texts(text, ends)
        },
        |range, keys| {
            match keys {
                Keys::Numbers(block) => numbers.extend(block),
                Keys::Texts(block, block_ends) => {
                    let before = text.len() as u64;
                    ends.extend(block_ends.into_iter().map(|end| before + u64::from(end)));
                    text.push_str(&block);
                }
            }
            step(range.len());
        },
    )?;
    cancel.check()?;
    let mut places: Vec<u32> = (0..base.len() as u32).collect();
    if numeric {
        places.par_sort_unstable_by_key(|place| (numbers[*place as usize], *place));
    } else {
        let value = |place: u32| &text.as_bytes()[ends[place as usize] as usize..ends[place as usize + 1] as usize];
        places.par_sort_unstable_by(|one, other| {
            let (a, b) = (value(*one), value(*other));
            let by_value = if key.descending { b.cmp(a) } else { a.cmp(b) };
            a.is_empty().cmp(&b.is_empty()).then(by_value).then(one.cmp(other))
        });
    }
    let rows = places.into_iter().map(|place| base[place as usize]).collect();
    Ok(RowOrder { rows: Rows::Sorted(rows), hits: order.hits })
}

/// A number that sorts as the cell should: numbers by value, behind them other text, behind that empty cells.
fn number_key(cell: &str, descending: bool) -> u64 {
    match parse_number(cell) {
        Some(number) => {
            // Flipping bits gives floating-point numbers the order of integers.
            let bits = number.to_bits();
            let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
            if descending { !ordered } else { ordered }
        }
        None if cell.trim().is_empty() => u64::MAX,
        None => u64::MAX - 1,
    }
}

fn is_numeric(table: &Table, order: &RowOrder, column: usize) -> Result<bool, Failure> {
    let stride = order.len().div_ceil(SORT_SAMPLE).max(1);
    let rows: Vec<u32> = (0..order.len()).step_by(stride).filter_map(|position| order.get(position)).collect();
    let (mut values, mut numbers) = (0, 0);
    table.each_of(&rows, &mut |_, cells| {
        let cell = cells.cell(column).trim();
        values += usize::from(!cell.is_empty());
        numbers += usize::from(parse_number(cell).is_some());
    })?;
    Ok(numbers > 0 && numbers * 10 >= values * 9)
}

/// The nearest position, from `from` on (itself included), whose row has `needle` in some cell, whatever the case.
/// Looks no further than the end, or the start when `backwards`; going round is left to the caller.
pub fn find_next(
    table: &Table,
    order: &RowOrder,
    from: usize,
    needle: &str,
    backwards: bool,
    cancel: &Cancel,
) -> Result<Option<usize>, Failure> {
    let needle = Needle::new(needle);
    let mut next = if backwards { (from + 1).min(order.len()) } else { from };
    loop {
        cancel.check()?;
        let positions = match backwards {
            true => next.saturating_sub(SEARCH_ROWS)..next,
            false => next..(next + SEARCH_ROWS).min(order.len()),
        };
        if positions.is_empty() {
            return Ok(None);
        }
        let rows = order.window(positions.clone());
        let (mut place, mut found) = (positions.start, None);
        table.each_of(&rows, &mut |_, cells| {
            let is_nearer = backwards || found.is_none();
            if is_nearer && (0..cells.count()).any(|column| needle.is_in(cells.cell(column))) {
                found = Some(place);
            }
            place += 1;
        })?;
        if found.is_some() {
            return Ok(found);
        }
        next = if backwards { positions.start } else { positions.end };
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
