//! `leadferry help`, `completions` and `man`: what the command line says about itself.

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

use super::Arguments;
use super::out::Out;
use crate::failure::{Code, Failure};
use crate::text::nearest;

/// Pages that are no command's.
const TOPICS: [(&str, &str); 2] =
    [("json", include_str!("../../assets/help-json.md")), ("filter", include_str!("../../assets/help-filter.md"))];

/// The help of a command, or of a topic.
pub fn help(words: &[String], out: &mut Out) -> Result<u8, Failure> {
    let text = match words {
        [topic] if TOPICS.iter().any(|(name, _)| name == topic) => {
            TOPICS.iter().find(|(name, _)| name == topic).map(|(_, text)| (*text).to_owned()).unwrap_or_default()
        }
        words => find(words)?.render_long_help().to_string(),
    };
    page("help", &text, out)
}

/// The completion script of a shell.
pub fn completions(shell: Shell, out: &mut Out) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "leadferry", &mut script);
    page("script", &String::from_utf8_lossy(&script), out)
}

/// The manual page of a command, in roff.
pub fn man(words: &[String], out: &mut Out) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(find(words)?).render(&mut text).map_err(|error| {
        Failure::new(Code::Failed, format!("The manual page cannot be made: {error}."), "Report this.")
    })?;
    page("man", &String::from_utf8_lossy(&text), out)
}

fn page(name: &str, text: &str, out: &mut Out) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(&json!({ name: text }))?;
    } else {
        // Our own text: a tab in a script means something.
        out.raw(|stdout| stdout.write_all(text.as_bytes()))?;
    }
    Ok(0)
}

/// The command of these words, named as it is called.
fn find(words: &[String]) -> Result<Command, Failure> {
    let mut command = Arguments::command();
    let mut called = "leadferry".to_owned();
    command.build();
    for word in words {
        let Some(inner) = command.find_subcommand(word) else {
            let names = command.get_subcommands().map(Command::get_name);
            let guess = nearest(word, names.chain(TOPICS.map(|(name, _)| name)));
            let guess = guess.map_or_else(String::new, |guess| format!("Did you mean {guess}? "));
            return Err(Failure::new(
                Code::Usage,
                format!("There is no help on '{}'.", words.join(" ")),
                format!("{guess}See leadferry --help."),
            ));
        };
        called = format!("{called} {word}");
        command = inner.clone();
    }
    Ok(command.bin_name(called))
}
