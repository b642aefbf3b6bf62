//! The engine: owns the store and every task; answers requests and tells events.

pub mod messages;

use tokio::sync::broadcast;

use crate::config::Config;
use crate::failure::{Code, Failure};
use messages::{Event, Reply, Request};

/// A handle on the running engine; cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    events: broadcast::Sender<Event>,
}

impl Engine {
    /// Carries out one request.
    ///
    /// # Errors
    /// A [`Failure`] in words for a person.
    pub async fn call(&self, request: Request) -> Result<Reply, Failure> {
        let _ = request;
        Err(Failure::new(Code::Failed, "", ""))
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// The settings it runs with.
    pub fn config(&self) -> &Config {
        unreachable!()
    }
}
