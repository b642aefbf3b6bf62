//! Whole runs against the simulated CRMs: what arrived, how many calls it took, what happens when calls go wrong.

#[cfg(test)]
#[path = "crm/copper.rs"]
mod copper;
mod peers;
#[cfg(test)]
#[path = "crm/runs.rs"]
mod runs;
#[cfg(test)]
#[path = "crm/sim.rs"]
mod sim;
#[cfg(test)]
#[path = "crm/zoho.rs"]
mod zoho;
