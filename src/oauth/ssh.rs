//! The ready `ssh -L` line that brings the callback of a remote machine to the browser in front of the person.

use std::ffi::OsString;

/// The line to run on the machine with the browser; `None` outside SSH. `env` reads a variable, `host` is this machine's name
/// ([`host_name`]). A name without a dot is rarely known elsewhere, so then the address that the session came in at is named.
pub fn tunnel(port: u16, host: &str, env: impl Fn(&str) -> Option<OsString>) -> Option<String> {
    let connection = env("SSH_CONNECTION")?.into_string().ok()?;
    let mut parts = connection.split_whitespace().skip(2);
    let (address, ssh_port) = (parts.next()?, parts.next()?.parse::<u16>().ok()?);
    let user = env("USER").or_else(|| env("LOGNAME")).and_then(|user| user.into_string().ok()).unwrap_or_default();
    let host = if host.contains('.') && is_plain(host) { host } else { address };
    // It is pasted into a shell: nothing that a shell or ssh could read as more than a name.
    if !is_plain(host) || (!user.is_empty() && !is_plain(&user)) {
        return None;
    }
    let at = if user.is_empty() { String::new() } else { format!("{user}@") };
    let through = if ssh_port == 22 { String::new() } else { format!("-p {ssh_port} ") };
    Some(format!("ssh {through}-L {port}:localhost:{port} {at}{host}"))
}

fn is_plain(name: &str) -> bool {
    !name.starts_with('-')
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'%'))
}

/// This machine's own name.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(connection: &str, user: &str, host: &str) -> Option<String> {
        let set = |value: &str| (!value.is_empty()).then(|| value.into());
        tunnel(8976, host, |name| match name {
            "SSH_CONNECTION" => set(connection),
            "USER" => set(user),
            _ => None,
        })
    }

    #[test]
    fn the_line_can_be_run_as_it_is() {
        let session = "203.0.113.9 50000 198.51.100.7 22";
        let by_name = line(session, "dana", "crm.example.com").unwrap();
        assert_eq!(by_name, "ssh -L 8976:localhost:8976 dana@crm.example.com");
        assert_eq!(line(session, "dana", "box").unwrap(), "ssh -L 8976:localhost:8976 dana@198.51.100.7");
        let odd_port = line("::1 5 2001:db8::7 2222", "", "box").unwrap();
        assert_eq!(odd_port, "ssh -p 2222 -L 8976:localhost:8976 2001:db8::7");
        assert_eq!(line("", "dana", "crm.example.com"), None, "there is no session to tunnel through");
    }

    #[test]
    fn a_hostile_name_never_becomes_a_command() {
        for user in ["a;reboot", "$(id)", "-oProxyCommand=x", "a b"] {
            assert_eq!(line("1.1.1.1 1 2.2.2.2 22", user, "h.test"), None, "{user}");
        }
        assert!(line("1.1.1.1 1 2.2.2.2 22", "dana", "h.test;id").unwrap().ends_with("dana@2.2.2.2"));
        assert!(!host_name().is_empty());
    }
}
