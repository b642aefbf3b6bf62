//! Lofty (formerly Chime): leads one by one by e-mail, lists as tags that each write puts on by itself.
//!
//! Calls for n new leads: 1 for the custom fields, n look-ups, n creates; a tag costs none. A lead that is there already
//! and differs takes one more, to read what a change must not lose.

mod errors;
mod fields;
mod records;
mod sign_in;

use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;

use super::api::Api;
use super::call::{ApiReply, Call};
use super::credentials::{Credential, bearer};
use super::limiter::Allowance;
use super::{
    Account, Crm, Found, MatchBy, MatchKey, Outgoing, Rate, SignInField, Spec, StaticToken, Survey, Trouble, Write,
    Written,
};
use crate::lead::Field;
use crate::oauth::{Answer, Client, OAuth, SecretIn};

/// The most characters of a tag; the vendor cuts longer ones.
const TAG: usize = 64;

/// Lofty. Apps in development may make 100 calls a minute, approved ones 500: `rate` in `[crm.lofty]` says which.
#[derive(Clone, Copy, Debug)]
pub struct Lofty;

static SPEC: Spec = Spec {
    id: "lofty",
    name: "Lofty",
    oauth: Some(OAuth {
        authorize_url: "https://lofty.com/page/vendor-auth.html",
        token_url: "https://crm.lofty.com/api/user-web/oauth/token",
        revoke_url: None,
        device_url: None,
        // What an app may do is ticked in the developer portal, not asked for here.
        scopes: &[],
        scope_separator: " ",
        extra: &[],
        pkce: true,
        client: Client::Either,
        secret_in: SecretIn::Basic,
        redirect: "http://localhost:8976/callback",
        answer: Answer::Query,
    }),
    token: Some(StaticToken { name: "API key", where_to: "Settings > Integrations > API" }),
    api_base: "https://api.lofty.com",
    account_hosts: &[],
    sign_in_fields: &[SignInField {
        name: "agent",
        label: "user id of the agent who gets new leads (else Lofty's own routing decides)",
        required: false,
    }],
    register: "Create an app at https://developer.lofty.com; redirect URL\n\
        http://localhost:8976/callback; scope: the endpoints for leads (list, read,\n\
        create, update), me and custom fields. Put its client id, and its secret if it\n\
        has one, into [crm.lofty]. Without an app the API key of one user does:\n\
        leadferry connect lofty --method token",
    batch: 1,
    find_batch: 1,
    group_batch: 1,
    index_lag: 15,
    rate: Rate { calls: 95, seconds: 60 },
    grouping: "tag",
    field_map: &[
        (Field::FirstName, "firstName"),
        (Field::LastName, "lastName"),
        (Field::Email, fields::EMAILS),
        (Field::Phone, fields::PHONES),
        (Field::Company, "Company"),
        (Field::Title, "Job Title"),
        (Field::Industry, "Industry"),
        (Field::Website, "Website"),
        (Field::Street, "streetAddress"),
        (Field::City, "city"),
        (Field::State, "state"),
        (Field::PostalCode, "zipCode"),
        (Field::Tags, fields::TAGS),
        (Field::Score, "Lookalike Score"),
        (Field::Reasons, "Lookalike Reasons"),
    ],
    list_field: "Lookalike List",
    practice: false,
};

#[async_trait::async_trait]
impl Crm for Lofty {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn authorize_url(&self, address: url::Url) -> url::Url {
        sign_in::authorize_url(address)
    }

    fn encode_request(&self, request: http::Request<Vec<u8>>) -> http::Request<Vec<u8>> {
        sign_in::encode(request)
    }

    fn normalise_response(&self, response: http::Response<Vec<u8>>) -> http::Response<Vec<u8>> {
        sign_in::normalise(response)
    }

    fn authorise(&self, headers: &mut HeaderMap, credential: &Credential<'_>) {
        if !credential.is_static {
            return bearer(headers, credential);
        }
        if let Ok(mut value) = HeaderValue::from_str(&format!("token {}", credential.token.expose())) {
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
    }

    fn classify(&self, reply: &ApiReply) -> Option<Trouble> {
        errors::classify(reply)
    }

    fn allowance(&self, headers: &HeaderMap) -> Option<Allowance> {
        errors::allowance(headers, jiff::Timestamp::now())
    }

    async fn who_am_i(&self, api: &Api) -> Result<Account, Trouble> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Me {
            team_id: i64,
            #[serde(default)]
            email: String,
            #[serde(default)]
            group_name: String,
        }
        records::agent(api)?;
        let me: Me = api.json(Call::get("/v1.0/me")).await?;
        let id = me.team_id.to_string();
        let name = if me.group_name.is_empty() { format!("Lofty team {id}") } else { me.group_name };
        Ok(Account { id, name, user: me.email, environment: String::new() })
    }

    async fn survey(&self, api: &Api) -> Result<Survey, Trouble> {
        let custom = api.json(Call::get("/v1.0/teamFeatures/listCustomField")).await?;
        let key = MatchKey::LookUp(fields::EMAILS.to_owned());
        Ok(Survey { fields: fields::all(custom), key, by: MatchBy::Email })
    }

    async fn find(&self, api: &Api, _survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
        let mut found = Vec::with_capacity(leads.len());
        for lead in leads {
            found.push(records::find(api, lead).await?);
        }
        Ok(found)
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

    async fn open_group(&self, _api: &Api, name: &str) -> Result<String, Trouble> {
        // A tag is made by putting it on.
        Ok(name.trim().chars().take(TAG).collect::<String>().trim_end().to_owned())
    }

    fn group_field(&self) -> Option<&'static str> {
        Some(fields::LIST_TAG)
    }

    async fn add_to_group(&self, api: &Api, group: &str, records: &[String]) -> Result<Vec<(String, String)>, Trouble> {
        for record in records {
            records::tag(api, group, record).await?;
        }
        Ok(Vec::new())
    }

    fn calls(&self, _survey: &Survey, leads: u64, _grouped: bool) -> u64 {
        1 + 2 * leads
    }
}

#[cfg(test)]
#[path = "lofty_tests.rs"]
mod tests;
