//! How long to wait before something is tried again.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_secs(1);
/// No wait is longer, unless the vendor asks for it.
const LONGEST: Duration = Duration::from_secs(300);

/// The wait before try number `attempt` + 1 (the first try is 0): doubling from a second to five minutes, spread by `jitter`
/// (0 to 1) over its upper half, so that many who fail together do not come back together; never less than `asked` seconds.
pub fn wait(attempt: u32, jitter: f64, asked: Option<u64>) -> Duration {
    let full = FIRST.saturating_mul(1 << attempt.min(16)).min(LONGEST);
    let spread = full.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
    spread.max(Duration::from_secs(asked.unwrap_or(0).min(86_400)))
}

/// A random number from 0 to 1.
pub fn random() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_double_and_stay_bearable() {
        let seconds: Vec<u64> = (0..12).map(|attempt| wait(attempt, 1.0, None).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    proptest! {
        #[test]
        fn a_vendors_wish_is_never_cut_short(attempt in any::<u32>(), jitter in any::<f64>(), asked in 0u64..86_400) {
            let jitter = if jitter.is_nan() { 0.5 } else { jitter };
            let wait = wait(attempt, jitter, Some(asked));
            prop_assert!(wait >= Duration::from_secs(asked));
            prop_assert!(wait <= LONGEST.max(Duration::from_secs(asked)));
        }
    }
}
