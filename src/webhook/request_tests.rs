//! What goes over the wire, and what of it is shown.

use super::*;
use crate::vault::Secret;

fn spec() -> WebhookSpec {
    WebhookSpec {
        name: "bridge".into(),
        url: "https://hooks.example.com:8443/in/s3cr3t".into(),
        auth: Auth::Bearer { token: Secret::new("t0ken") },
        headers: vec![
            ("X-Team".into(), "one".into()),
            ("X-Team".into(), "two".into()),
            ("X-Api-Key".into(), "k3y".into()),
        ],
        ..WebhookSpec::default()
    }
}

fn signed(spec: &WebhookSpec) -> Request {
    let key = SigningKey::parse(&signature::generate().unwrap()).unwrap();
    let at = Timestamp::from_second(1_700_000_000).unwrap();
    Request::sign(spec, &[key], "msg_1", at, b"{}".to_vec()).unwrap()
}

#[test]
fn a_request_carries_signature_credential_and_own_headers() {
    let request = signed(&spec());
    assert_eq!(request.headers["authorization"], "Bearer t0ken");
    assert_eq!(request.headers["webhook-timestamp"], "1700000000");
    assert_eq!(request.headers.get_all("x-team").iter().count(), 2);
    let own =
        signed(&WebhookSpec { headers: vec![("Content-Type".into(), "application/vnd.x+json".into())], ..spec() });
    assert_eq!(own.headers.get_all("content-type").iter().collect::<Vec<_>>(), ["application/vnd.x+json"]);
    let basic = Auth::Basic { user: "dana".into(), password: Secret::new("pä:ss") };
    assert_eq!(signed(&WebhookSpec { auth: basic, ..spec() }).headers["authorization"], "Basic ZGFuYTpww6Q6c3M=");
}

#[test]
fn what_is_shown_is_the_request_without_its_secrets() {
    let key = Auth::ApiKey { header: "X-Crm".into(), key: Secret::new("t0ken") };
    for spec in [spec(), WebhookSpec { auth: key, ..spec() }] {
        let seen = signed(&spec).seen();
        let all = format!("{seen:?}");
        for secret in ["t0ken", "k3y", "s3cr3t"] {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
        let header = |name: &str| seen.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
        assert!(header("webhook-signature").unwrap().starts_with("v1,"));
        assert_eq!(header("host").unwrap(), "hooks.example.com:8443");
        assert_eq!(header("content-length").unwrap(), "2");
        assert_eq!((seen.method.as_str(), seen.body.as_str()), ("POST", "{}"));
    }
}
