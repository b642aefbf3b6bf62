//! Requests about lead lists.

use std::sync::Arc;

use super::messages::{Event, Reply, Request, SavedList};
use super::{Inner, misrouted, runs};
use crate::failure::Failure;

pub(super) async fn call(inner: &Arc<Inner>, request: Request) -> Result<Reply, Failure> {
    let lists = &inner.lists;
    Ok(match request {
        Request::BeginList { name, schema, provenance } => Reply::Draft(lists.begin(&name, schema, provenance)?),
        Request::PutBlock { draft, leads } => {
            lists.put(draft, &leads).await?;
            Reply::Done
        }
        Request::CommitList { draft } => {
            let saved = lists.commit(draft, inner.now()).await?;
            inner.tell(Event::Changed);
            let (list, version, leads, unchanged) = (saved.name, saved.version, saved.leads, saved.unchanged);
            Reply::Saved(SavedList { list, version, leads, unchanged })
        }
        Request::DropDraft { draft } => {
            lists.drop_draft(draft).await?;
            Reply::Done
        }
        Request::Lists => Reply::Lists(lists.all()?),
        Request::List { name } => {
            let (list, versions) = lists.get(&name)?;
            Reply::List(list, versions)
        }
        Request::Block { list, version, block } => {
            let (id, version) = lists.version(&list, version)?;
            let leads = lists.block(id, version.version, block)?;
            Reply::Block(version.schema, leads)
        }
        Request::RenameList { name, to } => {
            lists.rename(&name, &to).await?;
            inner.tell(Event::Changed);
            Reply::Done
        }
        Request::DeleteList { name } => {
            let _starting = inner.runs.starting.lock().await;
            let (id, _) = lists.version(&name, 0)?;
            runs::end_all(inner, |run| run.list == id).await?;
            lists.delete(&name).await?;
            inner.tell(Event::Changed);
            Reply::Done
        }
        _ => return Err(misrouted()),
    })
}
