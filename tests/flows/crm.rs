//! Runs to the practice CRM.

use leadferry::engine::messages::{Reply, Request};
use leadferry::events::EventName;
use leadferry::lead::Field;
use leadferry::sync::{Mode, Outcome, RunState};

use super::desk::{Desk, LIST, answer, counts, lead, leads, over, to, until, with};

fn synced(leads: u64) -> (String, u64, String) {
    ("practice".into(), leads, LIST.into())
}

/// Leads would be lost, doubled or counted wrongly; or the events would not say what happened.
#[tokio::test(flavor = "multi_thread")]
async fn every_lead_gets_its_outcome_and_a_second_run_changes_nothing() {
    let desk = Desk::practice().await;
    desk.connect().await;
    desk.save(&leads(300)).await;
    let plan =
        answer!(desk, Request::Plan { list: LIST.into(), destination: to("crm:practice") }, Reply::Plan(plan) => plan);
    // The fields, six fifties, the list, its members.
    assert_eq!((plan.leads, plan.calls, plan.warnings.clone()), (300, 1 + 6 + 1 + 1, vec![]));
    assert_eq!((plan.grouping.as_str(), plan.settings.group.as_str()), ("list", LIST));

    let run = desk.send("crm:practice").await;
    assert_eq!((run.state, counts(&run)), (RunState::Done, vec![(Outcome::Created, 300)]));
    assert!(run.ended.is_some());
    let seen = desk.sandbox().seen();
    assert_eq!((seen.contacts, seen.lists[0].members), (300, 300));
    assert_eq!(seen.lists[0].name.as_str(), LIST);

    let again = desk.send("crm:practice").await;
    assert_ne!(again.id, run.id);
    assert_eq!(counts(&again), [(Outcome::Unchanged, 300)]);
    assert_eq!(desk.sandbox().seen().contacts, 300);
    assert_eq!(desk.events_of(EventName::LeadsSynced).await, [synced(300), synced(300)]);
    assert!(desk.connections().await[0].last_sync.is_some());

    // A new version with everything that can become of a lead.
    let mut second = leads(300);
    second[0] = with(lead(1), Field::Company, "Another Name");
    second[1] = with(lead(2), Field::LastName, "");
    second[2] = with(lead(3), Field::Email, "not an address");
    second.push(with(lead(301), Field::Email, "dana4@example.com"));
    second.push(lead(302));
    assert_eq!(desk.save(&second).await.version, 2);
    let third = desk.send("crm:practice").await;
    let expected = [
        (Outcome::Created, 1),
        (Outcome::Updated, 1),
        (Outcome::Unchanged, 297),
        (Outcome::Failed, 2),
        (Outcome::Skipped, 1),
    ];
    assert_eq!((third.version, counts(&third)), (2, expected.to_vec()));
    let (_, rows) = desk.run(&third.id[..20]).await;
    assert_eq!(rows.len(), 302, "every lead has its row");
    assert!(rows[3..].iter().all(|row| row.reason.is_empty() && !row.lead.is_empty() && !row.remote_id.is_empty()));
    let rows: Vec<_> = rows[..3].iter().map(|row| (row.position, row.outcome, row.reason.is_empty())).collect();
    assert_eq!(rows, [(1, Outcome::Failed, false), (2, Outcome::Failed, false), (300, Outcome::Skipped, false)]);

    let runs = answer!(desk, Request::Runs { limit: 2 }, Reply::Runs(runs) => runs);
    assert_eq!(runs.iter().map(|run| &run.id).collect::<Vec<_>>(), [&third.id, &again.id], "newest first");
}

/// What failed could only be sent again together with everything else.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_tries_only_what_failed() {
    let desk = Desk::practice().await;
    desk.connect().await;
    let mut some = leads(60);
    some[7] = with(lead(8), Field::Email, "not an address");
    desk.save(&some).await;
    let run = desk.send("crm:practice").await;
    assert_eq!(counts(&run), [(Outcome::Created, 59), (Outcome::Failed, 1)]);
    let retried = desk.follow(Request::RetryRun { run: run.id.clone() }).await;
    assert_eq!((retried.id.as_str(), counts(&retried)), (run.id.as_str(), counts(&run)));
    assert_eq!(desk.events_of(EventName::LeadsSynced).await, [synced(59)], "nothing more arrived");
}

/// A mode chosen once would be forgotten, or not obeyed.
#[tokio::test(flavor = "multi_thread")]
async fn the_mode_is_obeyed_and_remembered() {
    let desk = Desk::practice().await;
    desk.connect().await;
    desk.save(&leads(2)).await;
    let start = |mode| Request::StartRun { list: LIST.into(), destination: to("crm:practice"), settings: None, mode };
    let run = desk.follow(start(Some(Mode::Update))).await;
    assert_eq!(counts(&run), [(Outcome::Skipped, 2)]);
    assert_eq!(desk.events_of(EventName::LeadsSynced).await, []);
    assert_eq!(desk.sandbox().seen().contacts, 0);
    let run = desk.follow(start(None)).await;
    assert_eq!(counts(&run), [(Outcome::Skipped, 2)], "as it was last confirmed");
    let run = desk.follow(start(Some(Mode::Upsert))).await;
    assert_eq!(counts(&run), [(Outcome::Created, 2)]);
}

/// A program that was closed in mid-run would lose leads, send them twice, or begin from the start.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_after_the_engine_stopped() {
    let desk = Desk::practice().await;
    desk.connect().await;
    desk.save(&leads(1_200)).await;
    let events = desk.engine.events();
    let run = desk.begin("crm:practice").await;
    until(events, &run.id, |run| run.count(Outcome::Created) > 0).await;
    let desk = desk.restart().await;
    let (kept, _) = desk.run(&run.id).await;
    assert_eq!(kept.state, RunState::Waiting);
    assert!(kept.count(Outcome::Created) > 0 && kept.count(Outcome::Pending) > 0, "{:?}", kept.counts);
    assert_eq!(kept.counts.values().sum::<u64>(), 1_200);

    let events = desk.engine.events();
    answer!(desk, Request::ResumeRuns, Reply::Count(count) => assert_eq!(count, 1));
    answer!(desk, Request::ResumeRuns, Reply::Count(count) => assert_eq!(count, 0, "it is under way"));
    assert_eq!(desk.begin("crm:practice").await.id, run.id, "pressing the button again goes on with it");
    let done = until(events, &run.id, over).await;
    assert_eq!((done.state, counts(&done)), (RunState::Done, vec![(Outcome::Created, 1_200)]));
    let seen = desk.sandbox().seen();
    assert_eq!((seen.contacts, seen.lists[0].members), (1_200, 1_200));
    assert_eq!(desk.events_of(EventName::LeadsSynced).await, [synced(1_200)], "told once, whole");
}

/// A person could not stop a run, or it would start again by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_ends_and_can_be_retried() {
    let desk = Desk::practice().await;
    desk.connect().await;
    desk.save(&leads(1_200)).await;
    let (events, more) = (desk.engine.events(), desk.engine.events());
    let run = desk.begin("crm:practice").await;
    until(events, &run.id, |run| run.count(Outcome::Created) > 0).await;
    answer!(desk, Request::CancelRun { run: run.id.clone() }, Reply::Done => ());
    let cancelled = until(more, &run.id, over).await;
    assert_eq!(cancelled.state, RunState::Cancelled);
    let arrived = cancelled.count(Outcome::Created);
    assert!(arrived < 1_200);
    assert_eq!(desk.events_of(EventName::LeadsSynced).await, [synced(arrived)]);
    let desk = desk.restart().await;
    answer!(desk, Request::ResumeRuns, Reply::Count(count) => assert_eq!(count, 0));
    let retried = desk.follow(Request::RetryRun { run: run.id.clone() }).await;
    assert_eq!(counts(&retried), [(Outcome::Created, 1_200)]);
    assert_eq!(desk.events_of(EventName::LeadsSynced).await, [synced(1_200 - arrived), synced(arrived)]);
}

/// Two versions of a list would race each other into the CRM, or an old one would win.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_of_the_list_supersedes_an_unfinished_run() {
    let desk = Desk::practice().await;
    desk.connect().await;
    desk.save(&leads(1_200)).await;
    let events = desk.engine.events();
    let old = desk.begin("crm:practice").await;
    until(events, &old.id, |run| run.count(Outcome::Created) > 0).await;
    let newer: Vec<_> = leads(1_200).into_iter().map(|lead| with(lead, Field::Company, "Renamed")).collect();
    desk.save(&newer).await;
    let new = desk.send("crm:practice").await;
    assert_eq!(new.state, RunState::Done);
    let (old, _) = desk.run(&old.id).await;
    assert_eq!((old.state, old.count(Outcome::Pending)), (RunState::Done, 0));
    assert!(old.count(Outcome::Superseded) > 0);
    assert_eq!(old.counts.values().sum::<u64>(), 1_200);
    assert_eq!(new.count(Outcome::Created) + new.count(Outcome::Updated), 1_200, "{:?}", new.counts);
    let seen = desk.sandbox().seen();
    assert_eq!(seen.contacts, 1_200);
    assert!(seen.newest.iter().all(|contact| contact.company.as_str() == "Renamed"));
    // What was superseded stays so: a retry of the old run must not bring old values back.
    let retried = desk.follow(Request::RetryRun { run: old.id.clone() }).await;
    assert_eq!(retried.counts, old.counts);
}

/// A list deleted in mid-run would leave a run that fails for ever, or leads that cannot be read.
#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_list_ends_its_run() {
    let desk = Desk::practice().await;
    desk.connect().await;
    desk.save(&leads(1_200)).await;
    let events = desk.engine.events();
    let run = desk.begin("crm:practice").await;
    until(events, &run.id, |run| run.count(Outcome::Created) > 0).await;
    answer!(desk, Request::DeleteList { name: LIST.into() }, Reply::Done => ());
    assert_eq!(desk.run(&run.id).await.0.state, RunState::Cancelled);
}
