//! Which standard field a header means: a table of the names that files give to the fields.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::key::hex;
use super::{Column, Field, Schema};

/// How sure the guess of a column's field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The header is the field's own name.
    Exact,
    /// The header is a usual name of the field.
    Synonym,
    /// The header is such a name with a number or a word around it: `Email 1`, `Contact Phone`.
    Fuzzy,
    /// No field: a custom field.
    Custom,
}

/// A guessed schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The columns with their fields.
    pub schema: Schema,
    /// How sure each column is; aligned with the columns.
    pub certainty: Vec<Certainty>,
}

/// Usual headers, folded (see [`fold`]); the more usual ones first.
const SYNONYMS: &[(Field, &[&str])] = &[
    (Field::Id, &["leadid", "contactid", "recordid", "customerid", "prospectid", "externalid", "uid", "uuid", "guid"]),
    (Field::FirstName, &["first", "fname", "firstname", "givenname", "forename", "vorname", "prenom", "nombre"]),
    (Field::LastName, &["last", "lname", "lastname", "surname", "familyname", "secondname", "nachname", "apellido"]),
    (
        Field::FullName,
        &["name", "fullname", "contactname", "leadname", "displayname", "ownername", "contact", "person"],
    ),
    (Field::Email, &["emailaddress", "mail", "mailaddress", "emailid", "emails", "correo"]),
    (
        Field::Phone,
        &[
            "phonenumber",
            "telephone",
            "mobile",
            "mobilephone",
            "mobilenumber",
            "cell",
            "cellphone",
            "cellnumber",
            "tel",
            "telephonenumber",
            "phoneno",
            "directphone",
            "directdial",
            "telefon",
        ],
    ),
    (
        Field::Company,
        &[
            "companyname",
            "organization",
            "organisation",
            "organizationname",
            "organisationname",
            "account",
            "accountname",
            "business",
            "businessname",
            "employer",
            "org",
            "firm",
            "firma",
        ],
    ),
    (Field::Title, &["jobtitle", "position", "role", "jobrole", "designation", "occupation", "job"]),
    (Field::Industry, &["sector", "vertical", "industryname", "companyindustry", "businesstype", "branche"]),
    (
        Field::Website,
        &[
            "url",
            "web",
            "site",
            "homepage",
            "websiteurl",
            "companywebsite",
            "webaddress",
            "domain",
            "companydomain",
            "websites",
        ],
    ),
    (
        Field::Street,
        &[
            "address",
            "streetaddress",
            "address1",
            "addressline1",
            "street1",
            "mailingaddress",
            "mailingstreet",
            "propertyaddress",
            "strasse",
        ],
    ),
    (Field::City, &["town", "locality", "mailingcity", "propertycity", "ort", "ciudad"]),
    (
        Field::State,
        &["province", "region", "stateregion", "stateprovince", "stateorprovince", "statecode", "mailingstate"],
    ),
    (
        Field::PostalCode,
        &[
            "zip",
            "zipcode",
            "postcode",
            "postal",
            "zippostalcode",
            "mailingzip",
            "mailingpostalcode",
            "postleitzahl",
            "plz",
        ],
    ),
    (Field::Country, &["countrycode", "countryname", "nation", "countryregion", "mailingcountry"]),
    (
        Field::Employees,
        &[
            "employeecount",
            "numberofemployees",
            "numemployees",
            "noofemployees",
            "companysize",
            "headcount",
            "staff",
            "employeesize",
        ],
    ),
    (Field::Revenue, &["annualrevenue", "companyrevenue", "turnover", "annualsales", "revenueusd", "umsatz"]),
    (Field::Tags, &["tag", "labels", "label", "keywords", "segments", "categories"]),
    (Field::Notes, &["note", "comments", "comment", "remarks", "description", "memo"]),
    (Field::Score, &["leadscore", "rating", "leadrating", "fitscore", "similarity", "similarityscore", "matchscore"]),
    (Field::Reasons, &["reason", "why", "whymatched", "explanation", "matchreasons", "scorereasons"]),
];

/// Words around a usual name that do not change what the column holds.
const AROUND: &[&str] = &[
    "contact", "lead", "prospect", "customer", "person", "primary", "main", "work", "business", "office", "company",
    "your",
];

/// A header without case, spaces, `_`, `-`, byte order mark and other marks.
fn fold(header: &str) -> String {
    header.chars().filter(|ch| ch.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The field a folded header names, and the rank of that guess: lower is better.
fn candidates(folded: &str) -> Vec<(Certainty, usize, Field)> {
    let named = |name: &str| {
        let own = Field::ALL.into_iter().find(|field| fold(field.name()) == name);
        own.map(|field| (0, field)).or_else(|| {
            SYNONYMS.iter().find_map(|(field, names)| {
                names.iter().position(|synonym| *synonym == name).map(|rank| (rank + 1, *field))
            })
        })
    };
    if let Some((rank, field)) = named(folded) {
        let certainty = if rank == 0 { Certainty::Exact } else { Certainty::Synonym };
        return vec![(certainty, rank, field)];
    }
    let bare = folded.trim_end_matches(|ch: char| ch.is_ascii_digit());
    let stripped = AROUND.iter().flat_map(|word| [bare.strip_prefix(word), bare.strip_suffix(word)]);
    std::iter::once(Some(bare))
        .chain(stripped)
        .flatten()
        // What is left of "Last Contact" is no name, and a company's id is not the lead's.
        .filter(|name| !matches!(*name, "first" | "last"))
        .filter_map(named)
        .filter(|(_, field)| *field != Field::Id)
        .map(|(rank, field)| (Certainty::Fuzzy, rank, field))
        .collect()
}

/// Guesses the fields of headers. Every field goes to at most one column: the surest guess has it, among equally sure ones the
/// more usual name, then the column that stands first.
pub fn guess(headers: &[String]) -> Guess {
    let mut all: Vec<(Certainty, usize, usize, Field)> = Vec::new();
    for (column, header) in headers.iter().enumerate() {
        all.extend(candidates(&fold(header)).into_iter().map(|(sure, rank, field)| (sure, rank, column, field)));
    }
    all.sort();
    let mut columns: Vec<Column> =
        headers.iter().map(|header| Column { header: header.clone(), field: None }).collect();
    let mut certainty = vec![Certainty::Custom; headers.len()];
    let mut taken = std::collections::HashSet::new();
    for (sure, _, column, field) in all {
        if columns[column].field.is_none() && taken.insert(field) {
            columns[column].field = Some(field);
            certainty[column] = sure;
        }
    }
    Guess { schema: Schema { columns }, certainty }
}

/// The fingerprint of a header set, under which a changed mapping is remembered: SHA-256 of the headers in their order, in hex.
pub fn fingerprint(schema: &Schema) -> String {
    let mut digest = Sha256::new();
    for column in &schema.columns {
        digest.update((column.header.len() as u64).to_le_bytes());
        digest.update(&column.header);
    }
    hex(&digest.finalize())
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
