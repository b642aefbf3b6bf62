//! Whole runs against the simulated CRMs: what arrived, how many calls it took, what happens when calls go wrong.

#[cfg(test)]
#[path = "crm/copper.rs"]
mod copper;
#[cfg(test)]
#[path = "crm/gohighlevel.rs"]
mod gohighlevel;
#[cfg(test)]
#[path = "crm/keeper.rs"]
mod keeper;
#[cfg(test)]
#[path = "crm/lofty.rs"]
mod lofty;
#[cfg(test)]
#[path = "crm/monday.rs"]
mod monday;
#[cfg(test)]
#[path = "crm/one_by_one.rs"]
mod one_by_one;
mod peers;
#[cfg(test)]
#[path = "crm/pipedrive.rs"]
mod pipedrive;
#[cfg(test)]
#[path = "crm/runs.rs"]
mod runs;
#[cfg(test)]
#[path = "crm/sim.rs"]
mod sim;
#[cfg(test)]
#[path = "crm/zoho.rs"]
mod zoho;
