//! Requests about connections: the stored accounts, and the handle through which one is called. How an account comes here is
//! told in `sign_ins`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ulid::Ulid;

use super::messages::{Event, Reply, Request};
use super::records::ConnectionRecord;
use super::{Inner, misrouted};
use crate::config::CrmSettings;
use crate::crm::api::{Access, Api, account_base};
use crate::crm::credentials::{Credentials, FixedToken};
use crate::crm::limiter::Limiter;
use crate::crm::sign_in::{no_app, vendor};
use crate::crm::{Crm, Rate, Survey, Trouble, registry};
use crate::failure::{Code, Failure};
use crate::oauth::{Flow, Grant, Method, TokenKeeper};
use crate::store::Batch;
use crate::sync::run::failure_of;
use crate::vault::Secret;

/// The handles on the accounts in use.
pub(super) type Apis = Mutex<HashMap<Ulid, Api>>;

fn apis(inner: &Inner) -> MutexGuard<'_, HashMap<Ulid, Api>> {
    inner.apis.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets the handle on an account: the next call makes one from the stored record.
pub(super) fn forget_handle(inner: &Inner, id: Ulid) {
    apis(inner).remove(&id);
}

pub(super) async fn call(inner: &Arc<Inner>, request: Request) -> Result<Reply, Failure> {
    Ok(match request {
        Request::Connections => Reply::Connections(all(inner)?.iter().map(ConnectionRecord::summary).collect()),
        Request::TestConnection { platform, account } => {
            let mut record = find(inner, &platform, &account)?;
            let api = api(inner, &record)?;
            let who = api.crm().who_am_i(&api).await;
            (record.who, record.trouble) = (noting(inner, record.id, who).await?, None);
            update(inner, record.id, |kept| (kept.who, kept.trouble) = (record.who.clone(), None)).await?;
            Reply::Connections(vec![record.summary()])
        }
        Request::Fields { platform, account } => {
            let record = find(inner, &platform, &account)?;
            let api = api(inner, &record)?;
            Reply::Fields(survey(inner, &record, &api).await?.fields)
        }
        Request::RemoveConnection { platform, account } => {
            remove(inner, &platform, &account).await?;
            Reply::Done
        }
        _ => return Err(misrouted()),
    })
}

/// All connections, in the order of the button grid, then by label.
pub(super) fn all(inner: &Inner) -> Result<Vec<ConnectionRecord>, Failure> {
    let rows = inner.store.scan::<ConnectionRecord>(&[])?;
    let mut records: Vec<ConnectionRecord> = rows.into_iter().map(|(_, record)| record).collect();
    records.sort_by_key(|record| (grid_place(&record.platform), record.account.clone()));
    Ok(records)
}

fn grid_place(platform: &str) -> usize {
    registry::ALL.iter().position(|crm| crm.spec().id == platform).unwrap_or(usize::MAX)
}

/// The connection of a platform and label; an empty label means the unnamed or only one.
pub(super) fn find(inner: &Inner, platform: &str, account: &str) -> Result<ConnectionRecord, Failure> {
    let spec = crm(platform)?.spec();
    let known = all(inner)?;
    let mut fitting: Vec<ConnectionRecord> = known.into_iter().filter(|record| record.platform == platform).collect();
    let labels: Vec<String> = fitting.iter().map(|record| record.account.clone()).collect();
    let at = match (fitting.iter().position(|record| record.account == account), account) {
        (None, "") if fitting.len() == 1 => Some(0),
        (None, "") if fitting.len() > 1 => {
            return Err(Failure::new(
                Code::Usage,
                format!("{} has several connections, and none was named.", spec.name),
                format!("Write crm:{platform}/ACCOUNT or --account; there are: {}.", labels.join(", ")),
            ));
        }
        (at, _) => at,
    };
    at.map(|at| fitting.swap_remove(at)).ok_or_else(|| {
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

/// Notes what is wrong with a connection when a new sign-in is needed: anything else may be over by the next call.
pub(super) async fn note_trouble(inner: &Inner, id: Ulid, failure: &Failure) -> Result<(), Failure> {
    if failure.code != Code::SignInNeeded {
        return Ok(());
    }
    update(inner, id, |record| record.trouble = Some(failure.clone())).await?;
    inner.tell(Event::Changed);
    Ok(())
}

/// An answer of the vendor; when it asks for a new sign-in, the connection says so from now on.
async fn noting<T>(inner: &Inner, id: Ulid, answer: Result<T, Trouble>) -> Result<T, Failure> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(trouble) => {
            let mut failure = failure_of(&trouble);
            if failure.code == Code::Waiting {
                // Nothing was queued that could go on by itself.
                failure.code = Code::Failed;
            }
            note_trouble(inner, id, &failure).await?;
            Err(failure)
        }
    }
}

/// The account's fields and match key.
pub(super) async fn survey(inner: &Inner, record: &ConnectionRecord, api: &Api) -> Result<Survey, Failure> {
    noting(inner, record.id, api.crm().survey(api).await).await
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
pub(super) fn flow(inner: &Inner, crm: &'static dyn Crm) -> Result<Flow, Failure> {
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
    let mut apis = apis(inner);
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

/// A handle on an account with these credentials.
pub(super) fn handle(
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

async fn remove(inner: &Arc<Inner>, platform: &str, account: &str) -> Result<(), Failure> {
    let record = find(inner, platform, account)?;
    if record.method != Method::Token
        && let Ok(flow) = flow(inner, crm(platform)?)
        && let Err(failure) = flow.revoke(&record.grant).await
    {
        tracing::warn!("the vendor did not revoke the token: {}", crate::text::clean(&failure.message));
    }
    let _changing = inner.changing.lock().await;
    let mut batch = Batch::new();
    batch.delete::<ConnectionRecord>(record.id.to_bytes());
    inner.store.commit(batch).await?;
    forget_handle(inner, record.id);
    inner.tell(Event::Changed);
    Ok(())
}
