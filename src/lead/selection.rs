//! Which leads are selected: a set of row ids, so that it survives every filter and sort.

use std::ops::RangeInclusive;

use roaring::RoaringBitmap;

use super::view::RowOrder;

/// Selected rows by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection(RoaringBitmap);

impl Selection {
    /// How many are selected.
    pub fn len(&self) -> usize {
        self.0.len() as usize
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a row is.
    pub fn contains(&self, row: u32) -> bool {
        self.0.contains(row)
    }

    /// Selects a row, or takes it out if it was selected.
    pub fn toggle(&mut self, row: u32) {
        if !self.0.remove(row) {
            self.0.insert(row);
        }
    }

    /// Selects the rows at these positions of an order, or takes them out.
    pub fn set_range(&mut self, order: &RowOrder, positions: RangeInclusive<usize>, selected: bool) {
        let end = positions.end().saturating_add(1).min(order.len());
        for row in (*positions.start()..end).filter_map(|position| order.get(position)) {
            match selected {
                true => self.0.insert(row),
                false => self.0.remove(row),
            };
        }
    }

    /// Adds all rows that an order shows.
    pub fn select_all(&mut self, order: &RowOrder) {
        self.0 |= order.to_bitmap();
    }

    /// Turns every row that an order shows into its opposite; the others stay.
    pub fn invert(&mut self, order: &RowOrder) {
        self.0 ^= order.to_bitmap();
    }

    /// How many of the rows that an order shows are selected.
    pub fn len_within(&self, order: &RowOrder) -> usize {
        match order.hits() {
            Some(hits) => self.0.intersection_len(hits) as usize,
            None => self.0.range_cardinality(0..order.len() as u32) as usize,
        }
    }

    /// Selects nothing.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The selected rows in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter()
    }

    /// The set itself.
    pub fn bitmap(&self) -> &RoaringBitmap {
        &self.0
    }
}

impl From<RoaringBitmap> for Selection {
    fn from(rows: RoaringBitmap) -> Selection {
        Selection(rows)
    }
}

impl FromIterator<u32> for Selection {
    fn from_iter<I: IntoIterator<Item = u32>>(rows: I) -> Selection {
        Selection(rows.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_inversions_stay_within_what_is_shown() {
        let order = RowOrder::all(6);
        let mut selection: Selection = [9].into_iter().collect();
        selection.toggle(0);
        selection.set_range(&order, 2..=100, true);
        selection.set_range(&order, 3..=3, false);
        assert_eq!(selection.iter().collect::<Vec<_>>(), [0, 2, 4, 5, 9]);
        selection.invert(&order);
        assert_eq!(selection.iter().collect::<Vec<_>>(), [1, 3, 9]);
        assert_eq!(selection.len_within(&order), 2);
        selection.select_all(&order);
        selection.toggle(9);
        assert_eq!((selection.len(), selection.contains(9)), (6, false));
        selection.clear();
        assert!(selection.is_empty());
    }
}
