//! Pipedrive: persons one by one by e-mail, lists as person labels. Fields and persons by API v2, the user by v1.
//!
//! Calls for n new leads: 1 for the fields, n searches and ⌈n/25⌉ looks at the persons changed lately, n creates; a label
//! costs 2 calls to make and none to fill, since each write carries it. A known person costs 1 search and 1 read, and 1 read
//! and 1 write more when something differs.

mod errors;
mod fields;
mod records;

use http::{HeaderMap, HeaderName, HeaderValue};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::api::Api;
use super::call::{ApiReply, Call};
use super::credentials::{Credential, bearer};
use super::limiter::Allowance;
use super::{
    Account, Crm, Found, MatchBy, MatchKey, Outgoing, Rate, Spec, StaticToken, Survey, Trouble, Write, Written,
};
use crate::lead::Field;
use crate::oauth::{Answer, Client, OAuth, SecretIn};

/// What a search costs of the company's daily budget; the dearest call there is here.
const SEARCH_COST: u64 = 20;

/// Leads per look-up. Each takes a search of its own; what the search does not show yet is asked for all of them at once.
const LOOKED_UP: usize = 25;

/// Pipedrive. A connection is one user of one company.
#[derive(Clone, Copy, Debug)]
pub struct Pipedrive;

static SPEC: Spec = Spec {
    id: "pipedrive",
    name: "Pipedrive",
    oauth: Some(OAuth {
        authorize_url: "https://oauth.pipedrive.com/oauth/authorize",
        token_url: "https://oauth.pipedrive.com/oauth/token",
        revoke_url: Some("https://oauth.pipedrive.com/oauth/revoke"),
        device_url: None,
        scopes: &["base", "contacts:full"],
        scope_separator: " ",
        extra: &[],
        pkce: false,
        client: Client::Confidential,
        secret_in: SecretIn::Basic,
        redirect: "http://localhost:8976/callback",
        answer: Answer::Query,
    }),
    token: Some(StaticToken { name: "personal API token", where_to: "Settings > Personal preferences > API" }),
    api_base: "https://api.pipedrive.com",
    account_hosts: &[".pipedrive.com"],
    sign_in_fields: &[],
    register: "Settings > Tools and apps > Developer Hub (a free sandbox account has it) >\n\
        Create an app > private. Callback URL http://localhost:8976/callback (an app has\n\
        exactly one); scope Contacts: full access, besides the fixed base. Put its\n\
        client id and secret into [crm.pipedrive]. Without an app, with your own API\n\
        token: leadferry connect pipedrive --method token",
    batch: 1,
    find_batch: LOOKED_UP,
    group_batch: 1,
    // The search lags behind; by how much is not documented.
    index_lag: 10,
    // Searches are limited to 10 in 2 s for every plan; other calls may be faster.
    rate: Rate { calls: 9, seconds: 2 },
    grouping: "label",
    field_map: &[
        (Field::FullName, fields::NAME),
        (Field::Email, fields::EMAILS),
        (Field::Phone, fields::PHONES),
        (Field::Company, "Company"),
        (Field::Title, "job_title"),
        (Field::Title, "Job title"),
        (Field::Title, "Title"),
        (Field::Industry, "Industry"),
        (Field::Website, "Website"),
        (Field::Street, "Street"),
        (Field::Street, "Address"),
        (Field::City, "City"),
        (Field::State, "State"),
        (Field::PostalCode, "Postal code"),
        (Field::PostalCode, "ZIP"),
        (Field::Country, "Country"),
        (Field::Employees, "Employees"),
        (Field::Revenue, "Revenue"),
        (Field::Notes, "notes"),
        (Field::Score, "Lookalike Score"),
        (Field::Reasons, "Lookalike Reasons"),
    ],
    list_field: "Lookalike List",
    practice: false,
};

#[async_trait::async_trait]
impl Crm for Pipedrive {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn authorize_url(&self, address: url::Url) -> url::Url {
        // Scopes are a matter of the app's own settings; the page documents no parameter for them.
        let mut address = address;
        let kept: Vec<(String, String)> =
            address.query_pairs().into_owned().filter(|(name, _)| name != "scope").collect();
        address.query_pairs_mut().clear().extend_pairs(kept);
        address
    }

    fn normalise_response(&self, response: http::Response<Vec<u8>>) -> http::Response<Vec<u8>> {
        errors::normalise(response)
    }

    fn account_base(&self, token: &Map<String, Value>) -> Option<String> {
        token.get("api_domain").and_then(Value::as_str).map(str::to_owned)
    }

    fn authorise(&self, headers: &mut HeaderMap, credential: &Credential<'_>) {
        if !credential.is_static {
            return bearer(headers, credential);
        }
        if let Ok(mut value) = HeaderValue::from_str(credential.token.expose()) {
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static("x-api-token"), value);
        }
    }

    fn classify(&self, reply: &ApiReply) -> Option<Trouble> {
        errors::classify(reply)
    }

    fn allowance(&self, headers: &HeaderMap) -> Option<Allowance> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        // The day ends at midnight of a clock that is not told; not every answer carries its budget.
        if number("x-daily-ratelimit-token-remaining").is_some_and(|left| left < SEARCH_COST) {
            return Some(Allowance { remaining: 0, resets_in_ms: 3_600_000, limit: None });
        }
        Some(Allowance {
            remaining: u32::try_from(number("x-ratelimit-remaining")?).unwrap_or(u32::MAX),
            resets_in_ms: number("x-ratelimit-reset").map_or(2_000, |seconds| seconds.saturating_mul(1_000)),
            limit: number("x-ratelimit-limit").and_then(|limit| u32::try_from(limit).ok()),
        })
    }

    async fn who_am_i(&self, api: &Api) -> Result<Account, Trouble> {
        #[derive(Deserialize)]
        struct Answer {
            data: Me,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Me {
            name: String,
            email: String,
            company_id: u64,
            company_name: String,
        }
        let me = api.json::<Answer>(Call::get("/api/v1/users/me")).await?.data;
        Ok(Account {
            id: me.company_id.to_string(),
            name: me.company_name,
            user: if me.email.is_empty() { me.name } else { me.email },
            environment: String::new(),
        })
    }

    async fn survey(&self, api: &Api) -> Result<Survey, Trouble> {
        let fields = fields::writable(fields::all(api).await?);
        Ok(Survey { fields, key: MatchKey::LookUp(fields::EMAILS.to_owned()), by: MatchBy::Email })
    }

    async fn find(&self, api: &Api, _survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
        records::find(api, leads).await
    }

    async fn write(&self, api: &Api, survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
        let mut written = Vec::with_capacity(leads.len());
        for (lead, write) in leads {
            written.push(match write {
                Write::Update { id } => records::update(api, survey, lead, id).await?,
                Write::Create | Write::Upsert => records::create(api, survey, lead).await?,
            });
        }
        Ok(written)
    }

    async fn open_group(&self, api: &Api, name: &str) -> Result<String, Trouble> {
        fields::label(api, name.trim()).await
    }

    async fn add_to_group(&self, api: &Api, group: &str, records: &[String]) -> Result<Vec<(String, String)>, Trouble> {
        records::add_label(api, group, records).await
    }

    fn group_field(&self) -> Option<&'static str> {
        Some(fields::LABELS)
    }

    fn calls(&self, _survey: &Survey, leads: u64, grouped: bool) -> u64 {
        1 + 2 * leads + leads.div_ceil(LOOKED_UP as u64) + if grouped { 2 } else { 0 }
    }
}

#[cfg(test)]
#[path = "pipedrive_tests.rs"]
mod tests;
