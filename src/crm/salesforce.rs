//! Salesforce: leads through composite collections in 200s, lists as Campaigns.
//!
//! Calls for n new leads: 1 describe, then ⌈n/200⌉ upserts where the account has a unique external id field for the lead's
//! key, else ⌈n/200⌉ look-ups and ⌈n/200⌉ inserts; a Campaign costs 2 calls to make and ⌈n/200⌉ to fill.

mod errors;
mod records;

use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::api::Api;
use super::call::{ApiReply, Call};
use super::limiter::Allowance;
use super::{
    Account, Crm, Found, MatchBy, MatchKey, Outgoing, Rate, RemoteField, Spec, Survey, Trouble, Write, Written,
};
use crate::lead::Field;
use crate::oauth::{Answer, Client, OAuth, SecretIn};

/// The API version of Summer '26.
const DATA: &str = "/services/data/v67.0";

/// Records per collection call.
const COLLECTION: usize = 200;

/// The longest name a Campaign takes.
const CAMPAIGN_NAME: usize = 80;

/// Salesforce, production, sandbox and My Domain alike.
#[derive(Clone, Copy, Debug)]
pub struct Salesforce;

static SPEC: Spec = Spec {
    id: "salesforce",
    name: "Salesforce",
    oauth: Some(OAuth {
        authorize_url: "https://login.salesforce.com/services/oauth2/authorize",
        token_url: "https://login.salesforce.com/services/oauth2/token",
        revoke_url: Some("https://login.salesforce.com/services/oauth2/revoke"),
        device_url: None,
        scopes: &["api", "refresh_token", "openid"],
        scope_separator: " ",
        extra: &[],
        pkce: true,
        client: Client::Either,
        secret_in: SecretIn::Body,
        redirect: "http://localhost:8976/callback",
        answer: Answer::Query,
    }),
    token: None,
    api_base: "https://login.salesforce.com",
    account_hosts: &[".salesforce.com", ".force.com", ".salesforce.mil"],
    sign_in_fields: &[],
    register: "Setup > External Client App Manager > New External Client App.\n\
        Enable OAuth; callback URL http://localhost:8976/callback\n\
        Scopes: api, refresh_token, openid. Tick PKCE; for an app without a secret\n\
        clear \"Require Secret for Web Server Flow\" and the one for Refresh Token.\n\
        Put the consumer key into [crm.salesforce] client_id (wait 10 minutes).",
    batch: COLLECTION,
    find_batch: COLLECTION,
    group_batch: COLLECTION,
    index_lag: 0,
    rate: Rate { calls: 100, seconds: 10 },
    grouping: "Campaign",
    field_map: &[
        (Field::FirstName, "FirstName"),
        (Field::LastName, "LastName"),
        (Field::Email, "Email"),
        (Field::Phone, "Phone"),
        (Field::Company, "Company"),
        (Field::Title, "Title"),
        (Field::Industry, "Industry"),
        (Field::Website, "Website"),
        (Field::Street, "Street"),
        (Field::City, "City"),
        (Field::State, "State"),
        (Field::PostalCode, "PostalCode"),
        (Field::Country, "Country"),
        (Field::Notes, "Description"),
        (Field::Score, "Lookalike_Score__c"),
        (Field::Reasons, "Lookalike_Reasons__c"),
    ],
    list_field: "Lookalike_List__c",
    practice: false,
};

#[derive(Deserialize)]
struct Described {
    fields: Vec<DescribedField>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct DescribedField {
    name: String,
    label: String,
    r#type: String,
    length: usize,
    createable: bool,
    updateable: bool,
    nillable: bool,
    defaulted_on_create: bool,
    external_id: bool,
    unique: bool,
}

impl DescribedField {
    fn is_text(&self) -> bool {
        matches!(self.r#type.as_str(), "string" | "textarea" | "email" | "phone" | "url" | "picklist" | "combobox")
    }

    /// Whether the lead's key may go here: a unique external id of text, named for it.
    fn holds_the_key(&self) -> bool {
        let name = self.name.to_lowercase();
        let named = ["lookalike", "leadferry", "lead_id", "lead_external_id"].iter().any(|word| name.contains(word));
        self.external_id && self.unique && self.createable && self.r#type == "string" && name.ends_with("__c") && named
    }
}

fn survey_of(described: Described) -> Survey {
    // A later description of a name replaces an earlier one.
    let mut fields: Vec<DescribedField> = Vec::new();
    for field in described.fields {
        fields.retain(|earlier| earlier.name != field.name);
        fields.push(field);
    }
    let standard = fields.iter().find(|field| field.name == "Lookalike_Id__c" && field.holds_the_key());
    let key = standard.or_else(|| fields.iter().find(|field| field.holds_the_key())).map(|field| field.name.clone());
    let (key, by) = match key {
        Some(field) => (MatchKey::Upsert(field), MatchBy::LeadKey),
        None => (MatchKey::LookUp("Email".to_owned()), MatchBy::Email),
    };
    let writable = fields.into_iter().filter(|field| field.createable && field.updateable);
    let fields = writable
        .map(|field| RemoteField {
            length: if field.is_text() { field.length } else { 0 },
            required: !field.nillable && !field.defaulted_on_create,
            unique: field.unique,
            label: if field.label.is_empty() { field.name.clone() } else { field.label },
            name: field.name,
            kind: field.r#type,
        })
        .collect();
    Survey { fields, key, by }
}

#[async_trait::async_trait]
impl Crm for Salesforce {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn account_base(&self, token: &Map<String, Value>) -> Option<String> {
        token.get("instance_url").and_then(Value::as_str).map(str::to_owned)
    }

    fn classify(&self, reply: &ApiReply) -> Option<Trouble> {
        errors::classify(reply)
    }

    fn allowance(&self, headers: &HeaderMap) -> Option<Allowance> {
        let usage = headers.get("sforce-limit-info")?.to_str().ok()?.split("api-usage=").nth(1)?;
        let (used, limit) = usage.split([',', ' ']).next()?.split_once('/')?;
        let remaining = limit.trim().parse::<u32>().ok()?.saturating_sub(used.trim().parse().ok()?);
        // The day rolls: an hour later some calls of a day ago are free again.
        Some(Allowance { remaining, resets_in_ms: 3_600_000, limit: None })
    }

    async fn who_am_i(&self, api: &Api) -> Result<Account, Trouble> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct UserInfo {
            organization_id: String,
            preferred_username: String,
            email: String,
            name: String,
        }
        let user: UserInfo = api.json(Call::get("/services/oauth2/userinfo")).await?;
        let organisation = records::organisation(api).await;
        let sandbox = organisation.as_ref().map(|organisation| organisation.is_sandbox);
        let fallback = if user.name.is_empty() { user.preferred_username.clone() } else { user.name };
        Ok(Account {
            id: user.organization_id,
            name: organisation.map_or(fallback, |organisation| organisation.name),
            user: if user.email.is_empty() { user.preferred_username } else { user.email },
            environment: match sandbox {
                Some(true) => "sandbox".to_owned(),
                Some(false) => "production".to_owned(),
                None => String::new(),
            },
        })
    }

    async fn survey(&self, api: &Api) -> Result<Survey, Trouble> {
        api.json(Call::get(format!("{DATA}/sobjects/Lead/describe"))).await.map(survey_of)
    }

    async fn find(&self, api: &Api, survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
        records::find(api, survey, leads).await
    }

    async fn write(&self, api: &Api, survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
        records::write(api, survey, leads).await
    }

    async fn open_group(&self, api: &Api, name: &str) -> Result<String, Trouble> {
        #[derive(Deserialize)]
        struct Made {
            id: String,
        }
        let name: String = name.chars().take(CAMPAIGN_NAME).collect();
        let by_name = format!(
            "SELECT Id FROM Campaign WHERE Name = {} ORDER BY CreatedDate DESC LIMIT 1",
            records::quoted(name.trim())
        );
        if let Some(id) = records::query(api, &by_name).await?.iter().find_map(records::id_of) {
            return Ok(id);
        }
        let campaign = json!({"Name": name.trim(), "IsActive": true});
        let made: Made = api.json(Call::post(format!("{DATA}/sobjects/Campaign")).json(campaign)).await?;
        Ok(made.id)
    }

    async fn add_to_group(&self, api: &Api, group: &str, records: &[String]) -> Result<Vec<(String, String)>, Trouble> {
        records::add_members(api, group, records).await
    }

    fn calls(&self, survey: &Survey, leads: u64, grouped: bool) -> u64 {
        let collections = leads.div_ceil(COLLECTION as u64);
        let look_ups = if matches!(survey.key, MatchKey::LookUp(_)) { collections } else { 0 };
        1 + look_ups + collections + if grouped { 2 + collections } else { 0 }
    }
}

#[cfg(test)]
#[path = "salesforce_tests.rs"]
mod tests;
