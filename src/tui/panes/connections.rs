//! The tab of connections: every CRM with its status, account, sync type and last sync.

use ratatui::layout::Rect;

use super::rows;
use crate::app::{State, connect};
use crate::text::{Clean, clean};
use crate::tui::canvas::Canvas;
use crate::tui::text::when;
use crate::tui::theme::Role;

/// Draws the tab.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, body: Rect) {
    let inside = canvas.panel(body, "CRM connections", true);
    let zone = canvas.look.zone.clone();
    let mut lines = Vec::new();
    let mut trouble = None;
    for (at, platform) in state.platforms.iter().enumerate() {
        let known = state.connection(&platform.id);
        let (status, role) = match known {
            Some(known) if known.trouble.is_some() => ("! sign in again", Role::Bad),
            Some(_) => (canvas.sign("✓ connected", "+ connected"), Role::Good),
            None => ("not connected", Role::Dim),
        };
        let account = known.map(|known| clean(&connect::who(&known.who.name, &known.who.user))).unwrap_or_default();
        let synced = known.and_then(|known| known.last_sync).map(|time| when(time, &zone)).unwrap_or_default();
        let kind = if known.is_some() { clean("real-time") } else { Clean::default() };
        lines.push(vec![
            (clean(&platform.name), Role::Text),
            (clean(status), role),
            (kind, Role::Text),
            (synced, Role::Text),
            (account, Role::Text),
        ]);
        if at == state.connection_cursor {
            trouble = known.and_then(|known| known.trouble.clone());
        }
    }
    let foot = if trouble.is_some() { 3.min(inside.height) } else { 0 };
    let table = Rect { height: inside.height - foot, ..inside };
    let heads = [("CRM", 16), ("Status", 16), ("Sync type", 10), ("Last sync", 16), ("Account", 0)];
    rows::draw(canvas, table, &heads, &lines, state.connection_cursor);
    if let Some(failure) = trouble {
        let area = Rect { y: inside.bottom() - foot, height: foot, ..inside };
        let text = clean(&format!("{} {}", failure.message, failure.remedy));
        canvas.paragraph(area, &text, Role::Bad);
    }
}
