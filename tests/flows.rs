//! Whole jobs, from a saved list to leads that arrived, through the engine's requests alone: against the practice CRM and
//! receiver, which are always there, and against the peers, where they are.

#[cfg(test)]
#[path = "flows/crm.rs"]
mod crm;
#[cfg(test)]
#[path = "flows/desk.rs"]
mod desk;
#[cfg(test)]
mod peers;
#[cfg(test)]
#[path = "flows/receiver.rs"]
mod receiver;
#[cfg(test)]
#[path = "flows/sign_in.rs"]
mod sign_in;
#[cfg(test)]
#[path = "flows/vendors.rs"]
mod vendors;
#[cfg(test)]
#[path = "flows/webhook.rs"]
mod webhook;
