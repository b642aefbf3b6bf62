//! The whole job against the demo's practice CRM and webhook: sign-in by every way, sync, retry, deliveries.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::world::World;

/// A running demo without an interface, and the world whose home is the demo's.
struct Demo {
    child: Child,
    /// Where `leadferry demo` was started.
    outside: World,
    /// Where commands use it.
    inside: World,
    told: Value,
}

impl Demo {
    fn start() -> Demo {
        let outside = World::new();
        let mut child = Command::new(env!("CARGO_BIN_EXE_leadferry"))
            .args(["demo", "--json"])
            .env_clear()
            .env("LEADFERRY_HOME", outside.home())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let inside = World::at(told["home"].as_str().unwrap());
        Demo { child, outside, inside, told }
    }

    fn text(&self, key: &str) -> &str {
        self.told[key].as_str().unwrap()
    }

    /// Saves the first leads of the sample.
    fn save(&self, leads: &str) {
        self.inside.json(&["list", "save", "First", self.text("prospects"), "--top", leads]);
    }

    fn connect_by_token(&self) {
        let token = format!("{}\n", self.text("token"));
        let told = self.inside.run_with(&["connect", "practice", "--method", "token", "--json"], &token);
        assert_eq!(told.code, 0, "{told:?}");
        assert!(!told.out.contains(token.trim()) && !told.err.contains(token.trim()), "the token was shown");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A sign-in under way: its first line, and what it still reads and says.
struct SignIn {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    first: Value,
}

impl SignIn {
    fn start(world: &World, arguments: &[&str]) -> SignIn {
        let mut child = Command::new(env!("CARGO_BIN_EXE_leadferry"))
            .args(arguments)
            .env_clear()
            .env("LEADFERRY_HOME", world.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, mut output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let first = next(&mut output);
        SignIn { child, input, output, first }
    }

    /// Waits for the end, and answers the last line.
    fn finish(mut self) -> Value {
        let last = next(&mut self.output);
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
        last
    }
}

fn next(lines: &mut impl BufRead) -> Value {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

/// A person at the practice CRM's consent page: presses Allow, and tells where the browser is sent.
fn allow(authorize_url: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        leadferry::net::install_provider();
        let client = leadferry::net::client(&leadferry::config::Network::default()).unwrap();
        let page = client.get(authorize_url).send().await.unwrap().text().await.unwrap();
        let hidden = |name: &str| {
            let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
            rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&")
        };
        let form = [("request", hidden("request")), ("key", hidden("key")), ("user", "sam@example.com".into())];
        let form = form.into_iter().chain([("decision", "allow".to_owned())]).collect::<Vec<_>>();
        let target = url::Url::parse(authorize_url).unwrap().join("/oauth/decide").unwrap();
        let origin = target.origin().ascii_serialization();
        let answer = client.post(target).header("origin", origin).form(&form).send().await.unwrap();
        answer.headers()["location"].to_str().unwrap().to_owned()
    })
}

#[test]
fn a_list_reaches_the_crm_and_the_leads_that_failed_are_named() {
    let demo = Demo::start();
    demo.save("60");
    demo.connect_by_token();
    let connection = &demo.inside.json(&["connection", "ls"])[0];
    assert_eq!(connection["destination"], "crm:practice");
    assert_eq!(connection["status"], "connected");
    assert_eq!(demo.inside.json(&["connection", "test", "practice"])["platform"], "practice");

    let told = demo.inside.run(&["sync", "run", "First", "--to", "crm:practice", "--json"]);
    let first: Value = serde_json::from_str(&told.out).unwrap();
    let (created, failed) = (first["created"].as_u64().unwrap(), first["failed"].as_u64().unwrap());
    assert_eq!(created + failed + first["skipped"].as_u64().unwrap(), 60, "{first}");
    assert!(failed > 0, "the sample holds leads that the practice CRM refuses: {first}");
    assert_eq!(told.code, 3, "some leads failed: {told:?}");
    assert_eq!(first["failures"].as_array().unwrap().len() as u64, failed);
    assert!(!first["failures"][0]["reason"].as_str().unwrap().is_empty());

    let again: Value =
        serde_json::from_str(&demo.inside.run(&["sync", "run", "First", "--to", "crm:practice", "--json"]).out)
            .unwrap();
    assert_eq!((again["created"].as_u64(), again["unchanged"].as_u64()), (Some(0), Some(created)), "{again}");

    let runs = demo.inside.json(&["run", "ls"]);
    assert_eq!(runs.as_array().unwrap().len(), 2);
    let run = runs[1]["run"].as_str().unwrap();
    let seen = demo.inside.json(&["run", "show", run])["leads_seen"].as_array().unwrap().clone();
    assert_eq!(seen.len() as u64, created + failed, "a lead has no row");
    let first_seen = &seen[..usize::try_from(failed).unwrap()];
    assert!(first_seen.iter().all(|lead| lead["outcome"] == "failed"), "those that need a look come first: {seen:?}");
    let csv = demo.inside.run(&["run", "export", run]).out;
    assert!(csv.starts_with("lead,outcome,reason,next_step,remote_id,row\n"), "{csv}");
    let status = demo.outside.run(&["demo", "status"]).out;
    assert!(status.contains(&format!("{created} contacts")), "{status}");
}

#[test]
fn one_signs_in_by_pasting_the_address_the_browser_ended_on() {
    let demo = Demo::start();
    let arguments = ["connect", "practice", "--method", "paste", "--account", "sam", "--json"];
    let mut sign_in = SignIn::start(&demo.inside, &arguments);
    let redirect = sign_in.first["redirect_uri"].as_str().unwrap().to_owned();
    let ended_on = allow(sign_in.first["authorize_url"].as_str().unwrap());
    assert!(ended_on.starts_with(&redirect), "{ended_on}");
    // The pipe ends behind the line, as with `echo ADDRESS | leadferry connect …`.
    writeln!(sign_in.input.take().unwrap(), "{ended_on}").unwrap();
    let connected = sign_in.finish();
    assert_eq!((&connected["connected"], &connected["platform"]), (&true.into(), &"practice".into()));
    assert_eq!(connected["destination"], "crm:practice/sam");
    assert!(connected["account"].as_str().unwrap().contains("sam@example.com"), "{connected}");
}

#[test]
fn one_signs_in_in_a_browser_that_comes_back_to_this_machine() {
    let demo = Demo::start();
    let arguments = ["connect", "practice", "--method", "browser", "--no-browser", "--json"];
    let sign_in = SignIn::start(&demo.inside, &arguments);
    let ended_on = allow(sign_in.first["authorize_url"].as_str().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = leadferry::net::client(&leadferry::config::Network::default()).unwrap();
        assert!(client.get(ended_on).send().await.unwrap().status().is_success());
    });
    assert_eq!(sign_in.finish()["connected"], true);
}

#[test]
fn one_signs_in_by_a_code_approved_in_a_second_shell() {
    let demo = Demo::start();
    let sign_in = SignIn::start(&demo.inside, &["connect", "practice", "--method", "device", "--json"]);
    let code = sign_in.first["user_code"].as_str().unwrap().to_owned();
    assert_eq!(demo.outside.json(&["demo", "approve", &code])["approved"], true);
    assert_eq!(sign_in.finish()["connected"], true);
    let wrong = demo.outside.run(&["demo", "approve", "XXXX-XXXX"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
}

#[test]
fn an_address_of_another_sign_in_is_not_taken() {
    let demo = Demo::start();
    let pasted = "http://127.0.0.1:1/callback?code=abc&state=other\n";
    let told = demo.inside.run_with(&["connect", "practice", "--method", "paste", "--json"], pasted);
    assert_eq!((told.code, told.error()["code"].as_str()), (4, Some("sign_in_needed")), "{told:?}");
    assert!(told.err.contains("state"), "{told:?}");
}

#[test]
fn a_connected_platform_is_not_replaced_by_accident() {
    let demo = Demo::start();
    demo.connect_by_token();
    let again = demo.inside.run(&["connect", "practice"]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.err.contains("--reconnect") && again.err.contains("--account"), "{again:?}");
    let asked = demo.inside.run(&["connection", "remove", "practice"]);
    assert!(asked.code == 2 && asked.err.contains("--yes"), "{asked:?}");
    assert_eq!(demo.inside.json(&["connection", "remove", "practice", "--yes"])["removed"], true);
    let gone = demo.inside.run(&["connection", "show", "practice"]);
    assert!(gone.code == 2 && gone.err.contains("leadferry connect practice"), "{gone:?}");
}

#[test]
fn a_link_goes_on_to_the_sync_of_its_list_only_when_somebody_said_yes() {
    let demo = Demo::start();
    demo.save("5");
    demo.connect_by_token();
    let link = "/dashboard/profile#oauth?platform=practice&source=lookalike&listName=First&leadCount=5";
    let asked = demo.inside.run(&["connect", link]);
    assert!(asked.code == 2 && asked.err.contains("--yes"), "{asked:?}");
    assert!(asked.out.contains("Account:") && asked.out.contains("last_name → last_name"), "{asked:?}");
    assert_eq!(demo.inside.json(&["run", "ls"]), serde_json::json!([]), "something was sent without a yes");
    let told = demo.inside.run(&["connect", link, "--yes"]);
    assert!(told.out.contains("Synced 5 leads to Practice CRM"), "{told:?}");
}

#[test]
fn a_webhook_is_set_up_tried_delivered_to_and_removed() {
    let demo = Demo::start();
    demo.save("5");
    let url = format!("{}\n", demo.text("webhook_url"));
    let arguments = ["webhook", "add", "bridge", "--url", "-", "--auth", "bearer", "--batch", "2", "--json"];
    let added = demo.inside.run_with(&arguments, &format!("{url}hunter2\n"));
    let added: Value = serde_json::from_str(&added.out).unwrap_or_else(|error| panic!("{error}: {added:?}"));
    assert_eq!(added["webhook"], "bridge");
    assert!(added["secret"].as_str().unwrap().starts_with("whsec_"));

    let tried = demo.inside.json(&["webhook", "test", "bridge", "--list", "First"]);
    let keys: Vec<&String> = tried.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["status", "ms", "request", "response"]);
    assert_eq!(tried["status"], 200);
    let row = format!("{}:1", demo.text("prospects"));
    assert_eq!(demo.inside.json(&["webhook", "test", "bridge", "--lead", &row])["status"], 200);

    let sent = demo.inside.json(&["sync", "run", "First", "--to", "webhook:bridge"]);
    assert_eq!((&sent["delivered"], &sent["parked"], &sent["waiting"]), (&5.into(), &0.into(), &0.into()), "{sent}");
    let log = demo.inside.json(&["webhook", "log", "bridge"]);
    assert!(log.as_array().unwrap().len() >= 3, "{log}");

    assert_eq!(demo.inside.json(&["webhook", "pause", "bridge"])["state"], "paused");
    assert_eq!(demo.inside.json(&["webhook", "edit", "bridge", "--batch", "1"])["state"], "paused");
    let shown = demo.inside.run(&["webhook", "show", "bridge", "--json"]);
    assert!(shown.out.contains("\"batch\":1") && shown.out.contains("\"auth\":\"bearer\""), "{shown:?}");
    for secret in ["hunter2", added["secret"].as_str().unwrap(), "/hooks/"] {
        assert!(!shown.out.contains(secret) && !tried.to_string().contains("hunter2"), "{secret} in {shown:?}");
    }
    let rotated = demo.inside.json(&["webhook", "rotate-secret", "bridge"]);
    assert_ne!(rotated["secret"], added["secret"]);
    assert_eq!(demo.inside.json(&["webhook", "remove", "bridge", "--yes"])["removed"], true);
    assert_eq!(demo.inside.json(&["webhook", "ls"]), serde_json::json!([]));

    let names: Vec<String> = demo
        .inside
        .json(&["event", "ls"])
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["event"].as_str().unwrap().to_owned())
        .collect();
    for name in ["lookalike_webhook_opened", "lookalike_webhook_configured", "lookalike_leads_synced"] {
        assert!(names.iter().any(|one| one == name), "{name} is not among {names:?}");
    }
}

#[test]
fn a_receiver_that_is_away_makes_the_command_end_while_it_waits() {
    let demo = Demo::start();
    demo.save("2");
    // Port 1 refuses: the receiver is away.
    let url = "https://127.0.0.1:1/hook";
    demo.inside.json(&["webhook", "add", "away", "--url", url, "--retry", "1h"]);
    let told = demo.inside.run(&["sync", "run", "First", "--to", "webhook:away", "--json"]);
    assert_eq!(told.code, 6, "{told:?}");
    let waiting: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(waiting["waiting"], 2, "{waiting}");
    assert!(waiting["next_try"].is_string(), "{waiting}");
}

#[test]
fn doctor_answers_for_people_and_programs() {
    let world = World::new();
    let told = world.run(&["doctor"]);
    assert!(told.code == 0 && told.out.lines().all(|line| line.starts_with("ok")), "{told:?}");
    assert_eq!(world.json(&["doctor"])[0]["ok"], true);
}

#[test]
fn without_a_client_id_one_is_told_how_to_get_it() {
    let world = World::new();
    let told = world.run(&["connect", "salesforce"]);
    assert_eq!(told.code, 4, "{told:?}");
    assert!(told.err.contains("http://localhost:8976/callback") && told.err.contains("refresh_token"), "{told:?}");
    let unknown = world.run(&["connect", "salseforce"]);
    assert!(unknown.code == 2 && unknown.err.contains("Did you mean salesforce?"), "{unknown:?}");
    let field = world.run(&["connect", "salesforce", "--field", "location=1"]);
    assert!(field.code == 2 && field.err.contains("'location'"), "{field:?}");
}
