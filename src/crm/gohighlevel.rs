//! GoHighLevel (HighLevel, LeadConnector), API v2: contacts one by one by e-mail, lists as tags.
//!
//! Calls for n new leads: 1 for the custom fields, n look-ups, n creates; a tag costs ⌈n/100⌉ calls to put on. The vendor's
//! upsert is not used: by the location's settings it may match somebody else by phone, and it replaces tags.

mod errors;
mod fields;
mod records;

use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;

use super::api::Api;
use super::call::{ApiReply, Call};
use super::credentials::{Credential, bearer};
use super::limiter::Allowance;
use super::{
    Account, Crm, Found, MatchBy, MatchKey, Outgoing, Rate, SignInField, Spec, StaticToken, Survey, Trouble,
    TroubleKind, Write, Written,
};
use crate::lead::Field;
use crate::oauth::{Answer, Client, OAuth, SecretIn};

/// The API version that every call names.
const VERSION: &str = "2021-07-28";

/// Contacts per call that puts a tag on. How many the vendor takes is not documented; see [`records::tag`].
const TAGGED: usize = 100;

/// GoHighLevel. A connection is one location (sub-account).
#[derive(Clone, Copy, Debug)]
pub struct GoHighLevel;

static SPEC: Spec = Spec {
    id: "gohighlevel",
    name: "GoHighLevel",
    oauth: Some(OAuth {
        authorize_url: "https://marketplace.gohighlevel.com/v2/oauth/chooselocation",
        token_url: "https://services.leadconnectorhq.com/oauth/token",
        revoke_url: None,
        device_url: None,
        scopes: &["contacts.readonly", "contacts.write", "locations.readonly", "locations/customFields.readonly"],
        scope_separator: " ",
        extra: &[],
        pkce: false,
        client: Client::Confidential,
        secret_in: SecretIn::Body,
        redirect: "http://localhost:8976/callback",
        answer: Answer::Query,
    }),
    token: Some(StaticToken {
        name: "private integration token",
        where_to: "Settings > Private Integrations of the location, with the scopes above",
    }),
    api_base: "https://services.leadconnectorhq.com",
    account_hosts: &[],
    sign_in_fields: &[SignInField {
        name: "location",
        label: "location id (Settings > Business Profile)",
        required: true,
    }],
    register: "Create an app at https://marketplace.gohighlevel.com > My Apps; target user\n\
        Sub-account; redirect URL http://localhost:8976/callback; the scopes below. Put\n\
        its client id and secret into [crm.gohighlevel] (white label: the install link\n\
        as authorize_url). For one location a private integration does:\n\
        leadferry connect gohighlevel --method token --field location=ID",
    batch: 1,
    find_batch: 1,
    group_batch: TAGGED,
    index_lag: 10,
    rate: Rate { calls: 90, seconds: 10 },
    grouping: "tag",
    field_map: &[
        (Field::FirstName, "firstName"),
        (Field::LastName, "lastName"),
        (Field::Email, "email"),
        (Field::Phone, "phone"),
        (Field::Company, "companyName"),
        (Field::Title, "Job Title"),
        (Field::Industry, "Industry"),
        (Field::Website, "website"),
        (Field::Street, "address1"),
        (Field::City, "city"),
        (Field::State, "state"),
        (Field::PostalCode, "postalCode"),
        (Field::Country, "country"),
        (Field::Score, "Lookalike Score"),
        (Field::Reasons, "Lookalike Reasons"),
    ],
    list_field: "Lookalike List",
    practice: false,
};

/// The location that the account is: given with a static token, else named by the token answer.
fn location(api: &Api) -> Result<&str, Trouble> {
    let given = api.field("location").trim();
    let id = if given.is_empty() { api.field("locationId") } else { given };
    if !id.is_empty() {
        return Ok(id);
    }
    Err(Trouble {
        kind: TroubleKind::Refused,
        message: "This sign-in is for a GoHighLevel agency, and leads go to one of its locations.".to_owned(),
        next_step: "Register the app with target user Sub-account, sign in again and choose the location.".to_owned(),
    })
}

#[async_trait::async_trait]
impl Crm for GoHighLevel {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn encode_request(&self, request: http::Request<Vec<u8>>) -> http::Request<Vec<u8>> {
        // The token asked for is one of a location, not of the agency.
        let mut request = request;
        request.body_mut().extend_from_slice(b"&user_type=Location");
        request.headers_mut().remove(header::CONTENT_LENGTH);
        request
    }

    fn normalise_response(&self, response: http::Response<Vec<u8>>) -> http::Response<Vec<u8>> {
        errors::normalise(response)
    }

    fn authorise(&self, headers: &mut HeaderMap, credential: &Credential<'_>) {
        bearer(headers, credential);
        headers.insert("version", HeaderValue::from_static(VERSION));
    }

    fn classify(&self, reply: &ApiReply) -> Option<Trouble> {
        errors::classify(reply)
    }

    fn allowance(&self, headers: &HeaderMap) -> Option<Allowance> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        // When the day begins anew is not said.
        if number("x-ratelimit-daily-remaining") == Some(0) {
            return Some(Allowance { remaining: 0, resets_in_ms: 3_600_000, limit: None });
        }
        Some(Allowance {
            remaining: u32::try_from(number("x-ratelimit-remaining")?).unwrap_or(u32::MAX),
            resets_in_ms: number("x-ratelimit-interval-milliseconds").unwrap_or(10_000),
            limit: number("x-ratelimit-max").and_then(|limit| u32::try_from(limit).ok()),
        })
    }

    async fn who_am_i(&self, api: &Api) -> Result<Account, Trouble> {
        #[derive(Deserialize)]
        struct Answer {
            location: Location,
        }
        #[derive(Deserialize)]
        struct Location {
            #[serde(default)]
            name: String,
        }
        let id = location(api)?.to_owned();
        let answer: Answer = api.json(Call::get("/locations").segment(&id)).await?;
        Ok(Account { id, name: answer.location.name, ..Account::default() })
    }

    async fn survey(&self, api: &Api) -> Result<Survey, Trouble> {
        let call = Call::get("/locations").segment(location(api)?).segment("customFields").query("model", "contact");
        let custom = api.json(call).await?;
        let key = MatchKey::LookUp(fields::EMAIL.to_owned());
        Ok(Survey { fields: fields::all(custom), key, by: MatchBy::Email })
    }

    async fn find(&self, api: &Api, _survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
        let mut found = Vec::with_capacity(leads.len());
        for lead in leads {
            found.push(records::find(api, location(api)?, lead).await?);
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
        let mut written = Vec::with_capacity(leads.len());
        for (lead, write) in leads {
            written.push(match write {
                Write::Update { id } => records::update(api, survey, lead, id).await?,
                Write::Create | Write::Upsert => records::create(api, survey, location(api)?, lead).await?,
            });
        }
        Ok(written)
    }

    async fn open_group(&self, _api: &Api, name: &str) -> Result<String, Trouble> {
        // A tag is made by putting it on.
        Ok(name.trim().to_owned())
    }

    async fn add_to_group(&self, api: &Api, group: &str, records: &[String]) -> Result<Vec<(String, String)>, Trouble> {
        records::tag(api, location(api)?, group, records).await
    }

    fn calls(&self, _survey: &Survey, leads: u64, grouped: bool) -> u64 {
        1 + 2 * leads + if grouped { leads.div_ceil(TAGGED as u64) } else { 0 }
    }
}

#[cfg(test)]
#[path = "gohighlevel_tests.rs"]
mod tests;
