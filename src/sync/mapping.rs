//! Which value of a lead goes into which field of an account, and what can be known to be refused before anything is sent.

use sha2::{Digest, Sha256};

use crate::crm::{MatchBy, Outgoing, RemoteField, Spec, Survey};
use crate::lead::{Field, Lead, Schema};

use super::{MappingRow, Settings};

/// The name by which a mapping row asks for the list's name.
pub const LIST_NAME: &str = "list_name";

/// The vendors' words for types that take numbers only.
const NUMBERS: &[&str] = &[
    "double",
    "currency",
    "percent",
    "int",
    "integer",
    "number",
    "numbers",
    "float",
    "NUMERICAL",
    "MONETORY",
    "percentage",
];

/// The mapping to start from, one row per value that leads have; what the vendor or the account has no field for is
/// listed with no field, and told in the warnings when the vendor usually has one.
pub fn default_mapping(spec: &Spec, survey: &Survey, schema: &Schema) -> (Vec<MappingRow>, Vec<String>) {
    let mut rows = Vec::new();
    let mut warnings = Vec::new();
    for field in Field::ALL.into_iter().filter(|field| can_give(schema, *field)) {
        let candidates: Vec<_> = spec.field_map.iter().filter(|(from, _)| *from == field).map(|(_, to)| *to).collect();
        let to = candidates.iter().find_map(|to| survey.meant(to)).map(|field| field.name.as_str());
        if let (None, Some(usual), false) = (to, candidates.first(), matches!(field, Field::Score | Field::Reasons)) {
            warnings.push(format!(
                "This {} account has no field {usual} to write to: {} is not sent.",
                spec.name,
                field.name()
            ));
        }
        // The parts of a name say the same as the whole.
        let told_by_parts = field == Field::FullName && to.is_none();
        if schema.position(field).is_some() && !told_by_parts || to.is_some() {
            rows.push(row(field.name(), to.unwrap_or_default()));
        }
    }
    if let Some(field) = survey.meant(spec.list_field) {
        rows.push(row(LIST_NAME, &field.name));
    }
    let custom = schema.columns.iter().filter(|column| column.field.is_none() && !column.header.is_empty());
    rows.extend(custom.map(|column| row(&column.header, "")));
    (rows, warnings)
}

fn row(from: &str, to: &str) -> MappingRow {
    MappingRow { from: from.to_owned(), to: to.to_owned() }
}

fn can_give(schema: &Schema, field: Field) -> bool {
    let has = |field| schema.position(field).is_some();
    match field {
        Field::FirstName | Field::LastName => has(field) || has(Field::FullName),
        Field::FullName => has(field) || has(Field::FirstName) || has(Field::LastName),
        field => has(field),
    }
}

#[derive(Clone, Debug)]
enum Source {
    FirstName,
    LastName,
    FullName,
    Column(usize),
    List,
}

/// A mapping made ready for one run: names resolved, fields that the account does not have left out.
#[derive(Debug)]
pub struct Mapping<'a> {
    spec: &'static Spec,
    survey: &'a Survey,
    schema: &'a Schema,
    list: &'a str,
    rows: Vec<(Source, &'a RemoteField)>,
    /// What the settings ask for and does not happen: rows with an unknown source or an unknown field.
    pub warnings: Vec<String>,
}

/// Why a lead would be refused, known before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule that it breaks.
    pub reason: String,
    /// What to do about it.
    pub next_step: String,
}

impl<'a> Mapping<'a> {
    /// Makes the settings' mapping ready.
    pub fn new(
        spec: &'static Spec,
        survey: &'a Survey,
        schema: &'a Schema,
        settings: &Settings,
        list: &'a str,
    ) -> Mapping<'a> {
        let mut mapping = Mapping { spec, survey, schema, list, rows: Vec::new(), warnings: Vec::new() };
        for row in settings.mapping.iter().filter(|row| !row.to.is_empty()) {
            // The key's own field is filled with the key, whatever else a row would put there.
            if survey.by == MatchBy::LeadKey && row.to == survey.key.field() {
                continue;
            }
            match (mapping.source(&row.from), survey.field(&row.to)) {
                (Some(source), Some(field)) => mapping.rows.push((source, field)),
                (None, _) => {
                    mapping.warnings.push(format!("The list has no column {}: nothing is sent for it.", row.from))
                }
                (_, None) => mapping.warnings.push(format!(
                    "This {} account has no field {} to write to: {} is not sent.",
                    spec.name, row.to, row.from
                )),
            }
        }
        mapping
    }

    fn source(&self, name: &str) -> Option<Source> {
        match Field::from_name(name) {
            Some(Field::FirstName) if can_give(self.schema, Field::FirstName) => Some(Source::FirstName),
            Some(Field::LastName) if can_give(self.schema, Field::LastName) => Some(Source::LastName),
            Some(Field::FullName) => Some(Source::FullName),
            _ => match self.schema.position_of(name) {
                Some(at) => Some(Source::Column(at)),
                None => (name == LIST_NAME).then_some(Source::List),
            },
        }
    }

    /// The lead as it will be written.
    pub fn outgoing(&self, position: u64, key: &str, lead: &Lead) -> Outgoing {
        let (first, last) = lead.first_and_last(self.schema);
        let mut values: Vec<(String, String)> = Vec::with_capacity(self.rows.len());
        for (source, field) in &self.rows {
            let value = match source {
                Source::FirstName => first.clone(),
                Source::LastName => last.clone(),
                Source::FullName => lead.display_name(self.schema),
                Source::Column(at) => lead.cell(*at).to_owned(),
                Source::List => self.list.to_owned(),
            };
            let value = value.trim();
            if !value.is_empty() && !values.iter().any(|(name, _)| *name == field.name) {
                values.push((field.name.clone(), value.to_owned()));
            }
        }
        Outgoing { position, key: self.fitting_key(key), email: lead.folded_email(self.schema), values }
    }

    /// The rule that a lead breaks, if any: a required field missing (where a record may be made), a value too long
    /// or not a number.
    pub fn refusal(&self, lead: &Outgoing, may_create: bool) -> Option<Refusal> {
        let name = self.spec.name;
        for field in self.survey.fields.iter().filter(|field| field.required && may_create) {
            if !lead.values.iter().any(|(name, _)| *name == field.name) {
                return Some(Refusal {
                    reason: format!("{name} makes no record without {}, and this lead has none", field.name),
                    next_step: format!("Fill it in, or map another column to {}.", field.name),
                });
            }
        }
        for (to, value) in &lead.values {
            let Some(field) = self.survey.field(to) else { continue };
            let length = value.chars().count();
            if field.length > 0 && length > field.length {
                return Some(Refusal {
                    reason: format!("{to} is {length} characters long; {name} takes {}", field.length),
                    next_step: format!("Shorten it in the file, or do not map {to}."),
                });
            }
            if NUMBERS.contains(&field.kind.as_str()) && !value.parse::<f64>().is_ok_and(f64::is_finite) {
                let shown = crate::text::clean(value).shorten(30);
                return Some(Refusal {
                    reason: format!("{to} takes a number in {name}; '{shown}' is none"),
                    next_step: format!("Correct it in the file, or do not map {to}."),
                });
            }
        }
        None
    }

    /// The key, or a digest of it where the account's field takes fewer characters.
    fn fitting_key(&self, key: &str) -> String {
        let longest = self.survey.field(self.survey.key.field()).map_or(0, |field| field.length);
        if self.survey.by != MatchBy::LeadKey || longest == 0 || key.chars().count() <= longest {
            return key.to_owned();
        }
        let digest = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        digest.chars().take(longest).collect()
    }

    /// Why a lead cannot be sent at all: there is nothing to recognise its record by.
    pub fn no_key(&self, lead: &Outgoing) -> Option<Refusal> {
        lead.match_value(self.survey.by).is_empty().then(|| Refusal {
            reason: format!("No e-mail, and {} recognises leads by e-mail", self.spec.name),
            next_step: "Fill in the e-mail address.".to_owned(),
        })
    }
}

/// Whether a record already says what a lead would write: same text, same number, or same e-mail but for case.
pub fn says_the_same(held: &[(String, String)], lead: &Outgoing) -> bool {
    lead.values.iter().all(|(name, value)| {
        held.iter().find(|(other, _)| other == name).is_some_and(|(_, held)| same_value(held, value))
    })
}

fn same_value(held: &str, ours: &str) -> bool {
    let (held, ours) = (held.trim(), ours.trim());
    let number = |text: &str| text.parse::<f64>().ok();
    let leading_zero = ours.len() > 1 && ours.starts_with('0') && !ours.starts_with("0.");
    held == ours
        || (ours.contains('@') && held.eq_ignore_ascii_case(ours))
        || (!leading_zero && number(ours).is_some() && number(held) == number(ours))
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
