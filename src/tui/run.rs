//! The loop: hear, update, draw once; asleep until something is heard or the state wants to be woken.
//!
//! The clock is read here and nowhere else in the interface.

use std::io;
use std::task::Poll;
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, MouseButton, MouseEventKind};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};

use super::canvas::{Hits, Look};
use super::{keys, layout, view};
use crate::app::{Action, Effect, State, update};
use crate::engine::messages::Event;
use crate::failure::{Code, Failure};

/// What the process hears besides keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is to end.
    End,
    /// It was stopped and goes on.
    Continued,
}

/// What the loop needs of a terminal.
pub trait Tty {
    /// What frames are drawn on.
    type Backend: Backend;
    /// Where frames are drawn.
    fn drawing(&mut self) -> &mut Terminal<Self::Backend>;
    /// Keys, pastes, mouse and sizes. Dropping the stream leaves the terminal's input to others.
    fn keys(&mut self) -> BoxStream<'static, io::Result<TerminalEvent>>;
    /// Signals.
    fn signals(&mut self) -> BoxStream<'static, Heard>;
    /// Puts text on the person's clipboard.
    ///
    /// # Errors
    /// The terminal is gone.
    fn copy(&mut self, text: &str) -> Result<(), Failure>;
    /// Gives the terminal back and stops the process.
    ///
    /// # Errors
    /// It cannot be stopped.
    fn suspend(&mut self) -> Result<(), Failure>;
    /// Takes the terminal again.
    ///
    /// # Errors
    /// The terminal is gone.
    fn resume(&mut self) -> Result<(), Failure>;
    /// Lets a person edit text in an editor.
    ///
    /// # Errors
    /// There is no editor, or it did not end well.
    fn edit(&mut self, text: &str) -> Result<String, Failure>;
}

/// Runs the interface until it is over. Effects that are not the terminal's own go to `carry`; what comes of them is heard
/// on `results`.
///
/// # Errors
/// The terminal is gone.
pub async fn serve<T: Tty>(
    tty: &mut T,
    state: State,
    look: &Look,
    first: Vec<Effect>,
    carry: &dyn Fn(Effect),
    results: &mut mpsc::UnboundedReceiver<Action>,
    events: &mut broadcast::Receiver<Event>,
) -> Result<(), Failure> {
    let (keys, signals) = (tty.keys(), tty.signals());
    let mut session =
        Session { tty, state, look, carry, keys: Some(keys), hits: Hits::default(), away: false, dirty: true };
    session.carry_out(first)?;
    let mut signals = signals;
    loop {
        session.draw()?;
        if session.state.over {
            return Ok(());
        }
        let wake = session.until_wake();
        let action = tokio::select! {
            biased;
            Some(heard) = signals.next() => session.signal(heard)?,
            Some(action) = results.recv() => Some(action),
            event = events.recv() => engine_event(event),
            key = next_key(&mut session.keys) => session.terminal_event(key)?,
            () = wait(wake) => Some(Action::Wake),
        };
        session.apply(action)?;
        session.drain(results, events).await?;
    }
}

struct Session<'a, T: Tty> {
    tty: &'a mut T,
    state: State,
    look: &'a Look,
    carry: &'a dyn Fn(Effect),
    keys: Option<BoxStream<'static, io::Result<TerminalEvent>>>,
    hits: Hits,
    /// Stopped: the terminal is not ours until the process is continued.
    away: bool,
    /// Whether the screen may differ from the state.
    dirty: bool,
}

impl<T: Tty> Session<'_, T> {
    fn apply(&mut self, action: Option<Action>) -> Result<(), Failure> {
        let Some(action) = action else { return Ok(()) };
        self.dirty = true;
        let effects = update(&mut self.state, action, Timestamp::now());
        self.carry_out(effects)
    }

    /// Everything that is ready goes into one frame.
    async fn drain(
        &mut self,
        results: &mut mpsc::UnboundedReceiver<Action>,
        events: &mut broadcast::Receiver<Event>,
    ) -> Result<(), Failure> {
        const AT_ONCE: usize = 256;
        for turn in 0..AT_ONCE {
            // A flood of news must not keep the keys waiting.
            let keys_first = turn + 1 == AT_ONCE;
            let key = if keys_first { ready(next_key(&mut self.keys)).await } else { None };
            let action = if let Some(key) = key {
                self.terminal_event(key)?
            } else if let Ok(action) = results.try_recv() {
                Some(action)
            } else if let Some(event) = ready(events.recv()).await {
                engine_event(event)
            } else if let Some(key) = ready(next_key(&mut self.keys)).await {
                self.terminal_event(key)?
            } else {
                return Ok(());
            };
            self.apply(action)?;
            if self.state.over {
                return Ok(());
            }
        }
        Ok(())
    }

    fn until_wake(&self) -> Option<Duration> {
        let now = Timestamp::now();
        let wake = self.state.next_wake(now)?;
        Some(Duration::try_from(wake.duration_since(now)).unwrap_or_default())
    }

    fn draw(&mut self) -> Result<(), Failure> {
        if self.away || !std::mem::take(&mut self.dirty) {
            return Ok(());
        }
        let size = self.tty.drawing().size().map_err(|error| gone(&error))?;
        let rows = layout::table_rows(&self.state, size.width, size.height);
        if (size.width, size.height) != self.state.size || u64::from(rows) != self.state.audience.height {
            let fits = Action::Viewport { width: size.width, height: size.height, rows };
            let effects = update(&mut self.state, fits, Timestamp::now());
            self.carry_out(effects)?;
        }
        let (state, look) = (&self.state, self.look);
        let mut hits = Hits::default();
        self.tty.drawing().draw(|frame| hits = view::draw(frame, state, look)).map_err(|error| gone(&error))?;
        self.hits = hits;
        Ok(())
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), Failure> {
        for effect in effects {
            match effect {
                Effect::Copy(text) => self.tty.copy(&text)?,
                Effect::Edit(text) => {
                    // An editor must not share the keys with us.
                    self.keys = None;
                    let edited = self.tty.edit(&text);
                    self.keys = Some(self.tty.keys());
                    self.dirty = true;
                    let now = Timestamp::now();
                    let more = match edited {
                        Ok(text) => update(&mut self.state, Action::Edited(text), now),
                        Err(failure) => vec![self.state.notices.failure(&failure, now)],
                    };
                    self.carry_out(more)?;
                }
                Effect::Suspend => {
                    self.away = true;
                    self.tty.suspend()?;
                }
                Effect::Redraw => self.tty.drawing().clear().map_err(|error| gone(&error))?,
                Effect::Quit => self.state.over = true,
                other => (self.carry)(other),
            }
        }
        Ok(())
    }

    fn signal(&mut self, heard: Heard) -> Result<Option<Action>, Failure> {
        match heard {
            Heard::End => return Ok(Some(Action::Terminate)),
            Heard::Continued => self.come_back()?,
        }
        Ok(None)
    }

    fn come_back(&mut self) -> Result<(), Failure> {
        (self.away, self.dirty) = (false, true);
        self.tty.resume()
    }

    fn terminal_event(&mut self, event: Option<io::Result<TerminalEvent>>) -> Result<Option<Action>, Failure> {
        // Input that ends means a terminal that is gone.
        let Some(Ok(event)) = event else { return Ok(Some(Action::Terminate)) };
        if self.away {
            self.come_back()?;
        }
        Ok(match event {
            TerminalEvent::Key(event) => keys::key(event).map(Action::Key),
            TerminalEvent::Paste(text) => Some(Action::Paste(text)),
            TerminalEvent::Mouse(mouse) => match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => self.hits.at(mouse.column, mouse.row).map(Action::Point),
                MouseEventKind::ScrollDown => Some(Action::Wheel(3)),
                MouseEventKind::ScrollUp => Some(Action::Wheel(-3)),
                _ => None,
            },
            TerminalEvent::Resize(..) => {
                self.dirty = true;
                None
            }
            TerminalEvent::FocusGained | TerminalEvent::FocusLost => None,
        })
    }
}

async fn next_key(
    keys: &mut Option<BoxStream<'static, io::Result<TerminalEvent>>>,
) -> Option<io::Result<TerminalEvent>> {
    match keys {
        Some(keys) => keys.next().await,
        None => std::future::pending().await,
    }
}

/// What a future gives at once. It is polled as this task: a terminal's input wakes whoever asked first, and nobody else.
async fn ready<F: Future>(future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

async fn wait(wake: Option<Duration>) {
    match wake {
        Some(wake) => tokio::time::sleep(wake).await,
        None => std::future::pending().await,
    }
}

/// News that came faster than they were read are asked for again.
fn engine_event(event: Result<Event, RecvError>) -> Option<Action> {
    match event {
        Ok(event) => Some(Action::Event(Box::new(event))),
        Err(RecvError::Lagged(_)) => Some(Action::Event(Box::new(Event::Changed))),
        Err(RecvError::Closed) => Some(Action::Terminate),
    }
}

fn gone(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Code::Failed,
        format!("The terminal cannot be drawn on: {error}."),
        "Start leadferry again; what was saved is kept.",
    )
}
