//! A queue against an endpoint that misbehaves by script, on a clock that only moves when everything sleeps.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{HeaderMap, StatusCode};

use super::*;
use crate::vault::Secret;
use crate::webhook::plan::Planned;
use crate::webhook::send::{Answer, Trouble};
use crate::webhook::signature;

/// One thing that happened, as the disk and the wire saw it.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Started(String, u32),
    Sent(String, u64),
    Ended(String, Outcome, Option<Timestamp>),
    Halted(WebhookState),
}

#[derive(Default)]
struct World {
    seen: Mutex<Vec<Seen>>,
    /// Status (0 = cut) and `Retry-After` per request; an empty script answers 200.
    script: Mutex<VecDeque<(u16, Option<&'static str>)>>,
    under_way: AtomicUsize,
    most: AtomicUsize,
    slow: Duration,
    log_fails: Option<Code>,
    other_body: bool,
    reasons: Mutex<HashMap<String, String>>,
    born: Mutex<Option<Instant>>,
}

impl World {
    fn scripted(script: &[(u16, Option<&'static str>)]) -> World {
        World { script: Mutex::new(script.iter().copied().collect()), ..World::default() }
    }

    fn note(&self, seen: Seen) {
        self.seen.lock().unwrap().push(seen);
    }

    fn seconds(&self) -> u64 {
        self.born.lock().unwrap().unwrap().elapsed().as_secs()
    }

    fn sent(&self) -> Vec<(String, u64)> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter_map(|seen| if let Seen::Sent(id, at) = seen { Some((id.clone(), *at)) } else { None })
            .collect()
    }

    fn outcome(&self, id: &str) -> Option<Outcome> {
        let seen = self.seen.lock().unwrap();
        seen.iter().rev().find_map(|seen| match seen {
            Seen::Ended(own, outcome, _) if own == id => Some(*outcome),
            _ => None,
        })
    }
}

#[async_trait]
impl Wire for World {
    async fn send(&self, request: &Request) -> Attempt {
        let id = request.headers["webhook-id"].to_str().unwrap().to_owned();
        let started = self.seen.lock().unwrap().iter().any(|seen| matches!(seen, Seen::Started(own, _) if *own == id));
        assert!(started, "sent before it was marked");
        self.note(Seen::Sent(id, self.seconds()));
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(self.slow).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        let (status, retry_after) = self.script.lock().unwrap().pop_front().unwrap_or((200, None));
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert("retry-after", value.parse().unwrap());
        }
        let answer = StatusCode::from_u16(status).map(|status| Answer {
            status,
            headers,
            body: Vec::new(),
            cut: None,
            address: None,
        });
        Attempt { ms: 1, result: answer.map_err(|_| Trouble::Broken("cut.".into())) }
    }
}

#[async_trait]
impl QueueLog for World {
    async fn body(&self, planned: &Planned) -> Result<Vec<u8>, Failure> {
        match self.log_fails {
            Some(code) => Err(Failure::new(code, "The disk is full.", "")),
            None if self.other_body => Ok(b"other".to_vec()),
            None => Ok(planned.id.clone().into_bytes()),
        }
    }

    async fn started(&self, id: &str, attempts: u32, _: Timestamp) -> Result<(), Failure> {
        self.note(Seen::Started(id.into(), attempts));
        Ok(())
    }

    async fn ended(&self, planned: &Planned, progress: &Progress) -> Result<(), Failure> {
        self.reasons.lock().unwrap().insert(planned.id.clone(), progress.reason.clone());
        self.note(Seen::Ended(planned.id.clone(), progress.outcome, progress.next_try));
        Ok(())
    }

    async fn halted(&self, state: WebhookState, _: &str) -> Result<(), Failure> {
        self.note(Seen::Halted(state));
        Ok(())
    }
}

fn pending(number: u32) -> Pending {
    let id = format!("msg_{number}");
    let hash = template::hash(id.as_bytes());
    Pending { planned: Planned { id, positions: vec![number.into()], hash }, attempts: 0, due: None }
}

fn start() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

struct Run {
    world: Arc<World>,
    retry: Vec<u64>,
    concurrency: usize,
    patience: Option<Duration>,
    stop: CancellationToken,
}

impl Run {
    fn new(world: World) -> Run {
        let stop = CancellationToken::new();
        Run { world: Arc::new(world), retry: vec![5, 60], concurrency: 4, patience: None, stop }
    }

    fn worker(&self) -> Worker {
        let born = Instant::now();
        *self.world.born.lock().unwrap() = Some(born);
        let clock: Clock = Arc::new(move || later(start(), born.elapsed()));
        let spec =
            WebhookSpec { url: "https://hooks.test/".into(), retry: self.retry.clone(), ..WebhookSpec::default() };
        let keys = vec![SigningKey::parse(&Secret::new(signature::generate().unwrap().expose())).unwrap()];
        let endpoint = Endpoint { spec, keys, concurrency: self.concurrency };
        Worker::new(endpoint, self.world.clone(), self.world.clone()).with_time(clock, Arc::new(|| 0.0))
    }

    async fn of(&self, deliveries: impl IntoIterator<Item = Pending>) -> Result<Ended, Failure> {
        let worker = self.worker();
        let deliveries: Vec<Pending> = deliveries.into_iter().collect();
        let (give, take) = mpsc::channel(deliveries.len().max(1));
        for pending in deliveries {
            give.send(pending).await.unwrap();
        }
        drop(give);
        worker.run(take, self.patience, self.stop.clone()).await
    }
}

fn at(seconds: u64) -> Timestamp {
    later(start(), Duration::from_secs(seconds))
}

#[tokio::test(start_paused = true)]
async fn everything_is_sent_once_and_never_more_at_once_than_allowed() {
    let run = Run::new(World { slow: Duration::from_millis(50), ..World::default() });
    assert_eq!(run.of((0..50).map(pending)).await, Ok(Ended::Settled));
    assert_eq!(run.world.sent().len(), 50);
    assert_eq!(run.world.most.load(Ordering::SeqCst), 4);
    assert!((0..50).all(|number| run.world.outcome(&format!("msg_{number}")) == Some(Outcome::Delivered)));
}

#[tokio::test(start_paused = true)]
async fn what_failed_comes_again_by_the_schedule_and_is_parked_at_its_end() {
    let run = Run::new(World::scripted(&[(500, None), (0, None), (500, None)]));
    assert_eq!(run.of([pending(1)]).await, Ok(Ended::Settled));
    let times: Vec<u64> = run.world.sent().into_iter().map(|(_, at)| at).collect();
    assert_eq!(times, [0, 5, 65]);
    assert_eq!(run.world.outcome("msg_1"), Some(Outcome::Parked));
    let reason = run.world.reasons.lock().unwrap()["msg_1"].clone();
    assert!(reason.starts_with("Given up after 3 attempts"), "{reason}");
    let started: Vec<Seen> =
        run.world.seen.lock().unwrap().iter().filter(|seen| matches!(seen, Seen::Started(..))).cloned().collect();
    assert_eq!(started[2], Seen::Started("msg_1".into(), 3));
}

#[tokio::test(start_paused = true)]
async fn a_busy_endpoint_is_left_alone_as_a_whole_for_as_long_as_it_asks() {
    let run = Run { concurrency: 1, ..Run::new(World::scripted(&[(429, Some("120"))])) };
    assert_eq!(run.of((0..10).map(pending)).await, Ok(Ended::Settled));
    let sent = run.world.sent();
    assert_eq!(sent[0].1, 0);
    assert!(sent[1..].iter().all(|(_, at)| *at >= 120), "{sent:?}");
    assert_eq!(sent.len(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_ends_the_run_with_the_time_of_the_next_try() {
    let patience = Some(Duration::from_secs(60));
    let run = Run { patience, retry: vec![300], ..Run::new(World::scripted(&[(500, None)])) };
    assert_eq!(run.of([pending(1), pending(2)]).await, Ok(Ended::Waiting(at(300))));
    assert_eq!(run.world.outcome("msg_2"), Some(Outcome::Delivered));
    // A short one is waited for.
    let run = Run { patience, ..Run::new(World::scripted(&[(500, None)])) };
    assert_eq!(run.of([pending(1)]).await, Ok(Ended::Settled));
    // Also when more deliveries would come, but the endpoint asked for hours.
    let run = Run { patience, ..Run::new(World::scripted(&[(503, Some("7200"))])) };
    let worker = run.worker();
    let (give, take) = mpsc::channel(1);
    give.send(pending(1)).await.unwrap();
    assert_eq!(worker.run(take, patience, run.stop.clone()).await, Ok(Ended::Waiting(at(7_200))));
}

#[tokio::test(start_paused = true)]
async fn new_deliveries_flow_while_an_old_one_waits() {
    let run = Run { retry: vec![3_600], ..Run::new(World::scripted(&[(503, None)])) };
    let worker = run.worker();
    let (give, take) = mpsc::channel(10);
    for number in 0..3 {
        give.send(pending(number)).await.unwrap();
    }
    let feeder = async {
        tokio::time::sleep(Duration::from_secs(100)).await;
        give.send(pending(3)).await.unwrap();
        drop(give);
    };
    let (ended, ()) = tokio::join!(worker.run(take, None, run.stop.clone()), feeder);
    assert_eq!(ended, Ok(Ended::Settled));
    let sent = run.world.sent();
    let time = |id: &str| sent.iter().rev().find(|(own, _)| own == id).map(|(_, at)| *at);
    assert_eq!(time("msg_3"), Some(100));
    assert_eq!(time("msg_0"), Some(3_600));
}

#[tokio::test(start_paused = true)]
async fn a_lost_credential_pauses_and_loses_nothing() {
    let run = Run { concurrency: 2, ..Run::new(World::scripted(&[(401, None), (401, None)])) };
    let ended = run.of((0..10).map(pending)).await.unwrap();
    let Ended::Halted(WebhookState::Paused, reason) = ended else { panic!("{ended:?}") };
    assert!(reason.contains("401 Unauthorized"), "{reason}");
    assert_eq!(run.world.sent().len(), 2, "nothing is sent after the pause");
    assert_eq!(run.world.outcome("msg_0"), Some(Outcome::Pending));
    let halts = run.world.seen.lock().unwrap().iter().filter(|seen| matches!(seen, Seen::Halted(_))).count();
    assert_eq!(halts, 1, "said once");
}

#[tokio::test(start_paused = true)]
async fn gone_disables_and_a_bad_lead_parks_alone() {
    let run = Run { concurrency: 1, ..Run::new(World::scripted(&[(422, None), (200, None), (410, None)])) };
    let ended = run.of((0..5).map(pending)).await.unwrap();
    assert!(matches!(ended, Ended::Halted(WebhookState::Disabled, _)), "{ended:?}");
    assert_eq!(run.world.outcome("msg_0"), Some(Outcome::Parked));
    assert_eq!(run.world.outcome("msg_1"), Some(Outcome::Delivered));
    assert_eq!(run.world.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_changed_is_not_sent_under_the_old_id() {
    let run = Run::new(World { other_body: true, ..World::default() });
    assert_eq!(run.of([pending(1)]).await, Ok(Ended::Settled));
    assert_eq!(run.world.sent(), []);
    assert_eq!(run.world.outcome("msg_1"), Some(Outcome::Parked));
}

#[tokio::test(start_paused = true)]
async fn without_its_disk_the_queue_sends_nothing_and_a_missing_list_parks() {
    let run = Run::new(World { log_fails: Some(Code::Store), ..World::default() });
    assert_eq!(run.of((0..9).map(pending)).await.unwrap_err().message, "The disk is full.");
    assert_eq!(run.world.sent(), []);
    let run = Run::new(World { log_fails: Some(Code::NotFound), ..World::default() });
    assert_eq!(run.of([pending(1)]).await, Ok(Ended::Settled));
    assert_eq!(run.world.outcome("msg_1"), Some(Outcome::Parked));
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_what_is_under_way_end_but_not_for_long() {
    for (slow, delivered) in [(3, 4), (60, 0)] {
        let run = Run::new(World { slow: Duration::from_secs(slow), ..World::default() });
        let stop = run.stop.clone();
        let stopper = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            stop.cancel();
        };
        let (ended, ()) = tokio::join!(run.of((0..20).map(pending)), stopper);
        assert_eq!(ended, Ok(Ended::Stopped));
        let settled = (0..20).filter(|number| run.world.outcome(&format!("msg_{number}")).is_some()).count();
        assert_eq!(settled, delivered);
        assert_eq!(run.world.sent().len(), 4, "nothing new after the stop");
        assert!(run.world.seconds() <= 11);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_from_before_a_restart_keeps_its_count_and_its_time() {
    let run = Run::new(World::scripted(&[(500, None)]));
    let old = Pending { attempts: 2, due: Some(at(40)), ..pending(1) };
    assert_eq!(run.of([old]).await, Ok(Ended::Settled));
    assert_eq!(run.world.sent(), [("msg_1".to_owned(), 40)]);
    assert_eq!(run.world.outcome("msg_1"), Some(Outcome::Parked), "the third attempt was the last");
}
