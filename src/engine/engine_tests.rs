//! Requests over a folder of their own, without any network.

use std::time::Duration;

use super::messages::{ConnectRequest, KeptNotice, SavedWebhook};
use super::records::WebhookRecord;
use super::*;
use crate::events::{AnalyticsEvent, EventName};
use crate::lead::{Column, Field, Lead, Schema};
use crate::list::Provenance;
use crate::oauth::Method;
use crate::store::Batch;
use crate::vault::Secret;
use crate::webhook::WebhookSpec;

/// An engine and its folder.
struct Home {
    engine: Engine,
    folder: tempfile::TempDir,
}

macro_rules! answer {
    ($home:expr, $request:expr, $shape:pat => $value:expr) => {
        match $home.engine.call($request).await.unwrap() {
            $shape => $value,
            other => panic!("another answer: {other:?}"),
        }
    };
}

impl Home {
    async fn new() -> Home {
        Home::with("").await
    }

    async fn with(settings: &str) -> Home {
        Home::open(tempfile::tempdir().unwrap(), settings).await
    }

    async fn open(folder: tempfile::TempDir, settings: &str) -> Home {
        net::install_provider();
        let config = toml::from_str(settings).unwrap();
        let engine = Engine::start(&Paths::under(folder.path()), config, Duration::from_secs(30)).await.unwrap();
        Home { engine, folder }
    }

    async fn restart(self) -> Home {
        self.engine.stop().await;
        Home::open(self.folder, "").await
    }

    async fn refused(&self, request: Request) -> Failure {
        self.engine.call(request).await.unwrap_err()
    }

    async fn begin(&self, name: &str) -> u64 {
        let columns = vec![Column { header: "E-mail".into(), field: Some(Field::Email) }];
        let begin =
            Request::BeginList { name: name.into(), schema: Schema { columns }, provenance: Provenance::default() };
        answer!(self, begin, Reply::Draft(draft) => draft)
    }

    async fn save(&self, name: &str, count: usize) {
        let draft = self.begin(name).await;
        let leads: Vec<Lead> = (0..count).map(|at| Lead { cells: vec![format!("p{at}@x.test")] }).collect();
        for block in leads.chunks(1_000) {
            answer!(self, Request::PutBlock { draft, leads: block.to_vec() }, Reply::Done => ());
        }
        answer!(self, Request::CommitList { draft }, Reply::Saved(saved) => assert_eq!(saved.leads, count as u64));
    }

    async fn lists(&self) -> Vec<(String, u32, u64)> {
        let all = answer!(self, Request::Lists, Reply::Lists(all) => all);
        all.into_iter().map(|list| (list.name, list.version, list.leads)).collect()
    }

    async fn save_webhook(&self, id: Option<&str>, name: &str, url: &str) -> Result<SavedWebhook, Failure> {
        let spec = WebhookSpec { name: name.into(), url: url.into(), ..WebhookSpec::default() };
        let request = Request::SaveWebhook {
            id: id.map(str::to_owned),
            spec,
            secret: None,
            paused: true,
            list_name: "Top".into(),
            lead_count: 7,
        };
        match self.engine.call(request).await? {
            Reply::Webhook(saved) => Ok(saved),
            other => panic!("another answer: {other:?}"),
        }
    }

    fn webhook_record(&self) -> WebhookRecord {
        self.engine.0.store.scan::<WebhookRecord>([]).unwrap().remove(0).1
    }
}

const URL: &str = "https://hooks.example.com/in";

/// A saved list would be unreadable, or a draft would show before it is whole.
#[tokio::test]
async fn lists_are_saved_read_renamed_and_deleted() {
    let home = Home::new().await;
    home.save("Top", 2_500).await;
    let draft = home.begin("Half").await;
    assert_eq!(home.lists().await, [("Top".into(), 1, 2_500)]);
    answer!(home, Request::DropDraft { draft }, Reply::Done => ());
    let last = Request::Block { list: "top".into(), version: 0, block: 2 };
    let (schema, leads) = answer!(home, last, Reply::Block(schema, leads) => (schema, leads));
    assert_eq!((leads.len(), leads[499].get(&schema, Field::Email)), (500, "p2499@x.test"));
    let beyond = Request::Block { list: "Top".into(), version: 0, block: 3 };
    assert_eq!(home.refused(beyond).await.code, Code::Store);

    answer!(home, Request::RenameList { name: "Top".into(), to: "Best".into() }, Reply::Done => ());
    let home = home.restart().await;
    answer!(home, Request::List { name: "BEST".into() }, Reply::List(list, versions) => {
        assert_eq!((list.name.as_str(), versions.len()), ("Best", 1));
    });
    answer!(home, Request::DeleteList { name: "Best".into() }, Reply::Done => ());
    assert_eq!(home.lists().await, []);
    assert_eq!(home.refused(Request::DeleteList { name: "Best".into() }).await.code, Code::NotFound);
}

/// The program would forget the last file, or mix up what it remembers.
#[tokio::test]
async fn small_things_are_remembered_over_a_restart() {
    let home = Home::new().await;
    let value = serde_json::json!({"columns": ["name", "city"]});
    let remember = |key: &str, value| Request::Remember { key: key.into(), value };
    answer!(home, remember("columns", value.clone()), Reply::Done => ());
    answer!(home, remember("last file", serde_json::json!("a.csv")), Reply::Done => ());
    let home = home.restart().await;
    let recall = |key: &str| Request::Recall { key: key.into() };
    answer!(home, recall("columns"), Reply::Remembered(kept) => assert_eq!(kept, Some(value)));
    answer!(home, recall("sort"), Reply::Remembered(kept) => assert_eq!(kept, None));
}

/// Activity would show things out of order, most visibly those of one moment.
#[tokio::test]
async fn events_and_notices_come_newest_first() {
    let home = Home::new().await;
    for count in 0..50 {
        let record = Request::Record {
            event: EventName::ConnectClicked,
            platform: "salesforce".into(),
            lead_count: count,
            list_name: "Top".into(),
        };
        answer!(home, record, Reply::Done => ());
        let notice = KeptNotice { time: Timestamp::UNIX_EPOCH, kind: "info".into(), text: count.to_string() };
        answer!(home, Request::KeepNotice(notice), Reply::Done => ());
    }
    let events = answer!(home, Request::Events { limit: 20 }, Reply::Events(events) => events);
    let counts: Vec<u64> = events.iter().map(|event| event.lead_count).collect();
    assert_eq!(counts, (30..50).rev().collect::<Vec<u64>>());
    assert_eq!((events[0].source.as_str(), events[0].platform.as_str()), ("lookalike", "salesforce"));
    let notices = answer!(home, Request::Notices { limit: 2 }, Reply::Notices(notices) => notices);
    assert_eq!((notices[0].text.as_str(), notices[1].text.as_str()), ("49", "48"));
}

/// The store would grow for ever, or forget what is still young.
#[tokio::test]
async fn what_is_older_than_log_keep_is_forgotten_at_the_start() {
    let home = Home::new().await;
    let mut batch = Batch::new();
    for days in [29, 31, 400] {
        let age = Duration::from_secs(days * 86_400);
        let id = Ulid::from_datetime(std::time::SystemTime::now() - age);
        let event = AnalyticsEvent {
            event: EventName::LeadsSynced,
            platform: "webhook".into(),
            lead_count: days,
            list_name: String::new(),
            source: "lookalike".into(),
            timestamp: Timestamp::now(),
        };
        batch.put(id.to_bytes(), &event);
    }
    home.engine.0.store.commit(batch).await.unwrap();
    let home = home.restart().await;
    let events = answer!(home, Request::Events { limit: 10 }, Reply::Events(events) => events);
    assert_eq!(events.iter().map(|event| event.lead_count).collect::<Vec<_>>(), [29]);
}

/// Leads would go out in the clear, or to a machine inside the network.
#[tokio::test]
async fn a_webhook_to_an_unsafe_place_is_not_saved() {
    let home = Home::new().await;
    for url in [
        "http://hooks.example.com/in",
        "https://127.0.0.1/in",
        "https://10.0.0.5/in",
        "https://[::1]/in",
        "https://169.254.169.254/latest",
        "https://user:word@hooks.example.com/in",
        "",
    ] {
        let failure = home.save_webhook(None, "Bridge", url).await.unwrap_err();
        assert!(failure.code == Code::Usage && !failure.remedy.is_empty(), "{url}: {failure:?}");
    }
    answer!(home, Request::Webhooks, Reply::Webhooks(all) => assert_eq!(all, []));
    answer!(home, Request::Events { limit: 1 }, Reply::Events(all) => assert_eq!(all, []));
    let allowed = Home::with("[network]\nallow = [\"10.0.0.0/8\"]").await;
    allowed.save_webhook(None, "Bridge", "https://10.0.0.5/in").await.unwrap();
}

/// Two webhooks could not be told apart, or one could not be found again.
#[tokio::test]
async fn a_webhook_is_found_by_its_name_in_any_case_and_no_name_is_taken_twice() {
    let home = Home::new().await;
    let saved = home.save_webhook(None, "  CRM Bridge ", URL).await.unwrap();
    assert_eq!(
        (saved.webhook.name.as_str(), saved.webhook.url.as_str()),
        ("CRM Bridge", "https://hooks.example.com/…")
    );
    assert!(saved.secret.unwrap().expose().starts_with("whsec_"));
    for name in ["crm bridge", " CRM BRIDGE", &saved.webhook.id] {
        answer!(home, Request::Webhook { name: name.into() }, Reply::WebhookSpec(spec) => assert_eq!(spec.url, URL));
    }
    let taken = home.save_webhook(None, "crm bridge ", URL).await.unwrap_err();
    assert!(taken.code == Code::Usage && taken.message.contains("already"), "{taken:?}");
    // The webhook itself may keep its name, in another case too; its secret is not shown a second time.
    let edited = home.save_webhook(Some(&saved.webhook.id), "crm bridge", "https://hooks.example.com/b").await.unwrap();
    assert_eq!((edited.webhook.id, edited.secret), (saved.webhook.id, None));
    let other = home.save_webhook(None, "Other", URL).await.unwrap();
    assert!(home.save_webhook(Some(&other.webhook.id), "CRM Bridge", URL).await.is_err());
    assert_eq!(home.refused(Request::RotateSecret { name: "none".into() }).await.code, Code::NotFound);
}

/// A receiver that has not learned the new secret yet would refuse everything.
#[tokio::test]
async fn a_rotation_keeps_two_keys_and_not_more() {
    let home = Home::new().await;
    let first = home.save_webhook(None, "Bridge", URL).await.unwrap().secret.unwrap();
    let rotate = || Request::RotateSecret { name: "bridge".into() };
    let second = answer!(home, rotate(), Reply::Webhook(saved) => saved.secret.unwrap());
    let record = home.webhook_record();
    let kept: Vec<&Secret> = record.secrets.iter().map(|kept| &kept.secret).collect();
    assert_eq!(kept, [&second, &first], "the newest first");
    assert!(record.secrets[0].until.is_none() && record.secrets[1].until.is_some());
    let now = Timestamp::now();
    assert_eq!(webhooks::keys(&record, now).unwrap().len(), 2);
    let later = now + jiff::SignedDuration::from_hours(25);
    assert_eq!(webhooks::keys(&record, later).unwrap().len(), 1, "a day later the old one is void");
    let third = answer!(home, rotate(), Reply::Webhook(saved) => saved.secret.unwrap());
    let record = home.webhook_record();
    let kept: Vec<&Secret> = record.secrets.iter().map(|kept| &kept.secret).collect();
    assert_eq!(kept, [&third, &second]);
}

/// A note about a delivery would undo a pause, or bring an old secret back.
#[tokio::test]
async fn changes_of_one_webhook_at_the_same_time_are_all_kept() {
    let home = Home::new().await;
    let saved = home.save_webhook(None, "Bridge", URL).await.unwrap();
    let id = Ulid::from_string(&saved.webhook.id).unwrap();
    let inner = &home.engine.0;
    for _ in 0..20 {
        let (rotated, noted, paused) = tokio::join!(
            home.engine.call(Request::RotateSecret { name: "Bridge".into() }),
            webhooks::delivered(inner, id, Timestamp::now() + jiff::SignedDuration::from_mins(1)),
            webhooks::set_state(inner, id, crate::webhook::WebhookState::Paused, "by the test"),
        );
        noted.unwrap();
        paused.unwrap();
        let Reply::Webhook(rotated) = rotated.unwrap() else { panic!("another answer") };
        let record = home.webhook_record();
        assert_eq!(record.secrets[0].secret, rotated.secret.unwrap());
        assert!(record.last_delivered.is_some());
        assert_eq!((record.state, record.reason.as_str()), (crate::webhook::WebhookState::Paused, "by the test"));
    }
}

fn wish(platform: &str, method: Method) -> ConnectRequest {
    ConnectRequest {
        platform: platform.into(),
        account: String::new(),
        method,
        fields: Default::default(),
        token: None,
        open_browser: false,
        list_name: String::new(),
        lead_count: 0,
    }
}

/// A person without an app at the vendor would not learn what to register, and with what redirect address.
#[tokio::test]
async fn a_sign_in_that_cannot_start_says_what_is_missing() {
    let home = Home::with("[crm.hubspot]\nredirect = \"http://localhost:9999/callback\"").await;
    let no_app = home.refused(Request::Connect(wish("salesforce", Method::Browser))).await;
    assert_eq!(no_app.code, Code::Usage);
    assert!(no_app.remedy.contains("http://localhost:8976/callback"), "{}", no_app.remedy);
    assert!(no_app.remedy.contains("refresh_token") && no_app.remedy.contains("[crm.salesforce]"));
    let own_redirect = home.refused(Request::Connect(wish("hubspot", Method::Paste))).await;
    assert!(own_redirect.remedy.contains("http://localhost:9999/callback"), "{}", own_redirect.remedy);
    assert!(own_redirect.remedy.contains("crm.objects.contacts.write"));
    assert!(own_redirect.remedy.contains("private app token"), "the way without an app");

    let mut unknown = wish("hubspot", Method::Token);
    unknown.fields.insert("locationId".into(), "7".into());
    let unknown = home.refused(Request::Connect(unknown)).await;
    assert!(unknown.message.contains("locationId") && !unknown.remedy.is_empty(), "{unknown:?}");
    let empty = home.refused(Request::Connect(wish("hubspot", Method::Token))).await;
    assert!(empty.code == Code::Usage && empty.message.contains("token"), "{empty:?}");
    let no_way = home.refused(Request::Connect(wish("salesforce", Method::Token))).await;
    assert!(no_way.remedy.contains("browser"), "{no_way:?}");
    let nobody = home.refused(Request::Connect(wish("acme", Method::Browser))).await;
    for id in ["salesforce", "zoho", "copper"] {
        assert!(nobody.remedy.contains(id), "{nobody:?}");
    }
    answer!(home, Request::Connections, Reply::Connections(all) => assert_eq!(all, []));
}

/// A run to nowhere would be kept, or fail without a word about what to do.
#[tokio::test]
async fn a_run_needs_a_list_and_a_destination() {
    let home = Home::new().await;
    home.save("Top", 1).await;
    let start = |list: &str, to: &str| Request::StartRun {
        list: list.into(),
        destination: to.parse().unwrap(),
        settings: None,
        mode: None,
    };
    assert_eq!(home.refused(start("Nope", "webhook:w")).await.code, Code::NotFound);
    assert_eq!(home.refused(start("Top", "webhook:w")).await.code, Code::NotFound);
    let connect = home.refused(start("Top", "crm:salesforce/eu")).await;
    assert_eq!(connect.code, Code::SignInNeeded);
    assert!(connect.remedy.contains("leadferry connect salesforce --account eu"), "{connect:?}");
    for run in ["", "01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
        assert_eq!(home.refused(Request::CancelRun { run: run.into() }).await.code, Code::NotFound, "'{run}'");
    }
    answer!(home, Request::Runs { limit: 10 }, Reply::Runs(all) => assert_eq!(all, []));
}

/// A finished program would go on answering, or a second one would get the store while it works.
#[tokio::test]
async fn a_stopped_engine_answers_no_more_and_frees_the_store() {
    let home = Home::new().await;
    home.save("Top", 1).await;
    let other = home.engine.clone();
    let Home { engine, folder } = home;
    engine.stop().await;
    assert_eq!(other.call(Request::Lists).await.unwrap_err().code, Code::Cancelled);
    drop(other);
    assert_eq!(Home::open(folder, "").await.lists().await, [("Top".into(), 1, 1)]);
}

/// Doctor would call a sound store damaged, or keep quiet about a mistyped section.
#[tokio::test]
async fn doctor_tells_what_is_sound_and_where_the_key_is() {
    let home = Home::new().await;
    home.save("Top", 3).await;
    home.save_webhook(None, "Bridge", URL).await.unwrap();
    let findings = answer!(home, Request::Doctor, Reply::Doctor(findings) => findings);
    assert!(findings.iter().all(|finding| finding.ok && finding.remedy.is_empty()), "{findings:?}");
    assert!(findings[0].detail.contains("3 leads"), "{findings:?}");
}
