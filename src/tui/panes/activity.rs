//! The Activity tab: runs, deliveries, notices, events.

use ratatui::layout::Rect;

use super::{run, sheet};
use crate::app::State;
use crate::app::activity::{Activity, Section};
use crate::app::run::destination_name;
use crate::events::EventName;
use crate::sync::Outcome;
use crate::text::{Clean, clean};
use crate::tui::canvas::Canvas;
use crate::tui::layout::below;
use crate::tui::text::{count, moment};
use crate::tui::theme::Role;

/// Draws the tab.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, area: Rect) {
    let activity = &state.activity;
    let title = match (&activity.webhook, activity.section) {
        (Some(webhook), Section::Deliveries) => clean(&format!("Activity · deliveries of {webhook}")),
        _ => clean("Activity"),
    };
    let inside = canvas.panel(area, &title, true);
    sections(canvas, activity, Rect { height: inside.height.min(1), ..inside });
    let rows = below(inside, 1);
    canvas.cursor(inside.x + 1, inside.y);
    match activity.section {
        Section::Runs => runs(canvas, state, rows),
        Section::Deliveries => deliveries(canvas, state, area, rows),
        Section::Notices => notices(canvas, activity, area, rows),
        Section::Events => events(canvas, activity, rows),
    }
}

fn sections(canvas: &mut Canvas<'_, '_>, activity: &Activity, area: Rect) {
    let mut x = area.x + 1;
    for section in Section::ALL {
        let (text, role) = if section == activity.section {
            (clean(&format!("[{}]", section.title())), Role::Accent)
        } else {
            (clean(&format!(" {} ", section.title())), Role::Dim)
        };
        x = canvas.put(x, area.y, area.right(), &text, role) + 1;
    }
}

fn none(canvas: &mut Canvas<'_, '_>, area: Rect, text: &'static str) {
    canvas.put(area.x + 1, area.y, area.right(), text, Role::Dim);
    canvas.cursor(area.x + 1, area.y);
}

fn runs(canvas: &mut Canvas<'_, '_>, state: &State, area: Rect) {
    let runs = &state.activity.runs;
    if runs.items.is_empty() {
        return none(canvas, area, "Nothing was sent yet.");
    }
    let columns = [("Started", 12), ("List", 0), ("To", 12), ("State", 9), ("Sent", 11), ("Failed", 6)];
    let zone = &canvas.look.zone;
    sheet::draw(canvas, area, &columns, (runs.items.len(), runs.cursor), |at| {
        let known = &runs.items[at];
        let failed = known.count(Outcome::Failed) + known.count(Outcome::Parked);
        let (word, role) = run::state_word(known.state);
        vec![
            (moment(known.started, zone), Role::Text),
            (clean(&known.list), Role::Text),
            (clean(&destination_name(state, &known.destination)), Role::Text),
            (clean(word), role),
            (clean(&format!("{}/{}", count(known.settled()), count(known.total))), Role::Text),
            (count(failed), if failed > 0 { Role::Bad } else { Role::Text }),
        ]
    });
}

fn deliveries(canvas: &mut Canvas<'_, '_>, state: &State, frame: Rect, area: Rect) {
    let deliveries = &state.activity.deliveries;
    if deliveries.items.is_empty() {
        return none(canvas, area, "No webhook delivery yet.");
    }
    let columns = [
        ("Time", 12),
        ("Webhook", 14),
        ("Outcome", 10),
        ("Tries", 5),
        ("Answer", 0),
        ("ms", 6),
        ("Leads", 20),
        ("Next try", 12),
    ];
    let zone = &canvas.look.zone;
    sheet::draw(canvas, area, &columns, (deliveries.items.len(), deliveries.cursor), |at| {
        let delivery = &deliveries.items[at];
        let (word, role) = run::outcome_word(delivery.outcome);
        vec![
            (moment(delivery.time, zone), Role::Text),
            (clean(&delivery.webhook), Role::Text),
            (clean(word), role),
            (count(u64::from(delivery.attempts)), Role::Text),
            (clean(&delivery.answer), Role::Text),
            (count(delivery.ms), Role::Dim),
            (clean(&delivery.leads), Role::Text),
            (delivery.next_try.map_or_else(Clean::default, |time| moment(time, zone)), Role::Text),
        ]
    });
    if let Some(delivery) = deliveries.focused() {
        canvas.foot(frame, &clean(&format!("{} · {}", delivery.id, delivery.leads)), Role::Dim);
    }
}

fn notices(canvas: &mut Canvas<'_, '_>, activity: &Activity, frame: Rect, area: Rect) {
    let notices = &activity.notices;
    if notices.items.is_empty() {
        return none(canvas, area, "No notice yet.");
    }
    let columns = [("Time", 12), ("Kind", 7), ("Notice", 0)];
    let zone = &canvas.look.zone;
    sheet::draw(canvas, area, &columns, (notices.items.len(), notices.cursor), |at| {
        let notice = &notices.items[at];
        let role = match notice.kind.as_str() {
            "error" => Role::Bad,
            "success" => Role::Good,
            _ => Role::Text,
        };
        vec![(moment(notice.time, zone), Role::Text), (clean(&notice.kind), role), (clean(&notice.text), Role::Text)]
    });
    if let Some(notice) = notices.focused() {
        let room = usize::from(area.width.saturating_sub(25));
        if clean(&notice.text).width() > room {
            canvas.foot(frame, &clean(&notice.text), Role::Dim);
        }
    }
}

fn events(canvas: &mut Canvas<'_, '_>, activity: &Activity, area: Rect) {
    let events = &activity.events;
    if events.items.is_empty() {
        return none(canvas, area, "No event yet. Events stay on this machine.");
    }
    let columns = [("Time", 12), ("Event", 36), ("Platform", 12), ("Leads", 9), ("List", 0)];
    let zone = &canvas.look.zone;
    sheet::draw(canvas, area, &columns, (events.items.len(), events.cursor), |at| {
        let event = &events.items[at];
        vec![
            (moment(event.timestamp, zone), Role::Text),
            (name(event.event), Role::Text),
            (clean(&event.platform), Role::Text),
            (count(event.lead_count), Role::Text),
            (clean(&event.list_name), Role::Text),
        ]
    });
}

/// The event's name as it stands in the store and under `--json`.
fn name(event: EventName) -> Clean {
    match serde_json::to_value(event) {
        Ok(serde_json::Value::String(name)) => clean(&name),
        _ => Clean::default(),
    }
}
