//! `leadferry connect`: signing in to a CRM, and from a link on to the sync of its list.

mod dialogue;

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::connection::{destination, known, who};
use super::follow::run_and_follow;
use super::input::Input;
use super::out::Out;
use super::session::{Session, ask};
use crate::config::CrmSettings;
use crate::crm::Spec;
use crate::engine::messages::{ConnectRequest, ConnectionSummary, Reply, Request};
use crate::events::EventName;
use crate::failure::{Code, Failure};
use crate::oauth::deep_link::DeepLink;
use crate::oauth::{Answer, Method};
use crate::sync::{Destination, Mode, Plan};

/// `leadferry connect`
#[derive(Debug, Args)]
pub struct Connect {
    /// A platform such as salesforce, or a link as the connect pane shows it
    #[arg(value_name = "PLATFORM|LINK")]
    target: String,
    /// How to sign in; browser unless the CRM has only tokens
    #[arg(long)]
    method: Option<MethodName>,
    /// A label of your own, to tell several accounts of a platform apart
    #[arg(long, value_name = "LABEL", default_value = "", hide_default_value = true)]
    account: String,
    /// Sign in anew; mappings and syncs stay
    #[arg(long)]
    reconnect: bool,
    /// One more value that the CRM needs
    #[arg(long = "field", value_name = "NAME=VALUE")]
    fields: Vec<String>,
    /// Only show the address; open no browser on this machine
    #[arg(long)]
    no_browser: bool,
    /// With a link: send its list without asking; --json implies it
    #[arg(long)]
    yes: bool,
}

/// [`Method`] as a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MethodName {
    /// A browser, answered by a callback on this machine; pasting works beside it
    Browser,
    /// A browser anywhere; paste the address it ended on
    Paste,
    /// A code, typed into the CRM's page on any device
    Device,
    /// A token made in the CRM's settings, read from standard input or a hidden prompt
    Token,
}

impl From<MethodName> for Method {
    fn from(name: MethodName) -> Method {
        match name {
            MethodName::Browser => Method::Browser,
            MethodName::Paste => Method::Paste,
            MethodName::Device => Method::Device,
            MethodName::Token => Method::Token,
        }
    }
}

impl Connect {
    /// Carries it out.
    pub async fn run(self, session: &Session, out: &mut Out, input: &mut Input) -> Result<u8, Failure> {
        let link = if DeepLink::is_meant(&self.target) {
            self.target.parse()?
        } else {
            DeepLink { platform: self.target.clone(), ..DeepLink::default() }
        };
        let spec = known(&link.platform, &session.config)?;
        let existing = self.existing(session, spec).await?;
        let renew = self.reconnect || link.reconnect;
        let goes_on = !link.list_name.is_empty();
        let connection = match existing.filter(|one| one.trouble.is_none() && !renew) {
            Some(connection) if goes_on => connection,
            Some(connection) => return Err(already(spec, &connection)),
            None => {
                let request = self.request(session, spec, &link, out, input).await?;
                ask!(session, clicked(&link), Reply::Done => ())?;
                let connection = dialogue::sign_in(session, spec, request, out, input).await?;
                tell(&connection, spec, out)?;
                connection
            }
        };
        if goes_on { self.sync(session, &link, &connection, out, input).await } else { Ok(0) }
    }

    /// The connection that this sign-in would replace.
    async fn existing(&self, session: &Session, spec: &Spec) -> Result<Option<ConnectionSummary>, Failure> {
        let all = ask!(session, Request::Connections, Reply::Connections(all) => all)?;
        Ok(all.into_iter().find(|one| one.platform == spec.id && one.account == self.account))
    }

    async fn request(
        &self,
        session: &Session,
        spec: &Spec,
        link: &DeepLink,
        out: &mut Out,
        input: &mut Input,
    ) -> Result<ConnectRequest, Failure> {
        let settings = session.config.crm(spec.id);
        let method = self.method(spec)?;
        let fields = fields(spec, method, &self.fields)?;
        if method != Method::Token && settings.client_id.is_none() {
            return Err(unregistered(spec, &settings));
        }
        let token = match (method, spec.token) {
            (Method::Token, Some(token)) => {
                let elsewhere =
                    format!("Make one at {}: {}. Give it on a line of standard input.", spec.name, token.where_to);
                Some(input.secret(out, &format!("{} {}", spec.name, token.name), &elsewhere).await?)
            }
            _ => None,
        };
        Ok(ConnectRequest {
            platform: spec.id.to_owned(),
            account: self.account.clone(),
            method,
            fields,
            token,
            open_browser: !self.no_browser && method == Method::Browser,
            list_name: link.list_name.clone(),
            lead_count: link.lead_count,
        })
    }

    /// The way asked for, if the vendor has it; else the first one it has.
    fn method(&self, spec: &Spec) -> Result<Method, Failure> {
        let mut ways = Vec::new();
        if let Some(oauth) = &spec.oauth {
            // An answer that is posted to an HTTPS address cannot reach a callback here.
            if oauth.answer == Answer::Query {
                ways.push((MethodName::Browser, "browser"));
            }
            ways.push((MethodName::Paste, "paste"));
            if oauth.device_url.is_some() {
                ways.push((MethodName::Device, "device"));
            }
        }
        if spec.token.is_some() {
            ways.push((MethodName::Token, "token"));
        }
        let chosen = ways.iter().find(|(way, _)| self.method.is_none_or(|wanted| wanted == *way));
        chosen.map(|(way, _)| Method::from(*way)).ok_or_else(|| {
            let names: Vec<&str> = ways.iter().map(|(_, name)| *name).collect();
            Failure::new(
                Code::Usage,
                format!("{} has no sign-in of this --method.", spec.name),
                format!("It has: {}.", names.join(", ")),
            )
        })
    }

    /// From the link on: the settings are confirmed, then the list goes out.
    async fn sync(
        &self,
        session: &Session,
        link: &DeepLink,
        connection: &ConnectionSummary,
        out: &mut Out,
        input: &mut Input,
    ) -> Result<u8, Failure> {
        let to = Destination::Crm { platform: connection.platform.clone(), account: connection.account.clone() };
        let request = Request::Plan { list: link.list_name.clone(), destination: to.clone() };
        let plan = ask!(session, request, Reply::Plan(plan) => plan)?;
        if !out.is_json() {
            show_plan(&plan, out)?;
            if !self.yes && !input.confirm(out, &format!("Send {} leads now?", plan.leads)).await? {
                let remedy = format!("Send them later: leadferry sync run '{}' --to {to}", plan.list);
                return Err(Failure::new(Code::Cancelled, "Nothing was sent.", remedy));
            }
        }
        let request = Request::StartRun {
            list: plan.list.clone(),
            destination: to,
            settings: Some(plan.settings.clone()),
            mode: None,
        };
        run_and_follow(session, out, request, super::sync::DEFAULT_WAIT).await
    }
}

fn clicked(link: &DeepLink) -> Request {
    Request::Record {
        event: EventName::ConnectClicked,
        platform: link.platform.clone(),
        lead_count: link.lead_count,
        list_name: link.list_name.clone(),
    }
}

fn tell(connection: &ConnectionSummary, spec: &Spec, out: &mut Out) -> Result<(), Failure> {
    let (account, to) = (who(&connection.who), destination(connection));
    if out.is_json() {
        let told = json!({
            "connected": true, "platform": connection.platform, "account": account, "destination": to,
        });
        return out.json(&told);
    }
    out.line(format!("Connected to {} as {account}.", spec.name))?;
    out.line(format!("Send a list there: leadferry sync run LIST --to {to}"))
}

fn show_plan(plan: &Plan, out: &mut Out) -> Result<(), Failure> {
    let mode = match plan.settings.mode {
        Mode::Upsert => "create what is new, update what is there",
        Mode::Create => "create what is new, leave what is there",
        Mode::Update => "update what is there, leave what is new",
    };
    out.line(format!("List:    {}, version {}, {} leads", plan.list, plan.version, plan.leads))?;
    out.line(format!("Account: {}", plan.account))?;
    out.line(format!("Mode:    {mode}"))?;
    if !plan.settings.group.is_empty() {
        out.line(format!("Group:   {} {}", plan.grouping, plan.settings.group))?;
    }
    let rows = plan.settings.mapping.iter().filter(|row| !row.to.is_empty());
    let rows: Vec<String> = rows.map(|row| format!("{} → {}", row.from, row.to)).collect();
    out.line(format!("Fields:  {}", rows.join(", ")))?;
    out.line(format!("Calls:   at least {}", plan.calls))?;
    plan.warnings.iter().for_each(|warning| out.warn(warning));
    Ok(())
}

fn already(spec: &Spec, connection: &ConnectionSummary) -> Failure {
    Failure::new(
        Code::Usage,
        format!("{} is connected already, as {}.", spec.name, who(&connection.who)),
        "Add --reconnect to sign in anew, or --account LABEL for one more account.",
    )
}

/// The values of `--field`, checked against what the vendor takes.
fn fields(spec: &Spec, method: Method, given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let allowed: Vec<&str> = spec.sign_in_fields.iter().map(|field| field.name).collect();
    let mut fields = BTreeMap::new();
    for pair in given {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(Failure::new(
                Code::Usage,
                format!("--field {pair} has no value."),
                "Write --field NAME=VALUE.",
            ));
        };
        if !allowed.contains(&name) {
            let remedy = match allowed.as_slice() {
                [] => format!("{} takes none; leave --field out.", spec.name),
                allowed => format!("Allowed for {}: {}.", spec.name, allowed.join(", ")),
            };
            return Err(Failure::new(Code::Usage, format!("{} takes no field '{name}'.", spec.name), remedy));
        }
        fields.insert(name.to_owned(), value.to_owned());
    }
    let missing = spec.sign_in_fields.iter().find(|field| field.required && !fields.contains_key(field.name));
    match missing.filter(|_| method == Method::Token) {
        Some(field) => Err(Failure::new(
            Code::Usage,
            format!("{} needs its {} beside the token.", spec.name, field.label),
            format!("Add --field {}=VALUE.", field.name),
        )),
        None => Ok(fields),
    }
}

/// How to get a client id for this vendor, in a few lines.
fn unregistered(spec: &Spec, settings: &CrmSettings) -> Failure {
    let mut lines: Vec<String> = spec.register.lines().map(str::to_owned).collect();
    if let Some(oauth) = &spec.oauth {
        let redirect = settings.redirect.as_deref().unwrap_or(oauth.redirect);
        // The vendor's text names the usual redirect address and scopes; what it leaves out, or what was changed, is added.
        if !spec.register.contains(redirect) {
            lines.push(format!("Redirect address: {redirect}"));
        }
        if !oauth.scopes.is_empty() && !spec.register.to_lowercase().contains("scope") {
            lines.push(format!("Scopes: {}", oauth.scopes.join(" ")));
        }
    }
    if let Some(token) = spec.token.filter(|_| !spec.register.contains("--method token")) {
        lines.push(format!("Or use a {}: leadferry connect {} --method token", token.name, spec.id));
    }
    Failure::new(Code::SignInNeeded, format!("No client id for {} is configured.", spec.name), lines.join("\n"))
}

#[cfg(test)]
#[path = "connect/connect_tests.rs"]
mod tests;
