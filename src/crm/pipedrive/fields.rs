//! The fields of a Pipedrive person: custom ones go by 40-digit codes that each company has its own of, labels by number.

use serde::Deserialize;
use serde_json::{Number, Value, json};

use crate::crm::api::Api;
use crate::crm::call::Call;
use crate::crm::{RemoteField, Trouble, TroubleKind};

pub(super) const NAME: &str = "name";
pub(super) const EMAILS: &str = "emails";
pub(super) const PHONES: &str = "phones";
pub(super) const LABELS: &str = "label_ids";

/// Standard fields that every company has, with their label.
const ALWAYS: &[(&str, &str)] = &[(NAME, "Name"), (EMAILS, "Email"), (PHONES, "Phone")];

/// Standard fields of companies with contact sync; sent to others they would have the whole request refused.
const WITH_SYNC: &[&str] = &["job_title", "notes"];

/// The codes under which the labels' field has been listed.
const LABEL_CODES: &[&str] = &[LABELS, "label"];

/// The types of custom fields that one text can fill.
const WRITABLE: &[&str] = &["varchar", "varchar_auto", "text", "double", "phone", "date", "address"];

/// The longest label and the longest text of a one-line field.
const LINE: usize = 255;

/// Pages of fields that are read at most, 500 fields each.
const PAGES: usize = 20;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct PersonField {
    field_name: String,
    field_code: String,
    field_type: String,
    options: Option<Vec<FieldOption>>,
    is_custom_field: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FieldOption {
    id: Value,
    label: String,
}

/// Where a list goes on.
#[derive(Deserialize)]
pub(super) struct Paging {
    pub(super) next_cursor: Option<String>,
}

/// Every field of a person.
pub(super) async fn all(api: &Api) -> Result<Vec<PersonField>, Trouble> {
    #[derive(Deserialize)]
    struct Page {
        data: Vec<PersonField>,
        #[serde(default)]
        additional_data: Option<Paging>,
    }
    let (mut fields, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..PAGES {
        let call = Call::get("/api/v2/personFields").query("limit", "500");
        let call = match &cursor {
            Some(cursor) => call.query("cursor", cursor),
            None => call,
        };
        let page: Page = api.json(call).await?;
        fields.extend(page.data);
        cursor = page.additional_data.and_then(|paging| paging.next_cursor);
        if cursor.is_none() {
            break;
        }
    }
    Ok(fields)
}

/// The fields that a mapping may name.
pub(super) fn writable(listed: Vec<PersonField>) -> Vec<RemoteField> {
    let always = ALWAYS.iter().map(|(name, label)| RemoteField {
        name: (*name).to_owned(),
        label: (*label).to_owned(),
        kind: "varchar".to_owned(),
        required: *name == NAME,
        ..RemoteField::default()
    });
    let takes_text = |field: &PersonField| match field.is_custom_field {
        true => WRITABLE.contains(&field.field_type.as_str()),
        false => WITH_SYNC.contains(&field.field_code.as_str()),
    };
    let others = listed.into_iter().filter(takes_text).map(|field| RemoteField {
        length: if field.field_type.starts_with("varchar") { LINE } else { 0 },
        name: field.field_code,
        label: field.field_name,
        kind: field.field_type,
        ..RemoteField::default()
    });
    always.chain(others).collect()
}

/// Whether a field's value stands among the custom ones.
pub(super) fn is_custom(name: &str) -> bool {
    !ALWAYS.iter().any(|(standard, _)| *standard == name) && !WITH_SYNC.contains(&name) && name != LABELS
}

/// A custom field's value as its type wants it; what does not fit goes as text, for Pipedrive to judge.
pub(super) fn typed(kind: &str, value: &str) -> Value {
    match kind {
        "double" => value.parse().ok().and_then(Number::from_f64).map_or_else(|| json!(value), Value::Number),
        "address" => json!({"value": value}),
        _ => json!(value),
    }
}

/// A value that a person holds, as text.
pub(super) fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(parts)) => shown(parts.get("value")),
        Some(other) => other.to_string(),
    }
}

/// The number of the label of this name; one that is not there is made.
pub(super) async fn label(api: &Api, name: &str) -> Result<String, Trouble> {
    #[derive(Deserialize)]
    struct Made {
        data: Vec<FieldOption>,
    }
    let name: String = name.chars().take(LINE).collect();
    let listed = all(api).await?;
    let labels = LABEL_CODES.iter().find_map(|code| listed.iter().find(|field| field.field_code == *code));
    let Some(labels) = labels else {
        return Err(Trouble {
            kind: TroubleKind::Missing,
            message: "Pipedrive lists no field for the labels of persons.".to_owned(),
            next_step: "Leave the label empty in the sync settings.".to_owned(),
        });
    };
    if let Some(known) = labels.options.iter().flatten().find(|option| option.label.trim() == name.trim()) {
        return Ok(shown(Some(&known.id)));
    }
    let call = Call::post("/api/v2/personFields").segment(&labels.field_code).segment("options");
    let made: Made = api.json(call.json(json!([{"label": name}]))).await?;
    made.data.first().map(|option| shown(Some(&option.id))).ok_or_else(|| Trouble {
        kind: TroubleKind::Vendor,
        message: "Pipedrive does not say which label it made.".to_owned(),
        next_step: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(fields: Value) -> Vec<RemoteField> {
        writable(serde_json::from_value(fields).unwrap())
    }

    #[test]
    fn only_what_a_text_can_fill_is_offered_and_a_name_is_asked_for() {
        let fields = listed(json!([
            {"field_name": "Name", "field_code": "name", "field_type": "varchar", "options": null},
            {"field_name": "Job title", "field_code": "job_title", "field_type": "varchar"},
            {"field_name": "Created", "field_code": "add_time", "field_type": "date"},
            {"field_name": "Company", "field_code": "abc", "field_type": "varchar", "is_custom_field": true},
            {"field_name": "Tier", "field_code": "def", "field_type": "enum", "is_custom_field": true, "options": []}
        ]));
        let names: Vec<_> = fields.iter().map(|field| (field.name.as_str(), field.required, field.length)).collect();
        assert_eq!(
            names,
            [
                ("name", true, 0),
                ("emails", false, 0),
                ("phones", false, 0),
                ("job_title", false, 255),
                ("abc", false, 255)
            ]
        );
    }

    #[test]
    fn values_travel_in_the_type_of_their_field() {
        assert_eq!(typed("double", "7.5"), json!(7.5));
        assert_eq!(typed("double", "many"), json!("many"));
        assert_eq!(typed("varchar", "78701"), json!("78701"));
        assert_eq!(typed("address", "1 Main St"), json!({"value": "1 Main St"}));
        assert_eq!(shown(Some(&typed("address", "1 Main St"))), "1 Main St");
        assert!(is_custom("abc") && !is_custom("notes") && !is_custom(LABELS));
    }
}
