//! `leadferry list`: saved lead lists.

mod diff;
mod export;
mod save;

pub use export::Target;
pub use save::{counted, open};

use clap::Subcommand;
use serde_json::json;

use super::columns::{Columns, time};
use super::input::Input;
use super::out::Out;
use super::session::{Session, ask};
use crate::engine::messages::{Reply, Request};
use crate::failure::{Code, Failure};
use crate::lead::{Field, Lead, Schema};
use crate::list::{ListSummary, ListVersion};

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum List {
    /// Save leads of a file as a list, or as its next version
    Save(save::Save),
    /// Show all lists
    Ls,
    /// Show a list's versions and first leads
    Show {
        /// The list's name
        name: String,
        /// How many leads to show
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: usize,
    },
    /// Write a list's leads as CSV or JSON lines
    Export(export::Export),
    /// Give a list another name
    Rename {
        /// The list's name
        name: String,
        /// Its new name
        to: String,
    },
    /// Delete a list with all its versions, for good
    Delete {
        /// The list's name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Show what changed between two versions of a list
    Diff(diff::Diff),
}

impl List {
    /// Carries it out.
    pub async fn run(self, session: &Session, out: &mut Out, input: &mut Input) -> Result<u8, Failure> {
        match self {
            List::Save(save) => save.run(session, out).await,
            List::Ls => ls(session, out).await,
            List::Show { name, limit } => show(session, out, &name, limit).await,
            List::Export(export) => export.run(session, out).await,
            List::Rename { name, to } => {
                ask!(session, Request::RenameList { name: name.clone(), to: to.clone() }, Reply::Done => ())?;
                if out.is_json() {
                    out.json(&json!({ "list": to, "was": name }))?;
                } else {
                    out.line(format!("{name} is now called {to}."))?;
                }
                Ok(0)
            }
            List::Delete { name, yes } => delete(session, out, input, name, yes).await,
            List::Diff(diff) => diff.run(session, out).await,
        }
    }
}

async fn ls(session: &Session, out: &mut Out) -> Result<u8, Failure> {
    let lists = ask!(session, Request::Lists, Reply::Lists(lists) => lists)?;
    if out.is_json() {
        out.json(&lists.iter().map(summary).collect::<Vec<_>>())?;
        return Ok(0);
    }
    let mut table = Columns::new(&["List", "#Version", "#Leads", "Saved", "File", "Filter"]);
    for list in lists {
        let ListSummary { name, version, leads, saved, provenance, .. } = list;
        table.row([name, version.to_string(), leads.to_string(), time(saved), provenance.file, provenance.filter]);
    }
    table.print(out, "No lists yet. Save one: leadferry list save NAME FILE")?;
    Ok(0)
}

async fn show(session: &Session, out: &mut Out, name: &str, limit: usize) -> Result<u8, Failure> {
    let (list, versions) = versions(session, name).await?;
    let (schema, mut leads) = block(session, name, list.version, 0).await?;
    leads.truncate(limit);
    if out.is_json() {
        let mut shown = summary(&list);
        shown["versions"] = versions.iter().map(version).collect();
        shown["first"] = leads.iter().map(|lead| lead_object(&schema, lead)).collect();
        out.json(&shown)?;
        return Ok(0);
    }
    out.line(format!("{}: version {}, {} leads", list.name, list.version, list.leads))?;
    let mut table = Columns::new(&["#Version", "#Leads", "Saved", "File", "Filter"]);
    for version in versions {
        table.row([
            version.version.to_string(),
            version.leads.to_string(),
            time(version.saved),
            version.provenance.file,
            version.provenance.filter,
        ]);
    }
    table.print(out, "No version of it is kept.")?;
    if !leads.is_empty() {
        out.line("")?;
        let mut table = Columns::new(&["Name", "Company", "Title", "City", "Email", "Phone"]);
        for lead in &leads {
            let fields = [Field::Company, Field::Title, Field::City, Field::Email, Field::Phone];
            let cells = fields.map(|field| lead.get(&schema, field).to_owned());
            table.row(std::iter::once(lead.display_name(&schema)).chain(cells));
        }
        table.print(out, "")?;
    }
    Ok(0)
}

async fn delete(session: &Session, out: &mut Out, input: &mut Input, name: String, yes: bool) -> Result<u8, Failure> {
    // Asked first, so that nobody confirms the deletion of a list that is not there.
    let (list, versions) = versions(session, &name).await?;
    let leads = counted(list.leads, "lead", "leads");
    let versions = counted(versions.len() as u64, "version", "versions");
    let question = format!("Delete {} with {leads} and {versions} for good?", list.name);
    if !yes && !input.confirm(out, &question).await? {
        return Err(Failure::new(Code::Cancelled, "Nothing was deleted.", ""));
    }
    ask!(session, Request::DeleteList { name: list.name.clone() }, Reply::Done => ())?;
    if out.is_json() {
        out.json(&json!({ "deleted": true, "list": list.name }))?;
    } else {
        out.line(format!("Deleted {}.", list.name))?;
    }
    Ok(0)
}

/// A list and all its versions.
async fn versions(session: &Session, name: &str) -> Result<(ListSummary, Vec<ListVersion>), Failure> {
    ask!(session, Request::List { name: name.to_owned() }, Reply::List(list, versions) => (list, versions))
}

/// One block of a version; past the last one it has no leads.
async fn block(session: &Session, list: &str, version: u32, block: u32) -> Result<(Schema, Vec<Lead>), Failure> {
    let request = Request::Block { list: list.to_owned(), version, block };
    ask!(session, request, Reply::Block(schema, leads) => (schema, leads))
}

/// The first lead of a list's newest version.
pub async fn first_lead(session: &Session, name: &str) -> Result<(Schema, Lead), Failure> {
    let (schema, leads) = block(session, name, 0, 0).await?;
    let lead = leads.into_iter().next();
    lead.map(|lead| (schema, lead)).ok_or_else(|| {
        Failure::new(Code::Usage, format!("The list {name} has no leads."), "Name another list with --list.")
    })
}

/// The version of this number, the newest for `None`.
fn pick(list: &ListSummary, versions: &[ListVersion], wanted: Option<u32>) -> Result<ListVersion, Failure> {
    let number = wanted.unwrap_or(list.version);
    versions.iter().find(|version| version.version == number).cloned().ok_or_else(|| {
        let there: Vec<String> = versions.iter().map(|version| version.version.to_string()).collect();
        Failure::new(
            Code::NotFound,
            format!("{} has no version {number}.", list.name),
            format!("Versions kept: {}.", there.join(", ")),
        )
    })
}

fn summary(list: &ListSummary) -> serde_json::Value {
    json!({
        "list": list.name, "version": list.version, "leads": list.leads, "saved": list.saved,
        "source": list.provenance.source, "file": list.provenance.file, "filter": list.provenance.filter,
    })
}

fn version(version: &ListVersion) -> serde_json::Value {
    json!({
        "version": version.version, "leads": version.leads, "saved": version.saved,
        "source": version.provenance.source, "file": version.provenance.file, "filter": version.provenance.filter,
    })
}

/// A lead as JSON: a text per column that has a value.
fn lead_object(schema: &Schema, lead: &Lead) -> serde_json::Value {
    let values = (0..schema.columns.len()).filter(|at| !lead.cell(*at).is_empty());
    values.map(|at| (schema.name(at).to_owned(), json!(lead.cell(at)))).collect::<serde_json::Map<_, _>>().into()
}
