//! Colours by role. Whatever a colour says is also said by a sign or a word, so every scheme works without them.

use std::time::Duration;

use ratatui::style::{Color, Modifier, Style};

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// None, or none are wanted.
    None,
    /// The sixteen of every terminal, which its owner chose.
    #[default]
    Sixteen,
    /// The palette of 256.
    Many,
}

/// Which colours go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// For dark backgrounds.
    #[default]
    Dark,
    /// For light backgrounds.
    Light,
    /// The strongest contrast on any background.
    HighContrast,
    /// No colours: bold, dim, underlined and reversed alone.
    Plain,
}

/// What a stretch of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Less important, or disabled.
    Dim,
    /// Headings, keys.
    Accent,
    /// A selected lead.
    Selected,
    /// What has the focus.
    Focus,
    /// It worked.
    Good,
    /// It failed.
    Bad,
    /// Look here.
    Warn,
    /// A pane's border.
    Border,
    /// The border of the pane with the focus.
    BorderFocus,
}

/// A scheme on a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Which colours.
    pub scheme: Scheme,
    /// Whether the palette of 256 is there.
    pub many: bool,
}

impl Theme {
    /// The theme of a setting; `light` is asked only for `auto`.
    pub fn new(setting: &str, colours: Colours, light: impl FnOnce() -> bool) -> Theme {
        let scheme = match (setting, colours) {
            (_, Colours::None) | ("plain", _) => Scheme::Plain,
            ("dark", _) => Scheme::Dark,
            ("light", _) => Scheme::Light,
            ("high-contrast", _) => Scheme::HighContrast,
            _ if light() => Scheme::Light,
            _ => Scheme::Dark,
        };
        Theme { scheme, many: colours == Colours::Many }
    }

    /// How text of a role looks.
    pub fn style(self, role: Role) -> Style {
        let plain = match role {
            Role::Text | Role::Border | Role::Good => Style::new(),
            Role::Dim => Style::new().add_modifier(Modifier::DIM),
            Role::Accent | Role::Selected | Role::Warn | Role::Bad | Role::BorderFocus => {
                Style::new().add_modifier(Modifier::BOLD)
            }
            Role::Focus => Style::new().add_modifier(Modifier::REVERSED),
        };
        match self.colour(role) {
            Some(colour) => plain.fg(colour),
            None => plain,
        }
    }

    fn colour(self, role: Role) -> Option<Color> {
        let of = |few: Color, many: u8| Some(if self.many { Color::Indexed(many) } else { few });
        match (self.scheme, role) {
            (Scheme::Plain, _) | (_, Role::Text | Role::Focus | Role::Dim) => None,
            (Scheme::Dark, Role::Accent | Role::BorderFocus) => of(Color::Cyan, 80),
            (Scheme::Dark, Role::Selected) => of(Color::Yellow, 222),
            (Scheme::Dark, Role::Good) => of(Color::Green, 114),
            (Scheme::Dark, Role::Bad) => of(Color::LightRed, 210),
            (Scheme::Dark, Role::Warn) => of(Color::Yellow, 221),
            (Scheme::Dark, Role::Border) => of(Color::DarkGray, 242),
            (Scheme::Light, Role::Accent | Role::BorderFocus) => of(Color::Blue, 25),
            (Scheme::Light, Role::Selected) => of(Color::Magenta, 90),
            (Scheme::Light, Role::Good) => of(Color::Green, 22),
            (Scheme::Light, Role::Bad) => of(Color::Red, 124),
            (Scheme::Light, Role::Warn) => of(Color::Magenta, 130),
            (Scheme::Light, Role::Border) => of(Color::DarkGray, 245),
            (Scheme::HighContrast, _) => None,
        }
    }
}

impl Colours {
    /// By `NO_COLOR` and what the terminal says of itself.
    pub fn detect(var: impl Fn(&str) -> Option<String>) -> Colours {
        let term = var("TERM").unwrap_or_default();
        let depth = var("COLORTERM").unwrap_or_default();
        if var("NO_COLOR").is_some_and(|value| !value.is_empty()) || term == "dumb" {
            Colours::None
        } else if !depth.is_empty() || term.contains("256color") || term.contains("kitty") || term.contains("direct") {
            Colours::Many
        } else {
            Colours::Sixteen
        }
    }
}

/// Asks the terminal whether its background is light. Waits 50 ms at most; must come before anything else reads its input.
pub fn background_is_light() -> bool {
    let mut options = terminal_colorsaurus::QueryOptions::default();
    options.timeout = Duration::from_millis(50);
    matches!(terminal_colorsaurus::theme_mode(options), Ok(terminal_colorsaurus::ThemeMode::Light))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_wins_over_every_theme() {
        let colours = Colours::detect(|name| match name {
            "NO_COLOR" => Some("1".into()),
            "COLORTERM" => Some("truecolor".into()),
            _ => None,
        });
        for setting in ["auto", "dark", "light", "high-contrast", "plain"] {
            let theme = Theme::new(setting, colours, || panic!("the terminal was asked for a colour nobody wants"));
            for role in [Role::Accent, Role::Bad, Role::Border, Role::Focus] {
                assert_eq!((theme.style(role).fg, theme.style(role).bg), (None, None), "{setting}: {role:?}");
            }
        }
    }

    #[test]
    fn focus_and_disabled_are_told_without_colour() {
        let theme = Theme { scheme: Scheme::Plain, many: false };
        let looks = [Role::Text, Role::Dim, Role::Focus, Role::Selected].map(|role| theme.style(role));
        for (at, look) in looks.iter().enumerate() {
            assert!(!looks[..at].contains(look), "{look:?} means two things");
        }
    }

    #[test]
    fn only_auto_asks_for_the_background() {
        assert_eq!(Theme::new("auto", Colours::Sixteen, || true).scheme, Scheme::Light);
        assert_eq!(Theme::new("auto", Colours::Many, || false), Theme { scheme: Scheme::Dark, many: true });
        assert_eq!(Theme::new("light", Colours::Sixteen, || panic!("asked")).scheme, Scheme::Light);
    }
}
