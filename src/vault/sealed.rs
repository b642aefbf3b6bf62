//! The only way to serialise a [`Secret`]: `#[serde(with = "crate::vault::sealed")]` on a field of a store record.
//!
//! It works for `Secret`, `Option<Secret>`, `Vec<Secret>` and `BTreeMap<String, Secret>`; optional fields also want
//! `#[serde(default)]`. Outside the sealing of a value it refuses to write, so a record that reaches `--json`, a log or a
//! message is an error there and not a leak.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde::de::Deserialize;
use serde::ser::{Error, Serialize, Serializer};
use serde::{Deserializer, de::DeserializeOwned};

use super::Secret;

thread_local! {
    static SEALING: Cell<bool> = const { Cell::new(false) };
}

/// Lets secrets be serialised while `write` runs: for what turns a record into the plaintext of a sealed value, and nothing else.
pub fn while_sealing<R>(write: impl FnOnce() -> R) -> R {
    /// Closes the door even when `write` panics.
    struct Close;
    impl Drop for Close {
        fn drop(&mut self) {
            SEALING.set(false);
        }
    }
    SEALING.set(true);
    let _close = Close;
    write()
}

/// What holds secrets and can be a field of a record.
pub trait Holder: Sized {
    /// The same shape with plain strings.
    type Plain: DeserializeOwned;
    /// Writes the exposed shape.
    #[doc(hidden)]
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;
    /// Takes the plain strings in.
    #[doc(hidden)]
    fn take(plain: Self::Plain) -> Self;
}

/// A secret on its way into a sealed value.
struct Exposed<'a>(&'a Secret);

impl Serialize for Exposed<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.expose())
    }
}

impl Holder for Secret {
    type Plain = String;
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Exposed(self).serialize(to)
    }
    fn take(plain: String) -> Self {
        plain.into()
    }
}

impl Holder for Option<Secret> {
    type Plain = Option<String>;
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Exposed).serialize(to)
    }
    fn take(plain: Option<String>) -> Self {
        plain.map(Secret::from)
    }
}

impl Holder for Vec<Secret> {
    type Plain = Vec<String>;
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(Exposed))
    }
    fn take(plain: Vec<String>) -> Self {
        plain.into_iter().map(Secret::from).collect()
    }
}

impl Holder for BTreeMap<String, Secret> {
    type Plain = BTreeMap<String, String>;
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter().map(|(name, secret)| (name, Exposed(secret))))
    }
    fn take(plain: BTreeMap<String, String>) -> Self {
        plain.into_iter().map(|(name, secret)| (name, secret.into())).collect()
    }
}

/// For serde's `with`.
///
/// # Errors
/// Outside [`while_sealing`].
pub fn serialize<T: Holder, S: Serializer>(holder: &T, to: S) -> Result<S::Ok, S::Error> {
    if !SEALING.get() {
        return Err(S::Error::custom("a secret may only be written into a sealed value"));
    }
    holder.write(to)
}

/// For serde's `with`.
///
/// # Errors
/// As the plain shape's.
pub fn deserialize<'de, T: Holder, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    T::Plain::deserialize(from).map(T::take)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Tokens {
        #[serde(with = "crate::vault::sealed")]
        access: Secret,
        #[serde(default, with = "crate::vault::sealed")]
        refresh: Option<Secret>,
        #[serde(default, with = "crate::vault::sealed")]
        more: BTreeMap<String, Secret>,
    }

    #[test]
    fn a_record_with_tokens_cannot_be_printed_or_written_but_can_be_sealed() {
        let more = BTreeMap::from([("api".to_owned(), Secret::from("hunter3"))]);
        let tokens = Tokens { access: "hunter1".into(), refresh: Some("hunter2".into()), more };
        assert!(!format!("{tokens:?}").contains("hunter"));
        assert!(serde_json::to_string(&tokens).is_err(), "a token would have reached --json");
        let plain = while_sealing(|| serde_json::to_string(&tokens)).unwrap();
        assert_eq!(serde_json::from_str::<Tokens>(&plain).unwrap(), tokens);
        assert!(serde_json::to_string(&tokens).is_err(), "the door stayed open");
        let short: Tokens = serde_json::from_str(r#"{"access":"x"}"#).unwrap();
        assert_eq!(short.refresh, None);
    }
}
