//! What the engine keeps in the store, besides lists: connections, webhooks, runs, deliveries, events, notices, remembered things.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::messages::{ConnectionSummary, KeptNotice};
use crate::crm::Account;
use crate::events::AnalyticsEvent;
use crate::failure::Failure;
use crate::oauth::{Grant, Method};
use crate::store::{Record, SealedBy, Tree};
use crate::sync::{LeadOutcome, Outcome, RunSummary, Settings};
use crate::vault::Secret;
use crate::webhook::plan::Planned;
use crate::webhook::{WebhookSpec, WebhookState};

/// One connection. Key: its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ConnectionRecord {
    pub id: Ulid,
    pub platform: String,
    pub account: String,
    pub who: Account,
    pub method: Method,
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    pub grant: Grant,
    pub connected: Timestamp,
    #[serde(default)]
    pub trouble: Option<Failure>,
    #[serde(default)]
    pub last_sync: Option<Timestamp>,
    /// The settings last confirmed, so that a reconnect keeps them.
    #[serde(default)]
    pub settings: Option<Settings>,
}

impl Record for ConnectionRecord {
    const TREE: Tree = Tree::Connection;
    const SEALED_BY: SealedBy = SealedBy::Secrets;
}

impl ConnectionRecord {
    pub(super) fn summary(&self) -> ConnectionSummary {
        ConnectionSummary {
            platform: self.platform.clone(),
            account: self.account.clone(),
            who: self.who.clone(),
            method: self.method,
            connected: self.connected,
            trouble: self.trouble.clone(),
            last_sync: self.last_sync,
        }
    }
}

/// One webhook. Key: its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WebhookRecord {
    pub id: Ulid,
    pub spec: WebhookSpec,
    /// The signing secrets, newest first.
    pub secrets: Vec<SigningSecret>,
    pub state: WebhookState,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub last_delivered: Option<Timestamp>,
}

/// A signing secret, and until when it signs after a rotation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SigningSecret {
    #[serde(with = "crate::vault::sealed")]
    pub secret: Secret,
    #[serde(default)]
    pub until: Option<Timestamp>,
}

impl Record for WebhookRecord {
    const TREE: Tree = Tree::Webhook;
    const SEALED_BY: SealedBy = SealedBy::Secrets;
}

/// One run. Key: its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RunRecord {
    pub summary: RunSummary,
    pub list: Ulid,
    pub settings: Settings,
    /// CRM runs: the position before which every written lead is in its group.
    #[serde(default)]
    pub grouped_before: u64,
    /// How many delivered leads the analytics events of this run have told of.
    #[serde(default)]
    pub told: u64,
    /// Webhook runs: what was frozen, and whether all deliveries are planned.
    #[serde(default)]
    pub frozen: Option<Frozen>,
}

impl Record for RunRecord {
    const TREE: Tree = Tree::Run;
}

impl RunRecord {
    /// Whether it goes to this webhook.
    pub(super) fn goes_through(&self, webhook: Ulid) -> bool {
        self.frozen.as_ref().is_some_and(|frozen| frozen.webhook == webhook)
    }
}

/// What a webhook run froze of its webhook: payload, batch and filter; no address and no secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Frozen {
    pub webhook: Ulid,
    pub spec: WebhookSpec,
    pub planned: bool,
}

/// How a lead stands in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mark {
    #[default]
    Fresh,
    Sending,
    Settled(Outcome),
}

/// The outcomes of about 1,000 leads of a run. Key: run, block number.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct OutcomeBlock {
    /// By position within the block; leads past the end are fresh.
    pub marks: Vec<Mark>,
    /// The vendor's ids of records, by position within the block.
    pub remote: BTreeMap<u32, String>,
    /// Rows that need a person's eye, by position within the block.
    pub rows: BTreeMap<u32, LeadOutcome>,
}

impl Record for OutcomeBlock {
    const TREE: Tree = Tree::RunBlock;
}

/// One delivery. Key: run, first position.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DeliveryRecord {
    pub planned: Planned,
    pub webhook: Ulid,
    /// The leads, for a person.
    pub leads: String,
    pub outcome: Outcome,
    pub attempts: u32,
    /// An attempt was begun and its end is not known.
    #[serde(default)]
    pub under_way: bool,
    #[serde(default)]
    pub answer: String,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub ms: u64,
    pub time: Timestamp,
    #[serde(default)]
    pub next_try: Option<Timestamp>,
}

impl Record for DeliveryRecord {
    const TREE: Tree = Tree::Delivery;
}

/// Key: a new id each.
impl Record for AnalyticsEvent {
    const TREE: Tree = Tree::Event;
}

/// Key: a new id each.
impl Record for KeptNotice {
    const TREE: Tree = Tree::Notice;
}

/// A remembered thing. Key: the hash of its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Remembered {
    pub value: serde_json::Value,
}

impl Record for Remembered {
    const TREE: Tree = Tree::Setting;
}

/// A key made of an id and a number: sorts by both.
pub(super) fn key(id: Ulid, number: u64) -> Vec<u8> {
    let mut key = id.to_bytes().to_vec();
    key.extend(number.to_be_bytes());
    key
}
