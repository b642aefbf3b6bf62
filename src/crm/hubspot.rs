//! HubSpot: contacts by batch upsert in 100s, lists as static lists.
//!
//! Calls for n new leads: 1 for the properties, ⌈n/100⌉ upserts; a static list costs 2 calls to make and ⌈n/1000⌉ to fill.

mod errors;
mod records;

use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::Api;
use super::call::{ApiReply, Call, words_of};
use super::limiter::Allowance;
use super::{
    Account, Crm, Found, MatchBy, MatchKey, Outgoing, Rate, RemoteField, Spec, StaticToken, Survey, Trouble,
    TroubleKind, Write, Written,
};
use crate::lead::Field;
use crate::oauth::{Answer, Client, OAuth, SecretIn};

/// Contacts per batch call.
const BATCH: usize = 100;

/// Record ids per membership call.
const MEMBERS: usize = 1_000;

/// The object type id of contacts.
const CONTACTS: &str = "0-1";

/// HubSpot, whichever data centre the account is in: the API host is the same.
#[derive(Clone, Copy, Debug)]
pub struct HubSpot;

static SPEC: Spec = Spec {
    id: "hubspot",
    name: "HubSpot",
    oauth: Some(OAuth {
        authorize_url: "https://app.hubspot.com/oauth/authorize",
        token_url: "https://api.hubapi.com/oauth/2026-03/token",
        revoke_url: Some("https://api.hubapi.com/oauth/2026-03/token/revoke"),
        device_url: None,
        scopes: &[
            "oauth",
            "crm.objects.contacts.read",
            "crm.objects.contacts.write",
            "crm.lists.read",
            "crm.lists.write",
        ],
        scope_separator: " ",
        extra: &[],
        pkce: true,
        client: Client::Confidential,
        secret_in: SecretIn::Body,
        redirect: "http://localhost:8976/callback",
        answer: Answer::Query,
    }),
    token: Some(StaticToken { name: "private app token", where_to: "Settings > Integrations > Private Apps" }),
    api_base: "https://api.hubapi.com",
    account_hosts: &[],
    sign_in_fields: &[],
    register: "Create an app at https://developers.hubspot.com; redirect URL\n\
        http://localhost:8976/callback; scopes oauth, crm.objects.contacts.read and\n\
        .write, crm.lists.read and .write, all required. Put its client id and secret\n\
        into [crm.hubspot]. For one account a private app with the same scopes does:\n\
        leadferry connect hubspot --method token",
    batch: BATCH,
    find_batch: BATCH,
    group_batch: MEMBERS,
    index_lag: 0,
    rate: Rate { calls: 90, seconds: 10 },
    grouping: "static list",
    field_map: &[
        (Field::FirstName, "firstname"),
        (Field::LastName, "lastname"),
        (Field::Email, "email"),
        (Field::Phone, "phone"),
        (Field::Company, "company"),
        (Field::Title, "jobtitle"),
        (Field::Industry, "industry"),
        (Field::Website, "website"),
        (Field::Street, "address"),
        (Field::City, "city"),
        (Field::State, "state"),
        (Field::PostalCode, "zip"),
        (Field::Country, "country"),
        (Field::Score, "lookalike_score"),
        (Field::Reasons, "lookalike_reasons"),
    ],
    list_field: "lookalike_list",
    practice: false,
};

/// Properties that can hold a lead's key, when the account has made one of them unique.
const KEY_PROPERTIES: &[&str] = &["lead_external_id", "lookalike_id", "leadferry_id"];

#[derive(Deserialize)]
struct Properties {
    results: Vec<Property>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Property {
    name: String,
    label: String,
    r#type: String,
    has_unique_value: bool,
    calculated: bool,
    modification_metadata: Option<Modification>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Modification {
    read_only_value: bool,
}

impl Property {
    fn is_writable(&self) -> bool {
        let read_only = self.modification_metadata.as_ref().is_some_and(|modification| modification.read_only_value);
        let system = matches!(self.name.as_str(), "createdate" | "lastmodifieddate" | "hs_object_id");
        !read_only && !self.calculated && !system
    }
}

fn survey_of(properties: Properties) -> Survey {
    let holds_key = |name: &&&str| properties.results.iter().any(|p| p.name == ***name && p.has_unique_value);
    let (field, by) = match KEY_PROPERTIES.iter().find(holds_key) {
        Some(name) => ((*name).to_owned(), MatchBy::LeadKey),
        None => ("email".to_owned(), MatchBy::Email),
    };
    let writable = properties.results.into_iter().filter(Property::is_writable);
    let fields = writable
        .map(|property| RemoteField {
            unique: property.has_unique_value || property.name == "email",
            name: property.name,
            label: property.label,
            kind: property.r#type,
            length: 0,
            required: false,
        })
        .collect();
    Survey { fields, key: MatchKey::Upsert(field), by }
}

#[async_trait::async_trait]
impl Crm for HubSpot {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn normalise_response(&self, response: http::Response<Vec<u8>>) -> http::Response<Vec<u8>> {
        // Scopes come as an array; RFC 6749 wants one string.
        let (parts, body) = response.into_parts();
        let rewritten = serde_json::from_slice::<serde_json::Map<String, Value>>(&body).ok().and_then(|mut token| {
            let scopes =
                token.get("scopes")?.as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
            token.entry("scope").or_insert_with(|| json!(scopes));
            serde_json::to_vec(&token).ok()
        });
        let mut response = http::Response::from_parts(parts, rewritten.unwrap_or(body));
        response.headers_mut().remove(http::header::CONTENT_LENGTH);
        response
    }

    fn classify(&self, reply: &ApiReply) -> Option<Trouble> {
        errors::classify(reply)
    }

    fn allowance(&self, headers: &HeaderMap) -> Option<Allowance> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        // The daily count stands only in answers to private apps.
        if number("x-hubspot-ratelimit-daily-remaining") == Some(0) {
            return Some(Allowance { remaining: 0, resets_in_ms: 3_600_000, limit: None });
        }
        Some(Allowance {
            remaining: u32::try_from(number("x-hubspot-ratelimit-remaining")?).unwrap_or(u32::MAX),
            resets_in_ms: number("x-hubspot-ratelimit-interval-milliseconds").unwrap_or(10_000),
            limit: number("x-hubspot-ratelimit-max").and_then(|limit| u32::try_from(limit).ok()),
        })
    }

    async fn who_am_i(&self, api: &Api) -> Result<Account, Trouble> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Details {
            portal_id: u64,
            #[serde(default)]
            account_type: String,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Token {
            hub_domain: String,
            user: String,
        }
        let details: Details = api.json(Call::get("/account-info/2026-03/details")).await?;
        // Private app tokens cannot be looked into; the account's number has to do as a name then.
        let token = api.json(Call::post("/oauth/2026-03/token/introspect").token_form()).await;
        let token: Token = token.unwrap_or_default();
        let id = details.portal_id.to_string();
        let name = if token.hub_domain.is_empty() { format!("HubSpot account {id}") } else { token.hub_domain };
        let environment = match details.account_type.as_str() {
            "SANDBOX" | "DEVELOPER_TEST" => "sandbox",
            "STANDARD" => "production",
            _ => "",
        };
        Ok(Account { id, name, user: token.user, environment: environment.to_owned() })
    }

    async fn survey(&self, api: &Api) -> Result<Survey, Trouble> {
        api.json(Call::get("/crm/properties/2026-03/contacts")).await.map(survey_of)
    }

    async fn find(&self, api: &Api, survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
        records::find(api, survey, leads).await
    }

    async fn write(&self, api: &Api, survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
        records::write(api, survey, leads).await
    }

    async fn open_group(&self, api: &Api, name: &str) -> Result<String, Trouble> {
        #[derive(Deserialize)]
        struct Answer {
            list: List,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct List {
            list_id: String,
            #[serde(default)]
            processing_type: String,
        }
        let by_name = format!("/crm/lists/2026-03/object-type-id/{CONTACTS}/name");
        match api.json::<Answer>(Call::get(by_name).segment(name)).await {
            Ok(found) if found.list.processing_type == "DYNAMIC" => Err(Trouble {
                kind: TroubleKind::Refused,
                message: words_of(&format!(
                    "HubSpot's list '{name}' fills itself by rules, so leads cannot be added to it."
                )),
                next_step: "Choose another list name in the sync settings.".to_owned(),
            }),
            Ok(found) => Ok(found.list.list_id),
            Err(trouble) if trouble.kind == TroubleKind::Missing => {
                let list = json!({"name": name, "objectTypeId": CONTACTS, "processingType": "MANUAL"});
                let made: Answer = api.json(Call::post("/crm/lists/2026-03").json(list)).await?;
                Ok(made.list.list_id)
            }
            Err(trouble) => Err(trouble),
        }
    }

    async fn add_to_group(&self, api: &Api, group: &str, records: &[String]) -> Result<Vec<(String, String)>, Trouble> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "recordIdsMissing", default)]
            missing: Vec<String>,
        }
        let call =
            Call::new(http::Method::PUT, format!("/crm/lists/2026-03/{group}/memberships/add")).json(json!(records));
        let answer: Answer = api.json(call).await?;
        let reason = "HubSpot does not know this record any more";
        Ok(answer.missing.into_iter().map(|id| (id, reason.to_owned())).collect())
    }

    fn calls(&self, _survey: &Survey, leads: u64, grouped: bool) -> u64 {
        let lists = if grouped { 2 + leads.div_ceil(MEMBERS as u64) } else { 0 };
        1 + leads.div_ceil(BATCH as u64) + lists
    }
}

#[cfg(test)]
#[path = "hubspot_tests.rs"]
mod tests;
