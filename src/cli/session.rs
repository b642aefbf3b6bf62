//! What a command stands on: folders, settings, the log file, and the engine once it is needed.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Mutex;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::out::Out;
use crate::config::paths::Paths;
use crate::config::{Config, Sources, load};
use crate::crm::registry;
use crate::engine::Engine;
use crate::engine::messages::Reply;
use crate::failure::{Code, Failure};

/// How long a command waits for another process to let go of the data folder.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// A log file that has grown past this is put aside at the next start; one such file is kept.
const LONGEST_LOG: u64 = 10 << 20;

/// Folders and settings.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Where files are.
    pub paths: Paths,
    /// The settings.
    pub config: Config,
}

impl Ground {
    /// Reads environment, file and flags, tells warnings, and starts the log file.
    ///
    /// # Errors
    /// When a setting is wrong, or a folder cannot be made.
    pub fn prepare(flags: &[String], out: &mut Out) -> Result<Ground, Failure> {
        Ground::ready(Paths::from_env(|name| std::env::var_os(name))?, flags, out)
    }

    /// The same in folders of one's own.
    ///
    /// # Errors
    /// When a setting is wrong, or a folder cannot be made.
    pub fn ready(paths: Paths, flags: &[String], out: &mut Out) -> Result<Ground, Failure> {
        let ground = Ground::at(paths, flags, out)?;
        ground.paths.create()?;
        start_log(&ground, out);
        Ok(ground)
    }

    /// Reads the settings of these folders.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub fn at(paths: Paths, flags: &[String], out: &mut Out) -> Result<Ground, Failure> {
        let env: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = std::env::var_os("LEADFERRY_CONFIG").is_some_and(|file| !file.is_empty());
        let platforms = platforms();
        let loaded = load(Sources { file: &paths.config_file, named, env: &env, flags, platforms: &platforms })?;
        for warning in &loaded.warnings {
            out.warn(warning);
        }
        Ok(Ground { paths, config: loaded.config })
    }

    /// Starts the engine; the one place that does. It ends with [`Session::close`].
    ///
    /// # Errors
    /// [`Code::Store`] when another process holds the data, or the data is damaged or newer than this program.
    pub async fn open(&self) -> Result<Session, Failure> {
        let engine = Engine::start(&self.paths, self.config.clone(), LOCK_WAIT).await?;
        Ok(Session { engine, config: self.config.clone() })
    }
}

/// A command's engine and settings.
#[derive(Clone, Debug)]
pub struct Session {
    /// The engine.
    pub engine: Engine,
    /// The settings.
    pub config: Config,
}

impl Session {
    /// Ends the engine; its last writes are on disk afterwards.
    pub async fn close(self) {
        self.engine.stop().await;
    }
}

/// Sends a request and takes the reply that belongs to it:
/// `ask!(session, Request::Lists, Reply::Lists(lists) => lists)` is a `Result` of the lists.
macro_rules! ask {
    ($session:expr, $request:expr, $reply:pat => $value:expr) => {
        match $session.engine.call($request).await {
            Ok($reply) => Ok($value),
            Ok(other) => Err($crate::cli::session::mismatch(&other)),
            Err(failure) => Err(failure),
        }
    };
}
pub(super) use ask;

/// The failure of an engine that answered something else; only a fault of this program makes it.
pub fn mismatch(reply: &Reply) -> Failure {
    // The variant's name alone: what is in it may be personal.
    let name = format!("{reply:?}");
    let name = name.split(|ch: char| !ch.is_alphanumeric()).next().unwrap_or_default();
    Failure::new(Code::Failed, format!("The engine answered {name}, which was not asked."), "Report this.")
}

/// The platform ids that settings may name.
pub fn platforms() -> Vec<&'static str> {
    registry::ALL.iter().map(|crm| crm.spec().id).collect()
}

/// Logging never stops a command: without a log file there is a warning and no log.
fn start_log(ground: &Ground, out: &mut Out) {
    let file = ground.paths.logs.join("leadferry.log");
    if std::fs::metadata(&file).is_ok_and(|about| about.len() > LONGEST_LOG) {
        let _ = std::fs::rename(&file, file.with_extension("log.1"));
    }
    let opened = match OpenOptions::new().append(true).create(true).mode(0o600).open(&file) {
        Ok(opened) => opened,
        Err(error) => return out.warn(format!("The log file {} cannot be written: {error}.", file.display())),
    };
    let level = &ground.config.log.level;
    let filter = EnvFilter::new(format!("off,leadferry={level},sled=warn"));
    let log = tracing_subscriber::fmt().with_ansi(false).with_env_filter(filter).with_writer(Mutex::new(opened));
    // A second start in one process (tests) keeps the first log.
    let _ = log.try_init();
}
