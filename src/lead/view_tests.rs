//! Tests of filtering, sorting and searching.

use super::*;
use crate::failure::Code;
use crate::lead::test_tables::csv;

fn rows(table: &Table, filter: &str, sort: Option<(usize, bool)>) -> Vec<u32> {
    let filter = Filter::parse(filter, table.schema()).unwrap();
    let sort = sort.map(|(column, descending)| SortKey { column, descending });
    let order = view(table, &ViewSpec { filter, sort }, &Cancel::new(), &mut |_, _| {}).unwrap();
    order.window(0..usize::MAX)
}

#[test]
fn numbers_sort_as_numbers_and_empty_values_stand_last() {
    let text = "n\n10\n9\n\"\"\n-1\n\"1,000\"\n9.0\n".to_owned() + &"5\n".repeat(30) + "n/a\n";
    let table = csv(&text);
    let up = rows(&table, "", Some((0, false)));
    assert_eq!(up[0], 3);
    assert_eq!(up[31..], [1, 5, 0, 4, 36, 2]);
    let down = rows(&table, "", Some((0, true)));
    assert_eq!(down[..5], [4, 0, 1, 5, 6]);
    assert_eq!(down[35..], [36, 2]);
}

#[test]
fn text_sorts_without_case_and_stays_stable() {
    let table = csv("name,k\nbeta,1\nAlpha,2\n,3\nalpha,4\nBETA,5\nÉmile,6\n");
    assert_eq!(rows(&table, "", Some((0, false))), [1, 3, 0, 4, 5, 2]);
    assert_eq!(rows(&table, "", Some((0, true))), [5, 0, 4, 1, 3, 2]);
    assert_eq!(rows(&table, "k > 1 and k < 5", Some((0, true))), [1, 3, 2]);
    assert_eq!(rows(&table, "name ~ a", None), [0, 1, 3, 4]);
}

#[test]
fn positions_and_rows_lead_to_each_other() {
    let table = csv("n\n3\n1\n2\n");
    let filter = Filter::parse("n > 1", table.schema()).unwrap();
    let sort = Some(SortKey { column: 0, descending: false });
    let mut steps = Vec::new();
    let order =
        view(&table, &ViewSpec { filter, sort }, &Cancel::new(), &mut |done, total| steps.push((done, total))).unwrap();
    assert_eq!((order.len(), order.get(0), order.get(2)), (2, Some(2), None));
    assert_eq!((order.position(0), order.position(1)), (Some(1), None));
    assert_eq!(order.to_bitmap().iter().collect::<Vec<_>>(), [0, 2]);
    assert_eq!(steps.last(), Some(&(6, 6)));
    assert_eq!(RowOrder::all(3).position(3), None);
}

#[test]
fn a_search_finds_the_nearest_row_in_both_directions() {
    let text = "a,b\n".to_owned() + &"x,y\n".repeat(3_000) + "x,Needle\n" + &"x,y\n".repeat(3_000) + "needle,y\n";
    let table = csv(&text);
    let order = RowOrder::all(table.len());
    let find = |from, backwards| find_next(&table, &order, from, "nEEdle", backwards, &Cancel::new()).unwrap();
    assert_eq!((find(0, false), find(3_000, false), find(3_001, false)), (Some(3_000), Some(3_000), Some(6_001)));
    assert_eq!((find(6_001, true), find(6_000, true), find(2_999, true)), (Some(6_001), Some(3_000), None));
    assert_eq!(find_next(&table, &RowOrder::all(0), 0, "x", false, &Cancel::new()), Ok(None));
}

#[test]
fn work_that_was_cancelled_stops() {
    let table = csv("a\n1\n");
    let cancel = Cancel::new();
    cancel.cancel();
    let spec = ViewSpec { filter: Filter::parse("a = 1", table.schema()).unwrap(), sort: None };
    let stopped = view(&table, &spec, &cancel, &mut |_, _| {}).map(|order| order.len());
    assert_eq!(stopped.unwrap_err().code, Code::Cancelled);
    assert_eq!(find_next(&table, &RowOrder::all(1), 0, "x", false, &cancel).unwrap_err().code, Code::Cancelled);
}
