//! The terminal front end: it turns keys into actions, draws the state after they were applied, and carries out what only a
//! terminal can do. Everything else an effect asks for goes to `effects`.

mod canvas;
mod keys;
mod layout;
mod panes;
mod run;
mod start;
mod terminal;
mod text;
mod theme;
mod view;
mod wire;

pub use crate::app::Demo;
pub use canvas::{Hits, Look};
pub use layout::table_rows;
pub use run::{Heard, Tty, serve};
pub use start::{Start, run};
pub use terminal::{RealTerminal, restore_on_panic};
pub use text::Charset;
pub use theme::{Colours, Scheme, Theme};
pub use view::draw;
