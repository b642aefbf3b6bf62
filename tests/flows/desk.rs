//! An engine over a folder of its own, and the practice CRM and receiver beside it: what a front end would do, in short words.

use std::time::Duration;

use leadferry::config::Config;
use leadferry::config::paths::Paths;
use leadferry::engine::Engine;
use leadferry::engine::messages::{ConnectRequest, ConnectionSummary, Event, Reply, Request, SavedList, SignInStep};
use leadferry::events::{AnalyticsEvent, EventName};
use leadferry::failure::Failure;
use leadferry::lead::{Column, Field, Lead, Schema};
use leadferry::list::Provenance;
use leadferry::net;
use leadferry::oauth::Method;
use leadferry::sandbox::{Options, Sandbox};
use leadferry::sync::{Destination, LeadOutcome, Outcome, RunState, RunSummary};
use leadferry::vault::Secret;
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;

/// The list that the tests send.
pub const LIST: &str = "Top Investors";

/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes the answer that a request must have.
macro_rules! answer {
    ($desk:expr, $request:expr, $shape:pat => $value:expr) => {
        match $desk.engine.call($request).await.expect("an answer") {
            $shape => $value,
            other => panic!("another answer: {other:?}"),
        }
    };
}
pub(crate) use answer;

pub struct Desk {
    pub home: TempDir,
    pub sandbox: Option<Sandbox>,
    pub config: Config,
    pub engine: Engine,
    pub http: reqwest::Client,
}

impl Desk {
    /// An engine with the practice CRM and receiver.
    pub async fn practice() -> Desk {
        net::install_provider();
        let home = tempfile::tempdir().expect("a folder");
        let sandbox = Sandbox::start(home.path(), &Options::default()).await.expect("a sandbox");
        let config = sandbox.config();
        Desk::start(home, Some(sandbox), config).await
    }

    /// An engine with these settings, and nobody beside it.
    pub async fn with(settings: &str) -> Desk {
        net::install_provider();
        let config = toml::from_str(settings).expect("settings");
        Desk::start(tempfile::tempdir().expect("a folder"), None, config).await
    }

    async fn start(home: TempDir, sandbox: Option<Sandbox>, config: Config) -> Desk {
        let http = net::client(&config.network).expect("a client");
        let engine = Engine::start(&Paths::under(home.path()), config.clone(), PATIENCE).await.expect("an engine");
        Desk { home, sandbox, config, engine, http }
    }

    /// Ends the engine and starts it again over the same store, as closing and opening the program does.
    pub async fn restart(self) -> Desk {
        self.engine.stop().await;
        Desk::start(self.home, self.sandbox, self.config).await
    }

    pub fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().expect("a sandbox")
    }

    pub async fn refused(&self, request: Request) -> Failure {
        self.engine.call(request).await.expect_err("a refusal")
    }

    pub async fn save(&self, leads: &[Lead]) -> SavedList {
        let provenance = Provenance { source: "lookalike".into(), file: "prospects.csv".into(), filter: String::new() };
        let begin = Request::BeginList { name: LIST.into(), schema: schema(), provenance };
        let draft = answer!(self, begin, Reply::Draft(draft) => draft);
        for block in leads.chunks(1_000) {
            answer!(self, Request::PutBlock { draft, leads: block.to_vec() }, Reply::Done => ());
        }
        answer!(self, Request::CommitList { draft }, Reply::Saved(saved) => saved)
    }

    /// Starts a run of the list as it was last confirmed.
    pub async fn begin(&self, destination: &str) -> RunSummary {
        let request = Request::StartRun { list: LIST.into(), destination: to(destination), settings: None, mode: None };
        answer!(self, request, Reply::Run(run) => run)
    }

    /// Sends the list and waits for the end of the run.
    pub async fn send(&self, destination: &str) -> RunSummary {
        let events = self.engine.events();
        let run = self.begin(destination).await;
        until(events, &run.id, over).await
    }

    /// Carries out a request that starts a run, and waits for the end of the run.
    pub async fn follow(&self, request: Request) -> RunSummary {
        let events = self.engine.events();
        let run = answer!(self, request, Reply::Run(run) => run);
        until(events, &run.id, over).await
    }

    pub async fn run(&self, id: &str) -> (RunSummary, Vec<LeadOutcome>) {
        answer!(self, Request::Run { run: id.into() }, Reply::RunDetail(run, rows) => (run, rows))
    }

    pub async fn events(&self) -> Vec<AnalyticsEvent> {
        answer!(self, Request::Events { limit: 100 }, Reply::Events(events) => events)
    }

    /// The events of this name, as platform, leads and list, newest first.
    pub async fn events_of(&self, name: EventName) -> Vec<(String, u64, String)> {
        let all = self.events().await.into_iter().filter(|event| event.event == name);
        all.map(|event| (event.platform, event.lead_count, event.list_name)).collect()
    }

    pub async fn connections(&self) -> Vec<ConnectionSummary> {
        answer!(self, Request::Connections, Reply::Connections(all) => all)
    }

    /// Starts a sign-in; its steps come out of the receiver.
    pub async fn begin_sign_in(&self, wish: ConnectRequest) -> (u64, Receiver<Event>) {
        let events = self.engine.events();
        (answer!(self, Request::Connect(wish), Reply::SignIn(number) => number), events)
    }

    /// Signs in to the practice CRM by its token.
    pub async fn connect(&self) -> ConnectionSummary {
        let mut wish = wish("practice", Method::Token);
        wish.token = Some(Secret::new(self.sandbox().token()));
        let (number, mut events) = self.begin_sign_in(wish).await;
        connected(number, &mut events).await.expect("a connection")
    }
}

pub fn wish(platform: &str, method: Method) -> ConnectRequest {
    ConnectRequest {
        platform: platform.into(),
        account: String::new(),
        method,
        fields: Default::default(),
        token: None,
        open_browser: false,
        list_name: LIST.into(),
        lead_count: 3,
    }
}

pub fn to(destination: &str) -> Destination {
    destination.parse().expect("a destination")
}

/// The next step of a sign-in.
pub async fn step(number: u64, events: &mut Receiver<Event>) -> SignInStep {
    loop {
        let event = tokio::time::timeout(PATIENCE, events.recv()).await.expect("a step in time").expect("a step");
        if let Event::SignIn { sign_in, step } = event
            && sign_in == number
        {
            return step;
        }
    }
}

/// The end of a sign-in.
pub async fn connected(number: u64, events: &mut Receiver<Event>) -> Result<ConnectionSummary, Failure> {
    loop {
        match step(number, events).await {
            SignInStep::Connected(connection) => return Ok(connection),
            SignInStep::Failed(failure) => return Err(failure),
            _ => {}
        }
    }
}

/// Whether a run has come to its end, or to what only a person can mend.
pub fn over(run: &RunSummary) -> bool {
    matches!(run.state, RunState::Done | RunState::Stopped | RunState::Cancelled)
}

/// Follows a run until it stands like this.
pub async fn until(mut events: Receiver<Event>, id: &str, fits: impl Fn(&RunSummary) -> bool) -> RunSummary {
    loop {
        let event = tokio::time::timeout(PATIENCE, events.recv()).await.expect("news in time").expect("news");
        if let Event::Run(run) = event
            && run.id == id
            && fits(&run)
        {
            return run;
        }
    }
}

/// How many leads ended how; without those that are none.
pub fn counts(run: &RunSummary) -> Vec<(Outcome, u64)> {
    run.counts.iter().filter(|(_, count)| **count > 0).map(|(outcome, count)| (*outcome, *count)).collect()
}

pub fn schema() -> Schema {
    let fields = [Field::Id, Field::FirstName, Field::LastName, Field::Email, Field::Company, Field::Score];
    Schema { columns: fields.map(|field| Column { header: field.name().into(), field: Some(field) }).into() }
}

/// A lead like no other number's.
pub fn lead(number: usize) -> Lead {
    let cells = [
        format!("L{number}"),
        "Dana".into(),
        format!("Whitfield{number}"),
        format!("dana{number}@example.com"),
        format!("Whitfield & Sons {number}"),
        format!("{}", number % 100),
    ];
    Lead { cells: cells.into() }
}

pub fn leads(count: usize) -> Vec<Lead> {
    (1..=count).map(lead).collect()
}

/// The lead with another value in one of its cells.
pub fn with(mut lead: Lead, field: Field, value: &str) -> Lead {
    let at = schema().position(field).expect("a column");
    lead.cells[at] = value.into();
    lead
}
