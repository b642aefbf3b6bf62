//! leadferry: pick leads in the terminal, save them as a list, and ferry them into a CRM or a webhook.
//!
//! Data goes one way: a front end ([`tui`], [`cli`]) turns input into an [`app`] action; `app::update` changes the state and
//! answers with effects; [`effects`] carries them out against the open audience and the [`engine`]; what comes back is an
//! action again. The engine owns the [`store`] and every task; below it stand the rooms that each do one thing.

pub mod app;
pub mod cli;
pub mod config;
pub mod crm;
pub mod effects;
pub mod engine;
pub mod events;
pub mod failure;
pub mod lead;
pub mod list;
pub mod net;
pub mod oauth;
pub mod sandbox;
pub mod store;
pub mod sync;
pub mod text;
pub mod tui;
pub mod vault;
pub mod webhook;
