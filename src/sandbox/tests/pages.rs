use std::os::unix::fs::PermissionsExt as _;

use reqwest::StatusCode;
use serde_json::json;

use super::*;
use crate::config::Config;

impl Demo {
    async fn hostile_contact(&self) {
        let row =
            json!({"contacts": [{"external_id": "1", "last_name": "<img src=x>\u{1b}[2J", "company": "\u{202e}evil"}]});
        let call = self.client.post(self.url("/api/contacts/batch")).bearer_auth(self.sandbox.token()).json(&row);
        assert_eq!(call.send().await.expect("an answer").status(), StatusCode::OK);
    }
}

/// Another site could read the page through a name of its own that points to this machine.
#[tokio::test]
async fn only_this_machines_names_are_answered() {
    let demo = Demo::start().await;
    for (host, status) in [
        ("evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("127.0.0.1.evil.example:80", StatusCode::MISDIRECTED_REQUEST),
        ("x@127.0.0.1", StatusCode::MISDIRECTED_REQUEST),
        ("localhost:9999", StatusCode::OK),
        ("[::1]:9999", StatusCode::OK),
    ] {
        let answer = demo.client.get(demo.url("/")).header("host", host).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{host}");
    }
    let key = hidden(&demo.get("/").await.text().await.expect("a page"), "key");
    let form = [("key", &*key), ("hook", "bridge"), ("answer", "410")];
    let foreign = demo.client.post(demo.url("/answers")).form(&form).header("origin", "https://evil.example");
    assert_eq!(foreign.send().await.expect("an answer").status(), StatusCode::FORBIDDEN);
}

/// The page would not update by itself, or a lead's text would act in the browser or terminal.
#[tokio::test]
async fn what_arrives_is_told_live_and_harmless() {
    let demo = Demo::start().await;
    let mut events = demo.get("/events").await;
    let first = events.chunk().await.expect("an event").expect("not the end");
    assert!(String::from_utf8_lossy(&first).contains("\"contacts\":0"));
    demo.hostile_contact().await;
    let next = events.chunk().await.expect("an event").expect("not the end");
    let next = String::from_utf8_lossy(&next);
    assert!(next.contains("\"contacts\":1") && !next.contains("\\u001b") && !next.contains('\u{202e}'), "{next}");

    let page = demo.get("/").await;
    let policy = page.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let text = page.text().await.expect("a page");
    assert!(text.contains(demo.sandbox.token()) && !text.contains("{{"));
    let script = demo.get("/page.js").await.text().await.expect("a script");
    assert!(!script.contains("innerHTML"));

    let status = status(&demo.client, demo.home.path()).await.expect("a status");
    assert!(status.starts_with("Practice CRM      1 contacts, 0 lists\n"), "{status}");
    demo.sandbox.stop().await.expect("stopped while a live page is open");
    let gone = super::super::status(&demo.client, demo.home.path()).await.expect_err("it is closed");
    assert_eq!(gone.message, "No demo is running.");
}

/// The demo would need hidden switches, or would throw away what a person set.
#[tokio::test]
async fn the_configuration_is_an_ordinary_one_and_keeps_what_was_set() {
    let demo = Demo::start().await;
    let path = demo.home.path().join("config.toml");
    std::fs::write(&path, "[tui]\ntheme = \"light\"\n[network]\nallow = [\"10.0.0.0/8\"]\n").expect("written");
    assert_eq!(demo.sandbox.write_config(demo.home.path()).expect("written"), path);
    demo.sandbox.write_config(demo.home.path()).expect("written twice");
    let config: Config = toml::from_str(&std::fs::read_to_string(&path).expect("there")).expect("a configuration");
    assert_eq!(config.tui.theme, "light");
    assert_eq!(config.network.allow, ["10.0.0.0/8", "127.0.0.0/8"]);
    assert_eq!(config.network.extra_ca, Some(demo.sandbox.ca_path()));
    assert_eq!(config.crm["practice"].base.as_deref(), Some(demo.sandbox.origin()));
    std::fs::write(&path, "[tui\n").expect("written");
    assert_eq!(demo.sandbox.write_config(demo.home.path()).expect_err("not TOML").code, Code::Unreadable);
}

/// Two demos would overwrite each other's data, or another user could read the keys.
#[tokio::test]
async fn one_demo_per_folder_and_its_files_are_private() {
    let demo = Demo::start().await;
    let second = Sandbox::start(demo.home.path(), &Options::default()).await.expect_err("it runs already");
    assert_eq!(second.code, Code::Store);
    assert!(second.message.contains(demo.sandbox.origin()), "{second}");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let folder = demo.home.path().join("sandbox");
    assert_eq!(mode(&folder), 0o700);
    for entry in std::fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// A demo that ended without saying so would leave its port taken or its data unwritten.
#[tokio::test]
async fn dropping_the_sandbox_keeps_the_data() {
    let demo = Demo::start().await;
    demo.hostile_contact().await;
    let Demo { home, clock, sandbox, .. } = demo;
    drop(sandbox);
    assert_eq!(start_in(home.path(), held(&clock)).await.seen().contacts, 1);
}
