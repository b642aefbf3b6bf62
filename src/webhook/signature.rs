//! Signatures per Standard Webhooks: what is signed is `id.timestamp.body`, by HMAC-SHA256, with a secret `whsec_…`.
//!
//! The same code checks signatures, for the practice receiver and for tests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::failure::{Code, Failure};
use crate::vault::Secret;

/// How far a timestamp may be off before a receiver must refuse it, in seconds.
pub const TOLERANCE: i64 = 300;

const PREFIX: &str = "whsec_";
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
const NEW_KEY_BYTES: usize = 32;

/// The bytes of one signing secret.
#[derive(Clone)]
pub struct SigningKey(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SigningKey(…)")
    }
}

/// A new signing secret: `whsec_` and 32 random bytes in base64. Fails when the system gives no randomness.
pub fn generate() -> Result<Secret, Failure> {
    let mut key = Zeroizing::new([0u8; NEW_KEY_BYTES]);
    getrandom::fill(key.as_mut_slice()).map_err(|error| {
        Failure::new(Code::Failed, format!("The system gave no randomness for a secret: {error}."), "Try again.")
    })?;
    Ok(Secret::new(format!("{PREFIX}{}", STANDARD.encode(key.as_slice()))))
}

impl SigningKey {
    /// Reads `whsec_` + padded base64 of 24 to 64 bytes; the failure never repeats the secret.
    pub fn parse(secret: &Secret) -> Result<SigningKey, Failure> {
        let refuse = |why: &str| {
            Failure::new(
                Code::Usage,
                format!("The signing secret {why}."),
                "Give whsec_ and 24 to 64 bytes in base64, or leave it out to have one made.",
            )
        };
        let encoded =
            secret.expose().trim().strip_prefix(PREFIX).ok_or_else(|| refuse("does not begin with whsec_"))?;
        let key = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| refuse("is not base64 after whsec_"))?);
        if !KEY_BYTES.contains(&key.len()) {
            return Err(refuse(&format!("holds {} bytes", key.len())));
        }
        Ok(SigningKey(key))
    }

    fn mac(&self, id: &str, timestamp: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Some(mac)
    }
}

/// The value of `webhook-signature`: `v1,` and padded base64 per key, one space between; several keys during a rotation.
/// `timestamp` is in seconds since 1970, `id` the `webhook-id`.
pub fn sign(keys: &[SigningKey], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures = keys.iter().filter_map(|key| key.mac(id, timestamp, body));
    signatures.map(|mac| format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))).collect::<Vec<_>>().join(" ")
}

/// Why a received request is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// The timestamp is no whole number of seconds.
    #[error("the webhook-timestamp is not a whole number of seconds")]
    NoTimestamp,
    /// The timestamp is more than [`TOLERANCE`] off.
    #[error("the webhook-timestamp is {0} s away from this clock")]
    Stale(i64),
    /// No signature fits any key.
    #[error("no signature fits")]
    NoMatch,
}

/// Checks a received request against any of several keys, in constant time per signature. The three texts are the values of
/// `webhook-id`, `webhook-timestamp` and `webhook-signature`; unknown signature versions are passed over.
pub fn verify(
    keys: &[SigningKey],
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Forged> {
    let seconds: i64 = timestamp.parse().map_err(|_| Forged::NoTimestamp)?;
    let off = now.as_second().saturating_sub(seconds);
    if off.saturating_abs() > TOLERANCE {
        return Err(Forged::Stale(off));
    }
    let mut offered = signatures
        .split(' ')
        .filter_map(|entry| entry.strip_prefix("v1,"))
        .filter_map(|text| STANDARD.decode(text).ok());
    let fits = |offered: Vec<u8>| {
        let macs = keys.iter().filter_map(|key| key.mac(id, seconds, body));
        macs.fold(false, |found, mac| mac.verify_slice(&offered).is_ok() | found)
    };
    if offered.any(fits) { Ok(()) } else { Err(Forged::NoMatch) }
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
