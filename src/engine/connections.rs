//! Requests about connections: sign-ins under way, stored accounts, and the handle through which an account is called.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::messages::{ConnectRequest, ConnectionSummary, Event, Reply, Request, SignInStep};
use super::records::ConnectionRecord;
use super::{Inner, activity, misrouted};
use crate::config::CrmSettings;
use crate::crm::api::{Access, Api, account_base};
use crate::crm::credentials::{Credentials, FixedToken, FreshToken};
use crate::crm::limiter::Limiter;
use crate::crm::sign_in::{methods, no_app, vendor};
use crate::crm::{Crm, Rate, registry};
use crate::events::EventName;
use crate::failure::{Code, Failure};
use crate::oauth::{Flow, Grant, Method, SignIn, TokenKeeper, WAIT, Way, browser, sign_in};
use crate::store::Batch;
use crate::sync::run::failure_of;
use crate::vault::Secret;

/// Sign-ins under way and accounts in use.
#[derive(Default)]
pub(super) struct Connections {
    next: AtomicU64,
    under_way: Mutex<BTreeMap<u64, UnderWay>>,
    apis: Mutex<HashMap<Ulid, Api>>,
}

struct UnderWay {
    pasted: mpsc::Sender<String>,
    cancel: CancellationToken,
    /// Cancelled when it has ended and its port is free.
    ended: CancellationToken,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) async fn call(inner: &Arc<Inner>, request: Request) -> Result<Reply, Failure> {
    Ok(match request {
        Request::Connections => Reply::Connections(all(inner)?.iter().map(ConnectionRecord::summary).collect()),
        Request::Connect(wish) => Reply::SignIn(begin(inner, wish)?),
        Request::AnswerSignIn { sign_in, text } => {
            let pasted = locked(&inner.connections.under_way).get(&sign_in).map(|session| session.pasted.clone());
            match pasted {
                Some(pasted) if pasted.send(text).await.is_ok() => Reply::Done,
                _ => return Err(Failure::new(Code::NotFound, "This sign-in has ended.", "Start it again.")),
            }
        }
        Request::CancelSignIn { sign_in } => {
            let session = locked(&inner.connections.under_way)
                .get(&sign_in)
                .map(|session| (session.cancel.clone(), session.ended.clone()));
            if let Some((cancel, ended)) = session {
                cancel.cancel();
                ended.cancelled().await;
            }
            Reply::Done
        }
        Request::TestConnection { platform, account } => {
            let mut record = find(inner, &platform, &account)?;
            let api = api(inner, &record)?;
            match api.crm().who_am_i(&api).await {
                Ok(who) => (record.who, record.trouble) = (who, None),
                Err(trouble) => {
                    let failure = failure_of(&trouble);
                    set_trouble(inner, record.id, failure.clone()).await?;
                    return Err(failure);
                }
            }
            update(inner, record.id, |kept| (kept.who, kept.trouble) = (record.who.clone(), None)).await?;
            Reply::Connections(vec![record.summary()])
        }
        Request::Fields { platform, account } => {
            let record = find(inner, &platform, &account)?;
            let api = api(inner, &record)?;
            let survey = api.crm().survey(&api).await.map_err(|trouble| failure_of(&trouble))?;
            Reply::Fields(survey.fields)
        }
        Request::RemoveConnection { platform, account } => {
            remove(inner, &platform, &account).await?;
            Reply::Done
        }
        _ => return Err(misrouted()),
    })
}

/// All connections, in the order of the button grid, then by label.
fn all(inner: &Inner) -> Result<Vec<ConnectionRecord>, Failure> {
    let rows = inner.store.scan::<ConnectionRecord>(&[])?;
    let mut records: Vec<ConnectionRecord> = rows.into_iter().map(|(_, record)| record).collect();
    records.sort_by_key(|record| (grid_place(&record.platform), record.account.clone()));
    Ok(records)
}

fn grid_place(platform: &str) -> usize {
    registry::ALL.iter().position(|crm| crm.spec().id == platform).unwrap_or(usize::MAX)
}

/// The connection of a platform and label; an empty label means the only or first one.
pub(super) fn find(inner: &Inner, platform: &str, account: &str) -> Result<ConnectionRecord, Failure> {
    let spec = crm(platform)?.spec();
    let known = all(inner)?;
    let mut fitting = known.into_iter().filter(|record| record.platform == platform);
    let found = match account {
        "" => fitting.next(),
        label => fitting.find(|record| record.account == label),
    };
    found.ok_or_else(|| {
        let label = if account.is_empty() { String::new() } else { format!(" account '{account}'") };
        let option = if account.is_empty() { String::new() } else { format!(" --account {account}") };
        Failure::new(
            Code::SignInNeeded,
            format!("There is no connection to {}{label}.", spec.name),
            format!("Connect with 'leadferry connect {platform}{option}', or press its button."),
        )
    })
}

/// The CRM of a platform id.
pub(super) fn crm(platform: &str) -> Result<&'static dyn Crm, Failure> {
    registry::by_id(platform).ok_or_else(|| {
        let known: Vec<&str> =
            registry::ALL.iter().map(|crm| crm.spec()).filter(|spec| !spec.practice).map(|spec| spec.id).collect();
        Failure::new(
            Code::Usage,
            format!("There is no CRM called '{platform}'."),
            format!("Use one of: {}.", known.join(", ")),
        )
    })
}

/// Changes a stored connection, as it is at this moment.
async fn update(inner: &Inner, id: Ulid, change: impl FnOnce(&mut ConnectionRecord)) -> Result<(), Failure> {
    let _changing = inner.changing.lock().await;
    let Some(mut record) = inner.store.get::<ConnectionRecord>(&id.to_bytes())? else { return Ok(()) };
    change(&mut record);
    let mut batch = Batch::new();
    batch.put(id.to_bytes(), &record);
    inner.store.commit(batch).await
}

/// Notes what is wrong with a connection.
pub(super) async fn set_trouble(inner: &Inner, id: Ulid, trouble: Failure) -> Result<(), Failure> {
    update(inner, id, |record| record.trouble = Some(trouble)).await?;
    inner.tell(Event::Changed);
    Ok(())
}

/// Notes that leads went to a connection, and the settings they went with.
pub(super) async fn note_sync(inner: &Inner, id: Ulid, settings: crate::sync::Settings) -> Result<(), Failure> {
    let now = inner.now();
    update(inner, id, |record| {
        (record.last_sync, record.settings, record.trouble) = (Some(now), Some(settings), None);
    })
    .await
}

fn settings(inner: &Inner, platform: &str) -> CrmSettings {
    inner.config.crm.get(platform).cloned().unwrap_or_default()
}

/// A flow for a vendor with OAuth and a configured app.
fn flow(inner: &Inner, crm: &'static dyn Crm) -> Result<Flow, Failure> {
    let spec = crm.spec();
    let settings = settings(inner, spec.id);
    let Some(vendor) = vendor(crm) else {
        return Err(Failure::new(
            Code::Usage,
            format!("{} has no sign-in by browser.", spec.name),
            "Use --method token.",
        ));
    };
    if settings.client_id.as_deref().unwrap_or_default().is_empty() {
        return Err(no_app(spec, &settings));
    }
    let secret = settings.client_secret.as_ref().map(|source| source.resolve()).transpose()?;
    let secret = secret.map(|text| Secret::from(text.as_str()));
    Flow::new(vendor, &settings, secret, inner.http.clone(), Arc::new(jiff::Timestamp::now))
}

/// The handle on an account; all who use it share its limiter and its tokens.
pub(super) fn api(inner: &Arc<Inner>, record: &ConnectionRecord) -> Result<Api, Failure> {
    // Held until the handle is there: two of one account would each refresh, and a rotated token is good once.
    let mut apis = locked(&inner.connections.apis);
    if let Some(api) = apis.get(&record.id) {
        return Ok(api.clone());
    }
    let crm = crm(&record.platform)?;
    let credentials: Arc<dyn Credentials> = match record.method {
        Method::Token => Arc::new(FixedToken(record.grant.tokens.access.clone())),
        _ => {
            let (weak, id, connected) = (Arc::downgrade(inner), record.id, record.connected);
            let persist = move |tokens: crate::oauth::Tokens| -> futures_util::future::BoxFuture<'static, _> {
                let weak = weak.clone();
                Box::pin(async move {
                    let Some(inner) = weak.upgrade() else {
                        return Err(Failure::new(Code::Cancelled, "leadferry is ending.", "Start it again."));
                    };
                    // A run that began before a new sign-in must not bring its old tokens back.
                    let same = |record: &ConnectionRecord| record.connected == connected;
                    update(&inner, id, |record| {
                        if same(record) {
                            record.grant.tokens = tokens;
                        }
                    })
                    .await
                })
            };
            Arc::new(TokenKeeper::new(flow(inner, crm)?, record.grant.clone(), Box::new(persist)))
        }
    };
    let api = handle(inner, crm, &record.grant, &record.fields, credentials)?;
    apis.insert(record.id, api.clone());
    Ok(api)
}

fn handle(
    inner: &Inner,
    crm: &'static dyn Crm,
    grant: &Grant,
    fields: &BTreeMap<String, String>,
    credentials: Arc<dyn Credentials>,
) -> Result<Api, Failure> {
    let settings = settings(inner, crm.spec().id);
    let access = Access {
        base: account_base(crm, &settings, &grant.tokens.extra)?,
        fields: fields.clone(),
        token: grant.tokens.extra.clone(),
    };
    let rate = settings.rate.as_deref().and_then(|rate| rate.parse::<Rate>().ok()).unwrap_or(crm.spec().rate);
    Ok(Api::new(crm, inner.http.clone(), access, credentials, Arc::new(Limiter::new(rate))))
}

/// Checks a wish and starts its sign-in; answers the sign-in's number.
fn begin(inner: &Arc<Inner>, wish: ConnectRequest) -> Result<u64, Failure> {
    let crm = crm(&wish.platform)?;
    check(crm, &wish)?;
    let flow = match wish.method {
        Method::Token => None,
        _ => Some(flow(inner, crm)?),
    };
    let number = inner.connections.next.fetch_add(1, Ordering::Relaxed) + 1;
    let (pasted, inbox) = mpsc::channel(4);
    let (cancel, ended) = (inner.stop.child_token(), CancellationToken::new());
    let session = UnderWay { pasted, cancel: cancel.clone(), ended: ended.clone() };
    locked(&inner.connections.under_way).insert(number, session);
    let gone = ended.drop_guard();
    let engine = Arc::clone(inner);
    inner.tasks.spawn(async move {
        let step = match lead_through(&engine, number, crm, &wish, flow, inbox, cancel).await {
            Ok(connection) => SignInStep::Connected(connection),
            Err(failure) => SignInStep::Failed(failure),
        };
        locked(&engine.connections.under_way).remove(&number);
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
        (Some(flow), _) => {
            let (steps, mut told) = mpsc::unbounded_channel::<SignInStep>();
            let way = match wish.method {
                Method::Device => Way::Device,
                _ => Way::Address(wish.open_browser.then(|| -> crate::oauth::Opener { Arc::new(browser::open) })),
            };
            let session = SignIn { way, steps, pasted, cancel: cancel.clone(), wait: WAIT };
            let signing = sign_in(&flow, session);
            tokio::pin!(signing);
            let grant = loop {
                tokio::select! {
                    biased;
                    Some(step) = told.recv() => inner.tell(Event::SignIn { sign_in: number, step }),
                    grant = &mut signing => break grant,
                }
            };
            while let Ok(step) = told.try_recv() {
                inner.tell(Event::SignIn { sign_in: number, step });
            }
            grant?
        }
        (None, Some(token)) => Grant { tokens: crate::oauth::Tokens::fixed(token.clone()), callback: BTreeMap::new() },
        (None, None) => return Err(misrouted()),
    };
    let token = grant.tokens.access.clone();
    let credentials: Arc<dyn Credentials> = match wish.method {
        Method::Token => Arc::new(FixedToken(token)),
        _ => Arc::new(FreshToken(token)),
    };
    let api = handle(inner, crm, &grant, &wish.fields, credentials)?;
    let who = tokio::select! {
        () = cancel.cancelled() => return Err(Failure::new(Code::Cancelled, "The sign-in was stopped.", "")),
        who = crm.who_am_i(&api) => who.map_err(|trouble| failure_of(&trouble))?,
    };
    let _changing = inner.changing.lock().await;
    let before = all(inner)?
        .into_iter()
        .find(|record| record.platform == wish.platform && (wish.account.is_empty() || record.account == wish.account));
    let record = ConnectionRecord {
        id: before.as_ref().map_or_else(|| inner.new_id(), |record| record.id),
        platform: wish.platform.clone(),
        account: before.as_ref().map_or_else(|| wish.account.clone(), |record| record.account.clone()),
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
    locked(&inner.connections.apis).remove(&record.id);
    Ok(record.summary())
}

async fn remove(inner: &Arc<Inner>, platform: &str, account: &str) -> Result<(), Failure> {
    let record = find(inner, platform, account)?;
    if record.method != Method::Token
        && let Ok(flow) = flow(inner, crm(platform)?)
        && let Err(failure) = flow.revoke(&record.grant.tokens).await
    {
        tracing::warn!("the vendor did not revoke the token: {}", crate::text::clean(&failure.message));
    }
    let _changing = inner.changing.lock().await;
    let mut batch = Batch::new();
    batch.delete::<ConnectionRecord>(record.id.to_bytes());
    inner.store.commit(batch).await?;
    locked(&inner.connections.apis).remove(&record.id);
    inner.tell(Event::Changed);
    Ok(())
}
