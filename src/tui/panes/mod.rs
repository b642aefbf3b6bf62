//! One file per pane. A pane reads the state, draws, and says where the mouse can press and where the cursor belongs.

pub mod activity;
mod bad_rows;
mod chooser;
mod columns;
mod confirm;
mod connect;
pub mod connections;
mod detail;
mod empty;
mod exchange;
mod form;
mod grid;
mod help;
pub mod hint;
pub mod lists;
pub mod notices;
mod qr;
mod question;
mod run;
mod save;
mod secret;
mod sheet;
mod table;
pub mod webhooks;

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::layout::{self, FirstTab, Pane};
use super::theme::Role;
use crate::app::overlay::Overlay;
use crate::app::{Focus, State};
use crate::text::clean;

/// The line below the panes, in the original's words.
const INVITATION: &str = "Connect your CRM or setup webhooks to automatically sync leads";

/// The first tab: the table and the panes below it, or the one with the focus.
pub fn first_tab(canvas: &mut Canvas<'_, '_>, state: &State, body: Rect) {
    match layout::first_tab(body, state.platforms.len()) {
        FirstTab::Whole { table, save, grid, line } => {
            table::draw(canvas, state, table);
            save::draw(canvas, state, save);
            grid::draw(canvas, state, grid);
            let end = canvas.put(line.x + 1, line.y, line.right(), INVITATION, Role::Dim);
            if let Some(demo) = &state.demo {
                let text = clean(&format!("Demo: {}", demo.page));
                canvas.put_right(end + 1, line.y, line.right().saturating_sub(1), &text, Role::Accent);
            }
        }
        FirstTab::One(area) => {
            let next = match layout::pane_of(state.focus) {
                Pane::Table => {
                    table::draw(canvas, state, area);
                    "tab: list name"
                }
                Pane::Save if state.focus == Focus::Name => {
                    save::draw(canvas, state, area);
                    "tab: Save"
                }
                Pane::Save => {
                    save::draw(canvas, state, area);
                    "tab: sync to your systems"
                }
                Pane::Grid if state.focus == Focus::Webhook => {
                    grid::draw(canvas, state, area);
                    "tab: lead table"
                }
                Pane::Grid => {
                    grid::draw(canvas, state, area);
                    "tab: webhook"
                }
            };
            let right = area.right().saturating_sub(2);
            canvas.put_right(area.x + 1, area.bottom().saturating_sub(1), right, next, Role::Dim);
        }
    }
}

/// What lies on top.
pub fn overlay(canvas: &mut Canvas<'_, '_>, state: &State, overlay: &Overlay, body: Rect) {
    match overlay {
        Overlay::Help { place, scroll } => help::draw(canvas, *place, *scroll, body),
        Overlay::Palette(chooser) => chooser::palette(canvas, chooser, body),
        Overlay::Picker(chooser, _) => chooser::picker(canvas, chooser, body),
        Overlay::Prompt { title, input, .. } => question::prompt(canvas, title, input, body),
        Overlay::Question { text, yes, .. } => question::draw(canvas, text, *yes, body),
        Overlay::Detail(scroll) => detail::draw(canvas, state, *scroll, body),
        Overlay::BadRows(scroll) => bad_rows::draw(canvas, state, *scroll, body),
        Overlay::Columns(at) => columns::draw(canvas, state, *at, body),
        Overlay::Connect(pane) => connect::draw(canvas, state, pane, body),
        Overlay::Confirm(pane) => confirm::draw(canvas, state, pane, body),
        Overlay::Run(pane) => run::draw(canvas, state, pane, body),
        Overlay::Form(pane) => form::draw(canvas, pane, body),
        Overlay::Secret { webhook, secret } => secret::draw(canvas, webhook, secret, body),
    }
}

/// The area of a large overlay: all of the body, for nothing of what lies below says anything in pieces.
fn large(body: Rect) -> Rect {
    body
}
