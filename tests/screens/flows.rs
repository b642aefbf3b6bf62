//! From the press of a button to the end of a run: saving, signing in by each way, confirming, the run, the webhook form.

use insta::assert_snapshot;
use leadferry::app::Call;
use leadferry::crm::RemoteField;
use leadferry::engine::messages::{Event, Reply, Request, SavedWebhook, SignInStep};
use leadferry::failure::{Code, Failure};
use leadferry::sync::{Destination, LeadOutcome, MappingRow, Mode, Outcome, Plan, RunState, Settings};
use leadferry::vault::Secret;
use leadferry::webhook::{Exchange, RequestSeen, ResponseSeen, WebhookState, WebhookSummary};

use super::script::{Script, now};
use super::tabs;

/// Everything of this file that lies on top, for the sweep over sizes.
pub fn sessions() -> Vec<(&'static str, Script)> {
    vec![
        ("saving", saving()),
        ("connect", connect("salesforce")),
        ("connect opened", opened()),
        ("connect qr", {
            let mut script = opened();
            script.press("ctrl-q");
            script
        }),
        ("connect device", device()),
        ("connect token", connect("copper")),
        ("connect failed", failed()),
        ("confirm", confirm()),
        ("run", running()),
        ("run ended", ended()),
        ("form", form()),
        ("form tested", tested()),
        ("secret", secret()),
        ("question", {
            let mut script = tabs::filled();
            script.press("2 d");
            script
        }),
    ]
}

fn saving() -> Script {
    let mut script = Script::ready();
    script.press("enter");
    script
}

/// The pane of a platform, its list saved.
fn connect(platform: &str) -> Script {
    let mut script = Script::ready();
    let at = script.state.platforms.iter().position(|known| known.id == platform).unwrap();
    script.press("tab tab");
    for _ in 0..at {
        script.press("right");
    }
    script.press("enter").saved();
    script
}

fn step(script: &mut Script, step: SignInStep) {
    script.tell(Event::SignIn { sign_in: 7, step });
}

fn opened() -> Script {
    let mut script = connect("salesforce");
    script.answer(Call::SignIn, Ok(Reply::SignIn(7)));
    let authorize_url = format!(
        "https://login.salesforce.com/services/oauth2/authorize?response_type=code&client_id=3MVG9{}&state={}&code_challenge={}&code_challenge_method=S256",
        "A".repeat(60),
        "s".repeat(43),
        "c".repeat(43)
    );
    let redirect_uri = "http://localhost:8976/callback".into();
    let open = SignInStep::Open { authorize_url, redirect_uri, listening: Ok(()), port: 8976, browser: false };
    step(&mut script, open);
    script
}

fn device() -> Script {
    let mut script = connect("salesforce");
    script.press("ctrl-d").answer(Call::SignIn, Ok(Reply::SignIn(7)));
    step(
        &mut script,
        SignInStep::Device {
            user_code: "WDJB-MJHT".into(),
            verification_uri: "https://login.salesforce.com/setup/connect".into(),
            verification_uri_complete: None,
            expires: now(),
        },
    );
    script
}

fn failed() -> Script {
    let mut script = opened();
    let failure = Failure::new(
        Code::Forbidden,
        "Salesforce refused the sign-in: this edition has no API access.",
        "Ask your administrator for the permission 'API Enabled', then press enter to try again.",
    );
    step(&mut script, SignInStep::Failed(failure));
    script
}

fn plan() -> Plan {
    let rows = [("first_name", "FirstName"), ("last_name", "LastName"), ("email", "Email"), ("company", "Company")];
    let rows = rows.into_iter().chain([("score", "Rating"), ("Favourite colour", "")]);
    let field = |name: &str, label: &str| RemoteField { name: name.into(), label: label.into(), ..Default::default() };
    Plan {
        list: "Top Investors".into(),
        version: 1,
        destination: Destination::Crm { platform: "salesforce".into(), account: String::new() },
        account: "Acme Inc. (dana@acme.test)".into(),
        grouping: "Campaign".into(),
        settings: Settings {
            mode: Mode::Upsert,
            mapping: rows.map(|(from, to)| MappingRow { from: from.into(), to: to.into() }).collect(),
            group: "Top Investors".into(),
        },
        fields: vec![field("FirstName", "First Name"), field("LastName", "Last Name"), field("Email", "Email")],
        leads: 1_500,
        calls: 9,
        warnings: vec!["12 leads have no e-mail and are looked up by name.".into()],
    }
}

fn confirm() -> Script {
    let mut script = opened();
    step(&mut script, SignInStep::Connected(tabs::connections().remove(0)));
    script.answer(Call::Plan, Ok(Reply::Plan(Box::new(plan()))));
    script
}

fn running() -> Script {
    let mut script = confirm();
    script.press("enter").tell(Event::Run(tabs::run(RunState::Running)));
    script
}

fn ended() -> Script {
    let mut script = running();
    let mut run = tabs::run(RunState::Done);
    run.ended = Some(now());
    run.counts.remove(&Outcome::Pending);
    run.counts.insert(Outcome::Created, 1_488);
    let outcome = |position, lead: &str, reason: &str| LeadOutcome {
        position,
        lead: lead.into(),
        outcome: Outcome::Failed,
        reason: reason.into(),
        next_step: "Correct the value in the file, save the list again and retry.".into(),
        remote_id: String::new(),
    };
    let outcomes = vec![
        outcome(3, "Omar Haddad", "INVALID_EMAIL_ADDRESS: Email: invalid email address: omar@"),
        outcome(9, "Núria Ōta", "REQUIRED_FIELD_MISSING: Required fields are missing: [LastName]"),
    ];
    script.tell(Event::Run(run.clone()));
    script.answer(Call::Run, Ok(Reply::RunDetail(run, outcomes)));
    script
}

fn form() -> Script {
    let mut script = Script::ready();
    script.press("tab tab tab enter").saved();
    script.write("crm-bridge").press("down").write("http://hooks.example.com/x");
    script
}

fn tested() -> Script {
    let mut script = form();
    script.press("ctrl-u").write("https://hooks.example.com/x").press("ctrl-t");
    let exchange = Exchange {
        status: 422,
        ms: 132,
        request: RequestSeen {
            method: "POST".into(),
            url: "https://hooks.example.com/…".into(),
            headers: vec![("content-type".into(), "application/json".into()), ("webhook-id".into(), "msg_1".into())],
            body: r#"{"type":"lead.test","data":{"email":"lead0@whitfield.test"}}"#.into(),
        },
        response: ResponseSeen {
            headers: vec![("content-type".into(), "text/plain".into())],
            body: "no such field: \x1b[31memail".into(),
            error: String::new(),
        },
    };
    script.answer(Call::TestWebhook, Ok(Reply::Tested(Box::new(exchange))));
    script
}

fn secret() -> Script {
    let mut script = tested();
    script.press("ctrl-s");
    let webhook = WebhookSummary {
        id: "1".into(),
        name: "crm-bridge".into(),
        url: "https://hooks.example.com/…".into(),
        state: WebhookState::Active,
        reason: String::new(),
        waiting: 0,
        parked: 0,
        last_delivered: None,
    };
    let secret = Some(Secret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"));
    script.answer(Call::SaveWebhook, Ok(Reply::Webhook(SavedWebhook { webhook, secret })));
    script
}

#[test]
fn a_save_shows_at_once_that_it_goes_on() {
    let mut script = saving();
    assert!(script.text(120, 36).contains("Saving 0 of 2"));
    assert_snapshot!(script.text(80, 24));
    let before = script.asked.len();
    script.press("enter tab enter tab enter");
    assert_eq!(script.asked.len(), before, "a second save was started");
}

#[test]
fn the_next_step_opens_under_the_notice_of_the_save() {
    let mut script = connect("salesforce");
    let text = script.text(80, 24);
    assert!(text.contains("Saved 2 leads to Top Investors"), "{text}");
    assert!(text.contains("Redirecting to Salesforce OAuth setup…"), "{text}");
    let link = "/dashboard/profile#oauth?platform=salesforce&source=lookalike&listName=Top+Investors&leadCount=2";
    assert!(script.text(120, 36).contains(link), "{}", script.text(120, 36));
    script.saved();
}

#[test]
fn a_failed_save_opens_nothing() {
    let mut script = Script::ready();
    script.press("tab tab enter");
    let failure = Failure::new(Code::Store, "the disk is full.", "Free some space, then save again.");
    script.act(leadferry::app::Action::News(leadferry::app::News::Saved(Err(failure))));
    assert!(script.state.overlays.is_empty());
    let text = script.text(80, 24);
    assert!(text.contains("Failed to save leads: the disk is full. Free some space"), "{text}");
}

#[test]
fn every_way_to_sign_in_stands_side_by_side() {
    assert_snapshot!("connect_browser", opened().sizes());
    assert_snapshot!("connect_device", device().sizes());
    assert_snapshot!("connect_token", connect("copper").sizes());
    assert_snapshot!("connect_failed", failed().sizes());
}

#[test]
fn the_qr_code_says_so_when_it_does_not_fit() {
    let mut script = opened();
    script.press("ctrl-q");
    assert!(script.text(80, 24).contains("The QR code needs"), "{}", script.text(80, 24));
    let large = script.text(130, 60);
    assert!(large.contains('▀') && !large.contains("The QR code needs"), "{large}");
}

#[test]
fn what_is_pasted_goes_to_the_sign_in() {
    let mut script = opened();
    script.write("http://localhost:8976/callback?code=1&state=2").press("enter");
    let answered = script.request(|request| match request {
        Request::AnswerSignIn { sign_in, text } => Some((*sign_in, text.clone())),
        _ => None,
    });
    assert_eq!(answered, Some((7, "http://localhost:8976/callback?code=1&state=2".into())));
}

#[test]
fn a_token_is_never_drawn() {
    let mut script = connect("copper");
    script.write("s3cret-token");
    let text = script.sizes();
    assert!(!text.contains("s3cret") && text.contains("************"), "{text}");
}

#[test]
fn a_sync_is_confirmed_before_it_starts() {
    let mut script = confirm();
    assert!(script.at_cursor(80, 24).starts_with("Start sync ]"), "{}", script.at_cursor(80, 24));
    assert_snapshot!("confirm", script.sizes());
    script.press("up up");
    assert!(script.at_cursor(120, 36).starts_with("Rating"), "{}", script.at_cursor(120, 36));
}

#[test]
fn a_run_shows_how_far_it_is_and_how_it_ended() {
    let mut script = running();
    assert_snapshot!("run_going", script.sizes());
    let mut waiting = tabs::run(RunState::Waiting);
    waiting.next_try = Some(now());
    waiting.trouble = Some(Failure::new(Code::Waiting, "Salesforce asks to slow down.", "It goes on by itself."));
    script.tell(Event::Run(waiting));
    assert_snapshot!("run_waiting", script.text(80, 24));
    assert_snapshot!("run_ended", ended().sizes());
}

#[test]
fn the_form_says_what_is_wrong_under_the_field() {
    let mut script = form();
    assert!(script.at_cursor(80, 24).starts_with("  "), "the caret is not at the end of the URL");
    assert_snapshot!("form_complaint", script.sizes());
    assert_snapshot!("form_tested", tested().sizes());
}

#[test]
fn the_secret_is_shown_once() {
    let mut script = secret();
    assert_snapshot!(script.text(80, 24));
    script.press("enter");
    assert!(!script.text(80, 24).contains("whsec_"));
}
