//! The open audience: its table, the order of rows in force, and the work on them, each on a thread of its own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use roaring::RoaringBitmap;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

use super::files::WholeFile;
use crate::app::{About, Action, News, Then};
use crate::engine::Engine;
use crate::engine::messages::{Reply, Request, SavedList};
use crate::failure::{Code, Failure};
use crate::lead::duplicates::{dedupe_emails, duplicate_emails};
use crate::lead::filter::Filter;
use crate::lead::mapping::fingerprint;
use crate::lead::view::{RowOrder, SortKey, ViewSpec, find_next, view};
use crate::lead::{Cancel, Lead, OpenOptions, Schema, Source, Table};
use crate::list::Provenance;

/// Leads per block of a save.
const BLOCK: usize = crate::store::LEADS_PER_BLOCK;
/// Bad rows handed out for the list; all of them can be exported.
const BAD_ROWS_SHOWN: usize = 500;
/// How often a long job says how far it is.
const SAY_EVERY: Duration = Duration::from_millis(100);

/// What is open now.
#[derive(Default)]
struct Open {
    generation: u64,
    table: Option<Arc<Table>>,
    /// `None` = file order, growing with the table.
    order: Option<Arc<RowOrder>>,
    schema: Option<Schema>,
    load: Cancel,
    job: Cancel,
}

/// Owns the open audience.
pub(super) struct Desk {
    engine: Engine,
    spill: PathBuf,
    out: UnboundedSender<Action>,
    open: Mutex<Open>,
}

impl Desk {
    pub(super) fn new(engine: Engine, spill: PathBuf, out: UnboundedSender<Action>) -> Self {
        Desk { engine, spill, out, open: Mutex::default() }
    }

    fn tell(&self, news: News) {
        let _ = self.out.send(Action::News(news));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table and order of a generation; `None` when another audience is open by now.
    fn at(&self, generation: u64) -> Option<(Arc<Table>, Arc<RowOrder>)> {
        let open = self.lock();
        let table = open.table.clone().filter(|_| open.generation == generation)?;
        let order = open.order.clone().unwrap_or_else(|| Arc::new(RowOrder::all(table.len())));
        Some((table, order))
    }

    fn begin(&self, generation: u64) -> Cancel {
        let load = Cancel::new();
        let mut open = self.lock();
        open.load.cancel();
        open.job.cancel();
        *open = Open { generation, load: load.clone(), ..Open::default() };
        load
    }

    /// Stops a view or search.
    pub(super) fn stop(&self) {
        self.lock().job.cancel();
    }

    /// A new job; the one before it is stopped.
    fn job(&self) -> Cancel {
        let cancel = Cancel::new();
        let mut open = self.lock();
        open.job.cancel();
        open.job = cancel.clone();
        cancel
    }

    pub(super) fn open(self: Arc<Self>, generation: u64, path: String) {
        let cancel = self.begin(generation);
        let source = match path.as_str() {
            "-" => Source::Stdin,
            path => Source::Path(PathBuf::from(path)),
        };
        let handle = Handle::current();
        tokio::task::spawn_blocking(move || self.load(generation, source, None, &cancel, &handle));
    }

    pub(super) fn open_list(self: Arc<Self>, generation: u64, name: String) {
        let cancel = self.begin(generation);
        tokio::spawn(async move {
            match self.list_as_csv(&name).await {
                Ok((schema, csv)) => {
                    let handle = Handle::current();
                    let source = Source::Reader(name, Box::new(std::io::Cursor::new(csv)));
                    tokio::task::spawn_blocking(move || self.load(generation, source, Some(schema), &cancel, &handle));
                }
                Err(failure) => self.tell(News::Failed { generation, failure }),
            }
        });
    }

    /// A saved list as the bytes of a file with its original headers.
    async fn list_as_csv(&self, name: &str) -> Result<(Schema, Vec<u8>), Failure> {
        let odd = || Failure::new(Code::Failed, format!("The list '{name}' cannot be opened."), "Try again.");
        let Reply::List(_, versions) = self.engine.call(Request::List { name: name.to_owned() }).await? else {
            return Err(odd());
        };
        let newest = versions.last().ok_or_else(odd)?;
        let mut writer = csv::Writer::from_writer(Vec::new());
        let headers = newest.schema.columns.iter().map(|column| column.header.as_str());
        writer.write_record(headers).map_err(|_| odd())?;
        let columns = newest.schema.columns.len();
        for block in 0..newest.blocks {
            let request = Request::Block { list: name.to_owned(), version: newest.version, block };
            let Reply::Block(_, leads) = self.engine.call(request).await? else { return Err(odd()) };
            for lead in &leads {
                writer.write_record((0..columns).map(|at| lead.cell(at))).map_err(|_| odd())?;
            }
        }
        Ok((newest.schema.clone(), writer.into_inner().map_err(|_| odd())?))
    }

    fn load(&self, generation: u64, source: Source, schema: Option<Schema>, cancel: &Cancel, handle: &Handle) {
        let options = OpenOptions { spill_folder: Some(self.spill.clone()), ..OpenOptions::default() };
        let mut remembered = schema;
        let mut asked = remembered.is_some();
        let mut noticed = 0;
        let result = Table::open(source, &options, cancel, &mut |table| {
            if !asked {
                asked = true;
                remembered = handle.block_on(self.remembered_mapping(table.schema()));
            }
            for notice in &table.notices()[noticed.min(table.notices().len())..] {
                self.tell(News::Notice(notice.clone()));
            }
            noticed = table.notices().len();
            self.publish(generation, table, remembered.as_ref());
        });
        match result {
            Ok(_) => {}
            Err(failure) if failure.code == Code::Cancelled => {}
            Err(failure) => self.tell(News::Failed { generation, failure }),
        }
    }

    async fn remembered_mapping(&self, schema: &Schema) -> Option<Schema> {
        let key = format!("mapping/{}", fingerprint(schema));
        match self.engine.call(Request::Recall { key }).await {
            Ok(Reply::Remembered(Some(value))) => serde_json::from_value(value).ok(),
            _ => None,
        }
    }

    /// Makes a snapshot the one in force and tells what is known of it.
    fn publish(&self, generation: u64, table: Arc<Table>, remembered: Option<&Schema>) {
        let table = {
            let mut open = self.lock();
            if open.generation != generation {
                return;
            }
            let schema = open.schema.as_ref().or(remembered);
            let table = schema.map_or_else(|| Arc::clone(&table), |schema| table.with_mapping(schema));
            open.table = Some(Arc::clone(&table));
            table
        };
        self.tell(News::Progress { generation, about: about(&table) });
    }

    pub(super) fn remap(self: Arc<Self>, generation: u64, schema: Schema) {
        let Some(key) = ({
            let mut open = self.lock();
            let table = open.table.clone().filter(|_| open.generation == generation);
            table.map(|table| {
                open.table = Some(table.with_mapping(&schema));
                open.schema = Some(schema.clone());
                format!("mapping/{}", fingerprint(&schema))
            })
        }) else {
            return;
        };
        if let Some((table, _)) = self.at(generation) {
            self.tell(News::Progress { generation, about: about(&table) });
        }
        tokio::spawn(async move {
            let Ok(value) = serde_json::to_value(&schema) else { return };
            if let Err(failure) = self.engine.call(Request::Remember { key, value }).await {
                self.tell(News::Written(Err(failure)));
            }
        });
    }

    pub(super) fn view(self: Arc<Self>, generation: u64, number: u64, filter: String, sort: Option<(usize, bool)>) {
        let cancel = self.job();
        tokio::task::spawn_blocking(move || {
            let Some((table, _)) = self.at(generation) else { return };
            if filter.is_empty() && sort.is_none() {
                self.lock().order = None;
                return self.tell(News::Viewed { generation, view: number, shown: u64::from(table.len()) });
            }
            let filter = match Filter::parse(&filter, table.schema()) {
                Ok(filter) => filter,
                Err(error) => {
                    let failure = Failure::new(Code::Usage, error.message, "Change the filter with /.");
                    self.tell(News::Viewed { generation, view: number, shown: 0 });
                    return self.tell(News::Written(Err(failure)));
                }
            };
            let spec = ViewSpec { filter, sort: sort.map(|(column, descending)| SortKey { column, descending }) };
            let mut said = Instant::now();
            let order = view(&table, &spec, &cancel, &mut |done, _| {
                if said.elapsed() > SAY_EVERY {
                    said = Instant::now();
                    self.tell(News::Viewing { generation, done: done as u64 });
                }
            });
            match order {
                Ok(order) => {
                    let shown = order.len() as u64;
                    let mut open = self.lock();
                    if open.generation == generation && !cancel.is_cancelled() {
                        open.order = Some(Arc::new(order));
                        drop(open);
                        self.tell(News::Viewed { generation, view: number, shown });
                    }
                }
                Err(failure) if failure.code == Code::Cancelled => {}
                Err(failure) => self.tell(News::Written(Err(failure))),
            }
        });
    }

    pub(super) fn window(self: Arc<Self>, generation: u64, from: u64, len: u64) {
        tokio::task::spawn_blocking(move || {
            let Some((table, order)) = self.at(generation) else { return };
            let (start, count) = (index(from).min(order.len()), index(len));
            let rows: Vec<u32> = order.window(start..start.saturating_add(count).min(order.len()));
            match table.leads(&rows) {
                Ok(leads) => {
                    let rows = rows.into_iter().zip(leads).collect();
                    self.tell(News::Window { generation, from: start as u64, rows });
                }
                Err(failure) => self.tell(News::Written(Err(failure))),
            }
        });
    }

    pub(super) fn rows(self: Arc<Self>, generation: u64, from: u64, to: u64, then: Then) {
        tokio::task::spawn_blocking(move || {
            let Some((_, order)) = self.at(generation) else { return };
            let rows = match (from, to) {
                (0, u64::MAX) => order.to_bitmap(),
                _ => {
                    let to = index(to).min(order.len());
                    order.window(index(from).min(to)..to).into_iter().collect()
                }
            };
            self.tell(News::Rows { generation, rows, then });
        });
    }

    pub(super) fn find(self: Arc<Self>, generation: u64, needle: String, from: u64, backwards: bool) {
        let cancel = self.job();
        tokio::task::spawn_blocking(move || {
            let Some((table, order)) = self.at(generation) else { return };
            let found = find_next(&table, &order, index(from), &needle, backwards, &cancel).and_then(|found| {
                let around = if backwards { order.len().saturating_sub(1) } else { 0 };
                match found {
                    None => find_next(&table, &order, around, &needle, backwards, &cancel),
                    found => Ok(found),
                }
            });
            match found {
                Ok(at) => self.tell(News::Found { generation, at: at.map(|at| at as u64) }),
                Err(failure) if failure.code == Code::Cancelled => {}
                Err(failure) => self.tell(News::Written(Err(failure))),
            }
        });
    }

    pub(super) fn duplicates(self: Arc<Self>, generation: u64, rows: RoaringBitmap) {
        tokio::task::spawn_blocking(move || {
            let Some((table, _)) = self.at(generation) else { return };
            let cancel = Cancel::new();
            let report = duplicate_emails(&table, &rows, &cancel);
            let kept = report.and_then(|report| Ok((report.addresses, dedupe_emails(&table, &rows, &cancel)?)));
            match kept {
                Ok((addresses, kept)) => {
                    self.tell(News::Duplicates { generation, addresses: addresses as u64, later: rows - kept });
                }
                Err(failure) => self.tell(News::Written(Err(failure))),
            }
        });
    }

    pub(super) fn save(self: Arc<Self>, generation: u64, name: String, rows: RoaringBitmap, provenance: Provenance) {
        tokio::spawn(async move {
            let saved = match self.at(generation) {
                Some((table, _)) => self.save_rows(table, name, rows, provenance).await,
                None => Err(Failure::new(Code::Cancelled, "The audience was closed.", "Open it and save again.")),
            };
            self.tell(News::Saved(saved));
        });
    }

    async fn save_rows(
        &self,
        table: Arc<Table>,
        name: String,
        rows: RoaringBitmap,
        provenance: Provenance,
    ) -> Result<SavedList, Failure> {
        let schema = table.schema().as_ref().clone();
        let Reply::Draft(draft) = self.engine.call(Request::BeginList { name, schema, provenance }).await? else {
            return Err(no_draft());
        };
        match self.fill(&table, draft, rows).await {
            Ok(()) => match self.engine.call(Request::CommitList { draft }).await? {
                Reply::Saved(saved) => Ok(saved),
                _ => Err(no_draft()),
            },
            Err(failure) => {
                self.engine.call(Request::DropDraft { draft }).await?;
                Err(failure)
            }
        }
    }

    async fn fill(&self, table: &Arc<Table>, draft: u64, rows: RoaringBitmap) -> Result<(), Failure> {
        let rows: Vec<u32> = rows.into_iter().collect();
        let mut written = 0;
        for block in rows.chunks(BLOCK) {
            let (table, block) = (Arc::clone(table), block.to_vec());
            let leads: Vec<Lead> = match tokio::task::spawn_blocking(move || table.leads(&block)).await {
                Ok(leads) => leads?,
                Err(_) => return Err(no_draft()),
            };
            written += leads.len() as u64;
            self.engine.call(Request::PutBlock { draft, leads }).await?;
            self.tell(News::Saving(written));
        }
        Ok(())
    }

    pub(super) fn export_bad(self: Arc<Self>, generation: u64, path: String) {
        tokio::task::spawn_blocking(move || {
            let Some((table, _)) = self.at(generation) else { return };
            let written = WholeFile::create(&path).and_then(|mut file| {
                let count = table.export_bad_rows(&mut file)?;
                file.finish()?;
                Ok(format!("Wrote {count} rows that could not be read to {path}"))
            });
            self.tell(News::Written(written));
        });
    }
}

fn about(table: &Table) -> About {
    let progress = table.progress();
    let bad = table.bad_rows().take(BAD_ROWS_SHOWN).map(|row| (row.line, row.reason.to_string())).collect();
    About {
        name: table.file_name().to_owned(),
        schema: table.schema().as_ref().clone(),
        rows: u64::from(table.len()),
        bad,
        bad_count: table.bad_row_count() as u64,
        read: (progress.done, progress.total.unwrap_or(0)),
        complete: table.complete(),
    }
}

fn index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn no_draft() -> Failure {
    Failure::new(Code::Failed, "The save was broken off.", "Save the list again.")
}
