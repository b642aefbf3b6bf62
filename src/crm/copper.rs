//! Copper: leads looked up by e-mail in 100s and upserted one by one, lists as tags. In accounts that have switched Leads
//! off, the same as People.
//!
//! Calls for n new leads: 2 for the account and its fields, ⌈n/100⌉ look-ups, n writes; a tag costs 1 call to begin with and
//! 2·⌈n/10⌉ to put on. A lead that is there and differs costs 2 calls: Copper replaces lists whole, so they are read first.

mod errors;
mod records;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::api::Api;
use super::call::{ApiReply, Call};
use super::credentials::{Credential, bearer};
use super::{
    Account, Crm, Found, MatchBy, MatchKey, Outgoing, Rate, RemoteField, SignInField, Spec, StaticToken, Survey,
    Trouble, Write, Written,
};
use crate::lead::Field;
use crate::oauth::{Answer, Client, OAuth, SecretIn};
use records::Kind;

/// E-mails per look-up; half a page, so that doubles fit as well.
const LOOK_UP: usize = 100;

/// Records per bulk call.
const BULK: usize = 10;

/// Copper.
#[derive(Clone, Copy, Debug)]
pub struct Copper;

static SPEC: Spec = Spec {
    id: "copper",
    name: "Copper",
    oauth: Some(OAuth {
        authorize_url: "https://app.copper.com/oauth/authorize",
        token_url: "https://app.copper.com/oauth/token",
        revoke_url: None,
        device_url: None,
        scopes: &["developer/v1/all"],
        scope_separator: " ",
        extra: &[],
        pkce: false,
        client: Client::Confidential,
        secret_in: SecretIn::Body,
        redirect: "https://localhost:8977/callback",
        answer: Answer::FormPost,
    }),
    token: Some(StaticToken { name: "API key", where_to: "Settings > Integrations > API Keys" }),
    api_base: "https://api.copper.com/developer_api/v1",
    account_hosts: &[],
    sign_in_fields: &[SignInField { name: "email", label: "e-mail of the API key's owner", required: true }],
    register: "An API key needs no app, also over SSH: Settings > Integrations > API Keys, then\n\
        leadferry connect copper --method token --field email=YOUR@ADDRESS\n\
        For an app of your own ask partners@copper.com for a client id and secret, with\n\
        the redirect address https://localhost:8977/callback; both go into\n\
        [crm.copper].",
    batch: 1,
    find_batch: LOOK_UP,
    group_batch: BULK,
    index_lag: 0,
    // Copper takes 180 a minute, and 3 a second of the bulk calls, of which every other call is one while tags are put on.
    rate: Rate { calls: 5, seconds: 2 },
    grouping: "tag",
    field_map: &[
        (Field::FullName, "name"),
        (Field::Email, "email"),
        (Field::Email, "emails"),
        (Field::Phone, "phone_numbers"),
        (Field::Company, "company_name"),
        (Field::Title, "title"),
        (Field::Street, "address.street"),
        (Field::City, "address.city"),
        (Field::State, "address.state"),
        (Field::PostalCode, "address.postal_code"),
        (Field::Country, "address.country"),
        (Field::Notes, "details"),
        (Field::Score, "Lookalike score"),
        (Field::Reasons, "Lookalike reasons"),
    ],
    list_field: "Lookalike list",
    practice: false,
};

/// The fields that every account has: name in requests, label.
const FIELDS: &[(&str, &str)] = &[
    ("name", "Name"),
    ("phone_numbers", "Phone"),
    ("company_name", "Company"),
    ("title", "Title"),
    ("address.street", "Street"),
    ("address.city", "City"),
    ("address.state", "State"),
    ("address.postal_code", "Postal code"),
    ("address.country", "Country"),
    ("details", "Description"),
];

/// The types of custom fields that a lead's value can be written to as it is; the others take ids of options.
const TYPES: &[&str] = &["String", "Text", "URL", "Float", "Percentage", "Currency", "Checkbox"];

#[derive(Deserialize)]
struct CustomField {
    id: u64,
    name: String,
    data_type: String,
    #[serde(default)]
    available_on: Vec<String>,
}

fn survey_of(kind: Kind, custom: Vec<CustomField>) -> Survey {
    let field = |name: &str, label: &str, kind: &str| RemoteField {
        name: name.to_owned(),
        label: label.to_owned(),
        kind: kind.to_lowercase(),
        ..RemoteField::default()
    };
    let mut fields: Vec<RemoteField> = FIELDS.iter().map(|(name, label)| field(name, label, "String")).collect();
    fields.iter_mut().filter(|field| field.name == "name").for_each(|field| field.required = true);
    fields.push(RemoteField { unique: true, ..field(kind.email(), "E-mail", "String") });
    let fitting = custom.into_iter().filter(|custom| {
        TYPES.contains(&custom.data_type.as_str()) && custom.available_on.iter().any(|on| on == kind.singular())
    });
    fields.extend(fitting.map(|custom| field(&records::custom(custom.id), &custom.name, &custom.data_type)));
    // Copper's upsert does not say whether it has made or found a lead, and refuses several: leads are looked up first.
    Survey { fields, key: MatchKey::LookUp(kind.email().to_owned()), by: MatchBy::Email }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CopperAccount {
    id: u64,
    name: String,
    settings: AccountSettings,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AccountSettings {
    setting_enable_leads: Option<bool>,
}

impl CopperAccount {
    async fn of(api: &Api) -> Result<CopperAccount, Trouble> {
        api.json(Call::get("/account")).await
    }

    /// What leads become in this account.
    fn kind(&self) -> Kind {
        if self.settings.setting_enable_leads == Some(false) { Kind::People } else { Kind::Leads }
    }
}

#[async_trait::async_trait]
impl Crm for Copper {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn authorise(&self, headers: &mut HeaderMap, credential: &Credential<'_>) {
        let owner = credential.fields.get("email").filter(|_| credential.is_static);
        let Some(owner) = owner else { return bearer(headers, credential) };
        let named = [("x-pw-accesstoken", credential.token.expose()), ("x-pw-useremail", owner.trim())];
        for (name, value) in named {
            if let Ok(mut value) = HeaderValue::from_str(value) {
                value.set_sensitive(true);
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        headers.insert(HeaderName::from_static("x-pw-application"), HeaderValue::from_static("developer_api"));
    }

    fn classify(&self, reply: &ApiReply) -> Option<Trouble> {
        errors::classify(reply)
    }

    async fn who_am_i(&self, api: &Api) -> Result<Account, Trouble> {
        #[derive(Deserialize)]
        struct Me {
            email: String,
        }
        let account = CopperAccount::of(api).await?;
        let me: Me = api.json(Call::get("/users/me")).await?;
        Ok(Account { id: account.id.to_string(), name: account.name, user: me.email, environment: String::new() })
    }

    async fn survey(&self, api: &Api) -> Result<Survey, Trouble> {
        let kind = CopperAccount::of(api).await?.kind();
        Ok(survey_of(kind, api.json(Call::get("/custom_field_definitions")).await?))
    }

    async fn find(&self, api: &Api, survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
        records::find(api, Kind::of(survey), leads).await
    }

    async fn write(&self, api: &Api, survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
        let Some((lead, write)) = leads.first() else { return Ok(Vec::new()) };
        Ok(vec![records::write(api, survey, lead, write).await?])
    }

    async fn open_group(&self, api: &Api, name: &str) -> Result<String, Trouble> {
        // A tag is made by its first use. What it goes on stands before it.
        Ok(format!("{}/{}", CopperAccount::of(api).await?.kind().plural(), name.trim()))
    }

    async fn add_to_group(&self, api: &Api, group: &str, records: &[String]) -> Result<Vec<(String, String)>, Trouble> {
        let (kind, tag) = match group.split_once('/') {
            Some(("people", tag)) => (Kind::People, tag),
            Some((_, tag)) => (Kind::Leads, tag),
            None => (Kind::Leads, group),
        };
        records::add_tag(api, kind, tag, records).await
    }

    fn calls(&self, _survey: &Survey, leads: u64, grouped: bool) -> u64 {
        let tags = if grouped { 1 + 2 * leads.div_ceil(BULK as u64) } else { 0 };
        2 + leads.div_ceil(LOOK_UP as u64) + leads + tags
    }
}

#[cfg(test)]
#[path = "copper_tests.rs"]
mod tests;
