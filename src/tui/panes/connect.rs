//! The connect pane: its address on top, how it stands, and every way to sign in side by side.

use ratatui::layout::Rect;

use super::qr;
use crate::app::State;
use crate::app::commands::Cmd;
use crate::app::connect::{Connect, DeviceCode, OpenPage};
use crate::oauth::Method;
use crate::text::{Clean, clean};
use crate::tui::canvas::Canvas;
use crate::tui::layout::below;
use crate::tui::text::{clock, cut};
use crate::tui::theme::Role;

/// Where what a way needs is written, after its number and name.
const INDENT: u16 = 17;

/// Lines from which on every way has a line of its own.
const ROOMY: u16 = 14;

/// Draws the overlay.
pub fn draw(canvas: &mut Canvas<'_, '_>, state: &State, pane: &Connect, body: Rect) {
    let area = super::large(body);
    canvas.cover(area);
    let inside = canvas.panel(area, clean(&format!("Connect {}", pane.name)), true);
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    canvas.cursor(inside.x, inside.y);
    let encoded = match (&pane.page, &pane.device) {
        (Some(page), _) => Some(page.url.as_str()),
        (None, device) => device.as_ref().map(|device| device.page_with_code.as_str()),
    };
    if let Some(encoded) = encoded.filter(|_| pane.qr) {
        qr::draw(canvas, encoded, inside);
        canvas.foot(area, &clean(&format!("{} closes the QR code", key(Cmd::ConnectQr))), Role::Dim);
        return;
    }
    if inside.height < ROOMY || inside.width < 60 {
        compact(canvas, state, pane, inside);
        return;
    }
    let rest = address(canvas, &pane.link, 2, Role::Dim, inside);
    let used = status(canvas, pane, rest);
    let mut rest = below(rest, used);
    // A blank line where there is room to breathe.
    if rest.height > 16 {
        rest = below(rest, 1);
    }
    match pane.method {
        Method::Token => token(canvas, state, pane, rest),
        Method::Device => device(canvas, pane, rest),
        Method::Browser | Method::Paste => browser(canvas, pane, rest),
    }
}

/// On a small screen: what has to be typed or read first, then how it stands, then the ways by their keys alone.
fn compact(canvas: &mut Canvas<'_, '_>, state: &State, pane: &Connect, area: Rect) {
    let mut rest = area;
    match (pane.method, &pane.device) {
        (Method::Token, _) => rest = token_fields(canvas, pane, rest),
        (Method::Device, Some(device)) => rest = code(canvas, device, rest),
        (Method::Device, None) => {}
        (Method::Browser | Method::Paste, _) => {
            let x = canvas.put(rest.x, rest.y, rest.right(), "Paste ", Role::Accent);
            canvas.field((x, rest.y, rest.right()), &pane.pasted, true, false);
            rest = below(rest, 1);
        }
    }
    let used = status(canvas, pane, rest);
    rest = below(rest, used);
    if let Some(page) = pane.page.as_ref().filter(|page| !page.ssh_line.is_empty()) {
        let used = canvas.paragraph(rest, &clean(&page.ssh_line), Role::Text);
        rest = below(rest, used);
    }
    if let Some(demo) = demo_token(state, pane) {
        let used = canvas.paragraph(rest, &demo, Role::Dim);
        rest = below(rest, used);
    }
    let shown = pane.page.is_some() || pane.device.is_some();
    let ways = [
        (shown, Cmd::ConnectOpen, "open"),
        (shown, Cmd::ConnectCopy, "copy"),
        (shown, Cmd::ConnectQr, "QR"),
        (has(pane, Method::Browser), Cmd::ConnectBrowser, "browser"),
        (has(pane, Method::Device), Cmd::ConnectDevice, "code"),
        (has(pane, Method::Token), Cmd::ConnectToken, "token"),
    ];
    let ways: Vec<String> =
        ways.into_iter().filter(|way| way.0).map(|(_, cmd, name)| format!("{} {name}", key(cmd))).collect();
    canvas.paragraph(rest, &clean(&ways.join(", ")), Role::Dim);
}

/// Whether a way is there and not in front.
fn has(pane: &Connect, method: Method) -> bool {
    pane.methods.contains(&method) && pane.method != method
}

/// What the demo's practice CRM takes as its token.
fn demo_token(state: &State, pane: &Connect) -> Option<Clean> {
    let demo = state.demo.as_ref().filter(|_| pane.platform == "practice" && pane.method == Method::Token)?;
    Some(clean(&format!("the demo's token: {}", demo.token)))
}

fn key(cmd: Cmd) -> &'static str {
    cmd.row().keys.first().copied().unwrap_or("")
}

fn status(canvas: &mut Canvas<'_, '_>, pane: &Connect, area: Rect) -> u16 {
    match &pane.status {
        Ok(text) if text.is_empty() && pane.busy => {
            canvas.put(area.x, area.y, area.right(), "Preparing the sign-in…", Role::Dim);
            1
        }
        Ok(text) if text.is_empty() => 0,
        Ok(text) => canvas.paragraph(area, &clean(text), Role::Accent),
        Err(failure) => {
            let used = canvas.paragraph(area, &clean(&format!("! {}", failure.message)), Role::Bad);
            used + canvas.paragraph(below(area, used), &clean(&failure.remedy), Role::Text)
        }
    }
}

/// A way's number, name, key and what it is for.
fn way(canvas: &mut Canvas<'_, '_>, area: Rect, name: &'static str, cmd: Option<Cmd>, about: &Clean) -> Rect {
    if area.height == 0 {
        return area;
    }
    let x = area.x + INDENT;
    canvas.put(area.x, area.y, x.min(area.right()), name, Role::Text);
    let x = match cmd {
        Some(cmd) => canvas.put(x, area.y, area.right(), key(cmd), Role::Accent) + 2,
        None => x,
    };
    let text = Rect { x, width: area.right().saturating_sub(x), ..area };
    let used = canvas.paragraph(text, about, Role::Dim);
    below(area, used.max(1))
}

fn browser(canvas: &mut Canvas<'_, '_>, pane: &Connect, area: Rect) {
    let mut rest = match &pane.page {
        // The ways below must stay visible, so the address has what they leave.
        Some(page) => address(canvas, &page.url, area.height.saturating_sub(10).clamp(1, 6), Role::Text, area),
        None => area,
    };
    if let Some(page) = &pane.page {
        let about = if page.browser { "opened it here; again" } else { "opens it on this machine" };
        rest = way(canvas, rest, "1 Browser here", Some(Cmd::ConnectOpen), &clean(about));
        rest = way(canvas, rest, "2 Copy", Some(Cmd::ConnectCopy), &clean("puts the address on your clipboard"));
        rest = way(canvas, rest, "3 QR code", Some(Cmd::ConnectQr), &clean("for the camera of a phone"));
        rest = ssh(canvas, page, rest);
    }
    rest = way(canvas, rest, "5 Paste", None, &clean("the address your browser ended on, then press enter:"));
    let right = rest.right();
    if rest.height > 0 {
        canvas.field((rest.x + 2, rest.y, right), &pane.pasted, true, false);
        rest = below(rest, 1);
    }
    others(canvas, pane, rest);
}

/// The ways that are not in front.
fn others(canvas: &mut Canvas<'_, '_>, pane: &Connect, area: Rect) {
    let mut rest = area;
    if pane.method == Method::Device || pane.method == Method::Token {
        let has = pane.methods.iter().any(|method| matches!(method, Method::Browser | Method::Paste));
        if has {
            let about = clean("here or elsewhere, by address, QR code or ssh -L; paste what it ended on");
            rest = way(canvas, rest, "1-5 Browser", Some(Cmd::ConnectBrowser), &about);
        }
    }
    if pane.method != Method::Device && pane.methods.contains(&Method::Device) {
        let about = clean("type a code on another device, no browser needed");
        rest = way(canvas, rest, "6 Code", Some(Cmd::ConnectDevice), &about);
    }
    if pane.method != Method::Token && pane.methods.contains(&Method::Token) {
        let about = clean(&format!("{}, made in {}", pane.token_help.0, pane.token_help.1));
        way(canvas, rest, "7 Token", Some(Cmd::ConnectToken), &about);
    }
}

/// An address over at most so many lines, each full.
fn address(canvas: &mut Canvas<'_, '_>, address: &str, most: u16, role: Role, area: Rect) -> Rect {
    let mut lines = cut(&clean(address), usize::from(area.width));
    if lines.len() > usize::from(most) {
        lines.truncate(usize::from(most));
        if let Some(last) = lines.last_mut() {
            *last = clean(&format!("{}…", last.shorten(usize::from(area.width).saturating_sub(1))));
        }
    }
    let mut rest = area;
    for line in lines {
        canvas.put(rest.x, rest.y, rest.right(), &line, role);
        rest = below(rest, 1);
    }
    rest
}

fn ssh(canvas: &mut Canvas<'_, '_>, page: &OpenPage, area: Rect) -> Rect {
    let about = match (&page.listening, page.ssh_line.is_empty()) {
        (Err(reason), _) => clean(&format!("nothing listens here: {reason} Use 5.")),
        (Ok(()), true) => clean(&format!("not needed on this machine; it comes back to {}", page.redirect)),
        (Ok(()), false) => clean("run this where your browser is, then open the address:"),
    };
    let rest = way(canvas, area, "4 Over SSH", None, &about);
    if page.ssh_line.is_empty() || rest.height == 0 {
        return rest;
    }
    let line = Rect { x: rest.x + 2, width: rest.width.saturating_sub(2), ..rest };
    let used = canvas.paragraph(line, &clean(&page.ssh_line), Role::Text);
    below(rest, used)
}

fn device(canvas: &mut Canvas<'_, '_>, pane: &Connect, area: Rect) {
    let mut rest = area;
    if let Some(device) = &pane.device {
        rest = code(canvas, device, rest);
        rest = way(canvas, rest, "  Browser here", Some(Cmd::ConnectOpen), &clean("opens it on this machine"));
        rest = way(canvas, rest, "  Copy", Some(Cmd::ConnectCopy), &clean("puts the address on your clipboard"));
        rest = way(canvas, rest, "  QR code", Some(Cmd::ConnectQr), &clean("for the camera of a phone"));
    }
    others(canvas, pane, rest);
}

/// The code to type, and where.
fn code(canvas: &mut Canvas<'_, '_>, device: &DeviceCode, area: Rect) -> Rect {
    let x = canvas.put(area.x, area.y, area.right(), "6 Code  ", Role::Text);
    let end = canvas.put(x, area.y, area.right(), clean(&device.code), Role::Focus);
    canvas.cursor(x, area.y);
    let until = clean(&format!("until {}", clock(device.expires, &canvas.look.zone)));
    canvas.put(end + 2, area.y, area.right(), &until, Role::Dim);
    let mut rest = below(area, 1);
    let used = canvas.paragraph(rest, &clean(&format!("to type at {}", device.page)), Role::Text);
    rest = below(rest, used);
    if device.page_with_code != device.page {
        let used = canvas.paragraph(rest, &clean(&format!("or open {}", device.page_with_code)), Role::Dim);
        rest = below(rest, used);
    }
    rest
}

fn token(canvas: &mut Canvas<'_, '_>, state: &State, pane: &Connect, area: Rect) {
    let about = clean(&format!("{}: make one in {}", pane.token_help.0, pane.token_help.1));
    let rest = way(canvas, area, "7 Token", None, &about);
    let rest = token_fields(canvas, pane, rest);
    let mut rest = way(canvas, rest, "", None, &clean("press enter to check it"));
    if let Some(demo) = demo_token(state, pane) {
        rest = way(canvas, rest, "", None, &demo);
    }
    others(canvas, pane, below(rest, 1));
}

fn token_fields(canvas: &mut Canvas<'_, '_>, pane: &Connect, area: Rect) -> Rect {
    let right = area.right();
    let label = area.x + INDENT.min(area.width / 2);
    let mut rest = area;
    if rest.height > 0 {
        canvas.put(rest.x + 2, rest.y, label, "Token", Role::Text);
        canvas.field((label, rest.y, right), &pane.token, pane.at == 0, true);
        rest = below(rest, 1);
    }
    for (at, (_, name, required, input)) in pane.fields.iter().enumerate() {
        if rest.height == 0 {
            break;
        }
        let name = if *required { clean(name) } else { clean(&format!("{name} (optional)")) };
        let end = canvas.put(rest.x + 2, rest.y, right, &name, Role::Text);
        canvas.field(((end + 1).max(label), rest.y, right), input, pane.at == at + 1, false);
        rest = below(rest, 1);
    }
    rest
}
