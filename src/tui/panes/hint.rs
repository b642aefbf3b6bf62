//! The line with the keys: from the registry, and what the thing on top knows by itself.

use ratatui::layout::Rect;

use crate::app::commands::{self, Cmd, Command};
use crate::app::key::Key;
use crate::app::overlay::Overlay;
use crate::app::{Focus, State, Tab};
use crate::oauth::Method;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::theme::Role;

/// Draws as many keys as fit; help, from where everything else can be found, always does.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, area: Rect) {
    let mut x = area.x + 1;
    let hints = hints(state);
    let width = |(key, does): &(String, String)| {
        u16::try_from(clean(&format!("{key} {does}")).width()).unwrap_or(u16::MAX).saturating_add(2)
    };
    let last = hints.last().map_or(0, width);
    for (at, hint) in hints.iter().enumerate() {
        let reserved = if at + 1 == hints.len() { 0 } else { last };
        let (width, (key, does)) = (width(hint), hint);
        if x.saturating_add(width).saturating_add(reserved) > area.right() + 2 {
            continue;
        }
        let end = canvas.put(x, area.y, area.right(), clean(key), Role::Accent);
        canvas.put(end + 1, area.y, area.right(), clean(does), Role::Dim);
        x += width;
    }
}

/// Key and word, the most useful first.
fn hints(state: &State) -> Vec<(String, String)> {
    let own: &[(&str, &str)] = match (state.overlays.last(), &state.audience.editing) {
        (Some(Overlay::Palette(_) | Overlay::Picker(..)), _) => &[("enter", "choose"), ("esc", "close")],
        (Some(Overlay::Prompt { .. }), _) => &[("enter", "ok"), ("esc", "cancel")],
        (Some(Overlay::Question { .. }), _) => &[("y", "yes"), ("n", "no"), ("left/right", "choose"), ("enter", "ok")],
        (Some(Overlay::Secret { .. }), _) => &[("enter", "done")],
        (Some(Overlay::Help { .. } | Overlay::Detail(_)), _) => &[("up/down", "scroll"), ("esc", "close")],
        (Some(Overlay::BadRows(_)), _) => &[("x", "write to a file"), ("up/down", "scroll"), ("esc", "close")],
        (Some(Overlay::Confirm(_)), _) => {
            &[("up/down", "move"), ("enter", "change"), ("ctrl-s", "start"), ("esc", "cancel")]
        }
        (Some(Overlay::Form(_)), _) => &[("up/down", "move")],
        (Some(Overlay::Connect(_)), _) => &[("enter", "go on")],
        (Some(Overlay::Run(_) | Overlay::Columns(_)), _) => &[("up/down", "move")],
        (None, Some(_)) if state.tab == Tab::Audience => &[("enter", "apply"), ("esc", "cancel")],
        _ if state.tab == Tab::Audience && state.focus == Focus::Name => &[("enter", "save"), ("esc", "table")],
        _ => &[],
    };
    let mut hints: Vec<(String, String)> = own.iter().map(|(key, what)| ((*key).into(), (*what).into())).collect();
    let typing = types(state);
    for row in commands::at(state.place()).filter(|row| useful(state, row, typing)) {
        if let Some(key) = row.keys.iter().find(|key| !typing || !is_typed(key)) {
            hints.push(((*key).into(), row.hint.into()));
        }
    }
    if matches!(
        state.overlays.last(),
        Some(Overlay::Connect(_) | Overlay::Form(_) | Overlay::Run(_) | Overlay::Columns(_))
    ) {
        hints.push(("esc".into(), "close".into()));
    }
    hints
}

/// Whether printable keys are text now.
fn types(state: &State) -> bool {
    match state.overlays.last() {
        Some(Overlay::Connect(pane)) => pane.method != Method::Device,
        Some(Overlay::Confirm(pane)) => pane.at == 1,
        Some(Overlay::Form(pane)) => pane.text(pane.row).is_some(),
        Some(overlay) => matches!(overlay, Overlay::Palette(_) | Overlay::Picker(..) | Overlay::Prompt { .. }),
        None if state.tab == Tab::Audience => state.audience.editing.is_some() || state.focus == Focus::Name,
        None => false,
    }
}

fn is_typed(key: &str) -> bool {
    key.parse::<Key>().is_ok_and(|key| key.typed().is_some())
}

/// Whether a command is worth a word here.
fn useful(state: &State, row: &Command, typing: bool) -> bool {
    if row.hint.is_empty() || (typing && state.audience.editing.is_some()) {
        return false;
    }
    match state.overlays.last() {
        None if state.focus == Focus::Name && state.tab == Tab::Audience => row.cmd != Cmd::Press,
        None => true,
        Some(Overlay::Connect(pane)) => match row.cmd {
            Cmd::ConnectDevice => pane.methods.contains(&Method::Device) && pane.method != Method::Device,
            Cmd::ConnectToken => pane.methods.contains(&Method::Token) && pane.method != Method::Token,
            Cmd::ConnectBrowser => pane.methods.contains(&Method::Browser) && pane.method != Method::Browser,
            Cmd::ConnectOpen | Cmd::ConnectCopy | Cmd::ConnectQr => pane.page.is_some() || pane.device.is_some(),
            _ => false,
        },
        Some(Overlay::Run(pane)) => {
            let going = pane.run.as_ref().is_some_and(|run| run.ended.is_none());
            match row.cmd {
                Cmd::RunCancel => going,
                Cmd::RunRetry => !going && pane.run.is_some(),
                _ => false,
            }
        }
        Some(Overlay::Form(_)) => matches!(row.cmd, Cmd::FormTest | Cmd::FormSave | Cmd::FormEdit),
        Some(Overlay::Columns(_)) => {
            matches!(row.cmd, Cmd::ColumnHide | Cmd::ColumnWider | Cmd::ColumnNarrower | Cmd::ColumnField)
        }
        Some(_) => false,
    }
}
