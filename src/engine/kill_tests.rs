//! What a killed process leaves in the store: a run that is said to go on, with writes and requests whose end nobody knows.

use std::time::Duration;

use super::messages::{Event, Reply, Request};
use super::records::{DeliveryRecord, Mark, OutcomeBlock, RunRecord};
use super::*;
use crate::lead::{Column, Field, Lead, Schema};
use crate::list::Provenance;
use crate::oauth::Method;
use crate::sandbox::{Options, Sandbox};
use crate::store::{Batch, Record};
use crate::sync::{Outcome, RunState, RunSummary};
use crate::vault::Secret;
use crate::webhook::WebhookSpec;

struct Scene {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    engine: Engine,
}

impl Scene {
    async fn new() -> Scene {
        net::install_provider();
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(folder.path(), &Options::default()).await.unwrap();
        let engine = open(&folder, &sandbox).await;
        Scene { folder, sandbox, engine }
    }

    async fn restart(self) -> Scene {
        self.engine.stop().await;
        let engine = open(&self.folder, &self.sandbox).await;
        Scene { engine, ..self }
    }

    async fn call(&self, request: Request) -> Reply {
        self.engine.call(request).await.unwrap()
    }

    async fn save(&self, company: &str) {
        let fields = [Field::Id, Field::LastName, Field::Email, Field::Company];
        let columns = fields.map(|field| Column { header: field.name().into(), field: Some(field) }).into();
        let begin =
            Request::BeginList { name: "Top".into(), schema: Schema { columns }, provenance: Provenance::default() };
        let Reply::Draft(draft) = self.call(begin).await else { panic!("no draft") };
        let lead = |at: usize| [format!("L{at}"), format!("Whitfield{at}"), format!("p{at}@x.test"), company.into()];
        let leads = (0..60).map(|at| Lead { cells: lead(at).into() }).collect();
        self.call(Request::PutBlock { draft, leads }).await;
        self.call(Request::CommitList { draft }).await;
    }

    /// Carries out a request that makes a run go on, and waits for its end.
    async fn follow(&self, request: Request) -> RunSummary {
        let mut events = self.engine.events();
        self.call(request).await;
        loop {
            if let Event::Run(run) = events.recv().await.unwrap()
                && matches!(run.state, RunState::Done | RunState::Stopped | RunState::Cancelled)
                && run.trouble.is_none()
            {
                return run;
            }
        }
    }

    fn all<T: Record>(&self) -> Vec<(Vec<u8>, T)> {
        self.engine.0.store.scan::<T>([]).unwrap()
    }

    /// Changes what is stored, behind the engine's back.
    async fn leave<T: Record>(&self, change: impl Fn(usize, &mut T)) {
        let mut batch = Batch::new();
        for (at, (key, mut record)) in self.all::<T>().into_iter().enumerate() {
            change(at, &mut record);
            batch.put(key, &record);
        }
        self.engine.0.store.commit(batch).await.unwrap();
    }
}

async fn open(folder: &tempfile::TempDir, sandbox: &Sandbox) -> Engine {
    Engine::start(&Paths::under(folder.path()), sandbox.config(), Duration::from_secs(30)).await.unwrap()
}

fn start(destination: &str) -> Request {
    Request::StartRun { list: "Top".into(), destination: destination.parse().unwrap(), settings: None, mode: None }
}

fn counts(run: &RunSummary) -> Vec<(Outcome, u64)> {
    run.counts.iter().filter(|(_, count)| **count > 0).map(|(outcome, count)| (*outcome, *count)).collect()
}

/// A scene with a webhook run of 60 leads that was killed with 5 requests in flight, and nothing delivered yet.
async fn killed_webhook_run() -> Scene {
    let scene = Scene::new().await;
    let spec = WebhookSpec { name: "w".into(), url: scene.sandbox.hook_url("w"), ..WebhookSpec::default() };
    let save =
        Request::SaveWebhook { id: None, spec, secret: None, paused: true, list_name: String::new(), lead_count: 0 };
    scene.call(save).await;
    scene.save("One").await;
    let mut events = scene.engine.events();
    scene.call(start("webhook:w")).await;
    while !matches!(events.recv().await.unwrap(), Event::Run(run) if run.state == RunState::Stopped) {}
    let scene = scene.restart().await;
    scene
        .leave(|at, delivery: &mut DeliveryRecord| {
            (delivery.under_way, delivery.attempts) = (at < 5, u32::from(at < 5))
        })
        .await;
    scene.leave(|_, run: &mut RunRecord| run.summary.state = RunState::Running).await;
    scene.leave(|_, webhook: &mut records::WebhookRecord| webhook.state = Default::default()).await;
    scene
}

/// A request that was cut off by a kill would be lost, or come again as another one.
#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_go_out_again_under_their_ids() {
    let scene = killed_webhook_run().await;
    let ids: Vec<String> = scene.all::<DeliveryRecord>().into_iter().map(|(_, kept)| kept.planned.id).collect();
    let run = scene.follow(Request::ResumeRuns).await;
    assert_eq!(counts(&run), [(Outcome::Delivered, 60)]);
    let kept = scene.all::<DeliveryRecord>();
    assert!(kept.iter().map(|(_, kept)| &kept.planned.id).eq(&ids));
    assert!(kept.iter().enumerate().all(|(at, (_, kept))| !kept.under_way && kept.attempts == 1 + u32::from(at < 5)));
    assert_eq!(scene.sandbox.seen().deliveries, 60);
}

/// After a kill a newer list would leave the receiver in doubt about what was in flight, or still send the older leads.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_first_settles_what_was_in_flight() {
    let scene = killed_webhook_run().await;
    scene.save("Two").await;
    // Neither resuming nor starting may send both versions.
    let mut events = scene.engine.events();
    scene.call(start("webhook:w")).await;
    let Reply::Count(0) = scene.call(Request::ResumeRuns).await else { panic!("the older run was resumed") };
    let mut ended = Vec::new();
    while ended.len() < 2 {
        match events.recv().await.unwrap() {
            Event::Run(run) if run.state == RunState::Done => ended.push((run.version, counts(&run))),
            _ => {}
        }
    }
    let older = (1, vec![(Outcome::Delivered, 5), (Outcome::Superseded, 55)]);
    assert_eq!(ended, [older, (2, vec![(Outcome::Delivered, 60)])]);
    let seen = scene.sandbox.seen();
    assert_eq!(seen.deliveries, 65);
    assert!(seen.latest.iter().all(|one| one.body.as_str().contains("Two")), "the newest 50 are of version 2");
}

/// A kill between planning and the first request would plan leads twice, or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_cut_off_is_made_again_as_it_was() {
    let scene = killed_webhook_run().await;
    let before: Vec<_> = scene.all::<DeliveryRecord>().into_iter().map(|(_, kept)| kept.planned).collect();
    let mut batch = Batch::new();
    for (key, _) in scene.all::<DeliveryRecord>().into_iter().skip(30) {
        batch.delete::<DeliveryRecord>(key);
    }
    batch.delete_all::<OutcomeBlock>([]);
    scene.engine.0.store.commit(batch).await.unwrap();
    scene.leave(|_, run: &mut RunRecord| run.frozen.as_mut().unwrap().planned = false).await;
    let run = scene.follow(Request::ResumeRuns).await;
    assert_eq!(counts(&run), [(Outcome::Delivered, 60)]);
    let after: Vec<_> = scene.all::<DeliveryRecord>().into_iter().map(|(_, kept)| kept.planned).collect();
    assert_eq!(before, after);
}

/// A contact whose answer never came would be made a second time, or be called failed.
#[tokio::test(flavor = "multi_thread")]
async fn writes_in_flight_are_looked_up_first() {
    let scene = Scene::new().await;
    let connect = messages::ConnectRequest {
        platform: "practice".into(),
        account: String::new(),
        method: Method::Token,
        fields: Default::default(),
        token: Some(Secret::new(format!(" {}\n", scene.sandbox.token()))),
        open_browser: false,
        list_name: String::new(),
        lead_count: 0,
    };
    let mut events = scene.engine.events();
    scene.call(Request::Connect(connect)).await;
    while !matches!(events.recv().await.unwrap(), Event::Changed) {}
    scene.save("One").await;
    let first = scene.follow(start("crm:practice")).await;
    assert_eq!(counts(&first), [(Outcome::Created, 60)]);

    // As if it had been killed while the last ten were being written.
    let scene = scene.restart().await;
    scene
        .leave(|_, block: &mut OutcomeBlock| block.marks[50..].iter_mut().for_each(|mark| *mark = Mark::Sending))
        .await;
    scene.leave(|_, run: &mut RunRecord| (run.summary.state, run.told) = (RunState::Running, 0)).await;
    let run = scene.follow(Request::ResumeRuns).await;
    assert_eq!(run.id, first.id);
    // The practice CRM does not say when a record was made, so these count as updated.
    assert_eq!(counts(&run), [(Outcome::Created, 50), (Outcome::Updated, 10)]);
    let seen = scene.sandbox.seen();
    assert_eq!((seen.contacts, seen.lists[0].members), (60, 60));
}
