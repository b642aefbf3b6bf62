//! `leadferry list diff`: what came, went and changed between two versions of a list.

use std::collections::HashMap;

use clap::Args;
use serde_json::json;

use super::{block, lead_object, pick, versions};
use crate::cli::columns::Columns;
use crate::cli::out::Out;
use crate::cli::session::Session;
use crate::failure::{Code, Failure};
use crate::lead::{Lead, Schema, lead_key};
use crate::list::ListVersion;

/// `leadferry list diff`
#[derive(Debug, Args)]
pub struct Diff {
    /// The list's name
    name: String,
    /// The older version; the one before TO unless given
    from: Option<u32>,
    /// The newer version; the newest unless given
    to: Option<u32>,
}

/// One version's columns and leads.
type Leads = (Schema, Vec<Lead>);

/// What is different; positions count in their own version.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    added: Vec<usize>,
    removed: Vec<usize>,
    changed: Vec<Changed>,
}

#[derive(Debug, PartialEq, Eq)]
struct Changed {
    /// Its position in the newer version.
    position: usize,
    /// Column, value before, value after.
    fields: Vec<(String, String, String)>,
}

impl Diff {
    /// Carries it out.
    pub async fn run(self, session: &Session, out: &mut Out) -> Result<u8, Failure> {
        let (list, versions) = versions(session, &self.name).await?;
        let to = pick(&list, &versions, self.to)?;
        let from = match self.from {
            Some(number) => Some(number),
            None => versions.iter().map(|version| version.version).filter(|number| *number < to.version).max(),
        };
        let Some(from) = from else {
            let message = format!("{} has no version before {}.", list.name, to.version);
            return Err(Failure::new(Code::Usage, message, "Save the list anew to make one."));
        };
        let from = pick(&list, &versions, Some(from))?;
        let before = leads(session, &list.name, &from).await?;
        let after = leads(session, &list.name, &to).await?;
        let difference = compare(&before, &after);
        if out.is_json() {
            out.json(&json!({
                "list": list.name, "from": from.version, "to": to.version,
                "added": objects(&after, &difference.added), "removed": objects(&before, &difference.removed),
                "changed": difference.changed.iter().map(|changed| changed.object(&after)).collect::<Vec<_>>(),
            }))?;
            return Ok(0);
        }
        let (added, removed, changed) = (difference.added.len(), difference.removed.len(), difference.changed.len());
        out.line(format!(
            "{}, version {} to {}: {added} added, {removed} removed, {changed} changed",
            list.name, from.version, to.version
        ))?;
        difference.print(&before, &after, out)?;
        Ok(0)
    }
}

async fn leads(session: &Session, name: &str, version: &ListVersion) -> Result<Leads, Failure> {
    let mut all = Vec::new();
    for n in 0..version.blocks {
        all.extend(block(session, name, version.version, n).await?.1);
    }
    Ok((version.schema.clone(), all))
}

/// Leads are the same when their key is; of several with one key the first meets the first, and so on.
fn compare(before: &Leads, after: &Leads) -> Difference {
    let mut old: HashMap<String, Vec<usize>> = HashMap::new();
    for (position, lead) in before.1.iter().enumerate().rev() {
        old.entry(lead_key(&before.0, lead)).or_default().push(position);
    }
    let mut difference = Difference::default();
    for (position, lead) in after.1.iter().enumerate() {
        match old.get_mut(&lead_key(&after.0, lead)).and_then(Vec::pop) {
            None => difference.added.push(position),
            Some(was) => {
                let fields = changes((&before.0, &before.1[was]), (&after.0, lead));
                if !fields.is_empty() {
                    difference.changed.push(Changed { position, fields });
                }
            }
        }
    }
    difference.removed = old.into_values().flatten().collect();
    difference.removed.sort_unstable();
    difference
}

/// Columns are matched by name; one that a version lacks counts as empty there.
fn changes((old, was): (&Schema, &Lead), (new, is): (&Schema, &Lead)) -> Vec<(String, String, String)> {
    let value = |schema: &Schema, lead: &Lead, name: &str| {
        let at = (0..schema.columns.len()).find(|at| schema.name(*at) == name);
        at.map_or_else(String::new, |at| lead.cell(at).to_owned())
    };
    let mut names: Vec<&str> = (0..new.columns.len()).map(|at| new.name(at)).collect();
    for gone in (0..old.columns.len()).map(|at| old.name(at)) {
        if !names.contains(&gone) {
            names.push(gone);
        }
    }
    let values = names.into_iter().map(|name| (name.to_owned(), value(old, was, name), value(new, is, name)));
    values.filter(|(_, before, after)| before != after).collect()
}

fn objects((schema, leads): &Leads, positions: &[usize]) -> Vec<serde_json::Value> {
    positions.iter().map(|position| lead_object(schema, &leads[*position])).collect()
}

/// What a person recognises a lead by.
fn label((schema, leads): &Leads, position: usize) -> String {
    let lead = &leads[position];
    let email = lead.folded_email(schema);
    let names = [lead.display_name(schema), email].into_iter().filter(|text| !text.is_empty());
    let label = names.collect::<Vec<_>>().join(", ");
    if label.is_empty() { lead_key(schema, lead) } else { label }
}

impl Changed {
    fn object(&self, after: &Leads) -> serde_json::Value {
        let fields = self.fields.iter();
        let fields = fields.map(|(field, before, after)| json!({ "field": field, "before": before, "after": after }));
        json!({ "lead": label(after, self.position), "fields": fields.collect::<Vec<_>>() })
    }
}

impl Difference {
    fn print(&self, before: &Leads, after: &Leads, out: &mut Out) -> Result<(), Failure> {
        let mut table = Columns::new(&["", "Lead", "Change"]);
        for position in &self.added {
            table.row(["+".into(), label(after, *position), "added".into()]);
        }
        for position in &self.removed {
            table.row(["-".into(), label(before, *position), "removed".into()]);
        }
        for changed in &self.changed {
            for (field, was, is) in &changed.fields {
                table.row(["~".into(), label(after, changed.position), format!("{field}: {was} → {is}")]);
            }
        }
        table.print(out, "The leads are the same.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::{Column, Field};

    fn leads(columns: &[(&str, Option<Field>)], rows: &[&[&str]]) -> Leads {
        let columns =
            columns.iter().map(|(header, field)| Column { header: (*header).into(), field: *field }).collect();
        let lead = |cells: &&[&str]| Lead { cells: cells.iter().map(|cell| (*cell).to_owned()).collect() };
        (Schema { columns }, rows.iter().map(lead).collect())
    }

    #[test]
    fn a_person_sees_who_came_who_went_and_what_changed() {
        let columns = [("id", Some(Field::Id)), ("Town", Some(Field::City))];
        let before = leads(&columns, &[&["1", "Austin"], &["2", "Waco"], &["3", "Dallas"]]);
        let after = leads(&columns, &[&["3", "Dallas"], &["1", "Houston"], &["4", "Waco"]]);
        let difference = compare(&before, &after);
        assert_eq!((difference.added, difference.removed), (vec![2], vec![1]));
        let fields = vec![("city".to_owned(), "Austin".to_owned(), "Houston".to_owned())];
        assert_eq!(difference.changed, [Changed { position: 1, fields }]);
    }

    #[test]
    fn another_order_of_columns_is_no_change_and_a_lost_column_is_one() {
        let before = leads(&[("id", Some(Field::Id)), ("a", None), ("b", None)], &[&["1", "x", "y"]]);
        let turned = leads(&[("b", None), ("id", Some(Field::Id)), ("a", None)], &[&["y", "1", "x"]]);
        assert_eq!(compare(&before, &turned), Difference::default());
        let shorter = leads(&[("id", Some(Field::Id)), ("a", None)], &[&["1", "x"]]);
        let changed = compare(&before, &shorter).changed;
        assert_eq!(changed[0].fields, [("b".to_owned(), "y".to_owned(), String::new())]);
    }
}
