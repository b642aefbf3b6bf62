//! The tab of webhooks.

use ratatui::layout::Rect;

use super::rows;
use crate::app::State;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::text::{count, when};
use crate::tui::theme::Role;
use crate::webhook::WebhookState;

/// Draws the tab.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, body: Rect) {
    let inside = canvas.panel(body, "Outgoing webhooks", true);
    if state.webhooks.items.is_empty() {
        rows::nothing(canvas, inside, "No webhook is set up yet. Press n for a new one.");
        return;
    }
    let zone = canvas.look.zone.clone();
    let lines: Vec<rows::Cells> = (state.webhooks.items.iter())
        .map(|webhook| {
            let (status, role) = match webhook.state {
                WebhookState::Active => (canvas.sign("✓ active", "+ active"), Role::Good),
                WebhookState::Paused => ("! paused", Role::Warn),
                WebhookState::Disabled => ("! disabled", Role::Bad),
            };
            let last = webhook.last_delivered.map(|time| when(time, &zone)).unwrap_or_default();
            vec![
                (clean(&webhook.name), Role::Text),
                (clean(status), role),
                (count(webhook.waiting), Role::Text),
                (count(webhook.parked), if webhook.parked > 0 { Role::Bad } else { Role::Text }),
                (last, Role::Text),
                (clean(&format!("{}  {}", webhook.url, webhook.reason)), Role::Text),
            ]
        })
        .collect();
    let heads = [("Name", 20), ("Status", 11), ("Waiting", 8), ("Parked", 8), ("Delivered", 16), ("URL", 0)];
    rows::draw(canvas, inside, &heads, &lines, state.webhooks.cursor);
}
