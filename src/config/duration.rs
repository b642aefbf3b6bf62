//! Lengths of time as the configuration and the command line write them: `20s`, `5m`, `1h`, `30d`.

use std::time::Duration;

/// Reads a whole number with a unit: `ms`, `s`, `m`, `h` or `d`. The error is a sentence that says what is allowed.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let wrong =
        || format!("`{text}` is not a length of time; write a whole number and a unit: 500ms, 20s, 5m, 1h or 30d.");
    let unit_at = text.find(|ch: char| !ch.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let millis_per_unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(millis_per_unit).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_unit_means_what_it_says() {
        for (text, seconds) in [("20s", 20), ("5m", 300), ("1h", 3_600), ("30d", 2_592_000), (" 0s ", 0)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn a_wrong_length_says_what_is_allowed() {
        for text in ["", "20", "s", "-5s", "1.5h", "5 m", "5min", "99999999999999999999d", "18446744073709551615d"] {
            let error = parse_duration(text).unwrap_err();
            assert!(error.contains(text.trim()) && error.contains("30d"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = parse_duration(&text);
        }
    }
}
