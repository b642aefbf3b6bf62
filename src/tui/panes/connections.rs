//! The tab of CRM accounts: one row per CRM, connected or not.

use ratatui::layout::Rect;

use super::sheet;
use crate::app::State;
use crate::app::connect::who;
use crate::text::{Clean, clean};
use crate::tui::canvas::Canvas;
use crate::tui::text::when;
use crate::tui::theme::Role;

/// Draws the tab.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, area: Rect) {
    let connected = state.connections.iter().filter(|connection| connection.trouble.is_none()).count();
    let title = clean(&format!("Connections · {connected} of {} connected", state.platforms.len()));
    let inside = canvas.panel(area, &title, true);
    if state.platforms.is_empty() {
        canvas.cursor(inside.x, inside.y);
        return;
    }
    let columns =
        [("Platform", 12), ("Status", 15), ("Account", 0), ("Sync type", 9), ("Last sync", 16), ("Connected", 16)];
    let (check, arrow) = (canvas.sign("✓", "+"), canvas.sign("↗", ">"));
    let zone = &canvas.look.zone;
    sheet::draw(canvas, inside, &columns, (state.platforms.len(), state.connection_cursor), |at| {
        let platform = &state.platforms[at];
        let Some(known) = state.connection(&platform.id) else {
            let status = clean(&format!("{arrow} not connected"));
            return vec![(clean(&platform.name), Role::Text), (status, Role::Dim)];
        };
        let (status, role) = match &known.trouble {
            Some(_) => (clean("! sign in again"), Role::Bad),
            None => (clean(&format!("{check} connected")), Role::Good),
        };
        let environment = match known.who.environment.as_str() {
            "" | "production" => String::new(),
            other => format!(" [{other}]"),
        };
        let account = format!("{}{environment}", who(&known.who.name, &known.who.user));
        vec![
            (clean(&platform.name), Role::Text),
            (status, role),
            (clean(&account), Role::Text),
            (clean("real-time"), Role::Text),
            (known.last_sync.map_or_else(|| clean("never"), |time| when(time, zone)), Role::Text),
            (when(known.connected, zone), Role::Dim),
        ]
    });
    let focused = state.platforms.get(state.connection_cursor);
    let (text, role) = match focused.and_then(|platform| state.connection(&platform.id)) {
        Some(known) => match &known.trouble {
            Some(failure) => (clean(&format!("{} {}", failure.message, failure.remedy)), Role::Bad),
            None => (clean(&who(&known.who.name, &known.who.user)), Role::Dim),
        },
        None => (Clean::default(), Role::Dim),
    };
    canvas.foot(area, &text, role);
}
