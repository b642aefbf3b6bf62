//! `leadferry connection`: the CRM accounts that are signed in.

use clap::Subcommand;
use serde_json::{Value, json};

use super::columns::{Columns, maybe_time, time};
use super::input::Input;
use super::out::Out;
use super::session::{Session, ask};
use crate::config::Config;
use crate::crm::{Account, Spec, registry};
use crate::engine::messages::{ConnectionSummary, Reply, Request};
use crate::failure::{Code, Failure};
use crate::sync::Destination;

/// The verbs. CONNECTION is a platform such as salesforce, or PLATFORM/ACCOUNT where there are several.
#[derive(Debug, Subcommand)]
pub enum Connection {
    /// Show all connections
    Ls,
    /// Show one connection
    Show {
        /// PLATFORM or PLATFORM/ACCOUNT
        connection: String,
    },
    /// Ask the CRM whose account it is
    Test {
        /// PLATFORM or PLATFORM/ACCOUNT
        connection: String,
    },
    /// Show the fields of the account that a mapping may name
    Fields {
        /// PLATFORM or PLATFORM/ACCOUNT
        connection: String,
    },
    /// Take the permission back at the CRM, where it can be, and forget the connection
    Remove {
        /// PLATFORM or PLATFORM/ACCOUNT
        connection: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Connection {
    /// Carries it out.
    pub async fn run(self, session: &Session, out: &mut Out, input: &mut Input) -> Result<u8, Failure> {
        match self {
            Connection::Ls => ls(session, out).await,
            Connection::Show { connection } => {
                let (platform, account) = parts(&connection, &session.config)?;
                show(out, &find(session, &platform, &account).await?)
            }
            Connection::Test { connection } => {
                let (platform, account) = parts(&connection, &session.config)?;
                let request = Request::TestConnection { platform: platform.clone(), account: account.clone() };
                let answered = ask!(session, request, Reply::Connections(one) => one)?.into_iter().next();
                show(out, &answered.ok_or_else(|| not_connected(&platform, &account))?)
            }
            Connection::Fields { connection } => fields(session, out, &connection).await,
            Connection::Remove { connection, yes } => remove(session, out, input, &connection, yes).await,
        }
    }
}

async fn ls(session: &Session, out: &mut Out) -> Result<u8, Failure> {
    let connections = ask!(session, Request::Connections, Reply::Connections(all) => all)?;
    if out.is_json() {
        out.json(&connections.iter().map(object).collect::<Vec<_>>())?;
        return Ok(0);
    }
    let mut table = Columns::new(&["Connection", "Account", "Status", "Sync type", "Connected", "Last sync"]);
    for one in &connections {
        let cells = [name(one), who(&one.who), status(one).into(), "real-time".into()];
        table.row(cells.into_iter().chain([time(one.connected), maybe_time(one.last_sync)]));
    }
    table.print(out, "No connections yet. Make one: leadferry connect PLATFORM")?;
    Ok(0)
}

fn show(out: &mut Out, one: &ConnectionSummary) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(&object(one))?;
        return Ok(0);
    }
    out.line(format!("{}: {}", name(one), who(&one.who)))?;
    out.line(format!("Status:     {}", status(one)))?;
    if let Some(trouble) = &one.trouble {
        out.line(format!("            {} {}", trouble.message, trouble.remedy))?;
    }
    if !one.who.environment.is_empty() {
        out.line(format!("Account is: {}", one.who.environment))?;
    }
    out.line(format!("Connected:  {}", time(one.connected)))?;
    out.line(format!("Last sync:  {}", one.last_sync.map_or_else(|| "never".into(), time)))?;
    Ok(0)
}

async fn fields(session: &Session, out: &mut Out, connection: &str) -> Result<u8, Failure> {
    let (platform, account) = parts(connection, &session.config)?;
    let fields = ask!(session, Request::Fields { platform, account }, Reply::Fields(fields) => fields)?;
    if out.is_json() {
        out.json(&fields)?;
        return Ok(0);
    }
    let mut table = Columns::new(&["Field", "Label", "Type", "#Length", "Notes"]);
    for field in fields {
        let notes = [(field.required, "required"), (field.unique, "unique")];
        let notes: Vec<&str> = notes.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
        let length = if field.length == 0 { String::new() } else { field.length.to_string() };
        table.row([field.name, field.label, field.kind, length, notes.join(", ")]);
    }
    table.print(out, "The account offers no fields.")?;
    Ok(0)
}

async fn remove(
    session: &Session,
    out: &mut Out,
    input: &mut Input,
    connection: &str,
    yes: bool,
) -> Result<u8, Failure> {
    let (platform, account) = parts(connection, &session.config)?;
    let one = find(session, &platform, &account).await?;
    let question = format!("Disconnect {} ({})?", name(&one), who(&one.who));
    if !yes && !input.confirm(out, &question).await? {
        return Err(Failure::new(Code::Cancelled, "Nothing was removed.", ""));
    }
    let request = Request::RemoveConnection { platform, account: one.account.clone() };
    ask!(session, request, Reply::Done => ())?;
    if out.is_json() {
        out.json(&json!({ "removed": true, "connection": name(&one) }))?;
    } else {
        out.line(format!("Disconnected {}.", name(&one)))?;
    }
    Ok(0)
}

/// The connection of a platform and label; an empty label means the only or first one.
pub async fn find(session: &Session, platform: &str, account: &str) -> Result<ConnectionSummary, Failure> {
    let all = ask!(session, Request::Connections, Reply::Connections(all) => all)?;
    let found = all.into_iter().find(|one| one.platform == platform && (account.is_empty() || one.account == account));
    found.ok_or_else(|| not_connected(platform, account))
}

fn not_connected(platform: &str, account: &str) -> Failure {
    let name = if account.is_empty() { platform.to_owned() } else { format!("{platform}/{account}") };
    let label = if account.is_empty() { String::new() } else { format!(" --account {account}") };
    Failure::new(
        Code::NotFound,
        format!("There is no connection {name}."),
        format!("Sign in with leadferry connect {platform}{label}, or see leadferry connection ls."),
    )
}

/// `PLATFORM`, `PLATFORM/ACCOUNT`, or either as a destination with `crm:` in front.
fn parts(connection: &str, config: &Config) -> Result<(String, String), Failure> {
    let bare = connection.strip_prefix("crm:").unwrap_or(connection);
    let (platform, account) = bare.split_once('/').unwrap_or((bare, ""));
    known(platform, config)?;
    Ok((platform.to_owned(), account.to_owned()))
}

/// Refuses a platform that the registry does not hold.
pub fn known(platform: &str, config: &Config) -> Result<&'static Spec, Failure> {
    registry::by_id(platform).map(|crm| crm.spec()).ok_or_else(|| {
        let ids: Vec<&str> = registry::offered(config).map(|crm| crm.spec().id).collect();
        let guess = crate::text::nearest(platform, ids.iter().copied());
        let guess = guess.map_or_else(String::new, |id| format!("Did you mean {id}? "));
        Failure::new(
            Code::Usage,
            format!("There is no CRM '{platform}'."),
            format!("{guess}Platforms: {}.", ids.join(", ")),
        )
    })
}

/// `PLATFORM` or `PLATFORM/ACCOUNT`, as the verbs take it.
fn name(one: &ConnectionSummary) -> String {
    destination(one).trim_start_matches("crm:").to_owned()
}

/// The connection as `--to` takes it.
pub fn destination(one: &ConnectionSummary) -> String {
    Destination::Crm { platform: one.platform.clone(), account: one.account.clone() }.to_string()
}

/// An account for a person: `Acme Inc. (dana@acme.test)`.
pub fn who(account: &Account) -> String {
    match (account.name.is_empty(), account.user.is_empty()) {
        (false, false) => format!("{} ({})", account.name, account.user),
        (false, true) => account.name.clone(),
        (true, false) => account.user.clone(),
        (true, true) => account.id.clone(),
    }
}

fn status(one: &ConnectionSummary) -> &'static str {
    if one.trouble.is_some() { "needs attention" } else { "connected" }
}

fn object(one: &ConnectionSummary) -> Value {
    json!({
        "platform": one.platform, "label": one.account, "account": who(&one.who), "destination": destination(one),
        "environment": one.who.environment, "method": one.method, "sync_type": "real-time",
        "status": if one.trouble.is_some() { "needs_attention" } else { "connected" }, "trouble": one.trouble,
        "connected": one.connected, "last_sync": one.last_sync,
    })
}
