//! Lofty leads: looking up by e-mail, creating, changing without losing what is there.

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fields::{self, EMAILS, Held, PHONES};
use crate::crm::api::Api;
use crate::crm::call::Call;
use crate::crm::{Found, Outgoing, Survey, Trouble, TroubleKind, Written};
use crate::sync::Outcome;

/// Leads of one e-mail that a look-up wants to know of.
const MATCHES: &str = "10";

#[derive(Deserialize)]
struct Matches {
    #[serde(default)]
    leads: Vec<Held>,
}

/// Looks one lead up by its e-mail.
pub(super) async fn find(api: &Api, lead: &Outgoing) -> Result<Found, Trouble> {
    if lead.email.is_empty() {
        return Ok(Found::None);
    }
    let call = Call::get("/v1.0/leads").query("email", &lead.email).query("limit", MATCHES);
    let answer: Matches = api.json(call).await?;
    let mut leads: Vec<Held> = answer.leads.into_iter().filter(|held| held.has_email(&lead.email)).collect();
    if leads.len() > 1 {
        return Ok(Found::Several(leads.iter().map(|held| held.lead_id.to_string()).collect()));
    }
    let Some(held) = leads.pop() else { return Ok(Found::None) };
    let values = lead.values.iter().map(|(name, ours)| (name.clone(), held.held(lead, name, ours))).collect();
    Ok(Found::One { id: held.lead_id.to_string(), values, created: held.created() })
}

/// Makes a lead, without the mails that Lofty could send for it.
pub(super) async fn create(api: &Api, survey: &Survey, lead: &Outgoing) -> Result<Written, Trouble> {
    let mut body = fields::body(survey, lead);
    body.insert("welcomeEmail".to_owned(), json!(false));
    body.insert("leadAlert".to_owned(), json!(false));
    if let Some(agent) = agent(api)? {
        body.insert("assignedUserId".to_owned(), json!(agent));
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Made {
        lead_id: i64,
    }
    let made: Made = api.json(Call::post("/v1.0/leads").json(Value::Object(body)).once()).await?;
    Ok(written(Outcome::Created, made.lead_id.to_string()))
}

/// Who gets new leads, where the sign-in named somebody.
pub(super) fn agent(api: &Api) -> Result<Option<i64>, Trouble> {
    match api.field("agent").trim() {
        "" => Ok(None),
        id => id.parse().map(Some).map_err(|_| Trouble {
            kind: TroubleKind::Permission,
            message: "The agent given at sign-in is not a user id of Lofty: those are numbers.".to_owned(),
            next_step: "Connect again with --field agent=NUMBER, or without.".to_owned(),
        }),
    }
}

/// Changes a lead. Phone numbers are a list that a change replaces and addresses one that it adds to, so what is there is
/// read first; the e-mail found it and stays.
pub(super) async fn update(api: &Api, survey: &Survey, lead: &Outgoing, id: &str) -> Result<Written, Trouble> {
    let mut body = fields::body(survey, lead);
    body.remove(EMAILS);
    if body.contains_key(PHONES) || body.contains_key("property") {
        keep_what_is_there(&mut body, read(api, id).await?.as_ref());
    }
    api.send(Call::new(Method::PUT, "/v1.0/leads").segment(id).json(Value::Object(body))).await?;
    Ok(written(Outcome::Updated, id.to_owned()))
}

fn keep_what_is_there(body: &mut Map<String, Value>, held: Option<&Held>) {
    let ours = body.remove(PHONES).and_then(|phones| Some(phones.get(0)?.as_str()?.to_owned()));
    // A lead that was made a moment ago may not be shown yet: then nothing of it is touched.
    let Some(held) = held else {
        body.remove("property");
        return;
    };
    if let Some(ours) = ours.filter(|ours| !held.has_phone(ours)) {
        let mut phones = held.phones();
        phones.push(&ours);
        body.insert(PHONES.to_owned(), json!(phones));
    }
    if body.get("property").and_then(Value::as_object).is_some_and(|parts| held.has_address(parts)) {
        body.remove("property");
    }
}

/// A lead by its id, wrapped or bare: the vendor's text says the one, its schema the other.
async fn read(api: &Api, id: &str) -> Result<Option<Held>, Trouble> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Answer {
        Wrapped { lead: Held },
        Bare(Held),
    }
    match api.json(Call::get("/v1.0/leads").segment(id)).await {
        Ok(Answer::Wrapped { lead } | Answer::Bare(lead)) => Ok(Some(lead)),
        Err(trouble) if trouble.kind == TroubleKind::Missing => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Puts a tag on a lead.
pub(super) async fn tag(api: &Api, tag: &str, id: &str) -> Result<(), Trouble> {
    let body = json!({fields::TAGS: [tag]});
    api.send(Call::new(Method::PUT, "/v1.0/leads").segment(id).json(body)).await.map(drop)
}

fn written(outcome: Outcome, remote_id: String) -> Written {
    Written { outcome, remote_id, reason: String::new(), next_step: String::new() }
}
