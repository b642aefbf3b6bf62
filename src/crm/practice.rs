//! The practice CRM of `leadferry demo`: contacts by upsert in 50s under the lead's key, lists. It answers on loopback only.
//!
//! Calls for n new leads: 1 for the fields, ⌈n/50⌉ upserts; a list costs 1 call to open and ⌈n/500⌉ to fill.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::api::Api;
use super::call::{ApiReply, Call, by_status, words_of};
use super::{
    Account, Crm, Found, MatchBy, MatchKey, Outgoing, Rate, RemoteField, Spec, StaticToken, Survey, Trouble,
    TroubleKind, Write, Written,
};
use crate::lead::Field;
use crate::oauth::{Answer, Client, OAuth, SecretIn};
use crate::sync::Outcome;

/// Contacts per call.
const BATCH: usize = 50;
/// List members per call.
const MEMBERS: usize = 500;
/// The field that holds a lead's key.
const KEY: &str = "external_id";

/// The practice CRM. Where it listens is said by `base` in `[crm.practice]`, which the demo writes.
#[derive(Clone, Copy, Debug)]
pub struct Practice;

static SPEC: Spec = Spec {
    id: "practice",
    name: "Practice CRM",
    oauth: Some(OAuth {
        authorize_url: "http://127.0.0.1/oauth/authorize",
        token_url: "http://127.0.0.1/oauth/token",
        revoke_url: Some("http://127.0.0.1/oauth/revoke"),
        device_url: Some("http://127.0.0.1/oauth/device"),
        scopes: &["contacts", "lists"],
        scope_separator: " ",
        extra: &[],
        pkce: true,
        client: Client::Public,
        secret_in: SecretIn::Body,
        redirect: "http://127.0.0.1:0/callback",
        answer: Answer::Query,
    }),
    token: Some(StaticToken { name: "practice token", where_to: "what the demo says at its start, and its page" }),
    api_base: "http://127.0.0.1",
    account_hosts: &[],
    sign_in_fields: &[],
    register: "There is nothing to register: the practice CRM runs inside leadferry demo,\n\
        which writes what is needed into its own configuration.",
    batch: BATCH,
    find_batch: BATCH,
    group_batch: MEMBERS,
    index_lag: 0,
    rate: Rate { calls: 90, seconds: 10 },
    grouping: "list",
    field_map: &[
        (Field::FirstName, "first_name"),
        (Field::LastName, "last_name"),
        (Field::Email, "email"),
        (Field::Phone, "phone"),
        (Field::Company, "company"),
        (Field::Title, "title"),
        (Field::Industry, "industry"),
        (Field::Website, "website"),
        (Field::Street, "street"),
        (Field::City, "city"),
        (Field::State, "state"),
        (Field::PostalCode, "postal_code"),
        (Field::Country, "country"),
        (Field::Employees, "employees"),
        (Field::Revenue, "revenue"),
        (Field::Tags, "tags"),
        (Field::Notes, "notes"),
        (Field::Score, "score"),
        (Field::Reasons, "reasons"),
    ],
    list_field: "",
    practice: true,
};

#[derive(Deserialize)]
struct FieldList {
    fields: Vec<FieldRow>,
}

#[derive(Deserialize)]
struct FieldRow {
    name: String,
    label: String,
    r#type: String,
    max_length: usize,
    required: bool,
    unique: bool,
}

#[derive(Deserialize)]
struct Results<T> {
    results: Vec<T>,
}

/// What the practice CRM says about one row of a batch.
#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Row {
    Created { id: String },
    Updated { id: String },
    Unchanged { id: String },
    Failed { error: Refusal },
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    code: String,
    field: String,
    message: String,
}

impl Row {
    fn written(self) -> Written {
        let (outcome, remote_id) = match self {
            Row::Created { id } => (Outcome::Created, id),
            Row::Updated { id } => (Outcome::Updated, id),
            Row::Unchanged { id } => (Outcome::Unchanged, id),
            Row::Failed { error } => {
                return Written {
                    outcome: Outcome::Failed,
                    remote_id: String::new(),
                    reason: words_of(&format!("{} ({})", error.message, error.code)),
                    next_step: error.next_step(),
                };
            }
        };
        Written { outcome, remote_id, reason: String::new(), next_step: String::new() }
    }
}

impl Refusal {
    fn next_step(&self) -> String {
        let field = words_of(&self.field);
        match self.code.as_str() {
            "duplicate" => "Another contact holds this value: it may be the same person twice in the file.".to_owned(),
            "required" => format!("Fill it in, or map another column to {field}."),
            "too_long" => format!("Shorten it in the file, or do not map {field}."),
            _ => format!("Correct it in the file, or do not map {field}."),
        }
    }
}

#[derive(Deserialize)]
struct Matches {
    contacts: Vec<Contact>,
}

#[derive(Deserialize)]
struct Contact {
    id: String,
    values: BTreeMap<String, String>,
}

impl Matches {
    fn found(mut self, lead: &Outgoing) -> Found {
        if self.contacts.len() > 1 {
            return Found::Several(self.contacts.into_iter().map(|contact| contact.id).collect());
        }
        let Some(contact) = self.contacts.pop() else { return Found::None };
        let held = |name: &String| (name.clone(), contact.values.get(name).cloned().unwrap_or_default());
        Found::One { values: lead.values.iter().map(|(name, _)| held(name)).collect(), id: contact.id, created: None }
    }
}

/// An answer with fewer or more results than were asked for cannot be told apart: better no answer than a wrong one.
fn of_each<T>(results: Vec<T>, asked: usize, kind: TroubleKind) -> Result<Vec<T>, Trouble> {
    if results.len() == asked {
        return Ok(results);
    }
    let message = format!("The practice CRM answered {} results for {asked} leads.", results.len());
    Err(Trouble { kind, message, next_step: String::new() })
}

#[async_trait::async_trait]
impl Crm for Practice {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn classify(&self, reply: &ApiReply) -> Option<Trouble> {
        #[derive(Deserialize)]
        struct Body {
            error: Refusal,
        }
        let error = reply.json::<Body>().map(|body| body.error).unwrap_or_default();
        let mut trouble = by_status(SPEC.name, reply, &error.message)?;
        if error.code == "insufficient_scope" {
            trouble.next_step = "Connect the practice CRM again and allow both scopes, contacts and lists.".to_owned();
        }
        Some(trouble)
    }

    async fn who_am_i(&self, api: &Api) -> Result<Account, Trouble> {
        #[derive(Deserialize)]
        struct Me {
            organisation: Organisation,
            user: User,
            environment: String,
        }
        #[derive(Deserialize)]
        struct Organisation {
            id: String,
            name: String,
        }
        #[derive(Deserialize)]
        struct User {
            email: String,
        }
        let me: Me = api.json(Call::get("/api/me")).await?;
        Ok(Account {
            id: me.organisation.id,
            name: me.organisation.name,
            user: me.user.email,
            environment: me.environment,
        })
    }

    async fn survey(&self, api: &Api) -> Result<Survey, Trouble> {
        let answer: FieldList = api.json(Call::get("/api/fields")).await?;
        let fields = answer.fields.into_iter().map(|field| RemoteField {
            name: field.name,
            label: field.label,
            kind: field.r#type,
            length: field.max_length,
            required: field.required,
            unique: field.unique,
        });
        Ok(Survey { fields: fields.collect(), key: MatchKey::Upsert(KEY.to_owned()), by: MatchBy::LeadKey })
    }

    async fn find(&self, api: &Api, _survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
        let keys: Vec<&str> = leads.iter().map(|lead| lead.key.as_str()).collect();
        let call = Call::post("/api/contacts/find").json(json!({ "by": KEY, "values": keys }));
        let answer: Results<Matches> = api.json(call).await?;
        let results = of_each(answer.results, leads.len(), TroubleKind::Vendor)?;
        Ok(results.into_iter().zip(leads).map(|(matches, lead)| matches.found(lead)).collect())
    }

    async fn write(&self, api: &Api, _survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
        let row = |(lead, write): &(Outgoing, Write)| {
            let mut row: Map<String, Value> =
                lead.values.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            row.insert(KEY.to_owned(), json!(lead.key));
            if let Write::Update { id } = write {
                row.insert("id".to_owned(), json!(id));
            }
            Value::Object(row)
        };
        let rows: Vec<Value> = leads.iter().map(row).collect();
        let call = Call::post("/api/contacts/batch").json(json!({ "match_by": KEY, "contacts": rows })).once();
        let answer: Results<Row> = api.json(call).await?;
        let results = of_each(answer.results, leads.len(), TroubleKind::Unclear)?;
        Ok(results.into_iter().map(Row::written).collect())
    }

    async fn open_group(&self, api: &Api, name: &str) -> Result<String, Trouble> {
        #[derive(Deserialize)]
        struct List {
            id: String,
        }
        let list: List = api.json(Call::post("/api/lists").json(json!({ "name": name }))).await?;
        Ok(list.id)
    }

    async fn add_to_group(&self, api: &Api, group: &str, records: &[String]) -> Result<Vec<(String, String)>, Trouble> {
        #[derive(Deserialize)]
        struct Answer {
            refused: Vec<Member>,
        }
        #[derive(Deserialize)]
        struct Member {
            id: String,
            message: String,
        }
        let call = Call::post("/api/lists").segment(group).segment("members").json(json!({ "contacts": records }));
        let answer: Answer = api.json(call).await?;
        Ok(answer.refused.into_iter().map(|member| (member.id, words_of(&member.message))).collect())
    }

    fn calls(&self, _survey: &Survey, leads: u64, grouped: bool) -> u64 {
        let lists = if grouped { 1 + leads.div_ceil(MEMBERS as u64) } else { 0 };
        1 + leads.div_ceil(BATCH as u64) + lists
    }
}
