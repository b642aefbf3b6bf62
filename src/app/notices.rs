//! Notices: success and info fade, errors stay until dismissed, all are kept in Activity.

use jiff::{SignedDuration, Timestamp};

use super::effect::{Call, Effect};
use crate::engine::messages::{KeptNotice, Request};
use crate::failure::Failure;
use crate::text::{Clean, clean};

/// How long success and info stay.
const STAYS: SignedDuration = SignedDuration::from_secs(6);

/// What kind of notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Something to know.
    Info,
    /// Something worked.
    Success,
    /// Something did not; stays until dismissed.
    Error,
}

impl NoticeKind {
    /// The word under which Activity keeps it.
    pub fn name(self) -> &'static str {
        match self {
            NoticeKind::Info => "info",
            NoticeKind::Success => "success",
            NoticeKind::Error => "error",
        }
    }
}

/// One notice on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What kind.
    pub kind: NoticeKind,
    /// Its text.
    pub text: Clean,
    /// When it fades; `None` = when dismissed.
    pub until: Option<Timestamp>,
}

/// The notices on the screen, newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// Those still showing.
    pub showing: Vec<Notice>,
}

impl Notices {
    /// Shows a notice and asks the engine to keep it.
    pub fn push(&mut self, kind: NoticeKind, text: &str, now: Timestamp) -> Effect {
        let text = clean(text);
        let until = (kind != NoticeKind::Error).then(|| now.saturating_add(STAYS).unwrap_or(now));
        self.showing.retain(|notice| notice.text != text);
        self.showing.push(Notice { kind, text: text.clone(), until });
        let kept = KeptNotice { time: now, kind: kind.name().into(), text: text.as_str().into() };
        Effect::Call(Call::Quiet, Box::new(Request::KeepNotice(kept)))
    }

    /// Shows a failure: cause and remedy.
    pub fn failure(&mut self, failure: &Failure, now: Timestamp) -> Effect {
        let text = [failure.message.as_str(), failure.remedy.as_str()].join(" ");
        self.push(NoticeKind::Error, text.trim(), now)
    }

    /// Takes down what has faded.
    pub fn fade(&mut self, now: Timestamp) {
        self.showing.retain(|notice| notice.until.is_none_or(|until| until > now));
    }

    /// Takes down the newest; answers whether there was one.
    pub fn dismiss(&mut self) -> bool {
        self.showing.pop().is_some()
    }

    /// When the next one fades.
    pub fn next_fade(&self) -> Option<Timestamp> {
        self.showing.iter().filter_map(|notice| notice.until).min()
    }
}
