//! monday.com: items of one board by GraphQL, found by e-mail or the lead's key, lists as groups of the board.
//!
//! Calls for n new leads: 1 for the board, ⌈n/100⌉ look-ups, ⌈n/10⌉ writes of several mutations each; a group costs 2 calls to
//! make and none to fill, since an item is made in it. Calls per day are what small plans are short of.

mod board;
mod errors;
mod graph;
mod items;
mod values;

use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::api::Api;
use super::call::ApiReply;
use super::credentials::{Credential, bearer};
use super::{Account, Crm, Found, Outgoing, Rate, SignInField, Spec, StaticToken, Survey, Trouble, Write, Written};
use crate::lead::Field;
use crate::oauth::{Answer, Client, OAuth, SecretIn};

/// Items per document that writes.
const WRITTEN: usize = 10;

/// Leads per look-up.
const LOOKED_UP: usize = 100;

/// monday.com. A connection is one account, and one board of it takes the leads.
#[derive(Clone, Copy, Debug)]
pub struct Monday;

static SPEC: Spec = Spec {
    id: "monday",
    name: "monday.com",
    oauth: Some(OAuth {
        authorize_url: "https://auth.monday.com/oauth2/authorize",
        token_url: "https://auth.monday.com/oauth_ms/oauth/token",
        revoke_url: Some("https://auth.monday.com/oauth_ms/oauth/revoke"),
        device_url: None,
        scopes: &["me:read", "account:read", "boards:read", "boards:write"],
        scope_separator: " ",
        extra: &[],
        pkce: true,
        client: Client::Confidential,
        secret_in: SecretIn::Body,
        redirect: "http://localhost:8976/callback",
        answer: Answer::Query,
    }),
    token: Some(StaticToken { name: "personal API token", where_to: "your picture > Developers > API token" }),
    api_base: "https://api.monday.com",
    account_hosts: &[],
    sign_in_fields: &[SignInField {
        name: "board",
        label: "board that takes the leads (its name, or the number in its address)",
        required: false,
    }],
    register: "Your picture > Developers > Create app > OAuth: turn \"New OAuth Flow\" on, add\n\
        the redirect URL http://localhost:8976/callback, tick me:read, account:read,\n\
        boards:read and boards:write, promote the version and install the app. Put its\n\
        client id and secret into [crm.monday]. Without an app, with your own token:\n\
        leadferry connect monday --method token [--field board=NAME]",
    batch: WRITTEN,
    find_batch: LOOKED_UP,
    group_batch: 1,
    // Nothing is documented; waiting a little before a second create costs less than a double.
    index_lag: 5,
    // Below the complexity that an account may use in a minute, at ten new items a call.
    rate: Rate { calls: 40, seconds: 60 },
    grouping: "board group",
    field_map: &[
        (Field::FullName, board::NAME),
        (Field::Email, "Email"),
        (Field::Email, "E-mail"),
        (Field::Phone, "Phone"),
        (Field::Company, "Company"),
        (Field::Title, "Title"),
        (Field::Title, "Job title"),
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
        (Field::Notes, "Notes"),
        (Field::Score, "Lookalike Score"),
        (Field::Score, "Score"),
        (Field::Reasons, "Lookalike Reasons"),
        (Field::Reasons, "Reasons"),
    ],
    list_field: "Lookalike List",
    practice: false,
};

#[async_trait::async_trait]
impl Crm for Monday {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn encode_request(&self, request: http::Request<Vec<u8>>) -> http::Request<Vec<u8>> {
        // The token endpoint takes JSON.
        let (mut parts, body) = request.into_parts();
        let form: Map<String, Value> =
            url::form_urlencoded::parse(&body).map(|(name, value)| (name.into_owned(), json!(value))).collect();
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        parts.headers.remove(header::CONTENT_LENGTH);
        http::Request::from_parts(parts, Value::Object(form).to_string().into_bytes())
    }

    fn authorise(&self, headers: &mut HeaderMap, credential: &Credential<'_>) {
        headers.insert("api-version", HeaderValue::from_static(graph::VERSION));
        if !credential.is_static {
            return bearer(headers, credential);
        }
        if let Ok(mut value) = HeaderValue::from_str(credential.token.expose()) {
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
    }

    fn classify(&self, reply: &ApiReply) -> Option<Trouble> {
        errors::classify(reply)
    }

    async fn who_am_i(&self, api: &Api) -> Result<Account, Trouble> {
        #[derive(Deserialize)]
        struct Data {
            me: Me,
        }
        #[derive(Deserialize)]
        struct Me {
            #[serde(default)]
            name: String,
            #[serde(default)]
            email: String,
            account: Owner,
        }
        #[derive(Deserialize)]
        struct Owner {
            id: String,
            #[serde(default)]
            name: String,
        }
        let me = graph::query::<Data>(api, "query { me { name email account { id name } } }", json!({})).await?.me;
        if !board::given(api).is_empty() {
            // Better told now than at the first sync.
            board::choose(api).await?;
        }
        let user = if me.email.is_empty() { me.name } else { me.email };
        Ok(Account { id: me.account.id, name: me.account.name, user, environment: String::new() })
    }

    async fn survey(&self, api: &Api) -> Result<Survey, Trouble> {
        board::survey(api).await
    }

    async fn find(&self, api: &Api, survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
        items::find(api, survey, leads).await
    }

    async fn write(&self, api: &Api, survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
        items::write(api, survey, leads).await
    }

    async fn open_group(&self, api: &Api, name: &str) -> Result<String, Trouble> {
        board::group(api, name.trim()).await
    }

    async fn add_to_group(
        &self,
        _api: &Api,
        _group: &str,
        records: &[String],
    ) -> Result<Vec<(String, String)>, Trouble> {
        // Moving an item into a group would take it out of the one it is in.
        let reason = "monday.com keeps an item in one group only, and it has one";
        Ok(records.iter().map(|record| (record.clone(), reason.to_owned())).collect())
    }

    fn group_field(&self) -> Option<&'static str> {
        Some(board::GROUP)
    }

    fn calls(&self, _survey: &Survey, leads: u64, grouped: bool) -> u64 {
        let (finds, writes) = (leads.div_ceil(LOOKED_UP as u64), leads.div_ceil(WRITTEN as u64));
        1 + finds + writes + if grouped { 2 } else { 0 }
    }
}

#[cfg(test)]
#[path = "monday_tests.rs"]
mod tests;
