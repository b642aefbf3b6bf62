//! The tab of outgoing webhooks.

use ratatui::layout::Rect;

use super::sheet;
use crate::app::State;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::text::{count, when};
use crate::tui::theme::Role;
use crate::webhook::WebhookState;

/// Draws the tab.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, area: Rect) {
    let webhooks = &state.webhooks;
    let title = clean(&format!("Webhooks · {} outgoing", count(webhooks.items.len() as u64)));
    let inside = canvas.panel(area, &title, true);
    if webhooks.items.is_empty() {
        let text = "No webhook is set up yet. Press n to make one.";
        canvas.paragraph(inside, &clean(text), Role::Dim);
        canvas.cursor(inside.x, inside.y);
        return;
    }
    let columns =
        [("Webhook", 18), ("State", 10), ("Waiting", 8), ("Parked", 8), ("Address", 0), ("Last delivered", 16)];
    let check = canvas.sign("✓", "+");
    let zone = &canvas.look.zone;
    sheet::draw(canvas, inside, &columns, (webhooks.items.len(), webhooks.cursor), |at| {
        let webhook = &webhooks.items[at];
        let (state, role) = match webhook.state {
            WebhookState::Active => (clean(&format!("{check} active")), Role::Good),
            WebhookState::Paused => (clean("! paused"), Role::Warn),
            WebhookState::Disabled => (clean("! disabled"), Role::Bad),
        };
        let parked = if webhook.parked > 0 { Role::Warn } else { Role::Text };
        vec![
            (clean(&webhook.name), Role::Text),
            (state, role),
            (count(webhook.waiting), Role::Text),
            (count(webhook.parked), parked),
            (clean(&webhook.url), Role::Dim),
            (webhook.last_delivered.map_or_else(|| clean("never"), |time| when(time, zone)), Role::Text),
        ]
    });
    if let Some(webhook) = webhooks.focused() {
        canvas.foot(area, &clean(&webhook.reason), Role::Bad);
    }
}
