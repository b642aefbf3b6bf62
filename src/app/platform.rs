//! The CRM grid's buttons, made from the registry.

use crate::config::Config;
use crate::crm::registry;
use crate::crm::sign_in::methods;
use crate::oauth::Method;

/// A CRM as the grid draws it; made from the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The platform id.
    pub id: String,
    /// The name on the button.
    pub name: String,
    /// How one can sign in.
    pub methods: Vec<Method>,
    /// What the vendor calls its static token.
    pub token_name: String,
    /// Where a static token is made.
    pub token_where: String,
    /// More values a sign-in takes: name, label, required.
    pub fields: Vec<(String, String, bool)>,
}

/// The CRMs that these settings offer, in the order of the grid.
pub fn platforms(config: &Config) -> Vec<Platform> {
    registry::offered(config)
        .map(|crm| {
            let spec = crm.spec();
            let (token_name, token_where) = spec.token.map_or(("", ""), |token| (token.name, token.where_to));
            Platform {
                id: spec.id.into(),
                name: spec.name.into(),
                methods: methods(spec),
                token_name: token_name.into(),
                token_where: token_where.into(),
                fields: (spec.sign_in_fields.iter())
                    .map(|field| (field.name.into(), field.label.into(), field.required))
                    .collect(),
            }
        })
        .collect()
}
