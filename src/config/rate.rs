//! A ceiling of calls as the configuration writes it: `90/10s`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::parse_duration;

/// A ceiling of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// This many calls…
    pub calls: u32,
    /// …in this many seconds.
    pub seconds: u32,
}

impl FromStr for Rate {
    type Err = String;

    /// Reads `90/10s`, also `100/1m`; both numbers are at least 1. The error is a sentence that says what is allowed.
    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (calls, time) = text.split_once('/')?;
            let calls = calls.trim().parse().ok().filter(|calls| *calls > 0)?;
            let time = parse_duration(time).ok().filter(|time| time.subsec_millis() == 0)?;
            let seconds = u32::try_from(time.as_secs()).ok().filter(|seconds| *seconds > 0)?;
            Some(Rate { calls, seconds })
        };
        read()
            .ok_or_else(|| format!("`{text}` is not a rate; write calls and whole seconds or more: 90/10s or 100/1m."))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}s", self.calls, self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wrong_rate_says_what_is_allowed() {
        for text in ["", "90", "90/", "/10s", "0/10s", "90/0s", "90/500ms", "-1/10s", "90/10", "90 per 10s"] {
            assert!(text.parse::<Rate>().unwrap_err().contains("90/10s"), "{text}");
        }
        assert_eq!("100/1m".parse(), Ok(Rate { calls: 100, seconds: 60 }));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(calls in 1u32.., seconds in 1u32..) {
            let rate = Rate { calls, seconds };
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }
    }
}
