//! "Sync to Your Systems": a button per CRM and the webhook button, each saying what it does or why it cannot.

use ratatui::layout::Rect;

use crate::app::send::grid_columns;
use crate::app::{Focus, Platform, State, Target};
use crate::text::{Clean, clean};
use crate::tui::canvas::{ButtonState, Canvas};
use crate::tui::layout::{Pane, pane_of};
use crate::tui::text::count;
use crate::tui::theme::Role;

/// Draws the pane.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, area: Rect) {
    let focused = pane_of(state.focus) == Pane::Grid;
    let inside = canvas.panel(area, "Sync to Your Systems", focused);
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(1), ..inside };
    let across = u16::try_from(grid_columns(state.platforms.len(), state.size.0)).unwrap_or(1);
    let width = inside.width / across.max(1);
    let enabled = state.guard().is_none() && state.saving.is_none();
    let lines = u16::try_from(state.platforms.len()).unwrap_or(0).div_ceil(across);
    for (at, platform) in state.platforms.iter().enumerate() {
        let index = u16::try_from(at).unwrap_or(u16::MAX);
        let (column, line) = (index % across, index / across);
        // Where the lines do not all fit, those around the focus do, and the webhook button keeps its own.
        let skip = match state.focus {
            Focus::Crm(at) => {
                let focused = u16::try_from(at).unwrap_or(0) / across;
                (focused + 2).saturating_sub(inside.height).min(lines)
            }
            _ => (lines + 1).saturating_sub(inside.height),
        };
        let Some(y) = line.checked_sub(skip).map(|line| inside.y + line) else { continue };
        if y + 1 >= inside.bottom() {
            continue;
        }
        let x = inside.x + column * width;
        let button = ButtonState { focused: state.focus == Focus::Crm(at), enabled };
        let end = canvas.button((x, y, x + width), &label(canvas, state, platform), button);
        canvas.hit(Rect { x, y, width: end - x, height: 1 }, Target::Focus(Focus::Crm(at)));
    }
    if inside.height > 0 {
        let y = (inside.y + lines).min(inside.bottom() - 1);
        webhook_button(canvas, state, Rect { y, height: 1, ..inside }, enabled);
    }
    if focused {
        canvas.foot(area, &foot(state), Role::Accent);
    }
}

fn label(canvas: &Canvas<'_, '_>, state: &State, platform: &Platform) -> Clean {
    let sign = match state.connection(&platform.id) {
        Some(connection) if connection.trouble.is_some() => "!",
        Some(_) => canvas.sign("✓", "+"),
        None => canvas.sign("↗", ">"),
    };
    clean(&format!("{} {sign}", platform.name))
}

fn webhook_button(canvas: &mut Canvas<'_, '_>, state: &State, area: Rect, enabled: bool) {
    let (left, right) = (" Setup Webhook Integration", "Custom sync → ");
    let room = usize::from(area.width.saturating_sub(3));
    let gap = room.saturating_sub(left.len() + clean(right).width());
    let label = if gap > 0 { clean(&format!("{left}{}{right}", " ".repeat(gap))) } else { clean(left) };
    let button = ButtonState { focused: state.focus == Focus::Webhook, enabled };
    let end = canvas.button((area.x, area.y, area.right()), &label, button);
    canvas.hit(Rect { width: end - area.x, ..area }, Target::Focus(Focus::Webhook));
}

/// Why the buttons are disabled, as a hint says it.
pub fn why_not(state: &State) -> Option<&'static str> {
    let why = state.guard()?;
    Some(if state.audience.selection.is_empty() {
        "Select at least one lead"
    } else if state.name.value().trim().is_empty() {
        "Enter a list name"
    } else {
        why
    })
}

/// What the focused button does.
fn foot(state: &State) -> Clean {
    let leads = match state.audience.selection.len() {
        1 => "the selected lead".to_owned(),
        many => format!("the {} selected leads", count(many)),
    };
    if state.saving.is_some() {
        return clean("A save is under way");
    }
    if let Some(why) = why_not(state) {
        return clean(why);
    }
    let platform = match state.focus {
        Focus::Crm(at) => state.platforms.get(at),
        _ => None,
    };
    let Some(platform) = platform else { return clean(&format!("Opens the webhook form, then sends {leads}")) };
    clean(&match state.connection(&platform.id) {
        Some(known) if known.trouble.is_some() => format!("Signs in to {} again, then sends {leads}", platform.name),
        Some(_) => format!("Asks you to confirm, then sends {leads} to {}", platform.name),
        None => format!("Opens {} sign-in, then sends {leads}", platform.name),
    })
}
