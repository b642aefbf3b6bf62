//! How the end of a run reads, for a person, a program and a shell.

use super::*;

fn run(state: RunState, destination: &str, counts: &[(Outcome, u64)]) -> RunSummary {
    RunSummary {
        id: "01K".into(),
        list: "Top".into(),
        version: 1,
        destination: destination.parse().unwrap(),
        state,
        started: Timestamp::UNIX_EPOCH,
        ended: None,
        next_try: None,
        total: counts.iter().map(|(_, count)| count).sum(),
        counts: counts.iter().copied().collect(),
        trouble: None,
    }
}

#[test]
fn a_script_can_tell_done_from_partly_failed_from_waiting() {
    let done = [(Outcome::Created, 2), (Outcome::Skipped, 1)];
    assert_eq!(exit_code(&run(RunState::Done, "crm:x", &done)), 0);
    for bad in TROUBLED {
        assert_eq!(exit_code(&run(RunState::Done, "crm:x", &[(Outcome::Created, 2), (bad, 1)])), 3, "{bad:?}");
    }
    assert_eq!(exit_code(&run(RunState::Waiting, "webhook:w", &[(Outcome::Pending, 2), (Outcome::Parked, 1)])), 6);
}

#[test]
fn only_a_try_that_is_too_far_away_ends_the_wait() {
    let wait = SignedDuration::from_secs(60);
    let now = Timestamp::UNIX_EPOCH;
    let mut waiting = run(RunState::Waiting, "webhook:w", &[(Outcome::Pending, 1)]);
    assert!(!is_over(&waiting, wait, now));
    waiting.next_try = Some(now + SignedDuration::from_secs(60));
    assert!(!is_over(&waiting, wait, now));
    waiting.next_try = Some(now + SignedDuration::from_secs(61));
    assert!(is_over(&waiting, wait, now));
    assert!(!is_over(&run(RunState::Running, "crm:x", &[]), wait, now));
    assert!(is_over(&run(RunState::Stopped, "crm:x", &[]), wait, now));
}

#[test]
fn the_json_of_a_crm_run_has_the_documented_members_and_no_others() {
    let lead = LeadOutcome {
        position: 0,
        lead: "Dana".into(),
        outcome: Outcome::Failed,
        reason: "bad phone".into(),
        next_step: String::new(),
        remote_id: String::new(),
    };
    let shown = object(&run(RunState::Done, "crm:x", &[(Outcome::Failed, 1)]), &[lead]);
    assert_eq!(
        shown.to_string(),
        r#"{"run":"01K","destination":"crm:x","created":0,"updated":0,"unchanged":0,"failed":1,"unknown":0,"skipped":0,"failures":[{"lead":"Dana","reason":"bad phone"}]}"#
    );
}

#[test]
fn a_waiting_webhook_run_says_how_many_wait_and_until_when() {
    let mut waiting = run(RunState::Waiting, "webhook:w", &[(Outcome::Delivered, 3), (Outcome::Pending, 2)]);
    waiting.next_try = Some(Timestamp::UNIX_EPOCH);
    let shown = object(&waiting, &[]);
    assert_eq!((&shown["delivered"], &shown["waiting"]), (&json!(3), &json!(2)));
    assert_eq!(shown["next_try"], "1970-01-01T00:00:00Z");
}

#[test]
fn the_sentence_counts_what_happened() {
    let counts = [(Outcome::Created, 2), (Outcome::Updated, 1), (Outcome::Skipped, 1)];
    assert_eq!(
        sentence(&run(RunState::Done, "crm:nobody", &counts)),
        "Synced 4 leads to nobody: 2 created, 1 updated, 0 failed, 1 skipped"
    );
}
