use std::collections::{BTreeMap, HashSet};
use std::time::Duration as Wait;

use serde_json::Map;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::*;
use crate::config::CrmSettings;
use crate::crm::api::{Access, Api, account_base};
use crate::crm::credentials::FixedToken;
use crate::crm::limiter::Limiter;
use crate::crm::{Found, registry};
use crate::lead::{Lead, Schema, lead_key};
use crate::oauth::{Flow, Grant, Opener, SignIn, SignInStep, Standard, Vendor, Way, sign_in};
use crate::sync::journal::MemoryJournal;
use crate::sync::mapping::Mapping;
use crate::sync::plan::default_settings;
use crate::sync::run::{Order, Tools, carry_out};
use crate::sync::{Destination, Outcome, RunState, RunSummary};

const LIST: &str = "Lookalike - Top Investors";

impl Demo {
    fn settings(&self) -> CrmSettings {
        self.sandbox.config().crm["practice"].clone()
    }

    fn flow(&self) -> Flow {
        let spec = registry::by_id("practice").expect("in the registry").spec();
        let vendor = Vendor {
            id: spec.id,
            name: spec.name,
            oauth: spec.oauth.expect("it has one"),
            account_hosts: spec.account_hosts,
            issuer: Some(self.sandbox.origin().to_owned()),
            quirks: Arc::new(Standard),
        };
        Flow::new(vendor, &self.settings(), None, self.client.clone(), Arc::new(Timestamp::now)).expect("a flow")
    }

    fn api(&self, token: Secret) -> Api {
        let crm = registry::by_id("practice").expect("in the registry");
        let base = account_base(crm, &self.settings(), &Map::new()).expect("an address");
        let access = Access { base, fields: BTreeMap::new(), token: Map::new() };
        let limiter = Arc::new(Limiter::new(crm.spec().rate));
        Api::new(crm, self.client.clone(), access, Arc::new(FixedToken(token)), limiter)
    }

    async fn sign_in(&self, way: Way) -> (Grant, Vec<SignInStep<()>>) {
        let (steps, mut told) = mpsc::unbounded_channel();
        let (_paste, pasted) = mpsc::channel(1);
        let session = SignIn { way, steps, pasted, cancel: CancellationToken::new(), wait: Wait::from_secs(20) };
        let flow = self.flow();
        let (client, home) = (&self.client, self.home.path());
        let second_shell = async {
            let mut seen = Vec::new();
            while let Some(step) = told.recv().await {
                if let SignInStep::Device { user_code, .. } = &step {
                    approve(client, home, user_code).await.expect("approved");
                }
                seen.push(step);
            }
            seen
        };
        let (grant, seen) = tokio::join!(sign_in(&flow, session), second_shell);
        (grant.expect("signed in"), seen)
    }

    /// A browser whose person presses Allow.
    fn allowing_browser(&self) -> Opener {
        let client = self.client.clone();
        let decide = self.url("/oauth/decide");
        Arc::new(move |address: &Url| {
            let (client, decide, address) = (client.clone(), decide.clone(), address.clone());
            tokio::spawn(async move {
                let page = client.get(address).send().await.expect("a page").text().await.expect("a page");
                let (number, key) = (hidden(&page, "request"), hidden(&page, "key"));
                let form = [("request", &*number), ("key", &key), ("user", "sam@example.com"), ("decision", "allow")];
                let answer = client.post(decide).form(&form).send().await.expect("a way back");
                let back = answer.headers()["location"].to_str().expect("text").to_owned();
                client.get(back).send().await.expect("the callback listens");
            });
            Ok(())
        })
    }

    async fn run(&self, api: &Api, leads: Vec<(String, Lead)>) -> (RunSummary, MemoryJournal) {
        let schema = samples().0;
        let survey = api.crm().survey(api).await.expect("a survey");
        let (settings, warnings) = default_settings(api.crm(), &survey, &schema, LIST);
        assert_eq!(warnings, Vec::<String>::new());
        let order = Order {
            id: "run-1".into(),
            list: LIST.into(),
            version: 1,
            schema,
            leads: leads.len() as u64,
            destination: Destination::Crm { platform: "practice".into(), account: String::new() },
            settings,
            started: Timestamp::now(),
        };
        let journal = MemoryJournal::new(leads);
        let tools = Tools {
            api,
            journal: &journal,
            progress: &|_| (),
            cancel: CancellationToken::new(),
            now: Arc::new(Timestamp::now),
            jitter: Arc::new(|| 0.0),
        };
        (carry_out(&order, tools).await, journal)
    }
}

/// The sample prospects as the program reads them, each with its key.
fn samples() -> (Schema, Vec<(String, Lead)>) {
    let table = sample::tests::opened(PROSPECTS);
    let schema = Schema::clone(table.schema());
    let rows: Vec<u32> = (0..table.len()).collect();
    let leads = table.leads(&rows).expect("the rows");
    let keyed = leads.into_iter().map(|lead| (lead_key(&schema, &lead), lead)).collect();
    (schema, keyed)
}

/// The demo could not be finished in the browser.
#[tokio::test]
async fn the_browser_way_connects_the_practice_crm() {
    let demo = Demo::start().await;
    let (grant, _) = demo.sign_in(Way::Address(Some(demo.allowing_browser()))).await;
    let api = demo.api(grant.tokens.access.clone());
    let account = api.crm().who_am_i(&api).await.expect("an account");
    assert_eq!((account.user.as_str(), account.environment.as_str()), ("sam@example.com", "practice"));
    assert!(demo.flow().revoke(&grant).await.expect("revoked"));
    assert!(api.crm().who_am_i(&api).await.is_err());
}

/// The demo could not be finished over SSH.
#[tokio::test]
async fn the_device_way_connects_the_practice_crm() {
    let demo = Demo::in_real_time().await;
    let (grant, seen) = demo.sign_in(Way::Device).await;
    assert!(matches!(seen[0], SignInStep::Device { .. }), "{seen:?}");
    let api = demo.api(grant.tokens.access);
    assert_eq!(api.crm().who_am_i(&api).await.expect("an account").user, "robin@practice.test");
}

/// The demo's sync would lose leads, double them on the second run, or hide why one was refused.
#[tokio::test]
async fn all_sample_prospects_arrive_and_refusals_say_why() {
    let demo = Demo::start().await;
    let api = demo.api(Secret::new(demo.sandbox.token()));
    let (_, leads) = samples();
    let (summary, journal) = demo.run(&api, leads.clone()).await;
    assert_eq!(summary.state, RunState::Done, "{:?}", summary.trouble);
    // 10 last names are missing, 6 addresses broken, 20 there twice; the last are skipped before they are sent.
    let count = |outcome| summary.count(outcome);
    assert_eq!((count(Outcome::Created), count(Outcome::Failed), count(Outcome::Skipped)), (1964, 16, 20));
    let reasons: HashSet<String> = journal
        .outcomes()
        .into_values()
        .filter(|outcome| outcome.outcome == Outcome::Failed)
        .map(|outcome| {
            assert!(!outcome.next_step.is_empty(), "{outcome:?}");
            outcome.reason
        })
        .collect();
    for words in ["last_name", "E-mail is not an e-mail address"] {
        assert!(reasons.iter().any(|reason| reason.contains(words)), "{words}: {reasons:?}");
    }
    let seen = demo.sandbox.seen();
    assert_eq!((seen.contacts, seen.lists[0].members), (1964, 1964));
    assert_eq!(seen.lists[0].name.as_str(), LIST);

    demo.pass(60);
    let api = demo.api(Secret::new(demo.sandbox.token()));
    let (again, _) = demo.run(&api, leads).await;
    assert_eq!((again.count(Outcome::Unchanged), again.count(Outcome::Failed)), (1964, 16));
}

/// After a broken connection a look-up could not tell whether a lead had arrived.
#[tokio::test]
async fn a_look_up_tells_what_is_there() {
    let demo = Demo::start().await;
    let api = demo.api(Secret::new(demo.sandbox.token()));
    let (schema, leads) = samples();
    demo.run(&api, leads[..1].to_vec()).await;
    let survey = api.crm().survey(&api).await.expect("a survey");
    let (settings, _) = default_settings(api.crm(), &survey, &schema, LIST);
    let mapping = Mapping::new(api.crm().spec(), &survey, &schema, &settings, LIST);
    let outgoing: Vec<_> =
        leads[..2].iter().zip(0..).map(|((key, lead), position)| mapping.outgoing(position, key, lead)).collect();
    let found = api.crm().find(&api, &survey, &outgoing).await.expect("an answer");
    assert!(
        matches!(&found[0], Found::One { id, values, .. } if id == "c_1" && *values == outgoing[0].values),
        "{found:?}"
    );
    assert_eq!(found[1], Found::None);
}
