//! What is refused before anything is sent, and what a person is told to do.

use super::*;
use crate::crm::registry;

fn spec(id: &str) -> &'static Spec {
    registry::by_id(id).unwrap().spec()
}

fn connect(method: Option<MethodName>) -> Connect {
    Connect {
        target: String::new(),
        method,
        account: String::new(),
        reconnect: false,
        fields: Vec::new(),
        no_browser: false,
        yes: false,
    }
}

#[test]
fn without_a_client_id_a_person_learns_how_to_get_one_for_every_crm() {
    for crm in registry::ALL {
        let Some(oauth) = crm.spec().oauth else { continue };
        let failure = unregistered(crm.spec(), &CrmSettings::default());
        assert!(failure.message.contains(crm.spec().name));
        assert!(failure.remedy.contains(oauth.redirect), "{}: no redirect address", crm.spec().id);
        assert!(failure.remedy.to_lowercase().contains("scope"), "{}: no scopes", crm.spec().id);
        assert!(crm.spec().token.is_none() || failure.remedy.contains("--method token"), "{}: no token", crm.spec().id);
    }
}

#[test]
fn a_redirect_address_of_ones_own_is_the_one_to_register() {
    let settings = CrmSettings { redirect: Some("http://localhost:9999/cb".into()), ..CrmSettings::default() };
    assert!(unregistered(spec("salesforce"), &settings).remedy.contains("http://localhost:9999/cb"));
}

#[test]
fn a_way_that_the_crm_does_not_have_is_refused_with_those_it_has() {
    assert_eq!(connect(None).method(spec("salesforce")), Ok(Method::Browser));
    assert_eq!(connect(Some(MethodName::Token)).method(spec("hubspot")), Ok(Method::Token));
    let refused = connect(Some(MethodName::Device)).method(spec("salesforce")).unwrap_err();
    assert!(refused.remedy.contains("browser, paste"), "{}", refused.remedy);
}

#[test]
fn a_field_that_the_crm_does_not_take_is_refused() {
    let refused = fields(spec("salesforce"), Method::Browser, &["location=1".into()]).unwrap_err();
    assert!(refused.message.contains("'location'"), "{}", refused.message);
    let refused = fields(spec("salesforce"), Method::Browser, &["location".into()]).unwrap_err();
    assert!(refused.remedy.contains("NAME=VALUE"), "{}", refused.remedy);
}
