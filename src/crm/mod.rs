//! The CRMs: one file per vendor, one word in [`registry`], one trait between them and everything shared.
//!
//! A vendor's file holds what is the vendor's: addresses, scopes, encodings, limits, field map, request and response shapes.
//! It holds no retry loop, no token refresh and no rate limiter: those exist once, in [`api`] and in `sync`.

pub mod api;
pub mod call;
pub mod copper;
pub mod credentials;
pub mod gohighlevel;
pub mod hubspot;
pub mod limiter;
pub mod lofty;
pub mod monday;
pub mod pipedrive;
pub mod practice;
pub mod registry;
pub mod salesforce;
pub mod sign_in;
pub mod zoho;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::config::Rate;
use crate::lead::Field;
use crate::oauth::OAuth;

/// What a vendor's file says about it without any call.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The platform id: `salesforce`. Stable: part of destinations, store records and deep links.
    pub id: &'static str,
    /// The name on its button.
    pub name: &'static str,
    /// Sign-in by OAuth, where the vendor has it.
    pub oauth: Option<OAuth>,
    /// Sign-in by a static token, where the vendor has it: what to ask for, in the vendor's words.
    pub token: Option<StaticToken>,
    /// What stands before the vendor's API paths: `https://api.hubapi.com`. `None` when each account names its own.
    pub api_base: &'static str,
    /// Host suffixes to which a token answer may point: `.salesforce.com`.
    pub account_hosts: &'static [&'static str],
    /// More values a sign-in takes (`--field NAME=VALUE`).
    pub sign_in_fields: &'static [SignInField],
    /// Where this vendor explains how to register an app, and what to tick there, in at most five lines of 80 columns.
    pub register: &'static str,
    /// Leads per write call.
    pub batch: usize,
    /// Keys per look-up call.
    pub find_batch: usize,
    /// Records per call that adds to a group.
    pub group_batch: usize,
    /// How many seconds a new record may stay invisible to look-ups.
    pub index_lag: u32,
    /// Our ceiling of calls unless the configuration names another: a little below the vendor's.
    pub rate: Rate,
    /// How leads are kept together there: `Campaign`, `static list`.
    pub grouping: &'static str,
    /// Where each standard field goes by default, by the vendor's field name or label; of several rows the first that the
    /// account has.
    pub field_map: &'static [(Field, &'static str)],
    /// The field that takes the list's name, in accounts that have it; empty = none.
    pub list_field: &'static str,
    /// Whether the button shows outside `leadferry demo`.
    pub practice: bool,
}

/// A static token, as the vendor calls it.
#[derive(Clone, Copy, Debug)]
pub struct StaticToken {
    /// Its name in the vendor's settings: `private app token`.
    pub name: &'static str,
    /// Where to make one.
    pub where_to: &'static str,
}

/// One more value that a sign-in takes.
#[derive(Clone, Copy, Debug)]
pub struct SignInField {
    /// The name in `--field NAME=VALUE`.
    pub name: &'static str,
    /// What it is, for a person.
    pub label: &'static str,
    /// Whether the sign-in by static token cannot do without it.
    pub required: bool,
}

/// Who an account belongs to, as the vendor answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// The vendor's id of the organisation or location.
    pub id: String,
    /// Its name, for a person.
    pub name: String,
    /// The user who signed in.
    pub user: String,
    /// `production`, `sandbox`, or empty when the vendor does not say.
    pub environment: String,
}

/// A field of the account's lead or contact object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoteField {
    /// The name in requests.
    pub name: String,
    /// The label on the vendor's screens.
    pub label: String,
    /// The vendor's word for its type.
    pub kind: String,
    /// The most characters it takes; 0 when unknown.
    pub length: usize,
    /// Whether a record cannot be created without it.
    pub required: bool,
    /// Whether it can find a record (external id, unique).
    pub unique: bool,
}

/// One lead as it will be written: remote field names and values, already mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its position in the list version.
    pub position: u64,
    /// Its stable key (`lead::lead_key`): the external id where the vendor can hold one.
    pub key: String,
    /// Its folded e-mail; empty when it has none.
    pub email: String,
    /// Remote field name and value, in mapping order; never an empty value, no field twice, never the external id.
    pub values: Vec<(String, String)>,
}

impl Outgoing {
    /// The value by which this lead's record is recognised; empty when the lead has none.
    pub fn match_value(&self, by: MatchBy) -> &str {
        match by {
            MatchBy::LeadKey => &self.key,
            MatchBy::Email => &self.email,
        }
    }
}

/// What is to happen to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// The vendor decides by the survey's key whether it is new.
    Upsert,
    /// A look-up found none.
    Create,
    /// A look-up found this one.
    Update {
        /// The vendor's id of the record.
        id: String,
    },
}

/// What became of one written lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Created, updated, unchanged, failed; unknown when the answer does not say; pending when it should be tried again.
    pub outcome: crate::sync::Outcome,
    /// The vendor's id of the record; empty when there is none.
    pub remote_id: String,
    /// The vendor's words when it failed.
    pub reason: String,
    /// What a person can do about it.
    pub next_step: String,
}

/// What a look-up by the survey's key says about one lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No record.
    None,
    /// One, with the values it holds for the fields that were asked for.
    One {
        /// The vendor's id of the record.
        id: String,
        /// Remote field name and value.
        values: Vec<(String, String)>,
        /// When it was made, by the vendor's clock, where the vendor says.
        created: Option<Timestamp>,
    },
    /// Several: writing would be a guess.
    Several(Vec<String>),
}

/// How records are recognised in this account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchKey {
    /// The vendor upserts by this field in one call: no look-up is needed.
    Upsert(String),
    /// Records are looked up by this field before they are written.
    LookUp(String),
}

/// Which value of a lead the match key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchBy {
    /// Its stable key, in a field made for it.
    LeadKey,
    /// Its folded e-mail.
    Email,
}

/// What the account offers, asked once per run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The fields a mapping may name.
    pub fields: Vec<RemoteField>,
    /// How records are recognised.
    pub key: MatchKey,
    /// The value that does it.
    pub by: MatchBy,
}

impl MatchKey {
    /// The field's name in requests.
    pub fn field(&self) -> &str {
        match self {
            MatchKey::Upsert(field) | MatchKey::LookUp(field) => field,
        }
    }
}

impl Survey {
    /// The field of this name in requests.
    pub fn field(&self, name: &str) -> Option<&RemoteField> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field that a vendor's file means: by its name in requests, else by its label, where names are the account's own
    /// numbers.
    pub fn meant(&self, name: &str) -> Option<&RemoteField> {
        let labelled = || self.fields.iter().find(|field| field.label.eq_ignore_ascii_case(name));
        self.field(name).or_else(|| labelled().filter(|_| !name.is_empty()))
    }
}

/// What went wrong with a call, in classes that `sync` acts on; the same for all vendors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The class.
    pub kind: TroubleKind,
    /// The vendor's words, or ours when it said nothing.
    pub message: String,
    /// What a person can do about it: the permission, scope or plan by the vendor's name for it.
    pub next_step: String,
}

/// The classes of trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// The request itself was refused: it would be refused again.
    Refused,
    /// What was asked for is not there; a write that needs it would be refused again.
    Missing,
    /// The token is not valid any more and could not be refreshed.
    Credentials,
    /// A permission or scope is missing.
    Permission,
    /// The vendor's plan does not include this.
    Plan,
    /// A daily or hourly quota is used up; `until` when the vendor says.
    Quota {
        /// When it begins anew.
        until: Option<Timestamp>,
    },
    /// Too fast; wait this long.
    Busy {
        /// Seconds, when the vendor says.
        retry_after: Option<u64>,
    },
    /// Something on the way answered in the vendor's place (a web page instead of data): worth few more tries.
    Blocked,
    /// 5xx, time-outs before anything could have been written, no connection.
    Vendor,
    /// The connection broke after a write was sent, or the vendor failed over it: it may or may not have happened.
    Unclear,
}

/// One vendor.
///
/// Every call goes through [`api::Api`], which signs it with the account's token, keeps to the limit, refreshes on 401 and
/// turns a bad answer into a [`Trouble`] by [`Crm::classify`]. A method is one step and may be called again.
#[async_trait::async_trait]
pub trait Crm: Send + Sync {
    /// What the vendor is.
    fn spec(&self) -> &'static Spec;

    /// Rewrites the address of the sign-in page where the vendor wants other parameter names than RFC 6749.
    fn authorize_url(&self, address: url::Url) -> url::Url {
        address
    }

    /// Rewrites a token request where the vendor wants more than RFC 6749 says (JSON body, other parameter names).
    fn encode_request(&self, request: http::Request<Vec<u8>>) -> http::Request<Vec<u8>> {
        request
    }

    /// Rewrites a token answer into RFC 6749's shape (errors inside 200, no `token_type`, scopes as an array).
    fn normalise_response(&self, response: http::Response<Vec<u8>>) -> http::Response<Vec<u8>> {
        response
    }

    /// The token endpoint that the callback's parameters name (data centres); shared code checks it against the host list.
    fn token_url(&self, _callback: &std::collections::BTreeMap<String, String>) -> Option<String> {
        None
    }

    /// The revocation endpoint that the callback's parameters name; checked like the token endpoint.
    fn revoke_url(&self, _callback: &std::collections::BTreeMap<String, String>) -> Option<String> {
        None
    }

    /// What the answer to a device poll says about where the account is (data centres), as callback parameters; empty when it
    /// says nothing. The next poll goes where [`Crm::token_url`] then points to.
    fn moved(&self, _response: &http::Response<Vec<u8>>) -> std::collections::BTreeMap<String, String> {
        Default::default()
    }

    /// The API base that a token answer's extra fields name; shared code checks it against the host list.
    fn account_base(&self, _token: &serde_json::Map<String, serde_json::Value>) -> Option<String> {
        None
    }

    /// Puts the credential on a call. By default `Authorization: Bearer …`.
    fn authorise(&self, headers: &mut http::HeaderMap, credential: &credentials::Credential<'_>) {
        credentials::bearer(headers, credential);
    }

    /// The class of an answer that is not a success; `None` = it is one. [`TroubleKind::Credentials`] makes the token be
    /// refreshed and the call repeated, once. [`call::by_status`] is what most answers need.
    fn classify(&self, reply: &call::ApiReply) -> Option<Trouble>;

    /// What an answer's headers say about calls left, for the limiter.
    fn allowance(&self, _headers: &http::HeaderMap) -> Option<limiter::Allowance> {
        None
    }

    /// Who the account belongs to.
    async fn who_am_i(&self, api: &api::Api) -> Result<Account, Trouble>;

    /// The account's fields and match key.
    async fn survey(&self, api: &api::Api) -> Result<Survey, Trouble>;

    /// Looks leads up by the survey's key; one answer per lead, in order. At most `find_batch` leads.
    async fn find(&self, api: &api::Api, survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble>;

    /// Writes leads; one answer per lead, in order. At most `batch` leads. One bad lead does not lose the good ones.
    async fn write(
        &self,
        api: &api::Api,
        survey: &Survey,
        leads: &[(Outgoing, Write)],
    ) -> Result<Vec<Written>, Trouble>;

    /// Finds or makes the group of this name and answers its id; a repeat finds what the first call made.
    async fn open_group(&self, api: &api::Api, name: &str) -> Result<String, Trouble>;

    /// Adds records to a group, removing nothing; a record that is there already is fine. At most `group_batch` records.
    /// Answers the ids that could not be added, with the reason.
    async fn add_to_group(
        &self,
        api: &api::Api,
        group: &str,
        records: &[String],
    ) -> Result<Vec<(String, String)>, Trouble>;

    /// The field by which a write itself adds its record to a group, where the vendor has that: each lead then carries the
    /// group's id in it, and [`Crm::add_to_group`] is not called.
    fn group_field(&self) -> Option<&'static str> {
        None
    }

    /// The calls that a run of this many new leads needs when nothing goes wrong: the survey, look-ups, and grouping into a
    /// new group included.
    fn calls(&self, survey: &Survey, leads: u64, grouped: bool) -> u64;
}

impl std::fmt::Debug for dyn Crm + '_ {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.spec().id)
    }
}
