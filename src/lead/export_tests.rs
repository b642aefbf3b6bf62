//! Tests of exports.

use super::*;
use crate::lead::test_tables::csv;
use crate::lead::{Column, Field};

fn export(headers: &[(&str, Option<Field>)], rows: &[&[&str]], format: ExportFormat) -> String {
    let columns =
        headers.iter().map(|(header, field)| Column { header: (*header).to_owned(), field: *field }).collect();
    let mut writer = LeadWriter::new(Vec::new(), &Schema { columns }, format).unwrap();
    for row in rows {
        writer.write(&Lead { cells: row.iter().map(|cell| (*cell).to_owned()).collect() }).unwrap();
    }
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

#[test]
fn a_spreadsheet_gets_no_formula_to_run() {
    for cell in
        ["=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "＝1", "+1-2", "-", "+abc"]
    {
        assert!(is_live(cell), "{cell:?}");
    }
}

#[test]
fn numbers_and_phones_are_left_alone() {
    for cell in
        ["-12.50", "+3", "-1,200", "-$5", "+14155550100", "+1 (415) 555-0100", "a=b", "", "'=1", "john+tag@x.test"]
    {
        assert!(!is_live(cell), "{cell:?}");
    }
}

#[test]
fn csv_defuses_by_switch_and_quotes_what_must_be() {
    let headers = [("Mail", Some(Field::Email)), ("=x", None)];
    let rows: [&[&str]; 2] = [&["a@b.test", "=1+1"], &["a,\"b"]];
    let defused = export(&headers, &rows, ExportFormat::Csv { defuse: true });
    assert_eq!(defused, "email,'=x\na@b.test,'=1+1\n\"a,\"\"b\",\n");
    let raw = export(&headers, &rows, ExportFormat::Csv { defuse: false });
    assert_eq!(raw, "email,=x\na@b.test,=1+1\n\"a,\"\"b\",\n");
}

#[test]
fn a_file_of_one_column_keeps_its_empty_leads() {
    let text = export(&[("a", None)], &[&[""], &["x"]], ExportFormat::Csv { defuse: true });
    assert_eq!(csv(&text).len(), 2);
}

#[test]
fn json_lines_keep_every_value_and_no_key_stands_twice() {
    let headers = [("Mail", Some(Field::Email)), ("email", None), ("n", None)];
    let text = export(&headers, &[&["a@b.test", "x\n", "=1"], &["b"]], ExportFormat::JsonLines);
    assert_eq!(
        text,
        "{\"email\":\"a@b.test\",\"email (2)\":\"x\\n\",\"n\":\"=1\"}\n{\"email\":\"b\",\"email (2)\":\"\",\"n\":\"\"}\n"
    );
}
