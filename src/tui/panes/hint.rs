//! The line with the keys, made from the commands of the place.

use ratatui::layout::Rect;

use crate::app::commands::{self, Cmd, Place};
use crate::app::overlay::Overlay;
use crate::app::{Focus, State, Tab};
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::theme::Role;

/// Draws as many keys as fit.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, area: Rect) {
    let mut x = area.x + 1;
    for (key, does) in hints(state) {
        let text = clean(&format!("{key} {does}"));
        let width = u16::try_from(text.width()).unwrap_or(u16::MAX);
        if x.saturating_add(width) > area.right() {
            break;
        }
        let end = canvas.put(x, area.y, area.right(), &clean(&key), Role::Accent);
        canvas.put(end + 1, area.y, area.right(), &clean(does), Role::Dim);
        x = x + width + 2;
    }
}

fn hints(state: &State) -> Vec<(String, &'static str)> {
    let own = |key: &str, does| (key.to_owned(), does);
    let typed = match state.overlays.last() {
        Some(Overlay::Palette(_) | Overlay::Picker(..)) => {
            vec![own("type", "narrows"), own("enter", "chooses"), own("esc", "closes")]
        }
        Some(Overlay::Prompt { .. }) => vec![own("enter", "takes it"), own("esc", "closes")],
        Some(Overlay::Question { .. }) => vec![own("y", "yes"), own("n", "no")],
        Some(Overlay::Secret { .. }) => vec![own("c", "copies"), own("enter", "closes")],
        Some(Overlay::BadRows(_)) => vec![own("x", "writes them to a file"), own("esc", "closes")],
        Some(Overlay::Help { .. } | Overlay::Detail(_)) => vec![own("down", "more"), own("esc", "closes")],
        None if state.audience.editing.is_some() && state.tab == Tab::Audience => {
            vec![own("enter", "takes it"), own("esc", "leaves it")]
        }
        None if state.tab == Tab::Audience && state.focus == Focus::Name => {
            vec![own("enter", "saves"), own("tab", "next pane"), own("esc", "lead table"), own("f1", "help")]
        }
        _ => Vec::new(),
    };
    if !typed.is_empty() {
        return typed;
    }
    let place = state.place();
    let overlay = !state.overlays.is_empty();
    let mut hints: Vec<(String, &'static str)> = commands::at(place)
        .filter(|row| !row.hint.is_empty() && !row.keys.is_empty())
        .filter(|row| !overlay || row.place == place || row.cmd == Cmd::Palette)
        .map(|row| (row.keys[0].to_owned(), row.hint))
        .collect();
    if overlay && place != Place::Anywhere {
        hints.push(own("esc", "closes"));
    }
    hints
}
