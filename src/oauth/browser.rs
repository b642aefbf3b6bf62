//! Whether a browser can be opened here, and opening it without letting it write on the terminal.

use std::ffi::OsString;

use url::Url;

use crate::failure::{Code, Failure};

/// Browsers that would draw over this program instead of beside it.
const IN_TERMINAL: &[&str] = &["www-browser", "w3m", "lynx", "links", "links2", "elinks", "browsh", "carbonyl"];

/// Whether a browser can be opened on this machine; else the reason, as half a sentence. `env` reads a variable.
///
/// # Errors
/// Over SSH without a forwarded display, on a desktop-less system, or with a browser that needs this terminal.
pub fn available(env: impl Fn(&str) -> Option<OsString>) -> Result<(), &'static str> {
    let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    let display = set("DISPLAY") || set("WAYLAND_DISPLAY");
    if !display && (set("SSH_CONNECTION") || set("SSH_TTY")) {
        return Err("this is an SSH session without a display");
    }
    let browser = env("BROWSER").unwrap_or_default();
    let browser = browser.to_string_lossy();
    if cfg!(all(unix, not(target_os = "macos"))) && !display {
        if browser.is_empty() {
            return Err("there is no display here");
        }
        let program = browser.split([':', ' ']).next().unwrap_or_default();
        if IN_TERMINAL.contains(&program.rsplit('/').next().unwrap_or_default()) {
            return Err("the browser set here would take over this terminal");
        }
    }
    Ok(())
}

/// Opens an address in the person's browser. It is watched for a quarter of a second, so call it off the interface's thread.
///
/// # Errors
/// No browser could be started; the address can still be copied.
pub fn open(address: &Url) -> Result<(), Failure> {
    // Detached: in a session of its own and with its output closed.
    open::that_detached(address.as_str()).map_err(|error| {
        Failure::new(
            Code::Failed,
            format!("No browser could be started here: {error}."),
            "Copy the address and open it in any browser.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<(), &'static str> {
        available(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn over_ssh_no_browser_is_tried_unless_a_display_is_forwarded() {
        assert!(with(&[("SSH_CONNECTION", "a 1 b 22"), ("BROWSER", "firefox")]).unwrap_err().contains("SSH"));
        assert!(with(&[("SSH_TTY", "/dev/pts/1")]).is_err());
        assert!(with(&[("SSH_TTY", "/dev/pts/1"), ("DISPLAY", "localhost:10.0")]).is_ok());
    }

    #[test]
    fn at_a_desk_it_is() {
        assert!(with(&[("WAYLAND_DISPLAY", "wayland-0")]).is_ok());
        assert!(with(&[("DISPLAY", ":0")]).is_ok());
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn without_a_display_only_a_browser_of_ones_own_is() {
        assert!(with(&[]).is_err());
        assert!(with(&[("DISPLAY", "")]).is_err());
        assert!(with(&[("BROWSER", "/usr/local/bin/to-laptop")]).is_ok());
        assert!(with(&[("BROWSER", "/usr/bin/lynx -tna")]).is_err(), "lynx would draw over this program");
    }
}
