//! `leadferry webhook`: outgoing endpoints.

mod deliveries;
mod settings;
mod trial;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::settings::Settings;
use super::columns::{Columns, maybe_time};
use super::input::Input;
use super::out::Out;
use super::session::{Session, ask};
use crate::engine::messages::{Reply, Request, SavedWebhook};
use crate::events::EventName;
use crate::failure::{Code, Failure};
use crate::vault::Secret;
use crate::webhook::{WebhookSpec, WebhookState, WebhookSummary, retry};

/// The verbs. NAME is a webhook's name.
#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// Set up a webhook; its signing secret is shown once
    Add(Add),
    /// Change a webhook's settings; what is not named stays
    Edit(Edit),
    /// Show all webhooks
    Ls,
    /// Show a webhook's settings, secrets masked
    Show {
        /// The webhook
        name: String,
    },
    /// Send one lead, and show request and response
    Test(trial::Trial),
    /// Let a webhook send
    Activate {
        /// The webhook
        name: String,
    },
    /// Let a webhook wait; what is queued stays queued
    Pause {
        /// The webhook
        name: String,
    },
    /// Make a new signing secret; it is shown once
    RotateSecret {
        /// The webhook
        name: String,
    },
    /// Show deliveries, newest first
    Log {
        /// The webhook; all unless given
        name: Option<String>,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
    /// Queue deliveries that were given up again
    Replay {
        /// The webhook
        name: String,
        /// One delivery
        #[arg(conflicts_with = "all")]
        id: Option<String>,
        /// All that were given up
        #[arg(long)]
        all: bool,
    },
    /// Delete a webhook and its queue
    Remove {
        /// The webhook
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// `leadferry webhook add`
#[derive(Debug, Args)]
pub struct Add {
    /// The webhook's name
    name: String,
    #[command(flatten)]
    settings: Settings,
    /// Do not send yet
    #[arg(long)]
    paused: bool,
    /// A signing secret of your own (whsec_…), on the first line of this file
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// `leadferry webhook edit`
#[derive(Debug, Args)]
pub struct Edit {
    /// The webhook's name
    name: String,
    /// A new name
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

impl Webhook {
    /// Carries it out.
    pub async fn run(self, session: &Session, out: &mut Out, input: &mut Input) -> Result<u8, Failure> {
        match self {
            Webhook::Add(add) => add.run(session, out, input).await,
            Webhook::Edit(edit) => edit.run(session, out, input).await,
            Webhook::Ls => ls(session, out).await,
            Webhook::Show { name } => show(session, out, &name).await,
            Webhook::Test(test) => test.run(session, out).await,
            Webhook::Activate { name } => set_active(session, out, name, true).await,
            Webhook::Pause { name } => set_active(session, out, name, false).await,
            Webhook::RotateSecret { name } => {
                let saved = ask!(session, Request::RotateSecret { name }, Reply::Webhook(saved) => saved)?;
                tell_saved(&saved, "has a new signing secret", out)
            }
            Webhook::Log { name, limit } => deliveries::log(session, out, name, limit).await,
            Webhook::Replay { id: None, all: false, .. } => Err(Failure::new(
                Code::Usage,
                "Which deliveries?",
                "Name one (see leadferry webhook log), or add --all.",
            )),
            Webhook::Replay { name, id, .. } => deliveries::replay(session, out, name, id).await,
            Webhook::Remove { name, yes } => remove(session, out, input, name, yes).await,
        }
    }
}

impl Add {
    async fn run(self, session: &Session, out: &mut Out, input: &mut Input) -> Result<u8, Failure> {
        let opened = Request::Record {
            event: EventName::WebhookOpened,
            platform: "webhook".into(),
            lead_count: 0,
            list_name: String::new(),
        };
        ask!(session, opened, Reply::Done => ())?;
        if self.settings.url.is_none() {
            return Err(Failure::new(
                Code::Usage,
                "A webhook needs an address.",
                "Add --url URL, or --url - to read it.",
            ));
        }
        let mut spec = WebhookSpec {
            name: self.name,
            retry: retry::for_attempts(session.config.webhook.max_attempts),
            ..WebhookSpec::default()
        };
        self.settings.apply(&mut spec, session, out, input).await?;
        let secret = self.secret_file.as_deref().map(settings::secret_from).transpose()?;
        let save = Request::SaveWebhook {
            id: None,
            spec,
            secret,
            paused: self.paused,
            list_name: String::new(),
            lead_count: 0,
        };
        let saved = ask!(session, save, Reply::Webhook(saved) => saved)?;
        tell_saved(&saved, if self.paused { "is saved, paused" } else { "is active" }, out)
    }
}

impl Edit {
    async fn run(self, session: &Session, out: &mut Out, input: &mut Input) -> Result<u8, Failure> {
        let summary = find(session, &self.name).await?;
        let mut spec = settings(session, &self.name).await?;
        self.settings.apply(&mut spec, session, out, input).await?;
        spec.name = self.rename.unwrap_or(spec.name);
        let paused = summary.state != WebhookState::Active;
        let save = Request::SaveWebhook {
            id: Some(summary.id),
            spec,
            secret: None,
            paused,
            list_name: String::new(),
            lead_count: 0,
        };
        let saved = ask!(session, save, Reply::Webhook(saved) => saved)?;
        if out.is_json() {
            out.json(&object(&saved.webhook))?;
        } else {
            out.line(format!("Saved {}.", saved.webhook.name))?;
        }
        Ok(0)
    }
}

/// The one place where a signing secret is shown.
fn tell_saved(saved: &SavedWebhook, how: &str, out: &mut Out) -> Result<u8, Failure> {
    let secret = saved.secret.as_ref().map(Secret::expose);
    if out.is_json() {
        out.json(&json!({ "webhook": saved.webhook.name, "secret": secret }))?;
        return Ok(0);
    }
    out.line(format!("Webhook {} {how}.", saved.webhook.name))?;
    if let Some(secret) = secret {
        out.line("The receiver checks signatures with this secret; it is not shown again:")?;
        out.line(secret)?;
    }
    Ok(0)
}

async fn settings(session: &Session, name: &str) -> Result<WebhookSpec, Failure> {
    let spec = ask!(session, Request::Webhook { name: name.to_owned() }, Reply::WebhookSpec(spec) => spec)?;
    Ok(*spec)
}

async fn find(session: &Session, name: &str) -> Result<WebhookSummary, Failure> {
    let all = ask!(session, Request::Webhooks, Reply::Webhooks(all) => all)?;
    let folded = name.to_lowercase();
    let near = crate::text::nearest(name, all.iter().map(|one| one.name.as_str())).map(str::to_owned);
    all.into_iter().find(|one| one.name.to_lowercase() == folded || one.id == name).ok_or_else(|| {
        let guess = near.map_or_else(String::new, |near| format!("Did you mean {near}? "));
        Failure::new(
            Code::NotFound,
            format!("There is no webhook {name}."),
            format!("{guess}See leadferry webhook ls."),
        )
    })
}

async fn ls(session: &Session, out: &mut Out) -> Result<u8, Failure> {
    let webhooks = ask!(session, Request::Webhooks, Reply::Webhooks(all) => all)?;
    if out.is_json() {
        out.json(&webhooks.iter().map(object).collect::<Vec<_>>())?;
        return Ok(0);
    }
    let mut table = Columns::new(&["Webhook", "State", "#Waiting", "#Parked", "Last delivered", "Address", "Reason"]);
    for one in webhooks {
        let (waiting, parked) = (one.waiting.to_string(), one.parked.to_string());
        let last = maybe_time(one.last_delivered);
        table.row([one.name, state(one.state).into(), waiting, parked, last, one.url, one.reason]);
    }
    table.print(out, "No webhooks yet. Set one up: leadferry webhook add NAME --url URL")?;
    Ok(0)
}

async fn show(session: &Session, out: &mut Out, name: &str) -> Result<u8, Failure> {
    let (summary, spec) = (find(session, name).await?, settings(session, name).await?);
    let mut shown = object(&summary);
    settings::describe(&spec, &mut shown);
    if out.is_json() {
        out.json(&shown)?;
        return Ok(0);
    }
    for (name, value) in shown.as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        out.line(format!("{name:<15} {text}"))?;
    }
    Ok(0)
}

async fn set_active(session: &Session, out: &mut Out, name: String, active: bool) -> Result<u8, Failure> {
    ask!(session, Request::SetWebhookActive { name: name.clone(), active }, Reply::Done => ())?;
    let state = if active { "active" } else { "paused" };
    if out.is_json() {
        out.json(&json!({ "webhook": name, "state": state }))?;
    } else {
        out.line(format!("Webhook {name} is {state}."))?;
    }
    Ok(0)
}

async fn remove(session: &Session, out: &mut Out, input: &mut Input, name: String, yes: bool) -> Result<u8, Failure> {
    let one = find(session, &name).await?;
    let question = format!("Remove the webhook {} ({} deliveries wait)?", one.name, one.waiting);
    if !yes && !input.confirm(out, &question).await? {
        return Err(Failure::new(Code::Cancelled, "Nothing was removed.", ""));
    }
    ask!(session, Request::RemoveWebhook { name: one.name.clone() }, Reply::Done => ())?;
    if out.is_json() {
        out.json(&json!({ "removed": true, "webhook": one.name }))?;
    } else {
        out.line(format!("Removed {}.", one.name))?;
    }
    Ok(0)
}

fn state(state: WebhookState) -> &'static str {
    match state {
        WebhookState::Active => "active",
        WebhookState::Paused => "paused",
        WebhookState::Disabled => "disabled",
    }
}

fn object(one: &WebhookSummary) -> Value {
    json!({
        "webhook": one.name, "state": state(one.state), "reason": one.reason, "url": one.url,
        "waiting": one.waiting, "parked": one.parked, "last_delivered": one.last_delivered,
    })
}
