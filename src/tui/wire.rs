//! The way to the terminal: a frame goes out in one write, inside synchronized-update brackets, and only if it says anything.

use std::io::{self, Write};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

/// A ratatui backend over a terminal's output.
#[derive(Debug)]
pub struct Wire<W: Write> {
    out: W,
    frame: Vec<u8>,
    wanted: Option<Position>,
    shown: Option<Position>,
    size: fn() -> io::Result<(u16, u16)>,
}

impl<W: Write> Wire<W> {
    /// A wire to `out`, for a terminal whose size `size` tells.
    pub fn new(out: W, size: fn() -> io::Result<(u16, u16)>) -> Self {
        Wire { out, frame: Vec::new(), wanted: None, shown: None, size }
    }

    /// Where bytes go that belong to no frame.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }

    /// Forgets where the cursor is: something else has used the terminal.
    pub fn forget(&mut self) {
        self.shown = None;
    }

    fn through<T>(&mut self, draw: impl FnOnce(&mut CrosstermBackend<&mut Vec<u8>>) -> io::Result<T>) -> io::Result<T> {
        draw(&mut CrosstermBackend::new(&mut self.frame))
    }
}

impl<W: Write> Backend for Wire<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        match content.peek() {
            Some(_) => self.through(|backend| backend.draw(content)),
            None => Ok(()),
        }
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.wanted = None;
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Where it was put last; the terminal is never asked.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.wanted.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.wanted = Some(position.into());
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.through(|backend| backend.clear_region(clear_type))
    }

    fn size(&self) -> io::Result<Size> {
        let (width, height) = (self.size)()?;
        Ok(Size { width, height })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::default() })
    }

    /// Ends the frame.
    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() && self.wanted == self.shown {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(self.frame.len() + 48);
        queue!(bytes, BeginSynchronizedUpdate, Hide)?;
        bytes.append(&mut self.frame);
        if let Some(Position { x, y }) = self.wanted {
            queue!(bytes, MoveTo(x, y), Show)?;
        }
        queue!(bytes, EndSynchronizedUpdate)?;
        self.shown = self.wanted;
        self.out.write_all(&bytes)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;

    use super::*;

    /// Counts writes and keeps their bytes.
    #[derive(Default)]
    struct Writes(Vec<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn writes(terminal: &mut Terminal<Wire<Writes>>) -> Vec<String> {
        let writes = std::mem::take(&mut terminal.backend_mut().out().0);
        writes.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
    }

    #[test]
    fn a_frame_is_one_bracketed_write_and_the_same_frame_again_is_none() {
        let mut terminal = Terminal::new(Wire::new(Writes::default(), || Ok((20, 2)))).unwrap();
        let mut draw = |text: &'static str, at: (u16, u16)| {
            let drawn = terminal.draw(|frame| {
                frame.render_widget(text, frame.area());
                frame.set_cursor_position(at);
            });
            drawn.unwrap();
            writes(&mut terminal)
        };
        let first = draw("hello", (1, 0));
        assert_eq!(first.len(), 1, "{first:?}");
        assert!(first[0].starts_with("\x1b[?2026h") && first[0].ends_with("\x1b[?2026l"), "{first:?}");
        assert!(first[0].contains("hello") && first[0].contains("\x1b[1;2H\x1b[?25h"), "{first:?}");
        assert_eq!(draw("hello", (1, 0)), Vec::<String>::new());
        let moved = draw("hello", (3, 0));
        assert!(moved.len() == 1 && !moved[0].contains("hello"), "{moved:?}");
    }
}
