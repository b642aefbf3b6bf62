//! What headers say about time: how far a server's clock is from ours, and how long to wait before asking again.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, HeaderName, RETRY_AFTER};
use jiff::{SignedDuration, Timestamp};

/// How far the server's clock (its `Date` header) is ahead of `now`; negative when it is behind. The header has whole
/// seconds, so less than two mean nothing.
pub fn skew(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    Some(http_date(headers, &DATE)?.duration_since(now))
}

/// How long `Retry-After` asks to wait: seconds, or a date, which is read by the server's own clock when it tells that.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let here = http_date(headers, &DATE).unwrap_or(now);
    let wait = http_date(headers, &RETRY_AFTER)?.duration_since(here);
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}

fn http_date(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    let text = headers.get(name)?.to_str().ok()?;
    // All three forms of RFC 9110. Past what a timestamp can hold is as good as never.
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    Some(Timestamp::try_from(date).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), http::HeaderValue::from_static(value)))
            .collect()
    }

    fn now() -> Timestamp {
        "2026-03-02T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_wrong_clock_here_is_noticed() {
        let ahead = headers(&[("date", "Mon, 02 Mar 2026 10:05:00 GMT")]);
        assert_eq!(skew(&ahead, now()), Some(SignedDuration::from_secs(300)));
        assert_eq!(skew(&headers(&[("date", "yesterday")]), now()), None);
        assert_eq!(skew(&HeaderMap::new(), now()), None);
    }

    #[test]
    fn waiting_is_as_long_as_the_server_says() {
        let wait = |pairs: &[_]| retry_after(&headers(pairs), now()).map(|wait| wait.as_secs());
        assert_eq!(wait(&[("retry-after", "7")]), Some(7));
        assert_eq!(wait(&[("retry-after", "Mon, 02 Mar 2026 10:00:30 GMT")]), Some(30));
        // By the server's own clock, however wrong ours is.
        let dated = [("retry-after", "Mon, 02 Mar 2026 12:00:30 GMT"), ("date", "Mon, 02 Mar 2026 12:00:00 GMT")];
        assert_eq!(wait(&dated), Some(30));
        assert_eq!(wait(&[("retry-after", "Mon, 02 Mar 2026 09:00:00 GMT")]), Some(0));
        // The two old forms of a date, and one that no clock reaches.
        assert_eq!(wait(&[("retry-after", "Monday, 02-Mar-26 10:00:30 GMT")]), Some(30));
        assert_eq!(wait(&[("retry-after", "Mon Mar  2 10:00:30 2026")]), Some(30));
        assert!(wait(&[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")]) > Some(1_000_000_000));
        assert_eq!(wait(&[("retry-after", "soon")]), None);
    }
}
