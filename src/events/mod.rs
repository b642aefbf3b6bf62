//! Analytics events: kept in the local store, never sent anywhere by themselves.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What happened. The names are the original product's and are part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventName {
    /// A CRM button was pressed.
    #[serde(rename = "lookalike_crm_connect_clicked")]
    ConnectClicked,
    /// A token was stored.
    #[serde(rename = "lookalike_crm_oauth_completed")]
    OauthCompleted,
    /// The webhook form opened.
    #[serde(rename = "lookalike_webhook_opened")]
    WebhookOpened,
    /// A webhook was saved.
    #[serde(rename = "lookalike_webhook_configured")]
    WebhookConfigured,
    /// A run ended with at least one lead delivered.
    #[serde(rename = "lookalike_leads_synced")]
    LeadsSynced,
}

/// One analytics record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalyticsEvent {
    /// What happened.
    pub event: EventName,
    /// The platform id; `webhook` for webhooks.
    pub platform: String,
    /// How many leads it was about.
    pub lead_count: u64,
    /// The list's name; empty when there is none.
    pub list_name: String,
    /// Always `lookalike`.
    pub source: String,
    /// When.
    pub timestamp: Timestamp,
}
