//! Where one vendor's endpoints are: its own addresses, unless the configuration puts others in their place.

use url::Url;

use super::OAuth;
use crate::config::CrmSettings;
use crate::failure::{Code, Failure};
use crate::net;

/// The addresses of a sign-in, checked: HTTPS, or plain HTTP to loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The sign-in page.
    pub authorize: Url,
    /// The token endpoint.
    pub token: Url,
    /// Revocation, where the vendor has it.
    pub revoke: Option<Url>,
    /// Device authorisation, where the vendor has it.
    pub device: Option<Url>,
    /// The redirect address to register; port 0 takes a free one.
    pub redirect: Url,
    /// What replaced the vendor's scheme and host.
    base: Option<Url>,
}

impl Endpoints {
    /// Applies `base`, `authorize_url`, `token_url` and `redirect` of the configuration to the vendor's addresses.
    ///
    /// # Errors
    /// [`Code::Usage`] naming the address that is wrong.
    pub fn resolve(oauth: &OAuth, settings: &CrmSettings) -> Result<Endpoints, Failure> {
        let base = settings.base.as_deref().map(net::check_endpoint).transpose()?;
        let place = |own: Option<&str>, vendor: &str| match (own, &base) {
            (Some(own), _) => net::check_endpoint(own),
            (None, Some(base)) => rebase(vendor, base),
            (None, None) => net::check_endpoint(vendor),
        };
        let redirect = settings.redirect.as_deref().unwrap_or(oauth.redirect);
        Ok(Endpoints {
            authorize: place(settings.authorize_url.as_deref(), oauth.authorize_url)?,
            token: place(settings.token_url.as_deref(), oauth.token_url)?,
            revoke: oauth.revoke_url.map(|vendor| place(None, vendor)).transpose()?,
            device: oauth.device_url.map(|vendor| place(None, vendor)).transpose()?,
            redirect: net::check_endpoint(redirect)?,
            base,
        })
    }

    /// Whether a vendor's answer may send us (and our secrets) to this address: HTTPS on one of these hosts, or the origin of
    /// the configured `base`. For token endpoints and API bases that answers name.
    pub fn accepts(&self, address: &Url, hosts: &[&str]) -> bool {
        if self.base.as_ref().is_some_and(|base| base.origin() == address.origin()) {
            return true;
        }
        let Some(host) = address.host_str().filter(|_| address.scheme() == "https" && address.port().is_none()) else {
            return false;
        };
        hosts.iter().any(|listed| if listed.starts_with('.') { host.ends_with(listed) } else { host == *listed })
    }
}

/// The vendor's path and query behind another scheme, host and path prefix.
fn rebase(vendor: &str, base: &Url) -> Result<Url, Failure> {
    let vendor = net::check_endpoint(vendor)?;
    let mut moved = base.clone();
    moved.set_path(&format!("{}{}", base.path().trim_end_matches('/'), vendor.path()));
    moved.set_query(vendor.query());
    net::check_endpoint(moved.as_str())
        .map_err(|failure| Failure::new(Code::Usage, failure.message, "Correct `base` in this CRM's settings."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::{Answer, Client, SecretIn};

    const OAUTH: OAuth = OAuth {
        authorize_url: "https://login.example.com/oauth/authorize?prompt=login",
        token_url: "https://login.example.com/oauth/token",
        revoke_url: Some("https://login.example.com/oauth/revoke"),
        device_url: None,
        scopes: &[],
        scope_separator: " ",
        extra: &[],
        pkce: true,
        client: Client::Public,
        secret_in: SecretIn::Body,
        redirect: "http://localhost:8976/callback",
        answer: Answer::Query,
    };

    fn resolve(settings: CrmSettings) -> Result<Endpoints, Failure> {
        Endpoints::resolve(&OAUTH, &settings)
    }

    #[test]
    fn without_settings_the_vendor_is_asked() {
        let own = resolve(CrmSettings::default()).unwrap();
        assert_eq!(own.token.as_str(), OAUTH.token_url);
        assert_eq!(own.redirect.as_str(), OAUTH.redirect);
    }

    #[test]
    fn a_base_moves_every_endpoint_and_keeps_its_prefix() {
        let base = Some("http://127.0.0.1:9500/zoho/".to_owned());
        let moved = resolve(CrmSettings { base, ..Default::default() }).unwrap();
        assert_eq!(moved.authorize.as_str(), "http://127.0.0.1:9500/zoho/oauth/authorize?prompt=login");
        assert_eq!(moved.token.as_str(), "http://127.0.0.1:9500/zoho/oauth/token");
        assert_eq!(moved.revoke.unwrap().as_str(), "http://127.0.0.1:9500/zoho/oauth/revoke");
    }

    #[test]
    fn one_address_can_be_replaced_alone() {
        let settings = CrmSettings {
            base: Some("https://proxy.example.com".into()),
            token_url: Some("https://tokens.example.com/t".into()),
            ..Default::default()
        };
        let mixed = resolve(settings).unwrap();
        assert_eq!(mixed.token.as_str(), "https://tokens.example.com/t");
        assert_eq!(mixed.authorize.host_str(), Some("proxy.example.com"));
    }

    #[test]
    fn a_secret_never_goes_over_plain_http_to_another_machine() {
        for settings in [
            CrmSettings { base: Some("http://crm.example.com".into()), ..Default::default() },
            CrmSettings { token_url: Some("http://crm.example.com/t".into()), ..Default::default() },
            CrmSettings { redirect: Some("http://example.com/callback".into()), ..Default::default() },
        ] {
            let failure = resolve(settings).unwrap_err();
            assert!(failure.message.contains("not encrypted"), "{failure:?}");
        }
    }

    #[test]
    fn an_answer_points_only_where_the_vendor_lives() {
        let own = resolve(CrmSettings::default()).unwrap();
        let accepts =
            |own: &Endpoints, url: &str| own.accepts(&Url::parse(url).unwrap(), &[".example.com", "exact.test"]);
        for fine in ["https://eu.example.com/x", "https://exact.test/"] {
            assert!(accepts(&own, fine), "{fine}");
        }
        for bad in [
            "http://eu.example.com/",
            "https://eu.example.com.evil.test/",
            "https://evilexample.com/",
            "https://not.exact.test/",
            "https://eu.example.com:8443/",
            "http://127.0.0.1:9500/",
        ] {
            assert!(!accepts(&own, bad), "{bad}");
        }
        let moved =
            resolve(CrmSettings { base: Some("http://127.0.0.1:9500/zoho".into()), ..Default::default() }).unwrap();
        assert!(accepts(&moved, "http://127.0.0.1:9500/zoho/dc/eu"));
        assert!(!accepts(&moved, "http://127.0.0.1:9501/"));
    }
}
