//! Which answers lose a lead, hammer an endpoint, or stop everything: none by mistake.

use http::{HeaderMap, StatusCode};
use proptest::prelude::*;

use super::*;

const RETRY: [u64; 2] = [5, 300];

fn now() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn answer(status: u16, header: Option<(&'static str, &str)>) -> Attempt {
    let mut headers = HeaderMap::new();
    if let Some((name, value)) = header {
        headers.insert(name, value.parse().unwrap());
    }
    let status = StatusCode::from_u16(status).unwrap();
    Attempt { ms: 3, result: Ok(Answer { status, headers, body: Vec::new(), cut: None, address: None }) }
}

fn broken() -> Attempt {
    Attempt { ms: 3, result: Err(Trouble::Broken("hooks.test cut the connection before it answered.".into())) }
}

fn first(attempt: &Attempt) -> Verdict {
    judge(attempt, 1, &RETRY, now(), 0.0)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn slow(time: Duration) -> Verdict {
    Verdict::Slow { after: time, endpoint: time }
}

#[test]
fn each_status_has_its_meaning() {
    for status in [200, 201, 202, 204, 226, 299] {
        assert_eq!(first(&answer(status, None)), Verdict::Delivered, "{status}");
    }
    for status in [400, 404, 413, 422] {
        assert!(matches!(first(&answer(status, None)), Verdict::Parked(_)), "{status}");
    }
    for status in [401, 403] {
        assert!(matches!(first(&answer(status, None)), Verdict::Pause(_)), "{status}");
    }
    assert!(matches!(first(&answer(410, None)), Verdict::Disable(_)));
    for status in [429, 502, 503, 504] {
        assert_eq!(first(&answer(status, None)), slow(secs(5)), "{status}");
    }
    for status in [301, 307, 405, 408, 425, 500, 501, 507, 599, 999] {
        assert_eq!(first(&answer(status, None)), Verdict::Retry(secs(5)), "{status}");
    }
    assert_eq!(first(&broken()), Verdict::Retry(secs(5)));
}

#[test]
fn retry_after_is_obeyed_up_to_a_day_and_never_becomes_no_pause() {
    let wait = |value: &str| first(&answer(503, Some(("retry-after", value))));
    assert_eq!(wait("120"), slow(secs(120)));
    assert_eq!(wait("2"), slow(secs(2)));
    assert_eq!(wait("Mon, 02 Mar 2026 10:00:30 GMT"), slow(secs(30)));
    assert_eq!(wait("Fri, 31 Dec 9999 23:59:59 GMT"), slow(LONGEST_WAIT));
    assert_eq!(wait("999999"), slow(LONGEST_WAIT));
    for odd in ["0", "Mon, 02 Mar 2026 09:00:00 GMT", "-5", "120.5", "soon", "", "99999999999999999999"] {
        assert_eq!(wait(odd), slow(secs(5)), "{odd}");
    }
}

#[test]
fn attempts_are_delays_and_one_more() {
    assert_eq!(judge(&broken(), 2, &RETRY, now(), 0.0), Verdict::Retry(secs(300)));
    let Verdict::Parked(reason) = judge(&broken(), 3, &RETRY, now(), 0.0) else { panic!() };
    assert_eq!(reason, "Given up after 3 attempts: hooks.test cut the connection before it answered.");
    assert!(matches!(judge(&answer(429, Some(("retry-after", "1"))), 3, &RETRY, now(), 0.0), Verdict::Parked(_)));
    assert!(matches!(judge(&broken(), 1, &[], now(), 0.0), Verdict::Parked(_)));
}

#[test]
fn a_delivery_far_down_its_schedule_does_not_block_its_endpoint_as_long() {
    let verdict = judge(&answer(503, None), 2, &RETRY, now(), 0.0);
    assert_eq!(verdict, Verdict::Slow { after: secs(300), endpoint: OWN_PAUSE });
    assert_eq!(judge(&answer(503, Some(("retry-after", "900"))), 2, &RETRY, now(), 0.0), slow(secs(900)));
}

#[test]
fn a_redirect_is_given_up_with_where_it_led() {
    let Verdict::Parked(reason) = judge(&answer(307, Some(("location", "https://b.test/"))), 3, &RETRY, now(), 0.0)
    else {
        panic!()
    };
    assert!(reason.contains("https://b.test/") && reason.contains("not followed"), "{reason}");
}

proptest! {
    #[test]
    fn a_delay_is_never_shorter_than_written_and_at_most_a_fifth_longer(made in 1u32..4, chance in 0.0f64..=1.0, delay in 0u64..604_800) {
        let retry = [delay; 3];
        let Verdict::Retry(after) = judge(&broken(), made, &retry, now(), chance) else { panic!() };
        prop_assert!(after >= secs(delay));
        prop_assert!(after.as_secs_f64() <= delay as f64 * 1.2 + 0.001);
    }
}
