//! Runs against a vendor in memory that misbehaves on command, on a clock that only sleeping moves.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use super::*;
use crate::config::{Network, Rate};
use crate::crm::api::Access;
use crate::crm::call::ApiReply;
use crate::crm::credentials::FixedToken;
use crate::crm::limiter::Limiter;
use crate::crm::{Account, Found, MatchBy, MatchKey, Outgoing, RemoteField, Spec, Write, Written, registry};
use crate::lead::{Column, Field, Lead};
use crate::sync::journal::{MemoryJournal, Standing};
use crate::sync::{MappingRow, Mode};
use crate::vault::Secret;

/// What the vendor does to the next write.
#[derive(Clone, Debug)]
enum Mishap {
    /// Nothing is written, and this is answered.
    Says(TroubleKind),
    /// All is written, and the answer is lost.
    LosesTheAnswer,
    /// All is written, and the answer leaves everybody out.
    IsSilent,
    /// Nothing is written, and everybody is asked for again.
    WantsThemAgain,
}

struct Record {
    id: String,
    values: Vec<(String, String)>,
    created: Timestamp,
    shows: Instant,
}

/// A vendor without an upsert: whoever creates twice has a double.
#[derive(Default)]
struct Vendor {
    records: Vec<Record>,
    members: BTreeSet<String>,
    mishaps: VecDeque<Mishap>,
    writes: Vec<usize>,
    poison: Option<String>,
}

struct Memory {
    spec: &'static Spec,
    state: Mutex<Vendor>,
    began: Instant,
    refuses_members: bool,
}

const START: Timestamp = Timestamp::constant(1_790_000_000, 0);

impl Memory {
    fn make(index_lag: u32, refuses_members: bool) -> &'static Memory {
        let usual = registry::by_id("salesforce").unwrap().spec();
        let spec = Spec { name: "Memory", batch: 4, find_batch: 3, group_batch: 5, index_lag, ..*usual };
        let (spec, state) = (Box::leak(Box::new(spec)), Mutex::default());
        Box::leak(Box::new(Memory { spec, state, began: Instant::now(), refuses_members }))
    }

    fn now(&self) -> Timestamp {
        START + SignedDuration::try_from(self.began.elapsed()).unwrap()
    }

    fn seed(&self, email: &str, name: &str) {
        let values = vec![("Email".into(), email.into()), ("LastName".into(), name.into())];
        let mut state = self.state.lock().unwrap();
        let id = format!("r{}", state.records.len());
        let created = START - SignedDuration::from_hours(24);
        state.records.push(Record { id, values, created, shows: self.began });
    }

    fn emails(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let mut emails: Vec<String> = state.records.iter().map(|record| record.values[0].1.clone()).collect();
        emails.sort();
        emails
    }

    fn write_one(&self, state: &mut Vendor, lead: &Outgoing, write: &Write) -> Written {
        let (id, outcome) = match write {
            Write::Update { id } => (id.clone(), Outcome::Updated),
            Write::Create | Write::Upsert => {
                let id = format!("r{}", state.records.len());
                let shows = Instant::now() + Duration::from_secs(self.spec.index_lag.into());
                state.records.push(Record { id: id.clone(), values: vec![], created: self.now(), shows });
                (id, Outcome::Created)
            }
        };
        if let Some(record) = state.records.iter_mut().find(|record| record.id == id) {
            record.values = lead.values.clone();
        }
        Written { outcome, remote_id: id, reason: String::new(), next_step: String::new() }
    }
}

fn trouble(kind: TroubleKind) -> Trouble {
    Trouble { kind, message: "the vendor's words".into(), next_step: "the next step".into() }
}

#[async_trait::async_trait]
impl Crm for Memory {
    fn spec(&self) -> &'static Spec {
        self.spec
    }

    fn classify(&self, _reply: &ApiReply) -> Option<Trouble> {
        None
    }

    async fn who_am_i(&self, _api: &Api) -> Result<Account, Trouble> {
        Ok(Account::default())
    }

    async fn survey(&self, _api: &Api) -> Result<Survey, Trouble> {
        let field = |name: &str, required| RemoteField { name: name.into(), required, ..RemoteField::default() };
        let fields = vec![field("Email", false), field("LastName", true)];
        Ok(Survey { fields, key: MatchKey::LookUp("Email".into()), by: MatchBy::Email })
    }

    async fn find(&self, _api: &Api, _survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
        assert!(leads.len() <= self.spec.find_batch);
        let state = self.state.lock().unwrap();
        let found = |lead: &Outgoing| {
            let shown = state.records.iter().filter(|record| record.shows <= Instant::now());
            let mut matching: Vec<_> = shown.filter(|record| record.values[0].1 == lead.email).collect();
            match matching.len() {
                0 => Found::None,
                1 => {
                    let record = matching.remove(0);
                    let (id, values) = (record.id.clone(), record.values.clone());
                    Found::One { id, values, created: Some(record.created) }
                }
                _ => Found::Several(matching.into_iter().map(|record| record.id.clone()).collect()),
            }
        };
        Ok(leads.iter().map(found).collect())
    }

    async fn write(&self, _api: &Api, _survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
        assert!(leads.len() <= self.spec.batch);
        let mut state = self.state.lock().unwrap();
        state.writes.push(leads.len());
        if let Some(poison) = &state.poison
            && leads.iter().any(|(lead, _)| lead.email == *poison)
        {
            return Err(trouble(if poison.starts_with("bad") { TroubleKind::Refused } else { TroubleKind::Unclear }));
        }
        let mishap = state.mishaps.pop_front();
        let again =
            |outcome| Written { outcome, remote_id: String::new(), reason: "later".into(), next_step: String::new() };
        match mishap {
            Some(Mishap::Says(kind)) => return Err(trouble(kind)),
            Some(Mishap::WantsThemAgain) => return Ok(leads.iter().map(|_| again(Outcome::Pending)).collect()),
            _ => {}
        }
        let written = leads.iter().map(|(lead, write)| self.write_one(&mut state, lead, write)).collect();
        match mishap {
            Some(Mishap::LosesTheAnswer) => Err(trouble(TroubleKind::Unclear)),
            Some(Mishap::IsSilent) => Ok(leads.iter().map(|_| again(Outcome::Unknown)).collect()),
            _ => Ok(written),
        }
    }

    async fn open_group(&self, _api: &Api, name: &str) -> Result<String, Trouble> {
        Ok(name.to_owned())
    }

    async fn add_to_group(&self, _api: &Api, _group: &str, ids: &[String]) -> Result<Vec<(String, String)>, Trouble> {
        assert!(ids.len() <= self.spec.group_batch);
        if self.refuses_members {
            return Ok(vec![(ids[0].clone(), "is full".to_owned())]);
        }
        self.state.lock().unwrap().members.extend(ids.iter().cloned());
        Ok(Vec::new())
    }

    fn calls(&self, _survey: &Survey, _leads: u64, _grouped: bool) -> u64 {
        0
    }
}

/// A journal whose process dies after so many of its calls.
struct Mortal<'a> {
    journal: &'a MemoryJournal,
    left: AtomicI64,
}

impl Mortal<'_> {
    fn live(&self) -> Result<(), Failure> {
        let alive = self.left.fetch_sub(1, Ordering::Relaxed) > 0;
        if alive { Ok(()) } else { Err(Failure::new(Code::Store, "killed", "")) }
    }
}

#[async_trait::async_trait]
impl Journal for Mortal<'_> {
    async fn leads(&self, from: u64) -> Result<Vec<(String, Lead)>, Failure> {
        self.live()?;
        self.journal.leads(from).await
    }
    async fn standings(&self, from: u64, count: usize) -> Result<Vec<Standing>, Failure> {
        self.live()?;
        self.journal.standings(from, count).await
    }
    async fn sending(&self, positions: &[u64]) -> Result<(), Failure> {
        self.live()?;
        self.journal.sending(positions).await
    }
    async fn settled(&self, outcomes: &[LeadOutcome]) -> Result<(), Failure> {
        self.live()?;
        self.journal.settled(outcomes).await
    }
    async fn grouped_before(&self) -> Result<u64, Failure> {
        self.live()?;
        self.journal.grouped_before().await
    }
    async fn set_grouped_before(&self, position: u64) -> Result<(), Failure> {
        self.live()?;
        self.journal.set_grouped_before(position).await
    }
}

fn lead(number: usize) -> (String, Lead) {
    (format!("id:{number}"), Lead { cells: vec![format!("p{number:02}@x.test"), format!("Name{number}")] })
}

fn order(leads: u64, mode: Mode) -> Order {
    let column = |field: Field| Column { header: field.name().into(), field: Some(field) };
    let row = |from: &str, to: &str| MappingRow { from: from.into(), to: to.into() };
    let mapping = vec![row("email", "Email"), row("last_name", "LastName")];
    Order {
        id: "r".into(),
        list: "Top".into(),
        version: 1,
        schema: Schema { columns: [Field::Email, Field::LastName].map(column).into() },
        leads,
        destination: "crm:memory".parse().unwrap(),
        settings: Settings { mode, mapping, group: "Top".into() },
        started: START,
    }
}

async fn run_with(
    crm: &'static Memory,
    order: &Order,
    journal: &dyn Journal,
    cancel: CancellationToken,
) -> Vec<RunSummary> {
    crate::net::install_provider();
    let base = url::Url::parse("http://127.0.0.1:9/").unwrap();
    let access = Access { base, fields: BTreeMap::new(), token: serde_json::Map::new() };
    let limiter = Arc::new(Limiter::new(Rate { calls: 1, seconds: 1 }));
    let http = crate::net::client(&Network::default()).unwrap();
    let api = Api::new(crm, http, access, Arc::new(FixedToken(Secret::new("t"))), limiter);
    let seen = Mutex::new(Vec::new());
    let progress = |summary: &RunSummary| seen.lock().unwrap().push(summary.clone());
    let (now, jitter) = (Arc::new(move || crm.now()), Arc::new(|| 1.0));
    let run = carry_out(order, Tools { api: &api, journal, progress: &progress, cancel, now, jitter });
    // The engine makes a task of it.
    let run: std::pin::Pin<Box<dyn Future<Output = RunSummary> + Send>> = Box::pin(run);
    run.await;
    seen.into_inner().unwrap()
}

/// Runs these leads to the end; answers the last summary and the outcomes.
async fn run(crm: &'static Memory, leads: Vec<(String, Lead)>, mode: Mode) -> (RunSummary, BTreeMap<u64, LeadOutcome>) {
    let order = order(leads.len() as u64, mode);
    let journal = MemoryJournal::new(leads);
    let seen = run_with(crm, &order, &journal, CancellationToken::new()).await;
    (seen.last().unwrap().clone(), journal.outcomes())
}

fn expected_emails(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("p{number:02}@x.test")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_run_killed_anywhere_goes_on_without_a_double_or_a_gap() {
    for steps in 0.. {
        let crm = Memory::make(3, false);
        // Among the deaths are those right after a write whose answer nobody kept.
        crm.state.lock().unwrap().mishaps.extend([Mishap::LosesTheAnswer, Mishap::Says(TroubleKind::Vendor)]);
        let journal = MemoryJournal::new((0..11).map(lead).collect());
        let order = order(11, Mode::Upsert);
        let mortal = Mortal { journal: &journal, left: AtomicI64::new(steps) };
        let first = run_with(crm, &order, &mortal, CancellationToken::new()).await;
        let survived = first.last().unwrap().state == RunState::Done;
        let last = run_with(crm, &order, &journal, CancellationToken::new()).await.pop().unwrap();
        assert_eq!(
            (last.state, last.count(Outcome::Created), last.count(Outcome::Pending)),
            (RunState::Done, 11, 0),
            "{steps}"
        );
        assert_eq!(crm.emails(), expected_emails(11), "killed after {steps} steps");
        assert_eq!(crm.state.lock().unwrap().members.len(), 11, "killed after {steps} steps");
        if survived {
            assert!(steps > 10);
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_up_for_as_long_as_the_vendor_may_hide_new_records() {
    let crm = Memory::make(20, false);
    crm.state.lock().unwrap().mishaps.push_back(Mishap::LosesTheAnswer);
    let (summary, _) = run(crm, (0..6).map(lead).collect(), Mode::Upsert).await;
    assert_eq!(summary.count(Outcome::Created), 6, "{:?}", summary.counts);
    assert_eq!(crm.emails(), expected_emails(6));
}

#[tokio::test(start_paused = true)]
async fn records_are_changed_left_or_skipped_as_the_mode_says() {
    let seeded = || {
        let crm = Memory::make(0, false);
        crm.seed("p00@x.test", "Name0");
        crm.seed("p01@x.test", "Old");
        crm
    };
    let counts = |summary: &RunSummary| {
        [Outcome::Created, Outcome::Updated, Outcome::Unchanged, Outcome::Skipped].map(|outcome| summary.count(outcome))
    };
    let three = || (0..3).map(lead).collect();
    assert_eq!(counts(&run(seeded(), three(), Mode::Upsert).await.0), [1, 1, 1, 0]);
    assert_eq!(counts(&run(seeded(), three(), Mode::Create).await.0), [1, 0, 1, 1]);
    assert_eq!(counts(&run(seeded(), three(), Mode::Update).await.0), [0, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn several_matches_are_reported_and_not_written() {
    let crm = Memory::make(0, false);
    crm.seed("p00@x.test", "One");
    crm.seed("p00@x.test", "Two");
    let (_, outcomes) = run(crm, vec![lead(0)], Mode::Upsert).await;
    assert_eq!(outcomes[&0].outcome, Outcome::Failed);
    assert!(
        outcomes[&0].reason.contains("2 records") && outcomes[&0].next_step.contains("Merge"),
        "{:?}",
        outcomes[&0]
    );
    assert!(crm.state.lock().unwrap().writes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_bad_lead_does_not_lose_the_good_ones() {
    for poison in ["bad@x.test", "worse@x.test"] {
        let crm = Memory::make(0, false);
        crm.state.lock().unwrap().poison = Some(poison.into());
        let mut leads: Vec<_> = (0..7).map(lead).collect();
        leads[2].1.cells[0] = poison.into();
        let (summary, outcomes) = run(crm, leads, Mode::Upsert).await;
        assert_eq!((summary.count(Outcome::Created), summary.count(Outcome::Failed)), (6, 1), "{poison}");
        assert_eq!(
            (outcomes[&2].reason.as_str(), outcomes[&2].next_step.as_str()),
            ("the vendor's words", "the next step")
        );
        assert_eq!(crm.emails().len(), 6);
    }
}

#[tokio::test(start_paused = true)]
async fn leads_that_the_vendor_wants_again_are_sent_again_and_not_for_ever() {
    let crm = Memory::make(0, false);
    crm.state.lock().unwrap().mishaps.push_back(Mishap::WantsThemAgain);
    assert_eq!(run(crm, (0..4).map(lead).collect(), Mode::Upsert).await.0.count(Outcome::Created), 4);
    let crm = Memory::make(0, false);
    crm.state.lock().unwrap().mishaps.extend(vec![Mishap::WantsThemAgain; 20]);
    let (summary, outcomes) = run(crm, (0..4).map(lead).collect(), Mode::Upsert).await;
    assert_eq!((summary.count(Outcome::Failed), outcomes[&0].reason.as_str()), (4, "later"));
}

#[tokio::test(start_paused = true)]
async fn leads_that_an_answer_leaves_out_are_looked_up() {
    let crm = Memory::make(0, false);
    crm.state.lock().unwrap().mishaps.push_back(Mishap::IsSilent);
    assert_eq!(run(crm, (0..4).map(lead).collect(), Mode::Upsert).await.0.count(Outcome::Created), 4);
    assert_eq!(crm.emails(), expected_emails(4));
}

#[tokio::test(start_paused = true)]
async fn trouble_that_passes_is_waited_for_visibly_and_what_does_not_stops_the_run() {
    let crm = Memory::make(0, false);
    let until = START + SignedDuration::from_hours(5);
    let passing = [
        TroubleKind::Vendor,
        TroubleKind::Busy { retry_after: Some(30) },
        TroubleKind::Quota { until: Some(until) },
        TroubleKind::Blocked,
    ];
    crm.state.lock().unwrap().mishaps.extend(passing.map(Mishap::Says));
    let (order, journal) = (order(2, Mode::Upsert), MemoryJournal::new((0..2).map(lead).collect()));
    let seen = run_with(crm, &order, &journal, CancellationToken::new()).await;
    let waits: Vec<_> = seen.iter().filter(|summary| summary.state == RunState::Waiting).collect();
    assert_eq!(waits.len(), 4);
    assert_eq!(waits[2].next_try, Some(until));
    assert!(
        waits.iter().all(|wait| wait.trouble.as_ref().is_some_and(|trouble| trouble.message == "the vendor's words"))
    );
    assert_eq!(seen.last().unwrap().count(Outcome::Created), 2);

    for (kind, code) in [
        (TroubleKind::Credentials, Code::SignInNeeded),
        (TroubleKind::Permission, Code::Forbidden),
        (TroubleKind::Plan, Code::Forbidden),
    ] {
        let crm = Memory::make(0, false);
        crm.state.lock().unwrap().mishaps.push_back(Mishap::Says(kind));
        let (summary, outcomes) = run(crm, (0..2).map(lead).collect(), Mode::Upsert).await;
        assert_eq!((summary.state, summary.trouble.map(|trouble| trouble.code)), (RunState::Stopped, Some(code)));
        assert!(outcomes.is_empty(), "they wait for the person");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_can_be_broken_off_and_the_run_taken_up_again() {
    let crm = Memory::make(0, false);
    crm.state.lock().unwrap().mishaps.push_back(Mishap::Says(TroubleKind::Quota { until: None }));
    let (order, journal) = (order(2, Mode::Upsert), MemoryJournal::new((0..2).map(lead).collect()));
    let cancel = CancellationToken::new();
    let breaking_off = async {
        tokio::time::sleep(Duration::from_secs(90)).await;
        cancel.cancel();
    };
    let (seen, ()) = tokio::join!(run_with(crm, &order, &journal, cancel.clone()), breaking_off);
    assert_eq!(seen.last().unwrap().state, RunState::Cancelled);
    assert!(crm.began.elapsed() < Duration::from_secs(91));
    let last = run_with(crm, &order, &journal, CancellationToken::new()).await.pop().unwrap();
    assert_eq!((last.state, last.count(Outcome::Created)), (RunState::Done, 2));
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_the_group_refuses_is_written_and_told() {
    let crm = Memory::make(0, true);
    let (summary, outcomes) = run(crm, (0..3).map(lead).collect(), Mode::Upsert).await;
    assert_eq!(summary.count(Outcome::Created), 3);
    assert_eq!(outcomes[&0].outcome, Outcome::Created);
    assert_eq!(outcomes[&0].reason, "Written, but not added to the Campaign: is full");
}

#[tokio::test(start_paused = true)]
async fn the_second_of_two_equal_leads_is_skipped_by_name() {
    let crm = Memory::make(0, false);
    let mut leads: Vec<_> = (0..3).map(lead).collect();
    leads[2].1.cells[0] = " P00@X.test".into();
    let (summary, outcomes) = run(crm, leads, Mode::Upsert).await;
    assert_eq!((summary.count(Outcome::Created), summary.count(Outcome::Skipped)), (2, 1));
    assert_eq!(outcomes[&2].reason, "Same key or e-mail as lead 1 of this list");
}
