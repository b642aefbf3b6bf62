//! Sign-ins that wait for a person to type their code somewhere else (RFC 8628).

use jiff::Timestamp;
use serde::Serialize;

use super::grants::{CODE_LIFE, Decision, Refusal, refuse};
use super::mint::{Mint, digest};

/// How often a device may ask, to begin with, in seconds.
const INTERVAL: i64 = 2;

/// A device authorisation answer.
#[derive(Debug, Serialize)]
pub(super) struct DeviceAnswer {
    pub(super) device_code: String,
    pub(super) user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: i64,
    interval: i64,
}

#[derive(Debug)]
struct Device {
    device: String,
    user_code: String,
    scopes: Vec<String>,
    until: Timestamp,
    interval: i64,
    last_poll: Option<Timestamp>,
    decision: Option<Decision>,
}

/// Every device that waits.
#[derive(Debug, Default)]
pub(super) struct Devices(Vec<Device>);

impl Devices {
    /// Begins a sign-in without a browser (RFC 8628 section 3.1).
    pub(super) fn start(&mut self, scopes: Vec<String>, origin: &str, mint: &mut Mint, now: Timestamp) -> DeviceAnswer {
        self.0.retain(|device| device.until > now);
        let (device_code, user_code) = (mint.token("pd_"), mint.user_code());
        self.0.push(Device {
            device: digest(&device_code),
            user_code: user_code.clone(),
            scopes,
            until: now + CODE_LIFE,
            interval: INTERVAL,
            last_poll: None,
            decision: None,
        });
        DeviceAnswer {
            device_code,
            verification_uri: format!("{origin}/device"),
            verification_uri_complete: format!("{origin}/device?code={user_code}"),
            user_code,
            expires_in: CODE_LIFE.as_secs(),
            interval: INTERVAL,
        }
    }

    /// The code as it was given out and its scopes, if it waits for a decision; blanks, case and the hyphen do not matter.
    pub(super) fn waiting(&self, typed: &str, now: Timestamp) -> Option<(&str, &[String])> {
        self.0
            .iter()
            .find(|device| device.decision.is_none() && device.until > now && bare(&device.user_code) == bare(typed))
            .map(|device| (device.user_code.as_str(), device.scopes.as_slice()))
    }

    /// Notes the decision about a device; false when no device waits under this code.
    pub(super) fn decide(&mut self, typed: &str, decision: Decision, now: Timestamp) -> bool {
        let waiting = |device: &&mut Device| {
            device.decision.is_none() && device.until > now && bare(&device.user_code) == bare(typed)
        };
        match self.0.iter_mut().find(waiting) {
            Some(device) => {
                device.decision = Some(decision);
                true
            }
            None => false,
        }
    }

    /// Answers a device that asks whether it may, with who allowed it and what (RFC 8628 section 3.5).
    pub(super) fn poll(&mut self, device_code: &str, now: Timestamp) -> Result<(String, Vec<String>), Refusal> {
        let wanted = digest(device_code);
        let Some(place) = self.0.iter().position(|device| device.device == wanted) else {
            return refuse("expired_token", "This device code is not known or was used.");
        };
        let device = &mut self.0[place];
        if device.until <= now {
            self.0.remove(place);
            return refuse("expired_token", "Nobody approved the code within ten minutes.");
        }
        let early = device.last_poll.is_some_and(|last| now.duration_since(last).as_secs() < device.interval);
        device.last_poll = Some(now);
        match device.decision.clone() {
            None if early => {
                device.interval += 5;
                refuse("slow_down", "Ask less often.")
            }
            None => refuse("authorization_pending", "The code is not approved yet."),
            Some(Decision::Deny) => {
                self.0.remove(place);
                refuse("access_denied", "The person at the practice CRM pressed Deny.")
            }
            Some(Decision::Allow(user)) => Ok((user, self.0.remove(place).scopes)),
        }
    }
}

/// A user code as it is compared: letters only, upper case.
fn bare(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_uppercase()).collect()
}
