//! What front ends and the engine say to each other. Serde, so that the same messages can cross a socket.
//!
//! A [`Request`] gets one [`Reply`] or a [`Failure`]; what happens meanwhile is told to everybody as an [`Event`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::crm::{Account, RemoteField};
use crate::events::{AnalyticsEvent, EventName};
use crate::failure::Failure;
use crate::lead::{Lead, Schema};
use crate::list::{ListSummary, ListVersion, Provenance};
use crate::oauth::{self, Method};
use crate::sync::{Destination, LeadOutcome, Mode, Plan, RunSummary, Settings};
use crate::vault::Secret;
use crate::webhook::{DeliverySummary, Exchange, WebhookSpec, WebhookSummary};

/// A wish of a front end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Starts a list version; its blocks follow. → [`Reply::Draft`]
    BeginList {
        /// The list's name.
        name: String,
        /// The columns of its leads.
        schema: Schema,
        /// Where they come from.
        provenance: Provenance,
    },
    /// About 1,000 more leads of a draft. → [`Reply::Done`]
    PutBlock {
        /// The draft.
        draft: u64,
        /// The leads, in order.
        leads: Vec<Lead>,
    },
    /// Makes a draft the newest version, durably. → [`Reply::Saved`]
    CommitList {
        /// The draft.
        draft: u64,
    },
    /// Forgets a draft. → [`Reply::Done`]
    DropDraft {
        /// The draft.
        draft: u64,
    },
    /// → [`Reply::Lists`]
    Lists,
    /// All versions of a list. → [`Reply::List`]
    List {
        /// Its name.
        name: String,
    },
    /// One block of a version. → [`Reply::Block`]
    Block {
        /// The list's name.
        list: String,
        /// The version; 0 = newest.
        version: u32,
        /// Counts from 0.
        block: u32,
    },
    /// → [`Reply::Done`]
    RenameList {
        /// Its name.
        name: String,
        /// Its new name.
        to: String,
    },
    /// Deletes a list and destroys its key. → [`Reply::Done`]
    DeleteList {
        /// Its name.
        name: String,
    },

    /// → [`Reply::Connections`]
    Connections,
    /// Starts a sign-in; its steps come as [`Event::SignIn`]. → [`Reply::SignIn`]
    Connect(ConnectRequest),
    /// What a person typed for a sign-in: the pasted address. → [`Reply::Done`]
    AnswerSignIn {
        /// The sign-in.
        sign_in: u64,
        /// The address the browser ended on, or just its code.
        text: String,
    },
    /// Stops a sign-in and frees its port. → [`Reply::Done`]
    CancelSignIn {
        /// The sign-in.
        sign_in: u64,
    },
    /// Asks the vendor who we are. → [`Reply::Connections`] (one)
    TestConnection {
        /// The platform id.
        platform: String,
        /// The label; empty = the only or first one.
        account: String,
    },
    /// → [`Reply::Fields`]
    Fields {
        /// The platform id.
        platform: String,
        /// The label.
        account: String,
    },
    /// Revokes where the vendor can, then deletes. → [`Reply::Done`]
    RemoveConnection {
        /// The platform id.
        platform: String,
        /// The label.
        account: String,
    },

    /// What a run would do. → [`Reply::Plan`]
    Plan {
        /// The list's name.
        list: String,
        /// Where to.
        destination: Destination,
    },
    /// Starts a run (or settles the unfinished one of the same list and destination first). → [`Reply::Run`]
    StartRun {
        /// The list's name.
        list: String,
        /// Where to.
        destination: Destination,
        /// As confirmed; `None` = remembered or default.
        settings: Option<Settings>,
        /// Overrides the mode alone.
        mode: Option<Mode>,
    },
    /// Goes on with the runs that an earlier session left unfinished. → [`Reply::Count`]
    ResumeRuns,
    /// → [`Reply::Done`]
    CancelRun {
        /// Its id.
        run: String,
    },
    /// Tries failed, unknown and parked leads of a run again. → [`Reply::Run`]
    RetryRun {
        /// Its id, or a unique beginning.
        run: String,
    },
    /// Newest first. → [`Reply::Runs`]
    Runs {
        /// At most this many.
        limit: usize,
    },
    /// → [`Reply::RunDetail`]
    Run {
        /// Its id, or a unique beginning.
        run: String,
    },

    /// Saves a webhook: a new one (its secret is answered once) or, by id, a change. → [`Reply::Webhook`]
    SaveWebhook {
        /// The id to change; `None` = new.
        id: Option<String>,
        /// The settings.
        spec: WebhookSpec,
        /// A secret of one's own (`whsec_…`); `None` = made here (new) or kept (change).
        #[serde(with = "crate::vault::sealed")]
        secret: Option<Secret>,
        /// Whether it starts paused.
        paused: bool,
        /// The list that waits for it, for the analytics event; empty when there is none.
        list_name: String,
        /// How many leads wait.
        lead_count: u64,
    },
    /// → [`Reply::Webhooks`]
    Webhooks,
    /// The settings for the form; secrets inside stay sealed types. → [`Reply::WebhookSpec`]
    Webhook {
        /// Its name or id.
        name: String,
    },
    /// Sends one lead and shows the exchange. → [`Reply::Tested`]
    TestWebhook {
        /// The settings as they stand in the form, or
        spec: Option<WebhookSpec>,
        /// the name of a saved one.
        name: Option<String>,
        /// The lead to send; `None` = a made-up one.
        lead: Option<(Schema, Lead)>,
    },
    /// → [`Reply::Done`]
    SetWebhookActive {
        /// Its name.
        name: String,
        /// Active or paused.
        active: bool,
    },
    /// → [`Reply::Webhook`] with the new secret
    RotateSecret {
        /// Its name.
        name: String,
    },
    /// → [`Reply::Done`]
    RemoveWebhook {
        /// Its name.
        name: String,
    },
    /// Newest first. → [`Reply::Deliveries`]
    Deliveries {
        /// Of this webhook only.
        webhook: Option<String>,
        /// Of this run only.
        run: Option<String>,
        /// At most this many.
        limit: usize,
    },
    /// Queues parked deliveries again. → [`Reply::Count`]
    Replay {
        /// The webhook.
        webhook: String,
        /// One delivery; `None` = all parked ones.
        delivery: Option<String>,
    },

    /// Records an analytics event. → [`Reply::Done`]
    Record {
        /// What happened.
        event: EventName,
        /// The platform id, or `webhook`.
        platform: String,
        /// How many leads.
        lead_count: u64,
        /// The list's name.
        list_name: String,
    },
    /// Newest first. → [`Reply::Events`]
    Events {
        /// At most this many.
        limit: usize,
    },
    /// Keeps a notice for Activity. → [`Reply::Done`]
    KeepNotice(KeptNotice),
    /// Newest first. → [`Reply::Notices`]
    Notices {
        /// At most this many.
        limit: usize,
    },
    /// Remembers a small thing about the interface (last file, columns, sort). → [`Reply::Done`]
    Remember {
        /// Its name.
        key: String,
        /// JSON.
        value: serde_json::Value,
    },
    /// → [`Reply::Remembered`]
    Recall {
        /// Its name.
        key: String,
    },
    /// Checks the store and the settings. → [`Reply::Doctor`]
    Doctor,
}

/// What a sign-in needs to start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConnectRequest {
    /// The platform id.
    pub platform: String,
    /// The label of the connection; empty = the platform's only or first one.
    pub account: String,
    /// How; `None` = browser and paste side by side.
    pub method: Method,
    /// `--field NAME=VALUE`.
    pub fields: BTreeMap<String, String>,
    /// The static token, for [`Method::Token`].
    #[serde(with = "crate::vault::sealed")]
    pub token: Option<Secret>,
    /// Whether a browser on this machine may be opened.
    pub open_browser: bool,
    /// The list and count for the deep link; empty when there is none.
    pub list_name: String,
    /// How many leads wait.
    pub lead_count: u64,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant is named at the request it answers")]
pub enum Reply {
    Done,
    Draft(u64),
    Saved(SavedList),
    Lists(Vec<ListSummary>),
    List(ListSummary, Vec<ListVersion>),
    Block(Schema, Vec<Lead>),
    Connections(Vec<ConnectionSummary>),
    SignIn(u64),
    Fields(Vec<RemoteField>),
    Plan(Box<Plan>),
    Run(RunSummary),
    Runs(Vec<RunSummary>),
    RunDetail(RunSummary, Vec<LeadOutcome>),
    Webhook(SavedWebhook),
    Webhooks(Vec<WebhookSummary>),
    WebhookSpec(Box<WebhookSpec>),
    Tested(Box<Exchange>),
    Deliveries(Vec<DeliverySummary>),
    Count(u64),
    Events(Vec<AnalyticsEvent>),
    Notices(Vec<KeptNotice>),
    Remembered(Option<serde_json::Value>),
    Doctor(Vec<Finding>),
}

/// A list that is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedList {
    /// Its name.
    pub list: String,
    /// The version that holds the leads.
    pub version: u32,
    /// How many leads.
    pub leads: u64,
    /// Whether the content was the same as before, so that no new version was made.
    pub unchanged: bool,
}

/// A webhook that is on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedWebhook {
    /// The webhook.
    pub webhook: WebhookSummary,
    /// The signing secret, when it was just made: shown once.
    #[serde(with = "crate::vault::sealed")]
    pub secret: Option<Secret>,
}

/// One authorised CRM account, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSummary {
    /// The platform id.
    pub platform: String,
    /// Its label; empty for the only or first one.
    pub account: String,
    /// Who it belongs to.
    pub who: Account,
    /// How it was signed in.
    pub method: Method,
    /// When.
    pub connected: Timestamp,
    /// What is wrong, when a new sign-in is needed.
    pub trouble: Option<Failure>,
    /// When leads last went there.
    pub last_sync: Option<Timestamp>,
}

/// A notice kept for Activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptNotice {
    /// When.
    pub time: Timestamp,
    /// `info`, `success` or `error`.
    pub kind: String,
    /// The text as shown.
    pub text: String,
}

/// One line of `doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was checked.
    pub check: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do when it is not.
    pub remedy: String,
}

/// What happens in the engine while requests go on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A sign-in got further.
    SignIn {
        /// The sign-in.
        sign_in: u64,
        /// How far.
        step: SignInStep,
    },
    /// A run got further, waits, or ended.
    Run(RunSummary),
    /// A webhook's state changed (paused, disabled, recovered).
    Webhook(WebhookSummary),
    /// Lists, connections or webhooks changed: ask again.
    Changed,
}

/// How far a sign-in is.
pub type SignInStep = oauth::SignInStep<ConnectionSummary>;
