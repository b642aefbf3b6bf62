//! The only door to keys and to the bytes of secrets: the secret type, sealing, the master key and the data keys below it.
//!
//! Every value of the store is sealed under a data key. The data keys stand, wrapped by the master key, in one file that
//! is replaced as a whole; destroying a list's data key destroys everything that it sealed, in every copy of the store.

mod file;
mod keys;
mod master;
pub mod sealed;
mod secret;

pub use keys::{DataKey, Keys, NotOpened};
pub use master::KeySource;
pub use secret::Secret;
