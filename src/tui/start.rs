//! The way in: the terminal is asked about itself, the state is made, the loop runs until it is over.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use super::canvas::Look;
use super::run::serve;
use super::terminal::{RealTerminal, restore_on_panic};
use super::text::Charset;
use super::theme::{Colours, Theme, background_is_light};
use crate::app::notices::NoticeKind;
use crate::app::platform::platforms;
use crate::app::{Call, Demo, Effect, Machine, State};
use crate::effects::Effects;
use crate::engine::Engine;
use crate::engine::messages::Request;
use crate::failure::Failure;
use crate::oauth::{browser, ssh};
use crate::webhook::guard::Guard;

/// What the interface starts with.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// A file of leads, `-` for standard input; `None` = what was open last.
    pub file: Option<PathBuf>,
    /// What the demo has to say.
    pub demo: Option<Demo>,
    /// A folder of this person's own for rows that need one.
    pub spill: PathBuf,
}

/// Runs the interface in this terminal until it is over; answers the exit code.
///
/// # Errors
/// There is no terminal, or it is gone.
pub async fn run(engine: Engine, start: Start) -> Result<u8, Failure> {
    let config = engine.config().clone();
    let var = |name: &str| std::env::var(name).ok();
    let look = Look {
        theme: Theme::new(&config.tui.theme, Colours::detect(var), background_is_light),
        charset: Charset::detect(config.tui.unicode, var),
        zone: TimeZone::system(),
    };
    let os = |name: &str| std::env::var_os(name);
    let machine = Machine {
        browser: browser::available(os).is_ok(),
        // The port is known only once the callback listens.
        ssh_line: ssh::tunnel(0, &ssh::host_name(), os)
            .map(|line| line.replace("0:localhost:0", "{port}:localhost:{port}"))
            .unwrap_or_default(),
    };
    let guard = Guard::new(&config.network.allow)?;
    let mut state = State::new(platforms(&config), machine, guard);
    let mut effects = state.start(start.file.map(|file| file.to_string_lossy().into_owned()));
    effects.push(Effect::Call(Call::Quiet, Box::new(Request::ResumeRuns)));
    if start.demo.is_some() {
        let text = "The demo: select leads with space, name the list, then press Practice CRM or the webhook button.";
        effects.push(state.notices.push(NoticeKind::Info, text, jiff::Timestamp::now()));
    }
    state.demo = start.demo;
    let (results, mut heard) = mpsc::unbounded_channel();
    let mut events = engine.events();
    let carrier = Effects::new(engine, start.spill, results);
    restore_on_panic();
    let mut terminal = RealTerminal::enter(config.tui.mouse)?;
    serve(&mut terminal, state, &look, effects, &|effect| carrier.carry(effect), &mut heard, &mut events).await?;
    Ok(0)
}
