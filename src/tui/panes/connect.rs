//! The connect pane: every way to sign in that the vendor has, side by side.

use ratatui::layout::Rect;

use super::qr;
use super::sheet::Sheet;
use crate::app::connect::{Connect, OpenPage};
use crate::oauth::Method;
use crate::text::clean;
use crate::tui::canvas::Canvas;
use crate::tui::text::clock;
use crate::tui::theme::Role;

/// Draws the pane.
pub fn draw(canvas: &mut Canvas<'_, '_>, pane: &Connect, body: Rect) {
    let title = clean(&format!("Connect {}", pane.name));
    let mut sheet = Sheet::open(canvas, &title, body, 110, body.height);
    sheet.line(canvas, &clean(&pane.link), Role::Dim);
    ways(canvas, &mut sheet, pane);
    let address = match (&pane.page, &pane.device) {
        (Some(page), _) => Some(page.url.as_str()),
        (None, Some(device)) => Some(device.page_with_code.as_str()),
        _ => None,
    };
    if pane.qr
        && let Some(address) = address
    {
        qr::draw(canvas, sheet.area, address);
        return;
    }
    match pane.method {
        Method::Browser | Method::Paste => by_address(canvas, &mut sheet, pane),
        Method::Device => by_device(canvas, &mut sheet, pane),
        Method::Token => by_token(canvas, &mut sheet, pane),
    }
    match &pane.status {
        Err(failure) => sheet.failure(canvas, failure),
        Ok(text) if text.is_empty() && pane.busy => sheet.line(canvas, "One moment…", Role::Dim),
        Ok(text) => sheet.text(canvas, text, Role::Accent),
    }
}

/// The ways with their keys, the one in front marked.
fn ways(canvas: &mut Canvas<'_, '_>, sheet: &mut Sheet, pane: &Connect) {
    let mut parts = Vec::new();
    let mut way = |here: bool, text: &str| parts.push(if here { format!("[{text}]") } else { text.to_owned() });
    if pane.methods.contains(&Method::Browser) {
        way(matches!(pane.method, Method::Browser | Method::Paste), "ctrl-b browser or pasted address");
    }
    if pane.methods.contains(&Method::Device) {
        way(pane.method == Method::Device, "ctrl-d code on another device");
    }
    if pane.methods.contains(&Method::Token) {
        way(pane.method == Method::Token, "ctrl-t static token");
    }
    sheet.text(canvas, &parts.join("   "), Role::Text);
    sheet.skip(1);
}

fn by_address(canvas: &mut Canvas<'_, '_>, sheet: &mut Sheet, pane: &Connect) {
    let Some(page) = &pane.page else { return };
    let open = match page.browser {
        true => "1  A browser was opened here. ctrl-o opens it again.",
        false => "1  ctrl-o opens this address in a browser here, ctrl-y copies it, ctrl-q shows a QR code:",
    };
    sheet.text(canvas, open, Role::Text);
    let long = sheet.area.height.saturating_sub(8).max(1);
    let area = Rect { x: sheet.area.x + 3, width: sheet.area.width.saturating_sub(3), height: long, ..sheet.area };
    let used = canvas.paragraph(area, &clean(&page.url), Role::Accent);
    sheet.skip(used);
    back(canvas, sheet, page);
    sheet.text(canvas, "3  Or paste the address your browser ended on, then press enter:", Role::Text);
    if let Some(y) = sheet.y() {
        canvas.field((sheet.area.x + 3, y, sheet.area.right()), &pane.pasted, true, false);
        sheet.skip(2);
    }
}

/// How the answer comes back by itself.
fn back(canvas: &mut Canvas<'_, '_>, sheet: &mut Sheet, page: &OpenPage) {
    match (&page.listening, page.ssh_line.is_empty()) {
        (Ok(()), true) => {
            sheet.text(canvas, &format!("2  Waiting at {} for the answer.", page.redirect), Role::Text);
        }
        (Ok(()), false) => {
            sheet.text(canvas, "2  With a browser on your own machine, run this there first:", Role::Text);
            sheet.text(canvas, &format!("   {}", page.ssh_line), Role::Accent);
        }
        (Err(reason), _) => sheet.text(canvas, &format!("2  No answer can come by itself: {reason}"), Role::Warn),
    }
}

fn by_device(canvas: &mut Canvas<'_, '_>, sheet: &mut Sheet, pane: &Connect) {
    let Some(device) = &pane.device else { return };
    let zone = canvas.look.zone.clone();
    sheet.text(
        canvas,
        "1  Open this page on any device (ctrl-o here, ctrl-y copies it, ctrl-q shows a QR code):",
        Role::Text,
    );
    sheet.text(canvas, &format!("   {}", device.page), Role::Accent);
    sheet.text(canvas, "2  Type this code there and approve:", Role::Text);
    let y = sheet.y();
    sheet.text(canvas, &format!("   {}", device.code), Role::Accent);
    if let Some(y) = y {
        canvas.cursor(sheet.area.x + 3, y);
    }
    sheet.text(canvas, &format!("The code works until {}.", clock(device.expires, &zone)), Role::Dim);
    sheet.skip(1);
}

fn by_token(canvas: &mut Canvas<'_, '_>, sheet: &mut Sheet, pane: &Connect) {
    let (name, place) = &pane.token_help;
    sheet.text(canvas, &format!("Paste the {name}. Where to make one: {place}"), Role::Text);
    if let Some(y) = sheet.y() {
        canvas.put(sheet.area.x, y, sheet.area.right(), "Token", Role::Dim);
        canvas.field(sheet.value_area(), &pane.token, pane.at == 0, true);
        sheet.skip(1);
    }
    for (at, (_, label, must, input)) in pane.fields.iter().enumerate() {
        let Some(y) = sheet.y() else { return };
        let label = if *must { clean(label) } else { clean(&format!("{label} (optional)")) };
        canvas.put(sheet.area.x, y, sheet.area.x + super::sheet::LABEL - 1, &label, Role::Dim);
        canvas.field(sheet.value_area(), input, pane.at == at + 1, false);
        sheet.skip(1);
    }
    sheet.skip(1);
}
