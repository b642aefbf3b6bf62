//! Zoho CRM: leads looked up by COQL and written by upsert, 100 each; lists as tags. Any of its data centres.
//!
//! Calls for n new leads: 1 for the fields, ⌈n/100⌉ look-ups, ⌈n/100⌉ upserts; a tag costs 1 call to make and ⌈n/500⌉ to
//! put on. Zoho counts credits rather than calls: 1 a call, but 1 per 10 leads of an upsert and 1 per 50 of a tag.

mod errors;
mod records;
mod sign_in;

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::api::Api;
use super::call::{ApiReply, Call};
use super::credentials::Credential;
use super::limiter::Allowance;
use super::{
    Account, Crm, Found, MatchBy, MatchKey, Outgoing, Rate, RemoteField, Spec, Survey, Trouble, Write, Written,
};
use crate::lead::Field;
use crate::oauth::{Answer, Client, OAuth, SecretIn};

/// Leads per upsert, and values per list of a query (since version 7 of the API).
const BATCH: usize = 100;

/// Leads per call that puts a tag on.
const TAGGED: usize = 500;

/// The most credits that one of our calls costs: an upsert of 100 leads.
const DEAREST: u32 = 10;

/// Zoho CRM.
#[derive(Clone, Copy, Debug)]
pub struct Zoho;

static SPEC: Spec = Spec {
    id: "zoho",
    name: "Zoho",
    oauth: Some(OAuth {
        authorize_url: "https://accounts.zoho.com/oauth/v2/auth",
        token_url: "https://accounts.zoho.com/oauth/v2/token",
        revoke_url: Some("https://accounts.zoho.com/oauth/v2/token/revoke"),
        device_url: Some("https://accounts.zoho.com/oauth/v3/device/code"),
        scopes: &[
            "ZohoCRM.modules.leads.READ",
            "ZohoCRM.modules.leads.CREATE",
            "ZohoCRM.modules.leads.UPDATE",
            "ZohoCRM.coql.READ",
            "ZohoCRM.org.READ",
            "ZohoCRM.users.READ",
            "ZohoCRM.settings.fields.READ",
            "ZohoCRM.settings.tags.ALL",
        ],
        scope_separator: ",",
        // Without both there is no refresh token.
        extra: &[("access_type", "offline"), ("prompt", "consent")],
        pkce: true,
        client: Client::Either,
        secret_in: SecretIn::Body,
        redirect: "http://localhost:8976/callback",
        answer: Answer::Query,
    }),
    token: None,
    api_base: "https://www.zohoapis.com",
    account_hosts: sign_in::HOSTS,
    sign_in_fields: &[],
    register: "At https://api-console.zoho.com add a Server-based Application with the redirect\n\
        address http://localhost:8976/callback and switch its Multi-DC setting on, or a\n\
        Non-browser one: leadferry connect zoho --method device (good over SSH).\n\
        Put its client id and secret into [crm.zoho]. A Self Client does as well: make\n\
        a code there with the scopes below and paste it (--method paste).",
    batch: BATCH,
    find_batch: BATCH,
    group_batch: TAGGED,
    index_lag: 0,
    rate: Rate { calls: 60, seconds: 10 },
    grouping: "tag",
    field_map: &[
        (Field::FirstName, "First_Name"),
        (Field::LastName, "Last_Name"),
        (Field::Email, "Email"),
        (Field::Phone, "Phone"),
        (Field::Company, "Company"),
        (Field::Title, "Designation"),
        (Field::Industry, "Industry"),
        (Field::Website, "Website"),
        (Field::Street, "Street"),
        (Field::City, "City"),
        (Field::State, "State"),
        (Field::PostalCode, "Zip_Code"),
        (Field::Country, "Country"),
        (Field::Employees, "No_of_Employees"),
        (Field::Revenue, "Annual_Revenue"),
        (Field::Notes, "Description"),
        (Field::Score, "Lookalike_Score"),
        (Field::Reasons, "Lookalike_Reasons"),
    ],
    list_field: "Lookalike_List",
    practice: false,
};

#[derive(Deserialize)]
struct Fields {
    fields: Vec<FieldRow>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FieldRow {
    api_name: String,
    field_label: String,
    data_type: String,
    length: Option<usize>,
    system_mandatory: bool,
    read_only: bool,
    field_read_only: bool,
    unique: Option<Map<String, Value>>,
    operation_type: Option<Operations>,
}

#[derive(Deserialize)]
struct Operations {
    api_create: bool,
    api_update: bool,
}

/// Zoho's words for the types that a lead's value can be written to.
const TEXTS: &[&str] = &["text", "textarea", "email", "phone", "website", "picklist"];
const OTHERS: &[&str] =
    &["multiselectpicklist", "boolean", "double", "currency", "percent", "integer", "bigint", "date", "datetime"];

impl FieldRow {
    fn is_text(&self) -> bool {
        TEXTS.contains(&self.data_type.as_str())
    }

    fn is_writable(&self) -> bool {
        let operations = self.operation_type.as_ref();
        let allowed = operations.is_none_or(|operations| operations.api_create && operations.api_update);
        let known = self.is_text() || OTHERS.contains(&self.data_type.as_str());
        allowed && known && !self.read_only && !self.field_read_only && self.api_name != "Tag"
    }

    fn is_unique(&self) -> bool {
        self.unique.as_ref().is_some_and(|unique| !unique.is_empty())
    }

    /// Whether the lead's key may go here: a unique field of text, named for it.
    fn holds_the_key(&self) -> bool {
        let name = self.api_name.to_lowercase();
        let named = ["lookalike", "leadferry", "lead_id", "lead_external_id"].iter().any(|word| name.contains(word));
        self.is_unique() && self.data_type == "text" && self.is_writable() && named
    }
}

fn survey_of(rows: Vec<FieldRow>) -> Survey {
    let standard = rows.iter().find(|row| row.api_name == "Lookalike_Id" && row.holds_the_key());
    let key = standard.or_else(|| rows.iter().find(|row| row.holds_the_key())).map(|row| row.api_name.clone());
    // Zoho's upsert takes the first of several fitting leads without a word, so leads are looked up first.
    let (key, by) = match key {
        Some(field) => (MatchKey::LookUp(field), MatchBy::LeadKey),
        None => (MatchKey::LookUp(records::EMAIL.to_owned()), MatchBy::Email),
    };
    let fields = rows
        .into_iter()
        .filter(FieldRow::is_writable)
        .map(|row| RemoteField {
            length: if row.is_text() { row.length.unwrap_or(0) } else { 0 },
            required: row.system_mandatory,
            unique: row.is_unique(),
            label: if row.field_label.is_empty() { row.api_name.clone() } else { row.field_label },
            name: row.api_name,
            kind: row.data_type,
        })
        .collect();
    Survey { fields, key, by }
}

#[async_trait::async_trait]
impl Crm for Zoho {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn encode_request(&self, request: http::Request<Vec<u8>>) -> http::Request<Vec<u8>> {
        sign_in::encode(request)
    }

    fn normalise_response(&self, response: http::Response<Vec<u8>>) -> http::Response<Vec<u8>> {
        sign_in::normalise(response)
    }

    fn moved(&self, response: &http::Response<Vec<u8>>) -> BTreeMap<String, String> {
        sign_in::moved(response)
    }

    fn token_url(&self, callback: &BTreeMap<String, String>) -> Option<String> {
        sign_in::server(callback).map(|server| format!("{server}/oauth/v2/token"))
    }

    fn revoke_url(&self, callback: &BTreeMap<String, String>) -> Option<String> {
        sign_in::server(callback).map(|server| format!("{server}/oauth/v2/token/revoke"))
    }

    fn account_base(&self, token: &Map<String, Value>) -> Option<String> {
        token.get("api_domain").and_then(Value::as_str).map(str::to_owned)
    }

    fn authorise(&self, headers: &mut HeaderMap, credential: &Credential<'_>) {
        if let Ok(mut value) = HeaderValue::from_str(&format!("Zoho-oauthtoken {}", credential.token.expose())) {
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
    }

    fn classify(&self, reply: &ApiReply) -> Option<Trouble> {
        errors::classify(reply)
    }

    fn allowance(&self, headers: &HeaderMap) -> Option<Allowance> {
        // Told only when half of the credits are used. The day rolls: an hour later some of a day ago are free again.
        let credits = errors::credits_left(headers)?;
        Some(Allowance { remaining: credits / DEAREST, resets_in_ms: 3_600_000, limit: None })
    }

    async fn who_am_i(&self, api: &Api) -> Result<Account, Trouble> {
        #[derive(Deserialize)]
        struct Organisations {
            org: Vec<Organisation>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Organisation {
            company_name: Option<String>,
            zgid: String,
            r#type: String,
        }
        #[derive(Deserialize)]
        struct Users {
            users: Vec<User>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct User {
            email: String,
        }
        let answer: Organisations = api.json(Call::get("/crm/v8/org")).await?;
        let organisation = answer.org.into_iter().next().unwrap_or_default();
        let answer: Users = api.json(Call::get("/crm/v8/users").query("type", "CurrentUser")).await?;
        Ok(Account {
            id: organisation.zgid,
            name: organisation.company_name.unwrap_or_default(),
            user: answer.users.into_iter().next().unwrap_or_default().email,
            environment: organisation.r#type,
        })
    }

    async fn survey(&self, api: &Api) -> Result<Survey, Trouble> {
        let answer: Fields = api.json(Call::get("/crm/v8/settings/fields").query("module", "Leads")).await?;
        Ok(survey_of(answer.fields))
    }

    async fn find(&self, api: &Api, survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
        records::find(api, survey, leads).await
    }

    async fn write(&self, api: &Api, survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
        records::write(api, survey, leads).await
    }

    async fn open_group(&self, api: &Api, name: &str) -> Result<String, Trouble> {
        records::open_tag(api, name).await
    }

    async fn add_to_group(&self, api: &Api, group: &str, records: &[String]) -> Result<Vec<(String, String)>, Trouble> {
        records::add_tag(api, group, records).await
    }

    fn calls(&self, _survey: &Survey, leads: u64, grouped: bool) -> u64 {
        let tags = if grouped { 1 + leads.div_ceil(TAGGED as u64) } else { 0 };
        1 + 2 * leads.div_ceil(BATCH as u64) + tags
    }
}

#[cfg(test)]
#[path = "zoho_tests.rs"]
mod tests;
