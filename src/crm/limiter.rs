//! One limiter per account: our own ceiling of calls, lowered by what the vendor's headers say.
//!
//! A call counts against the window from its start until the window's length after its end, so that the vendor's own count,
//! taken at some moment in between, can never be ahead of ours.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::Rate;

/// A wait longer than this is not slept through here: the run is told, so that it can say so.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a vendor's headers say about calls left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Calls left in the window.
    pub remaining: u32,
    /// Milliseconds until the window begins anew.
    pub resets_in_ms: u64,
    /// Calls per window, where the vendor says.
    pub limit: Option<u32>,
}

/// Lets calls through as fast as the vendor takes them, in the order they came.
#[derive(Debug)]
pub struct Limiter {
    turn: tokio::sync::Mutex<()>,
    window: Mutex<Window>,
    ended: Notify,
}

#[derive(Debug)]
struct Window {
    rate: Rate,
    ended: VecDeque<Instant>,
    under_way: u32,
    vendor: Option<Budget>,
    closed_until: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Budget {
    left: u32,
    until: Instant,
}

enum Admission {
    Now,
    At(Instant),
    AfterAnother,
}

/// The right to one call; drop it when the answer is in.
#[derive(Debug)]
pub struct Permit<'a>(&'a Limiter);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut window = self.0.window();
        window.under_way = window.under_way.saturating_sub(1);
        window.ended.push_back(Instant::now());
        drop(window);
        self.0.ended.notify_one();
    }
}

impl Limiter {
    /// A limiter with this ceiling.
    pub fn new(rate: Rate) -> Self {
        let window = Window { rate, ended: VecDeque::new(), under_way: 0, vendor: None, closed_until: None };
        Limiter { turn: tokio::sync::Mutex::new(()), window: Mutex::new(window), ended: Notify::new() }
    }

    /// Waits for the right to one call.
    ///
    /// # Errors
    /// The wait, when it is longer than two minutes.
    pub async fn acquire(&self) -> Result<Permit<'_>, Duration> {
        let _turn = self.turn.lock().await;
        loop {
            let admission = self.window().admit(Instant::now());
            match admission {
                Admission::Now => return Ok(Permit(self)),
                Admission::AfterAnother => self.ended.notified().await,
                Admission::At(time) => {
                    let wait = time.saturating_duration_since(Instant::now());
                    if wait > PATIENCE {
                        return Err(wait);
                    }
                    sleep_until(time).await;
                }
            }
        }
    }

    /// Takes in what an answer's headers say.
    pub fn note(&self, allowance: Allowance) {
        let mut window = self.window();
        let elsewhere = window.under_way.saturating_sub(1);
        let until = Instant::now() + Duration::from_millis(allowance.resets_in_ms);
        window.vendor = Some(Budget { left: allowance.remaining.saturating_sub(elsewhere), until });
        if let Some(limit) = allowance.limit.filter(|limit| *limit > 0) {
            window.rate.calls = window.rate.calls.min(limit);
        }
    }

    /// Lets nothing through for this long (`Retry-After`).
    pub fn close_for(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut window = self.window();
        window.closed_until = Some(window.closed_until.map_or(until, |earlier| earlier.max(until)));
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn admit(&mut self, now: Instant) -> Admission {
        let length = Duration::from_secs(self.rate.seconds.into());
        while self.ended.front().is_some_and(|ended| *ended + length <= now) {
            self.ended.pop_front();
        }
        self.vendor = self.vendor.filter(|budget| budget.until > now);
        if let Some(closed) = self.closed_until.filter(|closed| *closed > now) {
            return Admission::At(closed);
        }
        if let Some(Budget { left: 0, until }) = self.vendor {
            return Admission::At(until);
        }
        let used = self.ended.len() + self.under_way as usize;
        if used >= self.rate.calls as usize {
            let over = used - self.rate.calls as usize;
            return self.ended.get(over).map_or(Admission::AfterAnother, |ended| Admission::At(*ended + length));
        }
        if let Some(budget) = &mut self.vendor {
            budget.left -= 1;
        }
        self.under_way += 1;
        Admission::Now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Rate = Rate { calls: 10, seconds: 10 };

    async fn call(limiter: &Limiter, takes: u64) -> Instant {
        let permit = limiter.acquire().await.unwrap();
        let started = Instant::now();
        tokio::time::sleep(Duration::from_millis(takes)).await;
        drop(permit);
        started
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_of_the_vendor_ever_sees_more_calls_than_the_ceiling() {
        let limiter = Limiter::new(TEN);
        let mut starts = Vec::new();
        for index in 0..55u64 {
            starts.push(call(&limiter, index % 7 * 90).await);
        }
        for (index, start) in starts.iter().enumerate() {
            let later = &starts[index..];
            let inside = later.iter().filter(|other| **other - *start < Duration::from_secs(10)).count();
            assert!(inside <= 10, "{inside} calls within 10 s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_vendor_that_says_less_is_left_is_believed() {
        let limiter = Limiter::new(TEN);
        let began = call(&limiter, 0).await;
        limiter.note(Allowance { remaining: 1, resets_in_ms: 30_000, limit: None });
        call(&limiter, 0).await;
        assert_eq!(call(&limiter, 0).await - began, Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_closes_the_door_for_everybody() {
        let limiter = Limiter::new(TEN);
        let began = Instant::now();
        limiter.close_for(Duration::from_secs(5));
        let (a, b) = tokio::join!(call(&limiter, 1), call(&limiter, 1));
        assert!(a - began >= Duration::from_secs(5) && b - began >= Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_used_up_day_is_told_instead_of_slept_through() {
        let limiter = Limiter::new(TEN);
        call(&limiter, 0).await;
        limiter.note(Allowance { remaining: 0, resets_in_ms: 3_600_000, limit: None });
        assert_eq!(limiter.acquire().await.unwrap_err(), Duration::from_secs(3600));
    }
}
