//! One frame: the tab line, the notices, the tab or what lies on top of it, and the keys.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::canvas::{Canvas, Hits, Look};
use super::layout::{self, Screen};
use super::panes::{self, notices};
use super::text::{count, counted};
use super::theme::Role;
use crate::app::{State, Tab, Target, run};
use crate::sync::RunState;
use crate::text::{Clean, clean};

/// Draws the state; answers what the mouse can press.
pub fn draw(frame: &mut Frame<'_>, state: &State, look: &Look) -> Hits {
    let mut canvas = Canvas::new(frame, look);
    let area = canvas.area();
    let lines = notices::lines(state, area.width, layout::most_notice_lines(area.height));
    match layout::screen(area, u16::try_from(lines.len()).unwrap_or(u16::MAX)) {
        Some(screen) => draw_screen(&mut canvas, state, screen, &lines),
        None => too_small(&mut canvas, area),
    }
    canvas.finish()
}

fn draw_screen(canvas: &mut Canvas<'_, '_>, state: &State, screen: Screen, lines: &[notices::Line]) {
    tab_line(canvas, state, screen.tabs);
    notices::draw(canvas, screen.notices, lines);
    match state.tab {
        Tab::Audience => panes::first_tab(canvas, state, screen.body),
        Tab::Lists => panes::lists::draw(canvas, state, screen.body),
        Tab::Connections => panes::connections::draw(canvas, state, screen.body),
        Tab::Webhooks => panes::webhooks::draw(canvas, state, screen.body),
        Tab::Activity => panes::activity::draw(canvas, state, screen.body),
    }
    for overlay in &state.overlays {
        panes::overlay(canvas, state, overlay, screen.body);
    }
    match state.notices.showing.last() {
        // Where no line is left for notices, the newest one stands where the keys would.
        Some(notice) if screen.notices.height == 0 => {
            notices::draw(canvas, screen.hint, &[(notice.kind, true, notice.text.clone())]);
        }
        _ => panes::hint::draw(canvas, state, screen.hint),
    }
}

fn too_small(canvas: &mut Canvas<'_, '_>, area: Rect) {
    let (width, height) = layout::LEAST;
    let text = clean(&format!("Too small: leadferry needs {width}x{height}."));
    canvas.paragraph(area, &text, Role::Text);
    canvas.cursor(area.x, area.y);
}

fn tab_line(canvas: &mut Canvas<'_, '_>, state: &State, area: Rect) {
    let right = area.right();
    let roomy = area.width >= 76;
    let mut x = area.x + 1;
    if roomy {
        x = canvas.put(x, area.y, right, "leadferry", Role::Accent) + 3;
    }
    for (at, tab) in Tab::ALL.into_iter().enumerate() {
        let number = clean(&format!("{}", at + 1));
        let in_front = tab == state.tab;
        let label = if roomy || in_front { clean(&format!("{number} {}", tab.title())) } else { number };
        let end = canvas.put(x, area.y, right, &label, if in_front { Role::Focus } else { Role::Text });
        canvas.hit(Rect { x, width: end - x, ..area }, Target::Tab(at));
        x = end + 2;
    }
    let right = right.saturating_sub(1);
    let room = usize::from(right.saturating_sub(x));
    if let Some(news) = news(state).into_iter().find(|news| news.width() <= room) {
        canvas.put_right(x, area.y, right, &news, Role::Accent);
    }
}

/// What goes on besides, for the right end of the tab line, from long to short.
fn news(state: &State) -> Vec<Clean> {
    if let Some(saving) = &state.saving {
        return vec![clean(&format!("saving: {}", counted(saving.written, "lead"))), clean("saving")];
    }
    let Some(run) = &state.live_run else { return Vec::new() };
    let name = run::destination_name(state, &run.destination);
    let (sent, total) = (count(run.settled()), count(run.total));
    let waits = if run.state == RunState::Waiting { ", waiting" } else { "" };
    let texts =
        [format!("{name}: {sent}/{total} sent{waits}"), format!("{sent}/{total} sent"), format!("{sent}/{total}")];
    texts.map(|text| clean(&text)).into()
}
