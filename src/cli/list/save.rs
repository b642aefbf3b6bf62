//! `leadferry list save`: leads of a file, filtered, deduplicated and cut, become a list.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use roaring::RoaringBitmap;
use serde_json::json;

use crate::cli::input::cancelled;
use crate::cli::out::Out;
use crate::cli::session::{Session, ask};
use crate::engine::messages::{Reply, Request, SavedList};
use crate::failure::{Code, Failure};
use crate::lead::duplicates::{dedupe_emails, duplicate_emails};
use crate::lead::filter::Filter;
use crate::lead::view::{SortKey, ViewSpec, view};
use crate::lead::{Cancel, Cells, Field, OpenOptions, Source, Table};
use crate::list::Provenance;

/// Leads per message to the engine.
const BLOCK: usize = 1_000;
/// So many bad rows are named one by one.
const NAMED: usize = 5;

/// `leadferry list save`
#[derive(Debug, Args)]
pub struct Save {
    /// The list's name
    name: String,
    /// The file of leads: CSV, TSV or JSON lines; - is standard input
    file: PathBuf,
    /// Only leads that match, such as "state = TX and score >= 80"; see help filter
    #[arg(long = "where", value_name = "FILTER")]
    filter: Option<String>,
    /// Only the N best by score, best first; without scores the first N
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Only leads whose id stands in this file, one a line
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    /// Of leads that share this, keep the first
    #[arg(long, value_name = "FIELD")]
    dedupe: Option<Dedupe>,
    /// Write the rows that could not be read to this file
    #[arg(long, value_name = "FILE")]
    bad_rows: Option<PathBuf>,
}

/// What leads are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Dedupe {
    /// The e-mail address, trimmed and without case
    Email,
}

impl Save {
    /// Carries it out. Nothing is saved unless everything could be read.
    pub async fn run(self, session: &Session, out: &mut Out) -> Result<u8, Failure> {
        if self.name.trim().is_empty() {
            return Err(Failure::new(Code::Usage, "Please enter a list name", "Give it as NAME before FILE."));
        }
        let cancel = Cancel::new();
        let table = open(&self.file, &cancel, out)?;
        self.report_bad_rows(&table, out)?;
        let (rows, filter) = self.choose(&table, &cancel, out)?;
        if rows.is_empty() {
            return Err(Failure::new(
                Code::Usage,
                format!("Please select at least one lead: none of the {} in {} remains.", table.len(), table.source()),
                "Widen --where, --ids or --top.",
            ));
        }
        let saved = save(session, out, self.name, &table, &rows, filter).await?;
        if out.is_json() {
            out.json(&json!({ "list": saved.list, "version": saved.version, "leads": saved.leads }))?;
        } else {
            out.line(told(&saved))?;
        }
        Ok(0)
    }

    /// The rows to save, in the order of the list, and the filter as text.
    fn choose(&self, table: &Table, cancel: &Cancel, out: &mut Out) -> Result<(Vec<u32>, String), Failure> {
        let text = self.filter.as_deref().unwrap_or_default();
        let filter = Filter::parse(text, table.schema()).map_err(|error| {
            Failure::new(
                Code::Usage,
                format!("--where is no filter:\n{}", error.pointed(text)),
                "See leadferry help filter.",
            )
        })?;
        let sort = self.top.and_then(|_| table.schema().position(Field::Score));
        let sort = sort.map(|column| SortKey { column, descending: true });
        let canonical = filter.to_string();
        let order = view(table, &ViewSpec { filter, sort }, cancel, &mut |_, _| {})?;
        let mut kept = order.to_bitmap();
        if let Some(file) = &self.ids {
            kept &= rows_of(table, file, cancel, out)?;
        }
        if self.dedupe.is_some() {
            kept = dedupe_emails(table, &kept, cancel)?;
        }
        let rows: Vec<u32> = (0..order.len())
            .filter_map(|position| order.get(position))
            .filter(|row| kept.contains(*row))
            .take(self.top.unwrap_or(usize::MAX))
            .collect();
        if self.dedupe.is_none() {
            warn_of_duplicates(table, &rows.iter().copied().collect(), cancel, out)?;
        }
        Ok((rows, canonical))
    }

    fn report_bad_rows(&self, table: &Table, out: &mut Out) -> Result<(), Failure> {
        for notice in table.notices() {
            out.warn(notice);
        }
        if let Some(file) = &self.bad_rows {
            let unwritable = |error: std::io::Error| unwritable(file, &error);
            let mut target = std::io::BufWriter::new(std::fs::File::create(file).map_err(unwritable)?);
            table.export_bad_rows(&mut target)?;
        }
        let count = table.bad_row_count();
        if count == 0 {
            return Ok(());
        }
        let named: Vec<String> =
            table.bad_rows().take(NAMED).map(|row| format!("line {}: {}", row.line, row.reason)).collect();
        let more = if count > NAMED { "; …" } else { "" };
        let where_to = match &self.bad_rows {
            Some(file) => format!("They stand in {}.", file.display()),
            None => "--bad-rows FILE writes them out.".to_owned(),
        };
        out.warn(format!(
            "{} of {} could not be read ({}{more}). {where_to}",
            counted(count as u64, "row", "rows"),
            table.source(),
            named.join("; ")
        ));
        Ok(())
    }
}

/// Opens a file of leads; `-` is standard input.
pub fn open(file: &Path, cancel: &Cancel, out: &mut Out) -> Result<Arc<Table>, Failure> {
    let source = if file == Path::new("-") { Source::Stdin } else { Source::Path(file.to_owned()) };
    let mut read = |table: Arc<Table>| out.progress(format!("Reading {}: {} leads", table.source(), table.len()));
    Table::open(source, &OpenOptions::default(), cancel, &mut read)
}

/// Saves rows of a table as the next version of a list; when it fails, nothing of it stays.
async fn save(
    session: &Session,
    out: &mut Out,
    name: String,
    table: &Table,
    rows: &[u32],
    filter: String,
) -> Result<SavedList, Failure> {
    let provenance = Provenance { source: "lookalike".into(), file: table.file_name().to_owned(), filter };
    let begin = Request::BeginList { name, schema: (**table.schema()).clone(), provenance };
    let draft = ask!(session, begin, Reply::Draft(draft) => draft)?;
    let saved = tokio::select! {
        saved = fill(session, out, draft, table, rows) => saved,
        _ = tokio::signal::ctrl_c() => Err(cancelled()),
    };
    if saved.is_err() {
        // The failure that matters is the one we have.
        let _ = session.engine.call(Request::DropDraft { draft }).await;
    }
    saved.map_err(|failure| Failure { message: format!("Failed to save leads: {}", failure.message), ..failure })
}

async fn fill(session: &Session, out: &mut Out, draft: u64, table: &Table, rows: &[u32]) -> Result<SavedList, Failure> {
    for (n, some) in rows.chunks(BLOCK).enumerate() {
        out.progress(format!("Saving {} of {} leads", n * BLOCK, rows.len()));
        let leads = table.leads(some)?;
        ask!(session, Request::PutBlock { draft, leads }, Reply::Done => ())?;
    }
    ask!(session, Request::CommitList { draft }, Reply::Saved(saved) => saved)
}

fn told(saved: &SavedList) -> String {
    let SavedList { list, version, leads, unchanged } = saved;
    match (unchanged, version) {
        (true, _) => {
            format!("{list} holds these {} already; version {version} stays.", counted(*leads, "lead", "leads"))
        }
        (false, 1) => format!("Saved {} to {list}", counted(*leads, "lead", "leads")),
        (false, _) => format!("Saved {} to {list} (version {version})", counted(*leads, "lead", "leads")),
    }
}

/// The rows whose id stands in the file.
fn rows_of(table: &Table, file: &Path, cancel: &Cancel, out: &mut Out) -> Result<RoaringBitmap, Failure> {
    let Some(column) = table.schema().position(Field::Id) else {
        return Err(Failure::new(
            Code::Usage,
            format!("{} has no id column for --ids.", table.source()),
            "Choose leads with --where, or give the column the header id.",
        ));
    };
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::new(Code::Unreadable, format!("{} cannot be read: {error}.", file.display()), "Check the path.")
    })?;
    let ids: HashSet<&str> = text.lines().map(str::trim).filter(|id| !id.is_empty()).collect();
    let (mut rows, mut seen) = (RoaringBitmap::new(), HashSet::new());
    table.scan(
        cancel,
        |_| true,
        |block| {
            let mut found = Vec::new();
            block.each(|row, cells| {
                if let Some(id) = ids.get(cells.cell(column).trim()) {
                    found.push((row, *id));
                }
            });
            found
        },
        |_, found| {
            for (row, id) in found {
                rows.insert(row);
                seen.insert(id);
            }
        },
    )?;
    let missing = ids.len() - seen.len();
    if missing > 0 {
        let first = text.lines().map(str::trim).find(|id| !id.is_empty() && !seen.contains(id)).unwrap_or_default();
        out.warn(format!(
            "{} of {} stand in no lead, such as {first}.",
            counted(missing as u64, "id", "ids"),
            file.display()
        ));
    }
    Ok(rows)
}

fn warn_of_duplicates(table: &Table, rows: &RoaringBitmap, cancel: &Cancel, out: &mut Out) -> Result<(), Failure> {
    let report = duplicate_emails(table, rows, cancel)?;
    if let Some((example, _)) = report.examples.first() {
        out.warn(format!(
            "{} more than once, such as {example}; --dedupe email keeps the first.",
            counted(report.addresses as u64, "e-mail address stands", "e-mail addresses stand")
        ));
    }
    Ok(())
}

/// `1 lead`, `2 leads`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The failure of a file that cannot be written.
pub fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Code::Failed,
        format!("{} cannot be written: {error}.", file.display()),
        "Check the folder, its permissions and the room on its disk.",
    )
}
