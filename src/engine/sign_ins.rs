//! Sign-ins under way: started, answered, stopped, and led to a stored connection.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::messages::{ConnectRequest, ConnectionSummary, Event, Reply, Request, SignInStep};
use super::records::ConnectionRecord;
use super::{Inner, activity, connections, misrouted};
use crate::crm::Crm;
use crate::crm::credentials::{Credentials, FixedToken, FreshToken};
use crate::crm::sign_in::methods;
use crate::events::EventName;
use crate::failure::{Code, Failure};
use crate::oauth::{Flow, Grant, Method, Opener, SignIn, Tokens, WAIT, Way, browser, sign_in};
use crate::store::Batch;
use crate::sync::run::failure_of;
use crate::vault::Secret;

/// Sign-ins by their numbers, none of which is given twice.
#[derive(Default)]
pub(super) struct SignIns(Mutex<Sessions>);

#[derive(Default)]
struct Sessions {
    last: u64,
    under_way: BTreeMap<u64, UnderWay>,
}

#[derive(Clone)]
struct UnderWay {
    pasted: mpsc::Sender<String>,
    cancel: CancellationToken,
    /// Cancelled when it has ended and its port is free.
    ended: CancellationToken,
}

impl SignIns {
    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, number: u64) -> Option<UnderWay> {
        self.sessions().under_way.get(&number).cloned()
    }
}

pub(super) async fn call(inner: &Arc<Inner>, request: Request) -> Result<Reply, Failure> {
    Ok(match request {
        Request::Connect(wish) => Reply::SignIn(begin(inner, wish)?),
        Request::AnswerSignIn { sign_in, text } => match inner.sign_ins.get(sign_in) {
            Some(session) if session.pasted.send(text).await.is_ok() => Reply::Done,
            _ => return Err(Failure::new(Code::NotFound, "This sign-in has ended.", "Start it again.")),
        },
        Request::CancelSignIn { sign_in } => {
            if let Some(session) = inner.sign_ins.get(sign_in) {
                session.cancel.cancel();
                session.ended.cancelled().await;
            }
            Reply::Done
        }
        _ => return Err(misrouted()),
    })
}

/// Checks a wish and starts its sign-in; answers the sign-in's number.
fn begin(inner: &Arc<Inner>, wish: ConnectRequest) -> Result<u64, Failure> {
    let crm = connections::crm(&wish.platform)?;
    check(crm, &wish)?;
    let flow = match wish.method {
        Method::Token => None,
        _ => Some(connections::flow(inner, crm)?),
    };
    let (pasted, inbox) = mpsc::channel(4);
    let (cancel, ended) = (inner.stop.child_token(), CancellationToken::new());
    let session = UnderWay { pasted, cancel: cancel.clone(), ended: ended.clone() };
    let number = {
        let mut sessions = inner.sign_ins.sessions();
        sessions.last += 1;
        let number = sessions.last;
        sessions.under_way.insert(number, session);
        number
    };
    let gone = ended.drop_guard();
    let engine = Arc::clone(inner);
    inner.tasks.spawn(async move {
        let step = match lead_through(&engine, number, crm, &wish, flow, inbox, cancel).await {
            Ok(connection) => SignInStep::Connected(connection),
            Err(failure) => SignInStep::Failed(failure),
        };
        engine.sign_ins.sessions().under_way.remove(&number);
        drop(gone);
        engine.tell(Event::SignIn { sign_in: number, step });
        engine.tell(Event::Changed);
    });
    Ok(number)
}

fn check(crm: &'static dyn Crm, wish: &ConnectRequest) -> Result<(), Failure> {
    let spec = crm.spec();
    let ways = methods(spec);
    if !ways.contains(&wish.method) {
        let names: Vec<String> = ways.iter().map(|way| format!("{way:?}").to_lowercase()).collect();
        return Err(Failure::new(
            Code::Usage,
            format!("{} cannot be signed in to that way.", spec.name),
            format!("Use one of: {}.", names.join(", ")),
        ));
    }
    let allowed: Vec<&str> = spec.sign_in_fields.iter().map(|field| field.name).collect();
    if let Some(unknown) = wish.fields.keys().find(|name| !allowed.contains(&name.as_str())) {
        let which =
            if allowed.is_empty() { "It takes none.".into() } else { format!("It takes: {}.", allowed.join(", ")) };
        return Err(Failure::new(Code::Usage, format!("{} takes no field '{unknown}'.", spec.name), which));
    }
    let token = wish.method == Method::Token;
    let missing =
        spec.sign_in_fields.iter().find(|field| token && field.required && !wish.fields.contains_key(field.name));
    if let Some(field) = missing {
        return Err(Failure::new(
            Code::Usage,
            format!("{} needs the {} with a static token.", spec.name, field.label),
            format!("Add --field {}=….", field.name),
        ));
    }
    if token && wish.token.as_ref().is_none_or(|token| token.expose().trim().is_empty()) {
        return Err(Failure::new(Code::Usage, "The token is empty.", "Paste the token, or give it on standard input."));
    }
    Ok(())
}

/// A sign-in from its first step to the stored connection.
async fn lead_through(
    inner: &Arc<Inner>,
    number: u64,
    crm: &'static dyn Crm,
    wish: &ConnectRequest,
    flow: Option<Flow>,
    pasted: mpsc::Receiver<String>,
    cancel: CancellationToken,
) -> Result<ConnectionSummary, Failure> {
    let grant = match (flow, &wish.token) {
        (Some(flow), _) => by_flow(inner, number, wish, &flow, pasted, cancel.clone()).await?,
        (None, Some(token)) => {
            // What was pasted or piped in often ends with a line break.
            let token = Secret::from(token.expose().trim());
            Grant { tokens: Tokens::fixed(token), callback: BTreeMap::new() }
        }
        (None, None) => return Err(misrouted()),
    };
    let token = grant.tokens.access.clone();
    let credentials: Arc<dyn Credentials> = match wish.method {
        Method::Token => Arc::new(FixedToken(token)),
        _ => Arc::new(FreshToken(token)),
    };
    let api = connections::handle(inner, crm, &grant, &wish.fields, credentials)?;
    let who = tokio::select! {
        () = cancel.cancelled() => return Err(Failure::new(Code::Cancelled, "The sign-in was stopped.", "")),
        who = crm.who_am_i(&api) => who.map_err(|trouble| failure_of(&trouble))?,
    };
    let _changing = inner.changing.lock().await;
    let before = connections::all(inner)?
        .into_iter()
        // An empty label is the label of the unnamed account: a sign-in never takes the place of another one.
        .find(|record| record.platform == wish.platform && record.account == wish.account);
    let record = ConnectionRecord {
        id: before.as_ref().map_or_else(|| inner.new_id(), |record| record.id),
        platform: wish.platform.clone(),
        account: wish.account.clone(),
        who,
        method: wish.method,
        fields: wish.fields.clone(),
        grant,
        connected: inner.now(),
        trouble: None,
        last_sync: before.as_ref().and_then(|record| record.last_sync),
        settings: before.and_then(|record| record.settings),
    };
    let mut batch = Batch::new();
    batch.put(record.id.to_bytes(), &record);
    let event = EventName::OauthCompleted;
    activity::put(inner, &mut batch, event, &record.platform, wish.lead_count, &wish.list_name);
    inner.store.commit(batch).await?;
    // The next call makes a handle with the new tokens.
    connections::forget_handle(inner, record.id);
    Ok(record.summary())
}

/// A sign-in by browser, pasted address or device code; its steps are told.
async fn by_flow(
    inner: &Inner,
    number: u64,
    wish: &ConnectRequest,
    flow: &Flow,
    pasted: mpsc::Receiver<String>,
    cancel: CancellationToken,
) -> Result<Grant, Failure> {
    let (steps, mut told) = mpsc::unbounded_channel::<SignInStep>();
    let way = match wish.method {
        Method::Device => Way::Device,
        _ => Way::Address(wish.open_browser.then(|| -> Opener { Arc::new(browser::open) })),
    };
    let tell = |step| inner.tell(Event::SignIn { sign_in: number, step });
    let signing = sign_in(flow, SignIn { way, steps, pasted, cancel, wait: WAIT });
    tokio::pin!(signing);
    let grant = loop {
        tokio::select! {
            biased;
            Some(step) = told.recv() => tell(step),
            grant = &mut signing => break grant,
        }
    };
    while let Ok(step) = told.try_recv() {
        tell(step);
    }
    grant
}
