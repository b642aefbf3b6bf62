//! A fence around sled, which panics on some damaged files: inside it a panic becomes an error.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread is the store's own affair: caught here, or on one of sled's worker threads. The
/// program's panic hook asks this first, and then leaves the screen and standard error alone.
pub fn panic_is_caught() -> bool {
    CATCHING.get() || std::thread::current().name().is_some_and(|name| name.starts_with("sled-io-"))
}

/// Runs a piece of work on sled; its panic is an error with the panic's words.
///
/// Going on after the panic is sound: whoever sees the error reports the store as damaged and uses the value no more.
pub(super) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let before = CATCHING.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(before);
    outcome.map_err(|panic| words(panic.as_ref()))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    said.unwrap_or("sled stopped").to_owned()
}
