//! Carries out what the app asks for: owns the open audience, speaks to the engine, writes files, opens the browser.
//!
//! Every effect runs on its own task and answers with an [`Action`], so that the interface never waits.

mod audience;
mod files;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use crate::app::{Action, Call, Effect, News};
use crate::engine::Engine;
use crate::engine::messages::Request;
use crate::failure::{Code, Failure};
use crate::oauth::browser;
use audience::Desk;

/// Carries effects out; cheap to clone.
#[derive(Clone)]
pub struct Effects {
    engine: Engine,
    desk: Arc<Desk>,
    out: UnboundedSender<Action>,
}

impl Effects {
    /// Effects over an engine; actions come back on `out`, temporary row data goes to `spill` (0700).
    pub fn new(engine: Engine, spill: PathBuf, out: UnboundedSender<Action>) -> Self {
        let desk = Arc::new(Desk::new(engine.clone(), spill, out.clone()));
        Effects { engine, desk, out }
    }

    /// Starts carrying out one effect. Those of the terminal itself (copy, edit, suspend, redraw, quit) are not for here.
    pub fn carry(&self, effect: Effect) {
        let desk = Arc::clone(&self.desk);
        match effect {
            Effect::Call(call, request) => self.call(call, *request),
            Effect::Open { generation, path } => desk.open(generation, path),
            Effect::OpenList { generation, name } => desk.open_list(generation, name),
            Effect::View { generation, view, filter, sort } => desk.view(generation, view, filter, sort),
            Effect::Window { generation, from, len } => desk.window(generation, from, len),
            Effect::Rows { generation, from, to, then } => desk.rows(generation, from, to, then),
            Effect::Find { generation, needle, from, backwards } => desk.find(generation, needle, from, backwards),
            Effect::Duplicates { generation, rows } => desk.duplicates(generation, rows),
            Effect::Remap { generation, schema } => desk.remap(generation, schema),
            Effect::Save { generation, name, rows, provenance } => desk.save(generation, name, rows, provenance),
            Effect::ExportBad { generation, path } => desk.export_bad(generation, path),
            Effect::Export { list, path } => {
                let (engine, out) = (self.engine.clone(), self.out.clone());
                tokio::spawn(async move {
                    let written = files::export_list(&engine, &list, &path).await;
                    let _ = out.send(Action::News(News::Written(written)));
                });
            }
            Effect::Stop => desk.stop(),
            Effect::Browse(address) => {
                let opened =
                    url::Url::parse(&address).map_err(|_| not_an_address()).and_then(|url| browser::open(&url));
                if let Err(failure) = opened {
                    let _ = self.out.send(Action::News(News::Written(Err(failure))));
                }
            }
            Effect::Copy(_) | Effect::Edit(_) | Effect::Suspend | Effect::Redraw | Effect::Quit => {}
        }
    }

    fn call(&self, call: Call, request: Request) {
        let (engine, out) = (self.engine.clone(), self.out.clone());
        tokio::spawn(async move {
            let answer = engine.call(request).await.map(Box::new);
            let _ = out.send(Action::Answer(call, answer));
        });
    }
}

fn not_an_address() -> Failure {
    Failure::new(Code::Failed, "That is no address a browser can open.", "Copy it and open it by hand.")
}
