//! The lead table: title line, header, the visible rows with their marks, and the line of a filter or search being typed.

use ratatui::layout::Rect;

use super::empty;
use crate::app::audience::{Audience, ColumnView, EditKind, Editing, Shows, Status};
use crate::app::{Focus, State, Target};
use crate::lead::{Field, Schema};
use crate::text::{Clean, clean};
use crate::tui::canvas::Canvas;
use crate::tui::layout::editing_lines;
use crate::tui::text::{count, field};
use crate::tui::theme::Role;

/// Columns before the first cell: the cursor, the mark, a space.
const MARGIN: u16 = 5;

/// Draws the pane.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, area: Rect) {
    let audience = &state.audience;
    let focused = state.focus == Focus::Table;
    let inside = canvas.panel(area, title(audience, area.width.saturating_sub(4)), focused);
    if inside.is_empty() {
        return;
    }
    if audience.columns.is_empty() {
        empty::draw(canvas, audience, inside, focused);
        return;
    }
    header(canvas, audience, Rect { height: 1, ..inside });
    let foot = editing_lines(state).min(inside.height);
    let rows = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1 + foot), ..inside };
    canvas.hit(inside, Target::Focus(Focus::Table));
    for (at, y) in (rows.y..rows.bottom()).enumerate() {
        row(canvas, state, at, Rect { y, height: 1, ..rows });
    }
    if audience.shown == 0 && rows.height > 0 {
        let text = match (&audience.status, audience.viewing, audience.filter.is_empty()) {
            (Status::Loading, ..) => clean("Reading…"),
            (_, Some(_), _) => clean("Filtering…"),
            (.., false) => clean("No lead matches the filter. Press F to show all again, / to change it."),
            _ => clean("There is no lead in this file."),
        };
        canvas.put(rows.x + 1, rows.y, rows.right(), &text, Role::Dim);
        if focused {
            canvas.cursor(rows.x + 1, rows.y);
        }
    }
    if let Some(editing) = &audience.editing {
        let area = Rect { y: inside.bottom() - foot, height: foot, ..inside };
        edit_line(canvas, editing, area);
    }
}

/// `Lookalike results · prospects.csv · 37 of 12,480 selected · filter: state=TX`; on a narrow screen what was selected
/// comes first.
fn title(audience: &Audience, columns: u16) -> Clean {
    if audience.generation == 0 {
        return clean("Lookalike results");
    }
    let kind = if audience.is_list { "Lead list" } else { "Lookalike results" };
    let about = &audience.about;
    let name = match (about.name.as_str(), audience.path.as_str()) {
        ("", "-") => "standard input",
        ("", path) => path,
        (name, _) => name,
    };
    let what = if name.is_empty() { kind.to_owned() } else { format!("{kind} · {name}") };
    if matches!(audience.status, Status::Failed(_)) {
        return clean(&format!("{what} · could not be opened"));
    }
    let selected = format!("{} of {} selected", count(audience.selection.len()), count(about.rows));
    let mut more = String::new();
    if !audience.filter.is_empty() {
        more.push_str(&format!(" · filter: {} ({} shown)", audience.filter, count(audience.shown)));
    }
    if let Some(done) = audience.viewing {
        let part = if done == 0 { String::new() } else { format!(" {}", count(done)) };
        more.push_str(&format!(" · working{part}, esc stops"));
    } else if audience.status == Status::Loading {
        more.push_str(&format!(" · reading{}", progress(about.read)));
    }
    if about.bad_count > 0 {
        more.push_str(&format!(" · {} bad", count(about.bad_count)));
    }
    let whole = clean(&format!("{what} · {selected}{more}"));
    if whole.width() <= usize::from(columns) { whole } else { clean(&format!("{selected}{more} · {what}")) }
}

/// ` 45 %`, or the bytes when their end is not known.
fn progress((read, all): (u64, u64)) -> String {
    match (read, all) {
        (0, _) => "…".to_owned(),
        (read, all) if all > 0 => format!(" {} %", read.min(all) * 100 / all),
        (read, _) => format!(" {} kB", count(read / 1024)),
    }
}

/// The columns that fit, with where each begins and ends.
fn columns(audience: &Audience, area: Rect) -> Vec<(&ColumnView, u16, u16)> {
    let mut x = area.x.saturating_add(MARGIN);
    let mut placed = Vec::new();
    for column in audience.visible_columns().skip(audience.left) {
        if x >= area.right() {
            break;
        }
        let end = x.saturating_add(column.width).min(area.right());
        placed.push((column, x, end));
        x = end.saturating_add(2);
    }
    // The last one may have the room that is left.
    if let Some(last) = placed.last_mut() {
        last.2 = area.right();
    }
    placed
}

fn header(canvas: &mut Canvas<'_, '_>, audience: &Audience, area: Rect) {
    let schema = audience.schema();
    if audience.left > 0 {
        canvas.put(area.x + 2, area.y, area.right(), canvas.sign("←", "<"), Role::Accent);
    }
    for (column, x, end) in columns(audience, area) {
        let mut name = match column.shows {
            Shows::Name => clean(field_title(Field::FullName)),
            Shows::Column(position) => column_title(schema, position),
        };
        if let Some((position, descending)) = audience.sort
            && column.shows == Shows::Column(position)
        {
            let sign = if descending { canvas.sign("▼", "v") } else { canvas.sign("▲", "^") };
            name = clean(&format!("{name}{sign}"));
        }
        if is_number(schema, column) {
            canvas.put_right(x, area.y, end.min(x + column.width), &name, Role::Accent);
        } else {
            canvas.put(x, area.y, end, &name, Role::Accent);
        }
    }
}

fn row(canvas: &mut Canvas<'_, '_>, state: &State, at: usize, area: Rect) {
    let audience = &state.audience;
    let position = audience.top + at as u64;
    if position >= audience.shown {
        return;
    }
    let here = position == audience.cursor;
    let has_keys = state.focus == Focus::Table && audience.editing.is_none();
    canvas.hit(area, Target::Row(at));
    if here {
        canvas.put(area.x, area.y, area.right(), canvas.sign("▸", ">"), Role::Accent);
    }
    let Some((id, lead)) = audience.row(position) else {
        canvas.put(area.x + 1, area.y, area.right(), "…", Role::Dim);
        if here && has_keys {
            canvas.cursor(area.x + 1, area.y);
        }
        return;
    };
    let selected = audience.selection.contains(*id);
    let role = if selected { Role::Selected } else { Role::Text };
    let mark = Rect { x: area.x + 1, width: 3.min(area.width), ..area };
    canvas.put(mark.x, mark.y, area.right(), if selected { "[x]" } else { "[ ]" }, role);
    canvas.hit(mark, Target::Mark(at));
    for (column, x, end) in columns(audience, area) {
        let text = match column.shows {
            Shows::Name => clean(&lead.display_name(audience.schema())),
            Shows::Column(position) => clean(lead.cell(position)),
        };
        if is_number(audience.schema(), column) {
            canvas.put_right(x, area.y, end.min(x + column.width), &text, role);
        } else {
            canvas.put(x, area.y, end, &text, role);
        }
    }
    if here && has_keys {
        canvas.focus_line(Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area });
        canvas.cursor(area.x + 2, area.y);
    }
}

fn is_number(schema: &Schema, column: &ColumnView) -> bool {
    let Shows::Column(position) = column.shows else { return false };
    schema.columns.get(position).is_some_and(|column| column.field == Some(Field::Score))
}

/// The head of a column: the standard field's name for people, else the header of the file.
pub fn column_title(schema: &Schema, position: usize) -> Clean {
    match schema.columns.get(position) {
        Some(column) => column.field.map_or_else(|| clean(&column.header), |field| clean(field_title(field))),
        None => Clean::default(),
    }
}

fn field_title(field: Field) -> &'static str {
    match field {
        Field::Id => "Id",
        Field::FirstName => "First name",
        Field::LastName => "Last name",
        Field::FullName => "Name",
        Field::Email => "Email",
        Field::Phone => "Phone",
        Field::Company => "Company",
        Field::Title => "Title",
        Field::Industry => "Industry",
        Field::Website => "Website",
        Field::Street => "Street",
        Field::City => "City",
        Field::State => "State",
        Field::PostalCode => "Postal code",
        Field::Country => "Country",
        Field::Employees => "Employees",
        Field::Revenue => "Revenue",
        Field::Tags => "Tags",
        Field::Notes => "Notes",
        Field::Score => "Score",
        Field::Reasons => "Why",
    }
}

fn edit_line(canvas: &mut Canvas<'_, '_>, editing: &Editing, area: Rect) {
    let (label, remark) = match editing.kind {
        EditKind::Filter => ("Filter ", "such as: state = TX and score >= 80 and not title ~ intern"),
        EditKind::Search => ("Search ", "enter finds it, n finds the next one"),
    };
    let x = canvas.put(area.x + 1, area.y, area.right(), label, Role::Accent);
    let right = area.right().saturating_sub(1);
    canvas.field((x, area.y, right), &editing.input, true, false);
    let y = area.y + 1;
    if y >= area.bottom() {
        return;
    }
    match &editing.error {
        Some((at, message)) if !editing.input.value().is_empty() => {
            // The caret stands below the letter it is about, as far as the field shows it.
            let before = editing.input.value().get(..*at).map_or(0, |before| clean(before).width());
            let (shown, _) = field(&editing.input, right.saturating_sub(x), false);
            let hidden = clean(editing.input.value()).width().saturating_sub(shown.width());
            let offset = u16::try_from(before.saturating_sub(hidden)).unwrap_or(u16::MAX);
            let caret = x.saturating_add(offset).min(right.saturating_sub(1));
            let message = clean(message);
            let width = u16::try_from(message.width()).unwrap_or(u16::MAX);
            canvas.put(caret, y, right, "^", Role::Bad);
            if width.saturating_add(2) <= right.saturating_sub(caret) {
                canvas.put(caret + 2, y, right, &message, Role::Bad);
            } else {
                // No room after the caret: before it, or over it where there is none either.
                let x = caret.saturating_sub(width.saturating_add(1));
                let (x, end) = if x > area.x { (x, caret) } else { (area.x + 1, right) };
                canvas.put(x, y, end, &message, Role::Bad);
            }
        }
        _ => {
            canvas.put(x, y, right, remark, Role::Dim);
        }
    }
}
