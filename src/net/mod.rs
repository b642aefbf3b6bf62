//! The world's only door for HTTP: one TLS trust, one client set-up, what may be logged of a request, what headers say of time.
//!
//! Who may be dialled is decided above: [`check_endpoint`] holds sign-in and CRM addresses to HTTPS; webhooks bring their own
//! guard as a resolver through [`client_with`].

mod client;
pub mod redact;
pub mod skew;
mod tls;

pub use client::{check_endpoint, client, client_with, is_loopback, read_body};
pub use tls::{Tls, install_provider};
