//! What an attempt means for its delivery and its webhook. Pure: time and chance are given.

use std::time::Duration;

use jiff::Timestamp;

use super::send::{Answer, Attempt, Trouble};
use crate::net::skew;

/// The longest `Retry-After` that is obeyed.
pub const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);

/// The longest that a busy endpoint is left alone when it does not say how long.
const OWN_PAUSE: Duration = Duration::from_secs(60);

/// The part of a delay by which it may grow, so that deliveries that failed together do not come back together.
const JITTER: f64 = 0.2;

/// What happens next.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Taken (2xx).
    Delivered,
    /// This delivery is tried again after a while.
    Retry(Duration),
    /// The endpoint is busy: it is left alone for a while, this delivery perhaps for longer.
    Slow {
        /// Until this delivery is tried again.
        after: Duration,
        /// Until anything is sent.
        endpoint: Duration,
    },
    /// Given up for now, with the reason; can be replayed.
    Parked(String),
    /// The webhook pauses, with the reason; this delivery and all others wait.
    Pause(String),
    /// The receiver wants no more: the webhook is disabled, with the reason.
    Disable(String),
}

/// Judges an attempt. `made` counts the attempts including this one, `retry` are the delays in seconds (attempts = delays + 1),
/// `now` is when the attempt ended, `chance` is from 0 to 1.
pub fn judge(attempt: &Attempt, made: u32, retry: &[u64], now: Timestamp, chance: f64) -> Verdict {
    let again = |asked: Option<Duration>| {
        let delay = usize::try_from(made.saturating_sub(1)).ok().and_then(|at| retry.get(at));
        let delay = asked.unwrap_or(Duration::from_secs(*delay?));
        Some(delay.mul_f64(1.0 + JITTER * chance.clamp(0.0, 1.0)))
    };
    let given_up = |why: String| Verdict::Parked(format!("Given up after {}: {why}", times(made)));
    let answer = match &attempt.result {
        Err(Trouble::Refused(refusal)) => return Verdict::Parked(refusal.to_string()),
        Err(trouble) => return again(None).map_or_else(|| given_up(trouble.to_string()), Verdict::Retry),
        Ok(answer) => answer,
    };
    // What the receiver asks for replaces our delay, but no difference of clocks may turn it into no pause at all.
    let asked = skew::retry_after(&answer.headers, now).filter(|asked| !asked.is_zero());
    let asked = asked.map(|asked| asked.min(LONGEST_WAIT));
    let failed = || given_up(format!("the endpoint answered {}.", said(answer)));
    match answer.status.as_u16() {
        200..=299 => Verdict::Delivered,
        400 | 404 | 413 | 422 => Verdict::Parked(format!("The endpoint refused it with {}.", said(answer))),
        401 | 403 => Verdict::Pause(format!("The endpoint answered {}: check its credentials.", said(answer))),
        410 => Verdict::Disable(format!("The endpoint answered {}: it wants no more.", said(answer))),
        429 | 502..=504 => again(asked).map_or_else(failed, |after| Verdict::Slow {
            after,
            // One delivery that is far down its schedule must not hold up the others for hours.
            endpoint: asked.map_or(after.min(OWN_PAUSE), |_| after),
        }),
        300..=399 => again(None).map_or_else(|| given_up(redirected(answer)), Verdict::Retry),
        _ => again(asked).map_or_else(failed, Verdict::Retry),
    }
}

fn times(made: u32) -> String {
    if made == 1 { "1 attempt".into() } else { format!("{made} attempts") }
}

fn said(answer: &Answer) -> String {
    match answer.status.canonical_reason() {
        Some(reason) => format!("{} {reason}", answer.status.as_u16()),
        None => answer.status.as_u16().to_string(),
    }
}

fn redirected(answer: &Answer) -> String {
    let said = said(answer);
    match answer.headers.get(http::header::LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned()) {
        Some(to) => format!("the endpoint answered {said} to {to}, and redirects are not followed."),
        None => format!("the endpoint answered {said}, and redirects are not followed."),
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
