//! What a receiver with a reference library would accept or refuse.

use super::*;
use proptest::prelude::*;

const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT: i64 = 1_614_265_330;

fn key(text: &str) -> SigningKey {
    SigningKey::parse(&Secret::new(text)).unwrap()
}

fn known() -> SigningKey {
    key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
}

#[test]
fn the_published_example_gives_the_published_signature() {
    // The key, id, timestamp, body and signature that the Standard Webhooks libraries use in their own tests.
    let signature = sign(&[known()], ID, AT, br#"{"test": 2432232314}"#);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn a_rotation_signs_with_both_and_either_key_accepts() {
    let (old, new) = (known(), SigningKey::parse(&generate().unwrap()).unwrap());
    let both = sign(&[old.clone(), new.clone()], ID, AT, b"{}");
    assert_eq!(both.split(' ').count(), 2, "{both}");
    let now = Timestamp::from_second(AT + 10).unwrap();
    for one in [old, new] {
        assert_eq!(verify(&[one], ID, &AT.to_string(), &both, b"{}", now), Ok(()));
    }
}

#[test]
fn a_changed_request_is_refused() {
    let good = sign(&[known()], ID, AT, b"{}");
    let now = Timestamp::from_second(AT).unwrap();
    let at = AT.to_string();
    let check = |id: &str, at: &str, sig: &str, body: &[u8]| verify(&[known()], id, at, sig, body, now);
    assert_eq!(check(ID, &at, &good, b"{ }"), Err(Forged::NoMatch));
    assert_eq!(check("msg_other", &at, &good, b"{}"), Err(Forged::NoMatch));
    assert_eq!(check(ID, &(AT + 1).to_string(), &good, b"{}"), Err(Forged::NoMatch));
    assert_eq!(check(ID, &at, &good.replace("v1,", "v2,"), b"{}"), Err(Forged::NoMatch));
    assert_eq!(check(ID, &at, "", b"{}"), Err(Forged::NoMatch));
    assert_eq!(check(ID, "1.6e9", &good, b"{}"), Err(Forged::NoTimestamp));
    assert_eq!(check(ID, &(AT - 301).to_string(), &good, b"{}"), Err(Forged::Stale(301)));
}

#[test]
fn a_bad_secret_is_refused_without_being_repeated() {
    for bad in
        ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "whsec_MfKQ9r8GKYqrTw"]
    {
        let failure = SigningKey::parse(&Secret::new(bad)).unwrap_err();
        assert!(!failure.message.contains("MfKQ"), "{}", failure.message);
    }
    assert!(SigningKey::parse(&Secret::new(format!("whsec_{}", STANDARD.encode([7; 65])))).is_err());
    assert!(SigningKey::parse(&Secret::new(format!("whsec_{}", STANDARD.encode([7; 64])))).is_ok());
    assert_eq!(format!("{:?}", known()), "SigningKey(…)");
}

#[test]
fn new_secrets_differ() {
    assert_ne!(generate().unwrap().expose(), generate().unwrap().expose());
}

proptest! {
    #[test]
    fn what_is_signed_verifies(body in proptest::collection::vec(any::<u8>(), 0..300), bytes in proptest::collection::vec(any::<u8>(), 24..=64)) {
        let own = key(&format!("whsec_{}", STANDARD.encode(bytes)));
        let signature = sign(std::slice::from_ref(&own), ID, AT, &body);
        let now = Timestamp::from_second(AT).unwrap();
        prop_assert_eq!(verify(&[own], ID, &AT.to_string(), &signature, &body, now), Ok(()));
    }

    #[test]
    fn no_signature_text_panics(text in any::<String>()) {
        let now = Timestamp::from_second(AT).unwrap();
        let answer = verify(&[known()], ID, &AT.to_string(), &text, b"{}", now);
        prop_assert_eq!(answer, Err(Forged::NoMatch));
    }
}
