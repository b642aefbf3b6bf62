//! The rules of the practice CRM's sign-in, without any HTTP: requests, codes, tokens (RFC 6749, 7636, 7009).

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::{Host, Url};

use super::devices::Devices;
use super::mint::{Mint, digest};

/// The client id under which leadferry is registered at the practice CRM: a public client, no secret.
pub const CLIENT_ID: &str = "leadferry-demo";

/// What an app may ask for, with the words of the consent page.
pub(super) const SCOPES: &[(&str, &str)] =
    &[("contacts", "read, create and update contacts"), ("lists", "make lists and add contacts to them")];

/// How long a code, a sign-in page or a device code is good for.
pub(super) const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// How long an access token is good for.
pub(super) const ACCESS_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// An error of RFC 6749 section 5.2 or RFC 8628 section 3.5.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) error: &'static str,
    pub(super) description: &'static str,
}

pub(super) fn refuse<T>(error: &'static str, description: &'static str) -> Result<T, Refusal> {
    Err(Refusal { error, description })
}

/// A checked request of the sign-in page.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) redirect: Url,
    pub(super) state: String,
    pub(super) scopes: Vec<String>,
    pub(super) challenge: String,
}

/// What the person on the page decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Allow, signed in with this e-mail address.
    Allow(String),
    /// Deny.
    Deny,
}

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Grant {
    /// One number per sign-in: what is revoked together.
    pub(super) family: u64,
    pub(super) user: String,
    pub(super) scopes: Vec<String>,
}

/// A token answer.
#[derive(Debug, Serialize)]
pub(super) struct TokenAnswer {
    pub(super) access_token: String,
    token_type: &'static str,
    expires_in: i64,
    pub(super) refresh_token: String,
    scope: String,
}

#[derive(Debug)]
struct Code {
    asked: Asked,
    user: String,
    until: Timestamp,
    /// The sign-in it was redeemed for: a second use ends that one.
    spent: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Access {
    grant: Grant,
    until: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct Refresh {
    grant: Grant,
    /// Whether it was exchanged already: a second use ends the sign-in.
    used: bool,
}

/// Everything that was asked for and given out. Tokens are kept by digest; pages and codes live no longer than the process.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Grants {
    #[serde(skip)]
    asked: HashMap<String, (Asked, Timestamp)>,
    #[serde(skip)]
    codes: HashMap<String, Code>,
    #[serde(skip)]
    pub(super) devices: Devices,
    access: BTreeMap<String, Access>,
    refresh: BTreeMap<String, Refresh>,
    families: u64,
}

/// Whether this is a redirect address of the registered app: a loopback host, any port, exactly `/callback` (RFC 8252 section 7.3).
pub(super) fn registered_redirect(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let loopback = match url.host()? {
        Host::Ipv4(address) => address.octets() == [127, 0, 0, 1],
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost",
    };
    let plain = url.scheme() == "http" && url.username().is_empty() && url.password().is_none();
    let exact = url.path() == "/callback" && url.query().is_none() && url.fragment().is_none();
    (loopback && plain && exact).then_some(url)
}

/// The scopes asked for; all of them when none are named.
pub(super) fn scopes(text: &str) -> Result<Vec<String>, Refusal> {
    let asked: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if asked.iter().any(|scope| SCOPES.iter().all(|(known, _)| known != scope)) {
        return refuse("invalid_scope", "The practice CRM knows the scopes contacts and lists.");
    }
    Ok(if asked.is_empty() { SCOPES.iter().map(|(name, _)| (*name).to_owned()).collect() } else { asked })
}

impl Grants {
    /// Notes a checked request and answers the number under which its page reports back.
    pub(super) fn ask(&mut self, asked: Asked, mint: &mut Mint, now: Timestamp) -> String {
        self.asked.retain(|_, (_, until)| *until > now);
        let number = mint.token("pq_");
        self.asked.insert(number.clone(), (asked, now + CODE_LIFE));
        number
    }

    /// The address to send the browser to after the person decided; `None` when the page is too old or was used.
    pub(super) fn decide(
        &mut self,
        number: &str,
        decision: Decision,
        issuer: &str,
        mint: &mut Mint,
        now: Timestamp,
    ) -> Option<Url> {
        let (asked, until) = self.asked.remove(number)?;
        if until <= now {
            return None;
        }
        let mut back = asked.redirect.clone();
        let state = asked.state.clone();
        match decision {
            Decision::Allow(user) => {
                let code = mint.token("pc_");
                back.query_pairs_mut().append_pair("code", &code);
                self.codes.retain(|_, code| code.until > now);
                self.codes.insert(digest(&code), Code { asked, user, until: now + CODE_LIFE, spent: None });
            }
            Decision::Deny => {
                back.query_pairs_mut()
                    .append_pair("error", "access_denied")
                    .append_pair("error_description", "The person at the practice CRM pressed Deny.");
            }
        }
        if !state.is_empty() {
            back.query_pairs_mut().append_pair("state", &state);
        }
        back.query_pairs_mut().append_pair("iss", issuer);
        Some(back)
    }

    /// Exchanges a code (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
    pub(super) fn redeem(
        &mut self,
        code: &str,
        redirect: &str,
        verifier: &str,
        mint: &mut Mint,
        now: Timestamp,
    ) -> Result<TokenAnswer, Refusal> {
        let Some(kept) = self.codes.get_mut(&digest(code)) else {
            return refuse("invalid_grant", "This code is not known or too old.");
        };
        if let Some(family) = kept.spent {
            self.end(family);
            return refuse("invalid_grant", "This code was used before; what it gave is void now.");
        }
        if kept.until <= now {
            return refuse("invalid_grant", "This code is older than ten minutes.");
        }
        if Url::parse(redirect).ok().as_ref() != Some(&kept.asked.redirect) {
            return refuse("invalid_grant", "redirect_uri is not the one the code was sent to.");
        }
        if !(43..=128).contains(&verifier.len()) {
            return refuse("invalid_request", "code_verifier is missing or not 43 to 128 characters long.");
        }
        if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) != kept.asked.challenge {
            return refuse("invalid_grant", "code_verifier does not match the code_challenge.");
        }
        self.families += 1;
        kept.spent = Some(self.families);
        let grant = Grant { family: self.families, user: kept.user.clone(), scopes: kept.asked.scopes.clone() };
        Ok(self.issue(grant, mint, now))
    }

    /// Exchanges a refresh token for new tokens; the old one ends here, and a second use ends the whole sign-in (RFC 9700).
    pub(super) fn refresh(&mut self, token: &str, mint: &mut Mint, now: Timestamp) -> Result<TokenAnswer, Refusal> {
        let Some(kept) = self.refresh.get_mut(&digest(token)) else {
            return refuse("invalid_grant", "This refresh token is not known.");
        };
        let grant = kept.grant.clone();
        if kept.used {
            self.end(grant.family);
            return refuse("invalid_grant", "This refresh token was used before; the sign-in is void now.");
        }
        kept.used = true;
        Ok(self.issue(grant, mint, now))
    }

    /// Answers a device that asks whether it may (RFC 8628 section 3.5).
    pub(super) fn poll_device(
        &mut self,
        device_code: &str,
        mint: &mut Mint,
        now: Timestamp,
    ) -> Result<TokenAnswer, Refusal> {
        let (user, scopes) = self.devices.poll(device_code, now)?;
        self.families += 1;
        let grant = Grant { family: self.families, user, scopes };
        Ok(self.issue(grant, mint, now))
    }

    /// Ends the sign-in of an access or refresh token; an unknown one is no error (RFC 7009 section 2.2).
    pub(super) fn revoke(&mut self, token: &str) {
        let wanted = digest(token);
        let family = (self.access.get(&wanted).map(|kept| kept.grant.family))
            .or_else(|| self.refresh.get(&wanted).map(|kept| kept.grant.family));
        if let Some(family) = family {
            self.end(family);
        }
    }

    /// Who an access token speaks for, while it is good.
    pub(super) fn holder(&self, token: &str, now: Timestamp) -> Option<&Grant> {
        self.access.get(&digest(token)).filter(|kept| kept.until > now).map(|kept| &kept.grant)
    }

    fn issue(&mut self, grant: Grant, mint: &mut Mint, now: Timestamp) -> TokenAnswer {
        self.access.retain(|_, kept| kept.until > now);
        let (access, refresh) = (mint.token("pa_"), mint.token("pr_"));
        let scope = grant.scopes.join(" ");
        self.access.insert(digest(&access), Access { grant: grant.clone(), until: now + ACCESS_LIFE });
        self.refresh.insert(digest(&refresh), Refresh { grant, used: false });
        TokenAnswer {
            access_token: access,
            token_type: "Bearer",
            expires_in: ACCESS_LIFE.as_secs(),
            refresh_token: refresh,
            scope,
        }
    }

    fn end(&mut self, family: u64) {
        self.access.retain(|_, kept| kept.grant.family != family);
        self.refresh.retain(|_, kept| kept.grant.family != family);
    }
}
