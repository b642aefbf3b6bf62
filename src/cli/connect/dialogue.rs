//! The steps of a sign-in as lines: the address to open, the code to type, the address pasted back, the outcome.

use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use crate::cli::columns::time;
use crate::cli::input::{Input, cancelled};
use crate::cli::out::Out;
use crate::cli::session::{Session, ask};
use crate::crm::Spec;
use crate::engine::messages::{ConnectRequest, ConnectionSummary, Event, Reply, Request, SignInStep};
use crate::failure::{Code, Failure};
use crate::oauth::{Method, ssh};

/// Whether lines of standard input are taken as pasted addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pasting {
    /// Not (yet).
    No,
    /// They may come.
    May,
    /// Without one there is no sign-in.
    Must,
    /// One was handed over; whether it was right comes as a step, and until then the end of input means nothing.
    Judged,
}

impl Pasting {
    fn takes_lines(self) -> bool {
        matches!(self, Pasting::May | Pasting::Must)
    }
}

/// Leads through a sign-in to its connection. Ctrl-c ends it and frees the port.
pub async fn sign_in(
    session: &Session,
    spec: &Spec,
    request: ConnectRequest,
    out: &mut Out,
    input: &mut Input,
) -> Result<ConnectionSummary, Failure> {
    let method = request.method;
    // Listening begins before the sign-in does, so that no step of it is missed.
    let mut events = session.engine.events();
    let sign_in = ask!(session, Request::Connect(request), Reply::SignIn(sign_in) => sign_in)?;
    let mut pasting = Pasting::No;
    let ended = loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(Event::SignIn { sign_in: id, step }) if id == sign_in => match step {
                    SignInStep::Connected(connection) => return Ok(connection),
                    SignInStep::Failed(failure) => return Err(failure),
                    SignInStep::Open { .. } | SignInStep::Ignored { .. } => {
                        pasting = wants_paste(method, input);
                        show(&step, spec, pasting, out)?;
                    }
                    step => show(&step, spec, pasting, out)?,
                },
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break Failure::new(Code::Failed, "The engine ended before the sign-in did.", ""),
            },
            line = input.line(), if pasting.takes_lines() => match line? {
                Some(line) if line.trim().is_empty() => {}
                Some(text) => {
                    let answered = ask!(session, Request::AnswerSignIn { sign_in, text }, Reply::Done => ());
                    match answered {
                        Ok(()) => pasting = Pasting::Judged,
                        // A person can paste again; a program that gave one line cannot.
                        Err(failure) if input.is_terminal() => out.fail(&failure),
                        Err(failure) => break failure,
                    }
                }
                None if pasting == Pasting::Must => break nothing_pasted(),
                None => pasting = Pasting::No,
            },
            _ = tokio::signal::ctrl_c() => break cancelled(),
        }
    };
    // Frees the port; the failure that matters is the one we have.
    let _ = session.engine.call(Request::CancelSignIn { sign_in }).await;
    Err(ended)
}

fn wants_paste(method: Method, input: &Input) -> Pasting {
    match method {
        Method::Paste => Pasting::Must,
        Method::Browser if input.is_terminal() => Pasting::May,
        _ => Pasting::No,
    }
}

fn nothing_pasted() -> Failure {
    Failure::new(
        Code::SignInNeeded,
        "Standard input ended before the right address was pasted.",
        "Sign in again, and give the address that the browser ended on as one line.",
    )
}

fn show(step: &SignInStep, spec: &Spec, pasting: Pasting, out: &mut Out) -> Result<(), Failure> {
    match step {
        SignInStep::Open { authorize_url, redirect_uri, listening, port, browser } => {
            if out.is_json() {
                out.json(&json!({ "authorize_url": authorize_url, "redirect_uri": redirect_uri }))?;
            } else {
                let opened = if *browser { "A browser opens" } else { "Open this address in a browser" };
                out.line(format!("{opened} to sign in to {}:", spec.name))?;
                out.line("")?;
                out.line(format!("  {authorize_url}"))?;
                out.line("")?;
                match listening {
                    Ok(()) => out.line(format!("Waiting for the answer at {redirect_uri} …"))?,
                    Err(reason) => out.line(format!("Nothing listens at {redirect_uri}: {reason}"))?,
                }
                if let Some(tunnel) = ssh_line(*port) {
                    out.line(format!("If that browser is on another machine, run there: {tunnel}"))?;
                }
                if pasting.takes_lines() {
                    out.line("Or paste the address that the browser ended on, and press enter:")?;
                }
            }
        }
        SignInStep::Device { user_code, verification_uri, verification_uri_complete, expires } => {
            if out.is_json() {
                out.json(&json!({
                    "user_code": user_code, "verification_uri": verification_uri,
                    "verification_uri_complete": verification_uri_complete, "expires": expires,
                }))?;
            } else {
                out.line(format!("Open {verification_uri} on any device and type {user_code}"))?;
                out.line(format!("The code works until {}. Waiting …", time(*expires)))?;
            }
        }
        SignInStep::Exchanging => out.note("The answer is here; fetching the token …"),
        SignInStep::Ignored { reason } => out.warn(reason),
        SignInStep::Connected(_) | SignInStep::Failed(_) => {}
    }
    out.flush()
}

/// The ready `ssh -L` line, over SSH and where a callback listens.
fn ssh_line(port: u16) -> Option<String> {
    if port == 0 { None } else { ssh::tunnel(port, &ssh::host_name(), |name| std::env::var_os(name)) }
}
