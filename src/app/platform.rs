//! The CRM grid's buttons, made from the registry.

use super::Platform;
use crate::config::Config;
use crate::crm::registry;
use crate::crm::sign_in::methods;

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
