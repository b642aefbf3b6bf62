//! The CRMs there are: one word per vendor, in the order of the button grid.

use super::{Crm, copper, gohighlevel, hubspot, lofty, monday, pipedrive, practice, salesforce, zoho};
use crate::config::Config;

/// Every CRM, in the order in which the button grid shows them; those for practice ([`super::Spec::practice`]) in the demo only.
pub const ALL: &[&dyn Crm] = &[
    &gohighlevel::GoHighLevel,
    &lofty::Lofty,
    &salesforce::Salesforce,
    &zoho::Zoho,
    &hubspot::HubSpot,
    &pipedrive::Pipedrive,
    &monday::Monday,
    &copper::Copper,
    &practice::Practice,
];

/// The CRMs that a person may choose from: one for practice only where the settings say where it is, as the demo's do.
pub fn offered(config: &Config) -> impl Iterator<Item = &'static dyn Crm> {
    ALL.iter().copied().filter(|crm| !crm.spec().practice || config.crm.contains_key(crm.spec().id))
}

/// The CRM of this platform id.
pub fn by_id(id: &str) -> Option<&'static dyn Crm> {
    ALL.iter().copied().find(|crm| crm.spec().id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_button_leads_to_its_own_crm() {
        for crm in ALL {
            let found = by_id(crm.spec().id).map(|crm| crm.spec().id);
            assert_eq!(found, Some(crm.spec().id));
        }
        assert!(by_id("hubspot.").is_none());
    }

    #[test]
    fn the_practice_crm_shows_only_where_it_is_set_up() {
        let shows = |config: &Config| offered(config).any(|crm| crm.spec().practice);
        let mut config = Config::default();
        assert!(!shows(&config));
        config.crm.insert("practice".into(), Default::default());
        assert!(shows(&config));
    }

    #[test]
    fn a_sign_in_is_possible_and_limits_are_set_everywhere() {
        for crm in ALL {
            let spec = crm.spec();
            assert!(spec.oauth.is_some() || spec.token.is_some(), "{} has no way to sign in", spec.id);
            assert!(
                spec.batch > 0 && spec.find_batch > 0 && spec.group_batch > 0 && spec.rate.calls > 0,
                "{}",
                spec.id
            );
            assert!(spec.register.lines().count() <= 5, "{}", spec.id);
            assert!(spec.register.lines().all(|line| line.chars().count() <= 80), "{}", spec.id);
        }
    }
}
