//! What may be logged of an address or of headers: enough to find a mistake, never a secret.

use http::{HeaderMap, HeaderName};
use url::Url;

/// What stands in place of a secret.
const MASK: &str = "***";
/// Query parameters whose values are, or unlock, something secret. Compared without case, `-` and `_`.
const SECRET_PARAMETERS: &[&str] = &[
    "accesstoken",
    "apikey",
    "assertion",
    "auth",
    "authorization",
    "clientsecret",
    "code",
    "codechallenge",
    "codeverifier",
    "devicecode",
    "idtoken",
    "key",
    "password",
    "pass",
    "pwd",
    "refreshtoken",
    "secret",
    "sid",
    "sig",
    "signature",
    "state",
    "token",
    "usercode",
];
/// Words in a header's name that make its value secret.
const SECRET_HEADER_WORDS: &[&str] = &["auth", "cookie", "key", "password", "secret", "session", "signature", "token"];

/// An address with user name, password, fragment and the values of secret parameters masked. Text that is no address is
/// masked from its first `?`, `#` or `@` sign on.
pub fn url(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else {
        let end = address.find(['?', '#', '@']).unwrap_or(address.len());
        return if end < address.len() { format!("{}{MASK}", &address[..end]) } else { address.to_owned() };
    };
    if !url.username().is_empty() || url.password().is_some() {
        // Both fail only for addresses that cannot hold a user name, which have none to hide.
        let _ = url.set_password(None);
        let _ = url.set_username(MASK);
    }
    if url.fragment().is_some() {
        url.set_fragment(Some(MASK));
    }
    if url.query().is_some() {
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.query_pairs_mut().clear().extend_pairs(
            pairs.iter().map(|(name, value)| (name, if is_secret_parameter(name) { MASK } else { value.as_str() })),
        );
    }
    url.into()
}

fn is_secret_parameter(name: &str) -> bool {
    let plain: String = name.chars().filter(|ch| !matches!(ch, '-' | '_')).collect::<String>().to_lowercase();
    SECRET_PARAMETERS.contains(&plain.as_str())
}

/// Header names and values, values of credentials masked, and what is no text shown as its length.
pub fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = |name: &HeaderName, value: &http::HeaderValue| {
        if value.is_sensitive() || is_secret_header(name) {
            return MASK.to_owned();
        }
        value.to_str().map_or_else(|_| format!("({} bytes)", value.len()), str::to_owned)
    };
    headers.iter().map(|(name, value)| (name.to_string(), shown(name, value))).collect()
}

/// Whether a header of this name carries a credential.
pub fn is_secret_header(name: &HeaderName) -> bool {
    SECRET_HEADER_WORDS.iter().any(|word| name.as_str().contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_log_never_repeats_what_a_thief_could_use() {
        let logged =
            url("https://u:hunter2@a.test/cb?code=C0DE&state=ST&Access-Token=AT&page=2&clientSecret=CS#id_token=IT");
        for secret in ["hunter2", "C0DE", "ST&", "AT", "CS", "IT", "u:"] {
            assert!(!logged.contains(secret), "{secret} in {logged}");
        }
        assert!(logged.contains("a.test/cb") && logged.contains("page=2"), "{logged}");
    }

    #[test]
    fn half_an_address_is_masked_too() {
        assert_eq!(url("/callback?code=C0DE"), "/callback***");
        assert_eq!(url("not an address"), "not an address");
    }

    #[test]
    fn credentials_in_headers_are_masked() {
        let mut map = HeaderMap::new();
        for name in ["authorization", "x-api-token", "cookie", "x-pw-accesstoken", "webhook-signature", "x-api-key"] {
            map.insert(HeaderName::from_static(name), http::HeaderValue::from_static("hunter2"));
        }
        map.insert("content-type", http::HeaderValue::from_static("text/plain"));
        let logged = headers(&map);
        assert!(!logged.iter().any(|(_, value)| value == "hunter2"), "{logged:?}");
        assert!(logged.contains(&("content-type".into(), "text/plain".into())));
    }

    proptest! {
        #[test]
        fn no_secret_parameter_survives(value in "[a-z0-9]{12}", name in proptest::sample::select(SECRET_PARAMETERS)) {
            let logged = url(&format!("https://a.test/x?{name}={value}&y=1"));
            prop_assert!(!logged.contains(&value));
        }

        #[test]
        fn any_text_can_be_logged(text in any::<String>()) {
            let _ = url(&text);
        }
    }
}
