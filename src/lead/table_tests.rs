//! Tests of opening files and reading rows.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use crate::failure::{Code, Failure};
use crate::lead::test_tables::{cells, csv, open};
use crate::lead::{BadReason, Cancel, Field, Format, OpenOptions, Source, Table};

fn refusal(bytes: &[u8]) -> Failure {
    open(bytes).0.map(|table| cells(&table)).expect_err("this should have been refused")
}

fn open_path(path: impl Into<std::path::PathBuf>) -> Result<std::sync::Arc<Table>, Failure> {
    Table::open(Source::Path(path.into()), &OpenOptions::default(), &Cancel::new(), &mut |_| {})
}

fn fixture(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/leads").join(name)
}

#[test]
fn a_file_with_everything_people_put_into_csv_is_read_right() {
    let table = open_path(fixture("awkward.csv")).unwrap();
    let names: Vec<_> = (0..table.len()).map(|row| table.lead(row).unwrap().display_name(table.schema())).collect();
    assert_eq!(names, ["Dana \"Dee\" Whitfield", "Zoë Nuñez", "Li Wei", "", "Max\nMustermann"]);
    assert_eq!(table.lead(1).unwrap().get(table.schema(), Field::Company), "Nuñez, Hijos & Co");
    assert_eq!(table.lead(2).unwrap().cells.len(), 4, "a short row has empty cells at its end");
    let bad: Vec<_> = table.bad_rows().map(|bad| (bad.line, bad.reason.to_string())).collect();
    assert_eq!(bad, [(9, "6 cells for 4 headers".to_owned())]);
    assert_eq!((table.file_name(), table.complete(), table.format()), ("awkward.csv", true, Format::Delimited(b',')));
    let first = table.bad_rows().next().unwrap();
    assert_eq!(table.bad_row_text(first, 14).unwrap(), "Too,many,cells");
    let mut out = Vec::new();
    assert_eq!(table.export_bad_rows(&mut out).unwrap(), 1);
    assert_eq!(String::from_utf8(out).unwrap(), "Name,E-mail,Company,Why\nToo,many,cells,in,this,row\n");
}

#[test]
fn json_lines_have_the_columns_of_all_their_objects() {
    let table = open_path(fixture("leads.jsonl")).unwrap();
    let headers: Vec<_> = table.schema().columns.iter().map(|column| column.header.as_str()).collect();
    assert_eq!(headers, ["email", "lead_score", "tags", "company"]);
    assert_eq!(cells(&table), [["a@x.test", "98", r#"["vip","new"]"#, ""], ["b@x.test", "", "", "Bäckerei"]]);
    let bad: Vec<_> = table.bad_rows().map(|bad| (bad.line, bad.reason)).collect();
    assert_eq!(bad, [(2, BadReason::NotAnObject), (4, BadReason::BrokenJson(21))]);
    let mut out = Vec::new();
    table.export_bad_rows(&mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "[\"not an object\"]\n{\"email\":\"broken.test\n");
}

#[test]
fn windows_text_is_converted_with_a_notice_wherever_its_first_letter_stands() {
    let table = open_path(fixture("windows-1252.csv")).unwrap();
    assert_eq!(cells(&table)[0], ["José", "Zoë & Cie"]);
    assert!(table.notices()[0].contains("windows-1252"), "{:?}", table.notices());

    let mut late = b"name,city\n".to_vec();
    late.extend(b"Ann,Austin\n".repeat(20_000));
    late.extend(b"Jos\xe9,M\xe1laga\nZo\xeb,C\xf3rdoba\n");
    let (table, snapshots) = open(&late);
    let table = table.unwrap();
    assert_eq!((table.len(), table.bad_row_count()), (20_002, 0));
    assert_eq!(table.lead(20_000).unwrap().cells, ["José", "Málaga"]);
    assert!(snapshots.is_sorted_by_key(|table| table.len()));
    assert_eq!(snapshots[0].lead(5).unwrap().cells, ["Ann", "Austin"], "an early snapshot outlives the conversion");
}

#[test]
fn utf16_from_a_spreadsheet_is_read() {
    let text = "name\temail\r\nZoë\tz@x.test\r\n";
    let bytes: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let (table, _) = open(&bytes);
    let table = table.unwrap();
    assert_eq!(cells(&table), [["Zoë", "z@x.test"]]);
    assert_eq!(table.schema().position(Field::FullName), Some(0), "no mark is left on the first header");
}

#[test]
fn one_damaged_row_among_utf8_is_a_bad_row() {
    let (table, _) = open(b"name\nJos\xc3\xa9\nZo\xc3\xab\nbad \xe9 row\nAna\n");
    let table = table.unwrap();
    assert_eq!(cells(&table), [["José"], ["Zoë"], ["Ana"]]);
    assert_eq!(table.bad_rows().next().map(|bad| (bad.line, bad.reason)), Some((4, BadReason::NotUtf8)));
}

#[test]
fn what_is_no_table_of_leads_is_refused_by_name_line_and_reason() {
    for (bytes, part) in [
        (&b""[..], "leads.csv cannot be read: it is empty"),
        (b"  \n\n", "it is empty"),
        (b"PK\x03\x04 xl/workbook.xml", "an Excel workbook"),
        (b"\x1f\x8b\x08\0\0", "a gzip archive"),
        (b"[{\"a\":1}]", "JSON array"),
        (b"<!DOCTYPE html>\n<html>", "a web page"),
        (b"Dana,dana@x.test\nZoe,zoe@x.test\n", "line 1: this looks like a lead"),
        (b"a,b\n1,2\n\n3,\"4\n5,6\n", "leads.csv, line 4: a quote is opened here"),
        (b"a,\"b\n", "line 1: a quote is opened in the headers"),
        (b"Report of May\na,b\n1,2\n", "line 2: 2 cells for 1 headers"),
        (b"{\n \"a\": 1\n}\n", "line 1: broken JSON"),
    ] {
        let failure = refusal(bytes);
        assert!(failure.message.contains(part), "{failure}");
        assert_eq!(failure.code, Code::Unreadable);
        assert!(!failure.remedy.is_empty(), "{failure}");
    }
}

#[test]
fn paths_that_cannot_be_opened_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let message = |path: &std::path::Path| open_path(path).map(|table| table.len()).unwrap_err().message;
    assert!(message(&folder.path().join("gone.csv")).contains("there is no such file"));
    assert!(message(folder.path()).contains("it is a folder"));
    let locked = folder.path().join("locked.csv");
    std::fs::write(&locked, "a\n1\n").unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read everything.
    if std::fs::File::open(&locked).is_err() {
        assert!(message(&locked).contains("you may not read it"));
    }
}

#[test]
fn a_pipe_with_a_path_is_read_like_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || std::fs::write(path, "a;b\n1;2\n")
    });
    let table = open_path(&path).unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(cells(&table), [["1", "2"]]);
    assert_eq!((table.file_name(), table.progress().done), ("pipe", 8));
}

#[test]
fn headers_without_rows_are_an_empty_audience() {
    assert_eq!(csv("name,email\n").len(), 0);
    assert_eq!(csv("name,email").schema().columns.len(), 2);
}

#[test]
fn a_file_that_shrinks_is_an_error_and_not_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leads.csv");
    std::fs::write(&path, "a\n1\n2\n").unwrap();
    let table = open_path(&path).unwrap();
    std::fs::write(&path, "a\n").unwrap();
    let failure = table.lead(1).unwrap_err();
    assert!(failure.message.contains("shorter"), "{failure}");
}

#[test]
fn the_first_rows_are_there_before_the_file_has_been_read() {
    /// Counts what has been read of an endless file.
    struct Endless(std::sync::Arc<std::sync::atomic::AtomicUsize>);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let row = b"abcdefg,1234567\n";
            buffer.iter_mut().enumerate().for_each(|(at, byte)| *byte = row[at % row.len()]);
            let whole = buffer.len() / row.len() * row.len();
            self.0.fetch_add(whole, std::sync::atomic::Ordering::Relaxed);
            Ok(whole)
        }
    }
    let read = std::sync::Arc::default();
    let (cancel, mut first) = (Cancel::new(), None);
    let source = Source::Reader("endless".into(), Box::new(Endless(std::sync::Arc::clone(&read))));
    let ended = Table::open(source, &OpenOptions::default(), &cancel, &mut |table| {
        first.get_or_insert((table, read.load(std::sync::atomic::Ordering::Relaxed)));
        cancel.cancel();
    });
    assert_eq!(ended.map(|table| table.len()).unwrap_err().code, Code::Cancelled);
    let (table, bytes) = first.unwrap();
    assert!(!table.complete() && table.len() >= 1_000 && bytes <= 2 << 20, "{} rows, {bytes} bytes", table.len());
    assert_eq!(table.lead(999).unwrap().cells, ["abcdefg", "1234567"]);
}

#[test]
fn rows_are_the_same_in_every_snapshot_and_in_any_order() {
    let text = "n,text\n".to_owned() + &(0..9_000).map(|n| format!("{n},\"row\n{n}\"\n")).collect::<String>();
    let (table, snapshots) = open(text.as_bytes());
    let table = table.unwrap();
    assert!(snapshots.len() >= 2 && snapshots[0].len() == 1_000);
    assert_eq!(snapshots[0].lead(999).unwrap(), table.lead(999).unwrap());
    let wanted = [8_999, 0, 1, 2, 5_000, 4_096, 0];
    let leads = table.leads(&wanted).unwrap();
    assert!(leads.iter().zip(wanted).all(|(lead, row)| lead.cells == [format!("{row}"), format!("row\n{row}")]));
    assert_eq!(table.lead(9_000).unwrap_err().code, Code::NotFound);
    let mut sum = 0_u64;
    table
        .scan(
            &Cancel::new(),
            |_| true,
            |block| {
                let mut sum = 0;
                block.each(|_, cells| sum += crate::lead::Cells::cell(cells, 0).parse::<u64>().unwrap());
                sum
            },
            |_, part| sum += part,
        )
        .unwrap();
    assert_eq!(sum, 8_999 * 9_000 / 2);
}

#[test]
fn a_changed_mapping_moves_fields_and_keeps_rows() {
    let table = csv("Contact,Mail\nDana,d@x.test\n");
    let mut mapping = (**table.schema()).clone();
    mapping.columns[0].field = Some(Field::Company);
    let mapped = table.with_mapping(&mapping);
    assert_eq!(mapped.lead(0).unwrap().get(mapped.schema(), Field::Company), "Dana");
    assert_eq!(mapped.schema().position(Field::FullName), None);
    assert_eq!(mapped.schema().position(Field::Email), Some(1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn a_table_holds_exactly_the_rows_of_the_csv_crate(
        text in "([a-c \u{e9}]|[a-c ]{12}\0|\"\"|,|,|\n|\r\n|\r|,\"a\nb\",|\"x, \"\"y\"\"\"|\"\r\n\"){0,200}",
        repeat in 1_usize..60,
    ) {
        let text = format!("h1,h2,h3\n{}", text.repeat(repeat));
        let (table, _) = open(text.as_bytes());
        prop_assume!(table.as_ref().err().is_none_or(|failure| !failure.message.contains("quote") && !failure.message.contains("no row after")));
        let table = table.unwrap();
        let mut builder = csv::ReaderBuilder::new();
        let (mut good, mut bad) = (Vec::new(), 0);
        for record in builder.flexible(true).from_reader(text.as_bytes()).into_records() {
            let mut record: Vec<String> = record.unwrap().iter().map(str::to_owned).collect();
            if record.iter().skip(3).any(|cell| !cell.is_empty()) {
                bad += 1;
                continue;
            }
            record.resize(3, String::new());
            good.push(record);
        }
        prop_assert_eq!(table.bad_row_count(), bad);
        prop_assert_eq!(cells(&table), good);
    }
}
