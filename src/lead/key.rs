//! The key by which a lead is recognised over versions of a list.

use sha2::{Digest, Sha256};

use super::{Field, Lead, Schema};

/// A stable key of a lead: its id (`id:…`), else its folded e-mail (`email:…`), else a digest of its cells (`row:…`, 32 hex
/// digits). This is personal data: never use it unsealed, nor as a key of the store.
pub fn lead_key(schema: &Schema, lead: &Lead) -> String {
    let id = lead.get(schema, Field::Id).trim();
    if !id.is_empty() {
        return format!("id:{id}");
    }
    let email = lead.folded_email(schema);
    if !email.is_empty() {
        return format!("email:{email}");
    }
    let mut digest = Sha256::new();
    // A lead that lost or gained empty cells at the end is the same lead.
    let filled = lead.cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |at| at + 1);
    for cell in &lead.cells[..filled] {
        digest.update((cell.len() as u64).to_le_bytes());
        digest.update(cell);
    }
    format!("row:{}", hex(&digest.finalize()[..16]))
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::Column;

    fn schema() -> Schema {
        let column = |header: &str, field| Column { header: header.into(), field };
        Schema { columns: vec![column("id", Some(Field::Id)), column("e", Some(Field::Email)), column("x", None)] }
    }

    fn key(cells: [&str; 3]) -> String {
        lead_key(&schema(), &Lead { cells: cells.map(str::to_owned).to_vec() })
    }

    #[test]
    fn a_lead_is_the_same_in_the_next_version_of_its_list() {
        assert_eq!(key([" 7 ", "a@b.test", "x"]), "id:7");
        assert_eq!(key(["", " A@B.test", "x"]), "email:a@b.test");
        let row = key(["", "", "x"]);
        assert!(row.starts_with("row:") && row.len() == 36, "{row}");
        assert_ne!(row, key(["", "", "y"]));
    }
}
