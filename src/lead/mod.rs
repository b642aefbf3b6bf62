//! A lead, its fields, and everything that reads, filters, orders and writes leads.
//!
//! A [`Lead`] is a row of cells; a [`Schema`] says what the cells mean. Values stay byte for byte what the file said;
//! normal forms (folded e-mail, phone digits) are derived when something has to be compared.

mod cancel;
mod chunk;
mod delimited;
pub mod duplicates;
mod encoding;
pub mod export;
mod feed;
pub mod filter;
mod format;
mod index;
mod jsonl;
mod key;
mod layout;
pub mod mapping;
mod open;
mod row;
mod scan;
pub mod selection;
mod table;
#[cfg(test)]
pub(crate) mod test_tables;
pub mod view;

pub use self::cancel::Cancel;
pub use self::chunk::{BadReason, BadRow};
pub use self::format::Format;
pub use self::key::lead_key;
pub use self::open::{OpenOptions, Source};
pub use self::row::{Cells, Row};
pub use self::scan::Block;
pub use self::table::{Progress, Table};

use serde::{Deserialize, Serialize};

/// A standard field. Columns that match none are custom fields and keep their header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Field {
    Id,
    FirstName,
    LastName,
    FullName,
    Email,
    Phone,
    Company,
    Title,
    Industry,
    Website,
    Street,
    City,
    State,
    PostalCode,
    Country,
    Employees,
    Revenue,
    Tags,
    Notes,
    Score,
    Reasons,
}

impl Field {
    /// Every standard field, in the order in which screens list them.
    pub const ALL: [Field; 21] = [
        Field::Id,
        Field::FirstName,
        Field::LastName,
        Field::FullName,
        Field::Email,
        Field::Phone,
        Field::Company,
        Field::Title,
        Field::Industry,
        Field::Website,
        Field::Street,
        Field::City,
        Field::State,
        Field::PostalCode,
        Field::Country,
        Field::Employees,
        Field::Revenue,
        Field::Tags,
        Field::Notes,
        Field::Score,
        Field::Reasons,
    ];

    /// The name in filters, mappings, exports and `--json`: `first_name`.
    pub fn name(self) -> &'static str {
        match self {
            Field::Id => "id",
            Field::FirstName => "first_name",
            Field::LastName => "last_name",
            Field::FullName => "full_name",
            Field::Email => "email",
            Field::Phone => "phone",
            Field::Company => "company",
            Field::Title => "title",
            Field::Industry => "industry",
            Field::Website => "website",
            Field::Street => "street",
            Field::City => "city",
            Field::State => "state",
            Field::PostalCode => "postal_code",
            Field::Country => "country",
            Field::Employees => "employees",
            Field::Revenue => "revenue",
            Field::Tags => "tags",
            Field::Notes => "notes",
            Field::Score => "score",
            Field::Reasons => "reasons",
        }
    }

    /// The field of this exact name.
    pub fn from_name(name: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// One column of a file: its header as it stands there, and the standard field it holds, if any.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// The header, byte for byte (converted to UTF-8).
    pub header: String,
    /// The standard field; `None` for a custom field.
    pub field: Option<Field>,
}

/// What the cells of a lead mean, in the order of the file's columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Schema {
    /// The columns; no standard field stands twice.
    pub columns: Vec<Column>,
}

impl Schema {
    /// The position of a standard field.
    pub fn position(&self, field: Field) -> Option<usize> {
        self.columns.iter().position(|column| column.field == Some(field))
    }

    /// The position of a name as people write it: a standard field first, else an original header (exact, then folding case).
    pub fn position_of(&self, name: &str) -> Option<usize> {
        Field::from_name(name)
            .and_then(|field| self.position(field))
            .or_else(|| self.columns.iter().position(|column| column.header == name))
            .or_else(|| {
                let folded = name.to_lowercase();
                Field::from_name(&folded)
                    .and_then(|field| self.position(field))
                    .or_else(|| self.columns.iter().position(|column| column.header.to_lowercase() == folded))
            })
    }

    /// The name by which filters, mappings and templates address a column: the standard field's, else the header.
    pub fn name(&self, position: usize) -> &str {
        match self.columns.get(position) {
            Some(Column { field: Some(field), .. }) => field.name(),
            Some(column) => &column.header,
            None => "",
        }
    }
}

/// One person or business: a cell per column of its [`Schema`]. A missing value is an empty cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lead {
    /// The values, aligned with the schema's columns; a short row counts as having empty cells at the end.
    pub cells: Vec<String>,
}

impl Lead {
    /// The value of a standard field; `""` when the column or the value is missing.
    pub fn get<'a>(&'a self, schema: &Schema, field: Field) -> &'a str {
        schema.position(field).and_then(|at| self.cells.get(at)).map_or("", String::as_str)
    }

    /// The value at a column; `""` past the end of a short row.
    pub fn cell(&self, position: usize) -> &str {
        self.cells.get(position).map_or("", String::as_str)
    }

    /// The name to show: `full_name`, else first and last name joined.
    pub fn display_name(&self, schema: &Schema) -> String {
        let full = self.get(schema, Field::FullName);
        if !full.is_empty() {
            return full.to_owned();
        }
        let (first, last) = (self.get(schema, Field::FirstName), self.get(schema, Field::LastName));
        match (first.is_empty(), last.is_empty()) {
            (false, false) => format!("{first} {last}"),
            (false, true) => first.to_owned(),
            _ => last.to_owned(),
        }
    }

    /// First and last name; split from the full name at its last space when the file has only that.
    pub fn first_and_last(&self, schema: &Schema) -> (String, String) {
        let (first, last) = (self.get(schema, Field::FirstName), self.get(schema, Field::LastName));
        if !first.is_empty() || !last.is_empty() {
            return (first.to_owned(), last.to_owned());
        }
        let full = self.get(schema, Field::FullName).trim();
        match full.rsplit_once(' ') {
            Some((first, last)) => (first.trim().to_owned(), last.to_owned()),
            None => (String::new(), full.to_owned()),
        }
    }

    /// The address folded for matching: trimmed, lower case. Empty when there is none.
    pub fn folded_email(&self, schema: &Schema) -> String {
        fold_email(self.get(schema, Field::Email))
    }
}

/// An e-mail address folded for matching: trimmed, lower case.
pub fn fold_email(email: &str) -> String {
    email.trim().to_lowercase()
}
