//! Where leadferry keeps its files: below one folder with `LEADFERRY_HOME`, else in the XDG folders.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::failure::{Code, Failure};

/// The home folders and the configuration file. All are absolute when the environment's are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `config.toml`; need not exist.
    pub config_file: PathBuf,
    /// The store, its data keys and its lock.
    pub data: PathBuf,
    /// What may be lost without harm: sockets, the ends of crashed sessions.
    pub state: PathBuf,
    /// Log files.
    pub logs: PathBuf,
    /// The master key's file; apart from the data, so that a copy of the data alone opens nothing.
    pub keys: PathBuf,
}

impl Paths {
    /// The folders that this environment asks for. `env` looks one variable up (`std::env::var_os` in the program).
    ///
    /// # Errors
    /// [`Code::Usage`] when there is no home folder to start from.
    pub fn from_env(env: impl Fn(&str) -> Option<OsString>) -> Result<Paths, Failure> {
        let folder = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let mut paths = match folder("LEADFERRY_HOME") {
            Some(home) => Paths::under(&home),
            None => Paths::xdg(folder)?,
        };
        if let Some(file) = folder("LEADFERRY_CONFIG") {
            paths.config_file = file;
        }
        Ok(paths)
    }

    /// Everything below one folder, as with `LEADFERRY_HOME`.
    pub fn under(home: &Path) -> Paths {
        Paths {
            config_file: home.join("config.toml"),
            data: home.join("data"),
            state: home.join("state"),
            logs: home.join("logs"),
            keys: home.join("keys"),
        }
    }

    /// The XDG base folders; a relative path in an XDG variable is ignored, as its specification demands.
    fn xdg(folder: impl Fn(&str) -> Option<PathBuf>) -> Result<Paths, Failure> {
        let home = folder("HOME").or_else(|| etcetera::home_dir().ok()).ok_or_else(|| {
            Failure::new(
                Code::Usage,
                "There is no home folder to keep leadferry's files in.",
                "Set LEADFERRY_HOME to a folder of your choice.",
            )
        })?;
        let base = |name: &str, fallback: &str| {
            let base = folder(name).filter(|path| path.is_absolute()).unwrap_or_else(|| home.join(fallback));
            base.join("leadferry")
        };
        let (config, state) = (base("XDG_CONFIG_HOME", ".config"), base("XDG_STATE_HOME", ".local/state"));
        Ok(Paths {
            config_file: config.join("config.toml"),
            data: base("XDG_DATA_HOME", ".local/share"),
            logs: state.join("logs"),
            keys: config.join("keys"),
            state,
        })
    }

    /// Makes the folders that are missing, and closes all of them to other users (mode 0700).
    ///
    /// # Errors
    /// [`Code::Failed`], naming the folder that could not be made.
    pub fn create(&self) -> Result<(), Failure> {
        for folder in [&self.data, &self.state, &self.logs, &self.keys] {
            private_folder(folder).map_err(|error| {
                Failure::new(
                    Code::Failed,
                    format!("The folder {} cannot be used: {error}.", folder.display()),
                    "Make it writable for you, or set LEADFERRY_HOME to another folder.",
                )
            })?;
        }
        Ok(())
    }
}

/// Makes a folder and its missing parents with mode 0700; an existing one loses its group and other permissions.
fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if fs::metadata(folder)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(variables: &[(&str, &str)]) -> Paths {
        Paths::from_env(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())).unwrap()
    }

    #[test]
    fn one_home_folder_holds_everything_and_the_config_file_can_be_elsewhere() {
        let home = paths(&[("LEADFERRY_HOME", "/h"), ("XDG_DATA_HOME", "/x"), ("HOME", "/home/a")]);
        assert_eq!(home, Paths::under(Path::new("/h")));
        assert_eq!(home.config_file, Path::new("/h/config.toml"));
        let config = paths(&[("LEADFERRY_HOME", "/h"), ("LEADFERRY_CONFIG", "/etc/lf.toml")]);
        assert_eq!(config.config_file, Path::new("/etc/lf.toml"));
        assert_eq!(config.data, Path::new("/h/data"));
    }

    #[test]
    fn the_xdg_folders_are_used_and_relative_ones_ignored() {
        let xdg = paths(&[("HOME", "/home/a"), ("XDG_DATA_HOME", "/x"), ("XDG_STATE_HOME", "not/absolute")]);
        assert_eq!(xdg.data, Path::new("/x/leadferry"));
        assert_eq!(xdg.state, Path::new("/home/a/.local/state/leadferry"));
        assert_eq!(xdg.logs, Path::new("/home/a/.local/state/leadferry/logs"));
        assert_eq!(xdg.config_file, Path::new("/home/a/.config/leadferry/config.toml"));
        assert!(!xdg.keys.starts_with(&xdg.data), "a copy of the data would carry its own key");
    }

    #[test]
    fn other_users_cannot_look_into_the_folders() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::under(&home.path().join("new"));
        fs::create_dir_all(&paths.data).unwrap();
        fs::set_permissions(&paths.data, Permissions::from_mode(0o755)).unwrap();
        paths.create().unwrap();
        for folder in [&paths.data, &paths.state, &paths.logs, &paths.keys] {
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
        }
    }
}
