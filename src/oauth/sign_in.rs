//! Leads one person through one sign-in: browser and pasted address side by side, or a device code, until there is a grant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::answer::{Authorization, Expected, Verdict};
use super::callback::Listener;
use super::{Answer, Flow, Grant, SignInStep, Tokens, pasted};
use crate::failure::{Code, Failure};
use crate::vault::Secret;

/// How long a sign-in waits for the person unless told otherwise.
pub const WAIT: Duration = Duration::from_secs(10 * 60);

/// Starts a browser at an address: `browser::open`, or a test's own.
pub type Opener = Arc<dyn Fn(&Url) -> Result<(), Failure> + Send + Sync>;

/// How to sign in.
pub enum Way {
    /// By a browser: the callback listens and a pasted address is taken, whichever is first. With an opener a browser is
    /// started here; without one the person opens the address wherever they like.
    Address(Option<Opener>),
    /// By a code typed on the vendor's page.
    Device,
    /// By a static token that the person made in the vendor's settings.
    Token(Secret),
}

/// What a running sign-in is connected to.
pub struct SignIn<C> {
    /// How.
    pub way: Way,
    /// Where each step is told. All but `Connected` and `Failed`, which are for the caller.
    pub steps: mpsc::UnboundedSender<SignInStep<C>>,
    /// What the person pastes. When its sender is gone and nothing listens either, the sign-in ends.
    pub pasted: mpsc::Receiver<String>,
    /// Stops it; the port is free once [`sign_in`] has returned.
    pub cancel: CancellationToken,
    /// How long to wait for the person: [`WAIT`].
    pub wait: Duration,
}

/// Signs in.
///
/// # Errors
/// [`Code::Cancelled`] when stopped; [`Code::SignInNeeded`] when refused or not done in time; [`Code::Forbidden`] when the
/// app or its permissions are not accepted; [`Code::Failed`] when the vendor did not answer as it should.
pub async fn sign_in<C>(flow: &Flow, session: SignIn<C>) -> Result<Grant, Failure> {
    let SignIn { way, steps, pasted, cancel, wait } = session;
    let steps = Steps(steps);
    let under_way = async {
        match way {
            Way::Token(token) => Ok(Grant { tokens: Tokens::fixed(token), callback: BTreeMap::new() }),
            Way::Device => by_device(flow, &steps, wait).await,
            Way::Address(opener) => by_address(flow, opener, &steps, pasted, wait).await,
        }
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Failure::new(Code::Cancelled, "The sign-in was stopped.", "")),
        outcome = under_way => outcome,
    }
}

/// Tells steps; nobody listening is no reason to stop.
struct Steps<C>(mpsc::UnboundedSender<SignInStep<C>>);

impl<C> Steps<C> {
    fn tell(&self, step: SignInStep<C>) {
        let _ = self.0.send(step);
    }

    fn ignored(&self, reason: String) {
        self.tell(SignInStep::Ignored { reason });
    }
}

async fn by_device<C>(flow: &Flow, steps: &Steps<C>, wait: Duration) -> Result<Grant, Failure> {
    let code = flow.device_code().await?;
    steps.tell(SignInStep::Device {
        user_code: code.user_code().to_owned(),
        verification_uri: code.page().to_owned(),
        verification_uri_complete: code.page_with_code().map(str::to_owned),
        expires: code.expires,
    });
    tokio::time::timeout(wait, flow.device_tokens(&code)).await.unwrap_or_else(|_| Err(too_late(flow, wait)))
}

async fn by_address<C>(
    flow: &Flow,
    opener: Option<Opener>,
    steps: &Steps<C>,
    mut pasted: mpsc::Receiver<String>,
    wait: Duration,
) -> Result<Grant, Failure> {
    // Bound before the address is shown or opened, so that no answer can come too early.
    let (listener, redirect) = match listen(flow).await {
        Ok(listener) => {
            let redirect = listener.redirect().clone();
            (Ok(listener), redirect)
        }
        Err(failure) if flow.endpoints.redirect.port() == Some(0) => return Err(failure),
        Err(failure) => (Err(failure), flow.endpoints.redirect.clone()),
    };
    let pending = flow.begin(&redirect);
    let browser = match opener {
        Some(opener) => open(opener, pending.authorize_url.clone()).await,
        None => false,
    };
    steps.tell(SignInStep::Open {
        authorize_url: pending.authorize_url.to_string(),
        redirect_uri: redirect.to_string(),
        listening: listener.as_ref().map(|_| ()).map_err(|failure| failure.message.clone()),
        port: listener.as_ref().map_or(0, Listener::port),
        browser,
    });
    let expected = &pending.expected;
    let answered = async {
        match listener {
            Ok(listener) => tokio::select! {
                answer = listener.answer(expected, |reason| steps.ignored(reason)) => answer,
                Some(answer) = first_pasted(&mut pasted, expected, steps) => answer,
            },
            // Nothing listens and nothing can be pasted: it can never end well.
            Err(failure) => first_pasted(&mut pasted, expected, steps).await.unwrap_or(Err(failure)),
        }
    };
    let answer = tokio::time::timeout(wait, answered).await.unwrap_or_else(|_| Err(too_late(flow, wait)))?;
    steps.tell(SignInStep::Exchanging);
    flow.exchange(pending, answer).await
}

async fn listen(flow: &Flow) -> Result<Listener, Failure> {
    match flow.vendor.oauth.answer {
        Answer::Query => Listener::bind(&flow.endpoints.redirect).await,
        Answer::FormPost => Err(Failure::new(
            Code::Usage,
            format!("{} does not send its answer in a way that can be listened for.", flow.vendor.name),
            "Paste the address your browser ended on, or sign in with a static token.",
        )),
    }
}

/// The first pasted text that is an answer; `None` when nothing can be pasted any more.
async fn first_pasted<C>(
    pasted: &mut mpsc::Receiver<String>,
    expected: &Expected,
    steps: &Steps<C>,
) -> Option<Result<Authorization, Failure>> {
    loop {
        match pasted::judge(&pasted.recv().await?, expected) {
            Verdict::Granted(authorization) => return Some(Ok(authorization)),
            Verdict::Refused(failure) => return Some(Err(failure)),
            Verdict::Ignored(reason) => steps.ignored(reason),
        }
    }
}

/// Whether a browser was started. It may block for a moment; when it does not work, the address is there to copy.
async fn open(opener: Opener, address: Url) -> bool {
    match tokio::task::spawn_blocking(move || opener(&address)).await {
        Ok(Ok(())) => true,
        Ok(Err(failure)) => {
            tracing::warn!(%failure, "no browser was started");
            false
        }
        Err(_) => false,
    }
}

fn too_late(flow: &Flow, wait: Duration) -> Failure {
    let waited = match wait.as_secs() {
        seconds @ ..60 => format!("{} s", seconds.max(1)),
        seconds => format!("{} min", seconds / 60),
    };
    Failure::new(
        Code::SignInNeeded,
        format!("No answer came from {} within {waited}, so the sign-in was given up.", flow.vendor.name),
        "Sign in again; if the browser shows an error, paste the address it ended on.",
    )
}
