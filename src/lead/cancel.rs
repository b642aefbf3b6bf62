//! A flag that stops long work over a file at its next block.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::{Code, Failure};

/// Shared by whoever works and whoever may stop the work. Clones are the same flag; once set it stays set.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is not set.
    pub fn new() -> Self {
        Cancel::default()
    }

    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work should stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Fails with [`Code::Cancelled`] once the flag is set, so that a `?` ends the work.
    pub fn check(&self) -> Result<(), Failure> {
        match self.is_cancelled() {
            true => Err(Failure::new(Code::Cancelled, "Stopped before the end.", "")),
            false => Ok(()),
        }
    }
}
