//! The practice CRM's ceiling of calls, per token, in a sliding window.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// Calls in [`WINDOW`] seconds.
pub(super) const CALLS: usize = 100;
/// The window, in seconds.
pub(super) const WINDOW: i64 = 10;

/// The calls of late, by token digest.
#[derive(Debug, Default)]
pub(super) struct Limits(HashMap<String, VecDeque<Timestamp>>);

impl Limits {
    /// Counts one call.
    ///
    /// # Errors
    /// For how many seconds to wait, at least 1, when there were too many.
    pub(super) fn take(&mut self, token: String, now: Timestamp) -> Result<(), i64> {
        let window = SignedDuration::from_secs(WINDOW);
        let calls = self.0.entry(token).or_default();
        while calls.front().is_some_and(|first| now.duration_since(*first) >= window) {
            calls.pop_front();
        }
        match calls.front() {
            Some(first) if calls.len() >= CALLS => {
                let rest = window.saturating_sub(now.duration_since(*first));
                Err(rest.as_secs() + 1)
            }
            _ => {
                calls.push_back(now);
                Ok(())
            }
        }
    }
}
