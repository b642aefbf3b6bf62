//! Retry schedules as people write them: `5s,5m,30m,2h`.

use crate::config::parse_duration;
use crate::failure::{Code, Failure};

/// The schedule of a new webhook: nine delays over about a day, so ten attempts.
pub const DEFAULT: [u64; 9] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 21_600, 43_200];

/// The longest delay that a schedule may hold, in seconds.
pub const LONGEST: u64 = 7 * 24 * 3_600;

/// More delays than this help nobody.
pub const MOST_DELAYS: usize = 30;

const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// The usual schedule for `[webhook] max_attempts` (at least 1): cut short, or going on with its last delay.
pub fn for_attempts(most: u32) -> Vec<u64> {
    let delays = usize::try_from(most.saturating_sub(1)).unwrap_or(MOST_DELAYS).min(MOST_DELAYS);
    let last = DEFAULT[DEFAULT.len() - 1];
    DEFAULT.into_iter().chain(std::iter::repeat(last)).take(delays).collect()
}

/// Reads delays with a unit, between commas, into seconds; nothing at all means one attempt and no retry.
pub fn parse(text: &str) -> Result<Vec<u64>, Failure> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let delays = parts.map(parse_delay).collect::<Result<Vec<_>, _>>()?;
    match check(&delays) {
        None => Ok(delays),
        Some(problem) => Err(refuse(problem)),
    }
}

/// Writes a schedule as it is read: each delay in its largest whole unit.
pub fn display(delays: &[u64]) -> String {
    delays.iter().map(|&delay| display_delay(delay)).collect::<Vec<_>>().join(",")
}

/// What is wrong with a schedule, for a form; `None` when it is fine.
pub fn check(delays: &[u64]) -> Option<String> {
    if delays.len() > MOST_DELAYS {
        return Some(format!("{} delays are too many; {MOST_DELAYS} is the most.", delays.len()));
    }
    let long = delays.iter().find(|&&delay| delay > LONGEST)?;
    Some(format!("{} is too long a delay; {} is the most.", display_delay(*long), display_delay(LONGEST)))
}

fn parse_delay(part: &str) -> Result<u64, Failure> {
    let delay = parse_duration(part).map_err(|_| refuse(format!("'{part}' is not a delay.")))?;
    if delay.subsec_millis() == 0 {
        Ok(delay.as_secs())
    } else {
        Err(refuse(format!("'{part}' is not in whole seconds.")))
    }
}

fn display_delay(delay: u64) -> String {
    let whole = UNITS.iter().find(|(_, seconds)| delay > 0 && delay.is_multiple_of(*seconds));
    whole.map_or_else(|| "0s".to_owned(), |(unit, seconds)| format!("{}{unit}", delay / seconds))
}

fn refuse(problem: String) -> Failure {
    Failure::new(Code::Usage, problem, "Write delays with a unit, such as 5s,5m,30m,2h.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn people_may_write_units_and_spaces() {
        assert_eq!(parse("5s, 5m ,30m,2h,1d").unwrap(), [5, 300, 1_800, 7_200, 86_400]);
        assert_eq!(parse("").unwrap(), Vec::<u64>::new());
        assert_eq!(display(&DEFAULT), "5s,30s,2m,10m,30m,1h,2h,6h,12h");
    }

    #[test]
    fn the_number_of_attempts_is_what_the_settings_say() {
        assert_eq!(for_attempts(10), DEFAULT);
        assert_eq!(for_attempts(3), [5, 30]);
        assert_eq!(for_attempts(0), Vec::<u64>::new());
        assert_eq!(for_attempts(12)[9..], [43_200, 43_200]);
        assert_eq!(check(&for_attempts(u32::MAX)), None);
    }

    #[test]
    fn nonsense_is_refused_with_the_part_that_is_wrong() {
        for (text, part) in [
            ("5", "'5'"),
            ("5s,soon", "'soon'"),
            ("500ms", "'500ms'"),
            ("-1s", "'-1s'"),
            ("8d", "8d"),
            ("99999999999999999999s", "'9"),
        ] {
            assert!(parse(text).unwrap_err().message.contains(part), "{text}");
        }
        assert!(parse(&"1s,".repeat(31)).is_err());
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(delays in proptest::collection::vec(0u64..=LONGEST, 0..=MOST_DELAYS)) {
            prop_assert_eq!(parse(&display(&delays)).unwrap(), delays);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
