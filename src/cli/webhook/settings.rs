//! The settings of a webhook as flags. Secrets come from standard input, hidden prompts or files, never from a flag's value.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use http::HeaderName;
use serde_json::{Value, json};

use crate::cli::input::Input;
use crate::cli::out::Out;
use crate::cli::session::Session;
use crate::failure::{Code, Failure};
use crate::net::redact::is_secret_header;
use crate::vault::Secret;
use crate::webhook::guard::Guard;
use crate::webhook::{Auth, HttpMethod, WebhookSpec, ready, retry, spec, template};

/// What stands in place of a secret.
const MASK: &str = "***";

/// Flags of `webhook add` and `webhook edit`.
#[derive(Debug, Args)]
pub struct Settings {
    /// Where requests go, HTTPS only; - reads it from standard input, since an address can be a secret
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The HTTP method
    #[arg(long)]
    method: Option<MethodName>,
    /// none, bearer, basic:USER or api-key:HEADER; its secret is read from standard input, a hidden prompt or --auth-file
    #[arg(long, value_name = "KIND", value_parser = AuthKind::read)]
    auth: Option<AuthKind>,
    /// The file with the secret of --auth on its first line
    #[arg(long, value_name = "FILE", requires = "auth")]
    auth_file: Option<PathBuf>,
    /// One more header; with edit, the headers named replace all that were there
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// A ready payload: standard, flat or slack
    #[arg(long, value_name = "NAME", conflicts_with = "template_file")]
    template: Option<String>,
    /// A payload template of your own
    #[arg(long, value_name = "FILE")]
    template_file: Option<PathBuf>,
    /// Leads per request
    #[arg(long, value_name = "N")]
    batch: Option<u32>,
    /// Only leads that match; see help filter
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Delays between tries, such as 5s,5m,2h; tries = delays + 1
    #[arg(long, value_name = "DELAYS")]
    retry: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MethodName {
    /// The usual one
    Post,
    /// For endpoints that replace
    Put,
    /// For endpoints that merge
    Patch,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum AuthKind {
    None,
    Bearer,
    Basic(String),
    ApiKey(String),
}

impl AuthKind {
    fn read(text: &str) -> Result<AuthKind, String> {
        match text.split_once(':') {
            None if text == "none" => Ok(AuthKind::None),
            None if text == "bearer" => Ok(AuthKind::Bearer),
            Some(("basic", user)) if !user.is_empty() && !user.contains(':') => Ok(AuthKind::Basic(user.into())),
            // A colon behind the user would start the password, which must not stand here.
            Some(("basic", _)) => Err("write basic:USER; the password is read apart".into()),
            Some(("api-key", header)) if !header.is_empty() => Ok(AuthKind::ApiKey(header.into())),
            _ => Err("write none, bearer, basic:USER or api-key:HEADER".into()),
        }
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write 'NAME: VALUE'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl Settings {
    /// Changes what the flags name, and refuses what could not be sent.
    pub async fn apply(
        self,
        spec: &mut WebhookSpec,
        session: &Session,
        out: &mut Out,
        input: &mut Input,
    ) -> Result<(), Failure> {
        match self.url.as_deref() {
            Some("-") => spec.url = input.needed("address", "Give the address on a line of standard input.").await?,
            Some(url) => spec.url = url.to_owned(),
            None => {}
        }
        match self.method {
            Some(MethodName::Post) => spec.method = HttpMethod::Post,
            Some(MethodName::Put) => spec.method = HttpMethod::Put,
            Some(MethodName::Patch) => spec.method = HttpMethod::Patch,
            None => {}
        }
        if let Some(kind) = self.auth {
            spec.auth = auth(kind, self.auth_file.as_deref(), out, input).await?;
        }
        if !self.headers.is_empty() {
            spec.headers = self.headers;
        }
        if let Some(name) = self.template {
            spec.template = ready_payload(&name)?;
            spec.template_text.clear();
        }
        if let Some(file) = self.template_file {
            spec.template = template::CUSTOM.into();
            spec.template_text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
        }
        spec.batch = self.batch.unwrap_or(spec.batch);
        if let Some(filter) = self.filter {
            spec.filter = filter;
        }
        if let Some(delays) = self.retry {
            spec.retry = retry::parse(&delays)?;
        }
        check(spec, &Guard::new(&session.config.network.allow)?)
    }
}

/// Refuses settings with everything that is wrong about them.
fn check(spec: &WebhookSpec, guard: &Guard) -> Result<(), Failure> {
    let complaints: Vec<String> = spec::check(spec, guard).into_iter().map(|one| one.message).collect();
    if complaints.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Code::Usage, complaints.join("\n"), "Correct it; see leadferry help webhook add."))
}

async fn auth(kind: AuthKind, file: Option<&Path>, out: &mut Out, input: &mut Input) -> Result<Auth, Failure> {
    let what = match &kind {
        AuthKind::None => return Ok(Auth::None),
        AuthKind::Bearer => "bearer token",
        AuthKind::Basic(_) => "password",
        AuthKind::ApiKey(_) => "API key",
    };
    let secret = match file {
        Some(file) => secret_from(file)?,
        None => {
            input.secret(out, what, "Give it on a line of standard input, or name its file with --auth-file.").await?
        }
    };
    Ok(match kind {
        AuthKind::None => Auth::None,
        AuthKind::Bearer => Auth::Bearer { token: secret },
        AuthKind::Basic(user) => Auth::Basic { user, password: secret },
        AuthKind::ApiKey(header) => Auth::ApiKey { header, key: secret },
    })
}

/// The first line of a file, as a secret.
pub fn secret_from(file: &Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(file).map(zeroize::Zeroizing::new).map_err(|error| unreadable(file, &error))?;
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() {
        let message = format!("The secret file {} is empty.", file.display());
        return Err(Failure::new(Code::Unreadable, message, "Put the secret on its first line."));
    }
    Ok(Secret::new(line))
}

fn ready_payload(name: &str) -> Result<String, Failure> {
    let names = ready::READY.map(|ready| ready.name);
    if names.contains(&name) {
        return Ok(name.to_owned());
    }
    Err(Failure::new(
        Code::Usage,
        format!("There is no ready payload '{name}'."),
        format!("Ready: {}. One of your own: --template-file FILE.", names.join(", ")),
    ))
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Code::Unreadable, format!("{} cannot be read: {error}.", file.display()), "Check the path.")
}

/// Adds the settings to a webhook's JSON, every secret masked.
pub fn describe(spec: &WebhookSpec, shown: &mut Value) {
    let auth = match &spec.auth {
        Auth::None => "none".to_owned(),
        Auth::Bearer { .. } => "bearer".to_owned(),
        Auth::Basic { user, .. } => format!("basic:{user}"),
        Auth::ApiKey { header, .. } => format!("api-key:{header}"),
    };
    let is_secret = |name: &str| HeaderName::try_from(name).is_ok_and(|name| is_secret_header(&name));
    let headers: Vec<String> = spec
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", if is_secret(name) { MASK } else { value }))
        .collect();
    let more = json!({
        "stage": spec.stage, "category": spec.category, "method": spec.method, "auth": auth, "headers": headers,
        "template": spec.template, "template_text": spec.template_text, "batch": spec.batch, "filter": spec.filter,
        "retry": retry::display(&spec.retry),
    });
    if let (Value::Object(shown), Value::Object(more)) = (shown, more) {
        shown.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_cannot_be_given_where_others_could_see_it() {
        assert_eq!(AuthKind::read("basic:dana"), Ok(AuthKind::Basic("dana".into())));
        assert_eq!(AuthKind::read("api-key:X-Key"), Ok(AuthKind::ApiKey("X-Key".into())));
        for wrong in ["basic:dana:hunter2", "basic:", "bearer:abc", "api-key", "digest", ""] {
            assert!(AuthKind::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_of_a_webhook_holds_no_secret() {
        let spec = WebhookSpec {
            auth: Auth::Bearer { token: Secret::new("hunter2") },
            headers: vec![("X-Api-Key".into(), "hunter2".into()), ("X-Team".into(), "eu".into())],
            ..WebhookSpec::default()
        };
        let mut shown = json!({});
        describe(&spec, &mut shown);
        assert!(!shown.to_string().contains("hunter2"), "{shown}");
        assert_eq!(shown["headers"], json!(["X-Api-Key: ***", "X-Team: eu"]));
    }

    #[test]
    fn an_address_that_is_not_https_is_refused_at_once() {
        let spec = WebhookSpec { name: "w".into(), url: "http://example.com/h".into(), ..WebhookSpec::default() };
        let refused = check(&spec, &Guard::new(&[]).unwrap()).unwrap_err();
        assert_eq!(refused.code, Code::Usage);
        assert!(refused.message.contains("https"), "{}", refused.message);
    }
}
