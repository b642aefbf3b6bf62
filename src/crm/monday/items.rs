//! Items of the board: found by key and e-mail, made and changed by several mutations in one document.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::board::{self, GROUP, NAME};
use super::graph::{self, Answer};
use super::{errors, values};
use crate::crm::api::Api;
use crate::crm::call::words_of;
use crate::crm::{Found, MatchBy, Outgoing, RemoteField, Survey, Trouble, TroubleKind, Write, Written};
use crate::lead::fold_email;
use crate::sync::Outcome;

/// Items per page of a look-up: room for doubles, and no more, since what is asked for counts whether it is there or not.
const fn page_of(leads: usize) -> usize {
    if leads < 20 { 50 } else { leads * 2 }
}

/// Pages of one look-up that are read.
const PAGES: usize = 20;

const ITEM: &str = "cursor items { id name created_at group { id } column_values(ids: $shown) { id text value } }";

#[derive(Deserialize, Default)]
struct Page {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    items: Vec<Item>,
}

/// An item as look-ups show it.
#[derive(Deserialize)]
struct Item {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    column_values: Vec<values::Cell>,
}

impl Item {
    fn cell(&self, column: &str) -> Option<&values::Cell> {
        self.column_values.iter().find(|cell| cell.id == column)
    }

    /// What the item holds where a lead would write `ours`.
    fn held(&self, survey: &Survey, column: &str, ours: &str) -> String {
        match (column, self.cell(column)) {
            (NAME, _) => self.name.clone(),
            // An item stays in the group that it is in.
            (GROUP, _) => ours.to_owned(),
            (_, None) => String::new(),
            (_, Some(cell)) => cell.held(survey.field(column).map_or("", |field| field.kind.as_str()), ours),
        }
    }

    fn fits(&self, survey: &Survey, lead: &Outgoing) -> bool {
        let by_key = survey.by == MatchBy::LeadKey
            && self.cell(survey.key.field()).is_some_and(|cell| cell.held("text", "") == lead.key);
        let email = board::email_field(survey).and_then(|field| self.cell(&field.name));
        let by_email =
            !lead.email.is_empty() && email.is_some_and(|cell| fold_email(&cell.held("email", "")) == lead.email);
        by_key || by_email
    }
}

/// Looks leads up by e-mail, and by key where the board has a column for it, in one document.
pub(super) async fn find(api: &Api, survey: &Survey, leads: &[Outgoing]) -> Result<Vec<Found>, Trouble> {
    let by = columns_of(survey, leads);
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    if !by.is_empty() {
        let (parameters, fields) = look_ups(by.len());
        let text = format!("query ($board: ID!, $shown: [String!], $limit: Int!{parameters}) {{{fields} }}");
        let mut variables =
            json!({"board": board::id(api).await?, "shown": shown(survey, leads), "limit": page_of(leads.len())});
        for (at, (column, wanted)) in by.into_iter().enumerate() {
            variables[format!("by{at}")] = json!([{"column_id": column, "column_values": wanted}]);
        }
        let pages: BTreeMap<String, Page> = graph::query(api, &text, variables.clone()).await?;
        for page in pages.into_values() {
            for item in rest(api, page, &variables).await? {
                items.insert(item.id.clone(), item);
            }
        }
    }
    Ok(leads.iter().map(|lead| found(survey, &items, lead)).collect())
}

/// The columns to look in, each with the values to look for: addresses as the list has them and folded, since whether case
/// matters is not documented.
fn columns_of<'a>(survey: &'a Survey, leads: &'a [Outgoing]) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut by: Vec<(&str, Vec<&str>)> = Vec::new();
    if survey.by == MatchBy::LeadKey {
        by.push((survey.key.field(), leads.iter().map(|lead| lead.key.as_str()).collect()));
    }
    if let Some(field) = board::email_field(survey) {
        let written = |lead: &'a Outgoing| lead.values.iter().find(|(name, _)| *name == field.name);
        let mut emails: Vec<&str> = leads
            .iter()
            .flat_map(|lead| [Some(lead.email.as_str()), written(lead).map(|(_, value)| value.as_str())])
            .flatten()
            .filter(|email| !email.is_empty())
            .collect();
        emails.sort_unstable();
        emails.dedup();
        by.push((&field.name, emails));
    }
    by.retain(|(_, wanted)| !wanted.is_empty());
    by
}

/// Parameters and fields of a document with this many look-ups.
fn look_ups(count: usize) -> (String, String) {
    let parameters = (0..count).map(|at| format!(", $by{at}: [ItemsPageByColumnValuesQuery!]")).collect();
    let field = |at| {
        format!(" by{at}: items_page_by_column_values(limit: $limit, board_id: $board, columns: $by{at}) {{ {ITEM} }}")
    };
    (parameters, (0..count).map(field).collect())
}

fn shown(survey: &Survey, leads: &[Outgoing]) -> Vec<String> {
    let own = [Some(survey.key.field().to_owned()), board::email_field(survey).map(|field| field.name.clone())];
    let mapped = leads.iter().flat_map(|lead| &lead.values).map(|(name, _)| name.clone());
    let mut shown: Vec<String> = own.into_iter().flatten().chain(mapped).collect();
    shown.retain(|name| !matches!(name.as_str(), NAME | GROUP | ""));
    shown.sort_unstable();
    shown.dedup();
    shown
}

/// A page's items and those of the pages after it.
async fn rest(api: &Api, first: Page, asked: &Value) -> Result<Vec<Item>, Trouble> {
    #[derive(Deserialize)]
    struct Next {
        next_items_page: Page,
    }
    let text = format!(
        "query ($cursor: String!, $shown: [String!], $limit: Int!) {{ next_items_page(cursor: $cursor, limit: $limit) \
         {{ {ITEM} }} }}"
    );
    let (mut items, mut cursor) = (first.items, first.cursor);
    for _ in 0..PAGES {
        let Some(at) = cursor else { break };
        let variables = json!({"cursor": at, "shown": asked["shown"], "limit": asked["limit"]});
        let page = graph::query::<Next>(api, &text, variables).await?.next_items_page;
        items.extend(page.items);
        cursor = page.cursor;
    }
    Ok(items)
}

fn found(survey: &Survey, items: &BTreeMap<String, Item>, lead: &Outgoing) -> Found {
    let fitting: Vec<&Item> = items.values().filter(|item| item.fits(survey, lead)).collect();
    match fitting.as_slice() {
        [] => Found::None,
        [item] => Found::One {
            id: item.id.clone(),
            values: lead.values.iter().map(|(name, ours)| (name.clone(), item.held(survey, name, ours))).collect(),
            created: item.created_at.as_deref().and_then(|time| time.parse::<Timestamp>().ok()),
        },
        several => Found::Several(several.iter().map(|item| item.id.clone()).collect()),
    }
}

/// Writes leads by one document with a mutation each; one that is refused does not keep the others from being carried out.
pub(super) async fn write(api: &Api, survey: &Survey, leads: &[(Outgoing, Write)]) -> Result<Vec<Written>, Trouble> {
    let (text, mut variables) = mutations(survey, leads);
    variables["board"] = json!(board::id(api).await?);
    let only_changes = leads.iter().all(|(_, write)| matches!(write, Write::Update { .. }));
    let answer = graph::mutate(api, &text, variables, only_changes).await?;
    Ok(leads.iter().enumerate().map(|(at, (lead, write))| written(&answer, &format!("m{at}"), lead, write)).collect())
}

/// The document and its variables, but for the board.
fn mutations(survey: &Survey, leads: &[(Outgoing, Write)]) -> (String, Value) {
    let kind = |name: &str| survey.field(name).map_or("", |field: &RemoteField| field.kind.as_str());
    // Labels that are new need a right to change the board, so they are asked for only where a lead has one.
    let labelled = leads.iter().flat_map(|(lead, _)| &lead.values).any(|(name, _)| kind(name) == "status");
    let (mut parameters, mut fields) = (String::new(), String::new());
    let mut variables = json!({"labels": labelled});
    for (at, (lead, write)) in leads.iter().enumerate() {
        let mut columns: Map<String, Value> = Map::new();
        for (name, value) in lead.values.iter().filter(|(name, _)| name != GROUP) {
            columns.insert(name.clone(), values::on_the_wire(kind(name), value));
        }
        if survey.by == MatchBy::LeadKey {
            columns.insert(survey.key.field().to_owned(), json!(lead.key));
        }
        let common = "board_id: $board, create_labels_if_missing: $labels";
        if let Write::Update { id } = write {
            parameters.push_str(&format!(", $i{at}: ID!, $v{at}: JSON!"));
            fields.push_str(&format!(
                " m{at}: change_multiple_column_values({common}, item_id: $i{at}, column_values: $v{at}) \
                 {{ id group {{ id title }} }}"
            ));
            variables[format!("i{at}")] = json!(id);
        } else {
            parameters.push_str(&format!(", $n{at}: String!, $g{at}: String, $v{at}: JSON"));
            fields.push_str(&format!(
                " m{at}: create_item({common}, group_id: $g{at}, item_name: $n{at}, column_values: $v{at}) \
                 {{ id group {{ id title }} }}"
            ));
            variables[format!("n{at}")] = columns.remove(NAME).unwrap_or_else(|| json!(lead.email));
            variables[format!("g{at}")] = json!(group_of(lead));
        }
        // The vendor wants the columns' JSON as a text.
        variables[format!("v{at}")] = json!(Value::Object(columns).to_string());
    }
    (format!("mutation ($board: ID!, $labels: Boolean{parameters}) {{{fields} }}"), variables)
}

fn group_of(lead: &Outgoing) -> Option<&str> {
    lead.values.iter().find(|(name, _)| name == GROUP).map(|(_, group)| group.as_str())
}

/// What became of one lead of a document.
fn written(answer: &Answer, field: &str, lead: &Outgoing, write: &Write) -> Written {
    let end = |outcome, remote_id: &str, reason: String, next_step: &str| Written {
        outcome,
        remote_id: remote_id.to_owned(),
        reason,
        next_step: next_step.to_owned(),
    };
    if let Some(id) = answer.field(field).and_then(|item| item.get("id")?.as_str()) {
        let Write::Update { .. } = write else { return end(Outcome::Created, id, String::new(), "") };
        let text = |name: &str| answer.field(field)?.pointer(&format!("/group/{name}"))?.as_str();
        return match (group_of(lead), text("id")) {
            (Some(ours), Some(theirs)) if ours != theirs => {
                let title = words_of(text("title").unwrap_or(theirs));
                let reason = format!("Updated where it is: in the group '{title}'");
                end(Outcome::Updated, id, reason, "Move it in monday.com if it belongs elsewhere.")
            }
            _ => end(Outcome::Updated, id, String::new(), ""),
        };
    }
    let Some(error) = answer.error(field) else {
        return end(Outcome::Unknown, "", "monday.com's answer does not mention this lead".to_owned(), "");
    };
    let trouble = errors::of(error);
    let outcome = match trouble.kind {
        // Whatever went before it in the document may have used up what there was.
        TroubleKind::Busy { .. } | TroubleKind::Quota { .. } => Outcome::Pending,
        // It may or may not have happened.
        TroubleKind::Vendor => Outcome::Unknown,
        _ => Outcome::Failed,
    };
    end(outcome, "", trouble.message, &trouble.next_step)
}

#[cfg(test)]
#[path = "items_tests.rs"]
mod tests;
