//! The board that takes the leads: which one it is, its columns as fields, its groups.

use serde::Deserialize;
use serde_json::{Value, json};

use super::graph;
use crate::crm::api::Api;
use crate::crm::call::words_of;
use crate::crm::{MatchBy, MatchKey, RemoteField, Survey, Trouble, TroubleKind};

/// The column that every item has.
pub(super) const NAME: &str = "name";

/// Where a lead carries the group that its item is made in; no column has such a name.
pub(super) const GROUP: &str = "group id";

/// The types of columns that one text can fill.
const WRITABLE: &[&str] = &[NAME, "text", "long_text", "email", "phone", "numbers", "link", "status", "date"];

/// Titles of a text column that holds a lead's key.
const KEY_TITLES: &[&str] = &["lookalike id", "lead external id", "leadferry id"];

/// The title of a board that leads go to when none is named.
const USUAL: &str = "leads";

/// Boards per page, and pages of boards that are looked through.
const BOARDS: usize = 50;
const PAGES: usize = 10;

/// The longest title of a group that is asked for.
const TITLE: usize = 255;

/// Boards that are offered by name.
const OFFERED: usize = 8;

#[derive(Deserialize)]
struct Boards {
    boards: Vec<Option<Board>>,
}

/// A board with its columns.
#[derive(Clone, Deserialize)]
pub(super) struct Board {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    r#type: Option<String>,
    columns: Option<Vec<Option<Column>>>,
}

#[derive(Clone, Deserialize)]
struct Column {
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    archived: bool,
}

impl Board {
    fn columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().flatten().flatten().filter(|column| !column.archived)
    }

    fn is_called(&self, name: &str) -> bool {
        self.name.trim().to_lowercase() == name.to_lowercase()
    }

    /// Whether leads can be found on it.
    fn takes_leads(&self) -> bool {
        let holds_items = self.r#type.as_deref().is_none_or(|kind| kind == "board");
        holds_items && (self.email_column().is_some() || self.key_column().is_some())
    }

    fn email_column(&self) -> Option<&Column> {
        self.columns().find(|column| column.r#type == "email")
    }

    fn key_column(&self) -> Option<&Column> {
        let titled = |column: &&Column| KEY_TITLES.contains(&column.title.trim().to_lowercase().as_str());
        self.columns().filter(titled).find(|column| column.r#type == "text")
    }

    fn survey(&self) -> Survey {
        let (key, by) = match (self.key_column(), self.email_column()) {
            (Some(column), _) => (column.id.clone(), MatchBy::LeadKey),
            (None, column) => (column.map(|column| column.id.clone()).unwrap_or_default(), MatchBy::Email),
        };
        let writable = self.columns().filter(|column| WRITABLE.contains(&column.r#type.as_str()));
        let fields = writable.map(|column| RemoteField {
            name: column.id.clone(),
            label: column.title.clone(),
            kind: column.r#type.clone(),
            length: match column.r#type.as_str() {
                NAME => 255,
                "long_text" => 2_000,
                _ => 0,
            },
            required: column.id == NAME,
            unique: false,
        });
        Survey { fields: fields.collect(), key: MatchKey::LookUp(key), by }
    }
}

/// The column of addresses by which items are found besides the key.
pub(super) fn email_field(survey: &Survey) -> Option<&RemoteField> {
    survey.fields.iter().find(|field| field.kind == "email")
}

/// The board that was named at sign-in; empty when none was.
pub(super) fn given(api: &Api) -> &str {
    api.field("board").trim()
}

/// The board's columns and how its items are recognised.
pub(super) async fn survey(api: &Api) -> Result<Survey, Trouble> {
    Ok(choose(api).await?.survey())
}

/// The number of the board.
pub(super) async fn id(api: &Api) -> Result<String, Trouble> {
    match api.noted("board") {
        Some(id) => Ok(id),
        None => Ok(choose(api).await?.id),
    }
}

/// Finds the board: the one that was named, else one called Leads, else the only one on which leads can be found.
pub(super) async fn choose(api: &Api) -> Result<Board, Trouble> {
    let given = given(api);
    let board = if !given.is_empty() && given.bytes().all(|byte| byte.is_ascii_digit()) {
        by_id(api, given).await?
    } else {
        pick(given, all(api).await?)?
    };
    api.note("board", board.id.clone());
    Ok(board)
}

const COLUMNS: &str = "id name type columns { id title type archived }";

async fn by_id(api: &Api, id: &str) -> Result<Board, Trouble> {
    let text = format!("query ($ids: [ID!]) {{ boards(ids: $ids) {{ {COLUMNS} }} }}");
    let found: Boards = graph::query(api, &text, json!({"ids": [id]})).await?;
    let board = found.boards.into_iter().flatten().next();
    let board = board.ok_or_else(|| unusable(format!("monday.com shows you no board of the number {id}")))?;
    if board.takes_leads() { Ok(board) } else { Err(no_email(&board)) }
}

async fn all(api: &Api) -> Result<Vec<Board>, Trouble> {
    let text = format!(
        "query ($limit: Int, $page: Int) {{ boards(limit: $limit, page: $page, state: active) {{ {COLUMNS} }} }}"
    );
    let mut boards = Vec::new();
    for page in 1..=PAGES {
        let found: Boards = graph::query(api, &text, json!({"limit": BOARDS, "page": page})).await?;
        let count = found.boards.len();
        boards.extend(found.boards.into_iter().flatten());
        if count < BOARDS {
            break;
        }
    }
    Ok(boards)
}

fn pick(given: &str, boards: Vec<Board>) -> Result<Board, Trouble> {
    let wanted = if given.is_empty() { USUAL } else { given };
    let usable: Vec<&Board> = boards.iter().filter(|board| board.takes_leads()).collect();
    let named: Vec<&Board> = usable.iter().copied().filter(|board| board.is_called(wanted)).collect();
    let fitting = if named.is_empty() && given.is_empty() { usable } else { named };
    match fitting.as_slice() {
        [only] => Ok((*only).clone()),
        [] if given.is_empty() => Err(unusable("None of your monday.com boards has an e-mail column".to_owned())),
        [] => Err(match boards.iter().find(|board| board.is_called(given)) {
            Some(board) => no_email(board),
            None => unusable(format!("monday.com shows you no board called '{given}'")),
        }),
        several => {
            let names: Vec<String> =
                several.iter().take(OFFERED).map(|board| format!("{} ({})", board.name, board.id)).collect();
            let count = several.len();
            Err(Trouble {
                kind: TroubleKind::Refused,
                message: words_of(&format!("{count} monday.com boards could take leads: {}.", names.join(", "))),
                next_step: "Choose one: connect again with --field board=NUMBER.".to_owned(),
            })
        }
    }
}

fn unusable(message: String) -> Trouble {
    Trouble {
        kind: TroubleKind::Refused,
        message: words_of(&format!("{message}.")),
        next_step: "Connect again with --field board=NAME of a board with an e-mail column that you may edit."
            .to_owned(),
    }
}

fn no_email(board: &Board) -> Trouble {
    Trouble {
        kind: TroubleKind::Refused,
        message: words_of(&format!("The monday.com board '{}' has no e-mail column to find leads by.", board.name)),
        next_step: "Add a column of the type Email to the board, or connect again with another board.".to_owned(),
    }
}

#[derive(Deserialize)]
struct Group {
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default)]
    deleted: Option<bool>,
}

/// The id of the board's group of this title; one that is not there is made.
pub(super) async fn group(api: &Api, title: &str) -> Result<String, Trouble> {
    #[derive(Deserialize)]
    struct Data {
        boards: Vec<Groups>,
    }
    #[derive(Deserialize)]
    struct Groups {
        groups: Option<Vec<Option<Group>>>,
    }
    let title: String = title.chars().take(TITLE).collect();
    let board = id(api).await?;
    let text = "query ($ids: [ID!]) { boards(ids: $ids) { groups { id title archived deleted } } }";
    let found: Data = graph::query(api, text, json!({"ids": [board]})).await?;
    let groups = found.boards.into_iter().filter_map(|board| board.groups).flatten().flatten();
    let is_there = |group: &Group| group.archived != Some(true) && group.deleted != Some(true);
    if let Some(known) = groups.into_iter().find(|group| is_there(group) && group.title.trim() == title.trim()) {
        return Ok(known.id);
    }
    let text = "mutation ($board: ID!, $title: String!) { create_group(board_id: $board, group_name: $title) { id } }";
    let made: Value = graph::query(api, text, json!({"board": board, "title": title})).await?;
    made.pointer("/create_group/id").and_then(Value::as_str).map(str::to_owned).ok_or_else(|| Trouble {
        kind: TroubleKind::Vendor,
        message: "monday.com does not say which group it made.".to_owned(),
        next_step: String::new(),
    })
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
