//! Runs to the practice webhook receiver.

use std::collections::HashSet;

use leadferry::engine::messages::{Reply, Request};
use leadferry::events::EventName;
use leadferry::lead::{Field, Lead};
use leadferry::sync::{Outcome, RunState, RunSummary};
use leadferry::vault::Secret;
use leadferry::webhook::{DeliverySummary, WebhookSpec, WebhookState, WebhookSummary};

use super::desk::{Desk, LIST, answer, counts, lead, leads, over, until, with};

const BRIDGE: &str = "webhook:crm-bridge";

fn spec(desk: &Desk) -> WebhookSpec {
    let url = desk.sandbox().hook_url("bridge");
    WebhookSpec { name: "crm-bridge".into(), url, retry: vec![0, 0], ..WebhookSpec::default() }
}

/// Saves a webhook to the receiver, which knows its secret.
async fn set_up(desk: &Desk, spec: WebhookSpec) -> WebhookSummary {
    let request =
        Request::SaveWebhook { id: None, spec, secret: None, paused: false, list_name: LIST.into(), lead_count: 100 };
    let saved = answer!(desk, request, Reply::Webhook(saved) => saved);
    desk.sandbox().learn_secret("bridge", &saved.secret.expect("shown once")).expect("a secret");
    saved.webhook
}

/// Makes the receiver answer this to the next requests.
async fn answers(desk: &Desk, answer: &str, times: &str) {
    let page = desk.http.get(desk.sandbox().origin()).send().await.expect("a page").text().await.expect("a page");
    let key = page.split_once("name=\"key\" value=\"").expect("the key").1.split('"').next().expect("a value");
    let form = [("key", key), ("hook", "bridge"), ("answer", answer), ("times", times)];
    let url = format!("{}/answers", desk.sandbox().origin());
    assert!(desk.http.post(url).form(&form).send().await.expect("an answer").status().is_redirection());
}

async fn log(desk: &Desk, run: &str) -> Vec<DeliverySummary> {
    let request = Request::Deliveries { webhook: Some("CRM-Bridge".into()), run: Some(run.into()), limit: 5_000 };
    answer!(desk, request, Reply::Deliveries(all) => all)
}

async fn webhook(desk: &Desk) -> WebhookSummary {
    answer!(desk, Request::Webhooks, Reply::Webhooks(all) => all).remove(0)
}

async fn set_active(desk: &Desk, active: bool) {
    let request = Request::SetWebhookActive { name: "crm-bridge".into(), active };
    answer!(desk, request, Reply::Done => ());
}

/// Follows a request that makes a run go on.
async fn goes_on(desk: &Desk, run: &str, request: Request) -> RunSummary {
    let events = desk.engine.events();
    desk.engine.call(request).await.expect("an answer");
    until(events, run, over).await
}

fn synced(leads: u64) -> (String, u64, String) {
    ("webhook".into(), leads, LIST.into())
}

/// Leads would not arrive, or arrive unsigned; the log and the events would not say what happened.
#[tokio::test(flavor = "multi_thread")]
async fn leads_arrive_signed_and_are_logged() {
    let desk = Desk::practice().await;
    set_up(&desk, WebhookSpec { batch: 20, filter: "score >= 50".into(), ..spec(&desk) }).await;
    assert_eq!(desk.events_of(EventName::WebhookConfigured).await, [("webhook".to_owned(), 100, LIST.to_owned())]);
    desk.save(&leads(100)).await;
    let run = desk.send(BRIDGE).await;
    assert_eq!((run.state, counts(&run)), (RunState::Done, vec![(Outcome::Skipped, 50), (Outcome::Delivered, 50)]));
    let seen = desk.sandbox().seen();
    assert_eq!((seen.deliveries, seen.latest.iter().map(|one| one.leads).sum::<u64>()), (3, 50));
    assert!(seen.latest.iter().all(|one| one.verified == Some(true) && one.attempt == 1));

    let log = log(&desk, &run.id[..20]).await;
    let ids: HashSet<&str> = log.iter().map(|delivery| delivery.id.as_str()).collect();
    assert_eq!(ids, seen.latest.iter().map(|one| one.id.as_str()).collect());
    for delivery in &log {
        assert_eq!((delivery.outcome, delivery.attempts, delivery.answer.as_str()), (Outcome::Delivered, 1, "200"));
        assert_eq!((delivery.webhook.as_str(), delivery.run.as_str()), ("crm-bridge", run.id.as_str()));
    }
    assert!(log.iter().any(|delivery| delivery.leads == "Dana Whitfield50 and 19 more"), "{log:?}");
    assert_eq!(desk.events_of(EventName::LeadsSynced).await, [synced(50)]);
    let webhook = webhook(&desk).await;
    assert!((webhook.waiting, webhook.parked) == (0, 0) && webhook.last_delivered.is_some());
    assert!(!webhook.url.contains("bridge"), "the path can be a secret: {}", webhook.url);
    let (_, rows) = desk.run(&run.id).await;
    let with = |outcome| rows.iter().filter(|row| row.outcome == outcome).count() as u64;
    assert_eq!(with(Outcome::Delivered), log.len() as u64, "a delivery has no row");
    assert_eq!(with(Outcome::Skipped), run.count(Outcome::Skipped), "a lead that the filter left out has no row");
}

/// A busy endpoint would cost leads, or get them twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_busy_endpoint_is_tried_again() {
    let desk = Desk::practice().await;
    set_up(&desk, spec(&desk)).await;
    answers(&desk, "503", "1").await;
    desk.save(&leads(3)).await;
    let (events, more) = (desk.engine.events(), desk.engine.events());
    let run = desk.begin(BRIDGE).await;
    let waiting = until(events, &run.id, |run| run.state == RunState::Waiting).await;
    assert!(waiting.next_try.is_some(), "who follows the run must see when it goes on");
    let done = until(more, &run.id, over).await;
    assert_eq!((counts(&done), done.next_try), (vec![(Outcome::Delivered, 3)], None));
    let seen = desk.sandbox().seen();
    assert_eq!(seen.latest.iter().filter(|one| one.status == 200).count(), 3);
    assert_eq!(seen.latest.iter().map(|one| one.id.as_str()).collect::<HashSet<_>>().len(), 3, "ids stay");
}

/// What was given up could not be seen or sent again.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_is_parked_and_can_be_replayed_or_retried() {
    let desk = Desk::practice().await;
    set_up(&desk, WebhookSpec { retry: vec![], ..spec(&desk) }).await;
    answers(&desk, "503", "20").await;
    desk.save(&leads(2)).await;
    let run = desk.send(BRIDGE).await;
    assert_eq!((run.state, counts(&run)), (RunState::Done, vec![(Outcome::Parked, 2)]));
    assert_eq!(desk.events_of(EventName::LeadsSynced).await, []);
    assert_eq!(webhook(&desk).await.parked, 2);
    let (_, rows) = desk.run(&run.id).await;
    assert_eq!(rows.iter().map(|row| row.position).collect::<Vec<_>>(), [0, 1]);
    assert!(rows[0].reason.contains("503") && !rows[0].next_step.is_empty(), "{:?}", rows[0]);

    answers(&desk, "200", "1").await;
    let replay = |delivery| Request::Replay { webhook: "crm-bridge".into(), delivery };
    let one = goes_on(&desk, &run.id, replay(Some(rows[0].remote_id.clone()))).await;
    assert_eq!(counts(&one), [(Outcome::Delivered, 1), (Outcome::Parked, 1)]);
    let unknown = desk.refused(replay(Some(rows[0].remote_id.clone()))).await;
    assert!(unknown.message.contains("parked"), "{unknown}");
    let rest = desk.follow(Request::RetryRun { run: run.id.clone() }).await;
    assert_eq!(counts(&rest), [(Outcome::Delivered, 2)]);
    answer!(desk, replay(None), Reply::Count(count) => assert_eq!(count, 0));
    let delivered: Vec<_> = desk.sandbox().seen().latest.into_iter().filter(|one| one.status == 200).collect();
    assert_eq!(delivered.iter().map(|one| one.id.as_str()).collect::<HashSet<_>>(), {
        rows.iter().map(|row| row.remote_id.as_str()).collect()
    });
    assert_eq!(desk.events_of(EventName::LeadsSynced).await, [synced(1), synced(1)]);
}

/// A wrong secret would burn every attempt of every lead, or lose what waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_signature_pauses_the_webhook_and_what_waits_goes_out_later() {
    let desk = Desk::practice().await;
    let saved = set_up(&desk, spec(&desk)).await;
    let other = Secret::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    desk.sandbox().learn_secret("bridge", &other).expect("a secret");
    desk.save(&leads(40)).await;
    let run = desk.send(BRIDGE).await;
    assert_eq!((run.state, run.ended), (RunState::Stopped, None));
    let trouble = run.trouble.expect("a reason");
    assert!(trouble.message.contains("401") && trouble.remedy.contains("activate"), "{trouble:?}");
    let paused = webhook(&desk).await;
    assert_eq!((paused.state, paused.waiting), (WebhookState::Paused, 40));
    let asked = desk.sandbox().seen().deliveries;
    assert!(asked <= 16, "what was under way, and no more: {asked}");
    let again = desk.send(BRIDGE).await;
    assert_eq!((again.id, again.state), (run.id.clone(), RunState::Stopped), "it stays one run, and paused");

    // The right secret, saved as one's own; the program was closed meanwhile.
    let desk = desk.restart().await;
    answer!(desk, Request::ResumeRuns, Reply::Count(count) => assert_eq!(count, 0));
    let edit = Request::SaveWebhook {
        id: Some(saved.id),
        spec: spec(&desk),
        secret: Some(other),
        paused: false,
        list_name: String::new(),
        lead_count: 0,
    };
    let done = goes_on(&desk, &run.id, edit).await;
    assert_eq!((done.state, counts(&done)), (RunState::Done, vec![(Outcome::Delivered, 40)]));
    let taken: Vec<_> = desk.sandbox().seen().latest.into_iter().filter(|one| one.status == 200).collect();
    assert_eq!(taken.len(), 40);
    assert_eq!(taken.iter().map(|one| one.id.as_str()).collect::<HashSet<_>>().len(), 40);
}

/// An endpoint that wants no more would be called on and on.
#[tokio::test(flavor = "multi_thread")]
async fn gone_disables() {
    let desk = Desk::practice().await;
    set_up(&desk, spec(&desk)).await;
    answers(&desk, "410", "1").await;
    desk.save(&leads(2)).await;
    assert_eq!(desk.send(BRIDGE).await.state, RunState::Stopped);
    assert_eq!(webhook(&desk).await.state, WebhookState::Disabled);
}

/// A person who pauses would see leads go out all the same.
#[tokio::test(flavor = "multi_thread")]
async fn pausing_stops_a_run_under_way_and_activating_goes_on() {
    let desk = Desk::practice().await;
    set_up(&desk, spec(&desk)).await;
    desk.save(&leads(400)).await;
    let (events, more) = (desk.engine.events(), desk.engine.events());
    let run = desk.begin(BRIDGE).await;
    until(events, &run.id, |run| run.count(Outcome::Delivered) > 0).await;
    set_active(&desk, false).await;
    let stopped = until(more, &run.id, over).await;
    assert_eq!(stopped.state, RunState::Stopped);
    let arrived = stopped.count(Outcome::Delivered);
    assert!(arrived < 400, "it was stopped in between");
    assert_eq!(desk.sandbox().seen().deliveries, arrived);
    assert_eq!(webhook(&desk).await.waiting, 400 - arrived);
    // Renamed while it waits: it is the same webhook.
    let id = webhook(&desk).await.id;
    let renamed = WebhookSpec { name: " Bridge 2 ".into(), ..spec(&desk) };
    let edit = Request::SaveWebhook {
        id: Some(id),
        spec: renamed,
        secret: None,
        paused: false,
        list_name: String::new(),
        lead_count: 0,
    };
    let done = goes_on(&desk, &run.id, edit).await;
    assert_eq!(counts(&done), [(Outcome::Delivered, 400)]);
    assert_eq!(desk.sandbox().seen().deliveries, 400);
    assert_eq!(desk.events_of(EventName::LeadsSynced).await, [synced(400)]);
}

/// A program closed in mid-run would lose deliveries, or make them anew under other ids.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_after_the_engine_stopped() {
    let desk = Desk::practice().await;
    set_up(&desk, spec(&desk)).await;
    desk.save(&leads(400)).await;
    let events = desk.engine.events();
    let run = desk.begin(BRIDGE).await;
    until(events, &run.id, |run| run.count(Outcome::Delivered) > 0).await;
    let desk = desk.restart().await;
    let (kept, _) = desk.run(&run.id).await;
    assert_eq!(kept.state, RunState::Waiting);
    assert!(kept.count(Outcome::Pending) > 0);
    let done = goes_on(&desk, &run.id, Request::ResumeRuns).await;
    assert_eq!(counts(&done), [(Outcome::Delivered, 400)]);
    // Nothing was cut: what was in flight was waited for.
    assert_eq!(desk.sandbox().seen().deliveries, 400);
    let log = log(&desk, &run.id).await;
    assert_eq!(log.len(), 400);
    assert!(log.iter().all(|delivery| delivery.attempts == 1));
    assert_eq!(desk.events_of(EventName::LeadsSynced).await, [synced(400)]);
}

/// An older version's leads would still go out behind the newer ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_of_the_list_supersedes_what_waits() {
    let desk = Desk::practice().await;
    set_up(&desk, WebhookSpec { template: "flat".into(), ..spec(&desk) }).await;
    desk.save(&leads(300)).await;
    let events = desk.engine.events();
    let old = desk.begin(BRIDGE).await;
    until(events, &old.id, |run| run.count(Outcome::Delivered) > 0).await;
    let newer: Vec<Lead> = leads(60).into_iter().map(|lead| with(lead, Field::Company, "Renamed")).collect();
    desk.save(&newer).await;
    let new = desk.send(BRIDGE).await;
    assert_eq!((new.version, counts(&new)), (2, vec![(Outcome::Delivered, 60)]));
    let (old, _) = desk.run(&old.id).await;
    assert_eq!(old.state, RunState::Done);
    let delivered = old.count(Outcome::Delivered);
    assert_eq!(counts(&old), [(Outcome::Delivered, delivered), (Outcome::Superseded, 300 - delivered)]);
    let seen = desk.sandbox().seen();
    assert_eq!(seen.deliveries, delivered + 60);
    assert!(seen.latest.iter().all(|one| one.body.as_str().contains("Renamed")), "the newest came last");
    assert_eq!(desk.events_of(EventName::LeadsSynced).await, [synced(60), synced(delivered)]);
}

/// A paused webhook's old leads would go out when it is activated, together with the new ones.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_pause_only_the_newest_version_goes_out() {
    let desk = Desk::practice().await;
    set_up(&desk, spec(&desk)).await;
    set_active(&desk, false).await;
    desk.save(&leads(5)).await;
    assert_eq!(desk.send(BRIDGE).await.state, RunState::Stopped);
    desk.save(&leads(6)).await;
    let new = desk.send(BRIDGE).await;
    assert_eq!(new.state, RunState::Stopped);
    let activate = Request::SetWebhookActive { name: "crm-bridge".into(), active: true };
    let new = goes_on(&desk, &new.id, activate).await;
    assert_eq!(counts(&new), [(Outcome::Delivered, 6)]);
    assert_eq!(desk.sandbox().seen().deliveries, 6);
}

/// A cancelled run would be sent at the next start, or its webhook would show it as waiting for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_stays_cancelled_and_a_removed_webhook_takes_its_log_along() {
    let desk = Desk::practice().await;
    set_up(&desk, spec(&desk)).await;
    desk.save(&leads(400)).await;
    let (events, more) = (desk.engine.events(), desk.engine.events());
    let run = desk.begin(BRIDGE).await;
    until(events, &run.id, |run| run.count(Outcome::Delivered) > 0).await;
    answer!(desk, Request::CancelRun { run: run.id.clone() }, Reply::Done => ());
    assert_eq!(until(more, &run.id, over).await.state, RunState::Cancelled);
    let desk = desk.restart().await;
    answer!(desk, Request::ResumeRuns, Reply::Count(count) => assert_eq!(count, 0));
    assert_eq!(webhook(&desk).await.waiting, 0);

    let events = desk.engine.events();
    let second = desk.begin(BRIDGE).await;
    assert_ne!(second.id, run.id);
    until(events, &second.id, |run| run.count(Outcome::Delivered) > 0).await;
    answer!(desk, Request::RemoveWebhook { name: "crm-bridge".into() }, Reply::Done => ());
    assert_eq!(desk.run(&second.id).await.0.state, RunState::Cancelled);
    let all = Request::Deliveries { webhook: None, run: None, limit: 10 };
    answer!(desk, all, Reply::Deliveries(all) => assert_eq!(all, []));
}

/// A test would show something else than what goes out, count as a delivery, or show a secret.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_shows_the_exchange() {
    let desk = Desk::practice().await;
    set_up(&desk, spec(&desk)).await;
    let lead = Some((super::desk::schema(), lead(7)));
    let test = |lead| Request::TestWebhook { spec: None, name: Some("crm-bridge".into()), lead };
    let shown = answer!(desk, test(lead), Reply::Tested(shown) => shown);
    assert_eq!((shown.status, shown.request.method.as_str()), (200, "POST"));
    assert!(shown.request.body.contains("dana7@example.com") && shown.response.error.is_empty());
    assert!(shown.request.headers.iter().any(|(name, _)| name == "webhook-signature"));
    assert!(!format!("{shown:?}").contains("whsec_"));
    let made_up = answer!(desk, test(None), Reply::Tested(shown) => shown);
    assert_eq!(made_up.status, 200);
    let seen = desk.sandbox().seen();
    assert_eq!(seen.latest.iter().filter(|one| one.verified == Some(true)).count(), 2);
    let all = Request::Deliveries { webhook: None, run: None, limit: 10 };
    answer!(desk, all, Reply::Deliveries(all) => assert_eq!(all, []));
}

/// After a rotation the receiver would refuse everything until it learned the new secret.
#[tokio::test(flavor = "multi_thread")]
async fn during_a_rotation_the_old_secret_still_verifies() {
    let desk = Desk::practice().await;
    set_up(&desk, spec(&desk)).await;
    let rotate = Request::RotateSecret { name: "crm-bridge".into() };
    let new = answer!(desk, rotate, Reply::Webhook(saved) => saved.secret.expect("shown once"));
    desk.save(&leads(2)).await;
    assert_eq!(counts(&desk.send(BRIDGE).await), [(Outcome::Delivered, 2)]);
    desk.sandbox().learn_secret("bridge", &new).expect("a secret");
    assert_eq!(counts(&desk.send(BRIDGE).await), [(Outcome::Delivered, 2)]);
}
