//! From text to a filter, and the quoting that makes a filter text again.

use super::value::{Needle, Value};
use super::{Expr, FilterError, Name, Operator};

/// Deeper nesting is no filter a person wrote, and would exhaust the stack.
const DEEPEST: usize = 64;

/// Finds the column of a name, or says why there is none.
type Resolve<'r> = &'r dyn Fn(&str) -> Result<Name, String>;

/// Reads a whole text; `None` is the filter that accepts everything.
pub(super) fn parse(text: &str, resolve: Resolve<'_>) -> Result<Option<Expr>, FilterError> {
    let mut parser = Parser { text, at: 0, depth: 0, resolve };
    if parser.peek().is_none() {
        return Ok(None);
    }
    let expr = parser.either()?;
    match parser.peek() {
        None => Ok(Some(expr)),
        Some(')') => parser.fail(parser.at, "this closes no parenthesis"),
        Some(_) => parser.fail(parser.at, "write \"and\" or \"or\" here, or put quotes around a value with spaces"),
    }
}

/// A word of the text: what it says, and whether it stood in quotes (then it is never a keyword).
struct Word {
    text: String,
    quoted: bool,
    at: usize,
}

impl Word {
    fn is(&self, keyword: &str) -> bool {
        !self.quoted && self.text.eq_ignore_ascii_case(keyword)
    }

    fn is_joint(&self) -> bool {
        self.is("and") || self.is("or")
    }
}

struct Parser<'p> {
    text: &'p str,
    at: usize,
    depth: usize,
    resolve: Resolve<'p>,
}

impl Parser<'_> {
    fn either(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.both()?];
        while self.take("or") {
            parts.push(self.both()?);
        }
        Ok(joined(parts, Expr::Or, |part| match part {
            Expr::Or(inner) => Ok(inner),
            other => Err(other),
        }))
    }

    fn both(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.term()?];
        while self.take("and") {
            parts.push(self.term()?);
        }
        Ok(joined(parts, Expr::And, |part| match part {
            Expr::And(inner) => Ok(inner),
            other => Err(other),
        }))
    }

    fn term(&mut self) -> Result<Expr, FilterError> {
        if self.depth == DEEPEST {
            return self.fail(self.at, "this is nested too deeply");
        }
        self.depth += 1;
        let expr = self.term_inside();
        self.depth -= 1;
        expr
    }

    fn term_inside(&mut self) -> Result<Expr, FilterError> {
        if self.take("not") {
            return Ok(Expr::Not(Box::new(self.term()?)));
        }
        if self.peek() == Some('(') {
            let open = self.at;
            self.at += 1;
            let expr = self.either()?;
            if self.peek() != Some(')') {
                return match self.peek() {
                    None => self.fail(open, "this parenthesis is never closed"),
                    Some(_) => self.fail(self.at, "write \"and\", \"or\" or \")\" here"),
                };
            }
            self.at += 1;
            return Ok(expr);
        }
        let first = self.word()?;
        if first.is_joint() {
            return self.fail(first.at, "something to compare or search for is missing before this");
        }
        if let Some(comparison) = self.comparison(&first)? {
            return Ok(comparison);
        }
        self.words(first)
    }

    /// What follows a name, if it is a comparison.
    fn comparison(&mut self, name: &Word) -> Result<Option<Expr>, FilterError> {
        let before = self.at;
        if let Some(operator) = self.operator() {
            let name = self.name(name)?;
            let value = self.value()?;
            return Ok(Some(Expr::Compare(name, operator, Value::new(&value))));
        }
        if self.take("is") {
            if self.take("missing") {
                return Ok(Some(Expr::Missing(self.name(name)?)));
            }
            self.at = before;
        }
        Ok(None)
    }

    /// Words that search all columns.
    fn words(&mut self, first: Word) -> Result<Expr, FilterError> {
        let start = first.at;
        let mut words = vec![first];
        while !matches!(self.peek(), None | Some('(' | ')')) {
            let before = self.at;
            if self.operator().is_some() {
                return self.fail(start, "put quotes around a name with spaces, or \"and\" before it");
            }
            let word = self.word()?;
            if word.is_joint() {
                self.at = before;
                break;
            }
            if word.is("is") && self.take("missing") {
                return self.fail(start, "put quotes around a name with spaces, or \"and\" before it");
            }
            words.push(word);
        }
        if self.peek() == Some('(') {
            return self.fail(self.at, "write \"and\" or \"or\" here, or put quotes around text with parentheses");
        }
        Ok(Expr::Words(words.iter().map(|word| Needle::new(&word.text)).collect()))
    }

    fn name(&self, word: &Word) -> Result<Name, FilterError> {
        (self.resolve)(&word.text).map_err(|message| FilterError { at: word.at, message })
    }

    /// The next character that is no space, without taking it.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    /// Takes a keyword if it comes next.
    fn take(&mut self, keyword: &str) -> bool {
        self.peek();
        let length = plain_length(&self.text[self.at..]);
        let found = self.text[self.at..self.at + length].eq_ignore_ascii_case(keyword);
        if found {
            self.at += length;
        }
        found
    }

    fn operator(&mut self) -> Option<Operator> {
        self.peek();
        let rest = &self.text[self.at..];
        if let Some((symbol, operator)) = Operator::SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
            self.at += symbol.len();
            return Some(*operator);
        }
        self.take("has").then_some(Operator::Has)
    }

    /// A word or a quoted text, as a name or something to search for.
    fn word(&mut self) -> Result<Word, FilterError> {
        let Some(next) = self.peek() else {
            return self.fail(self.at, "something to compare or search for is missing here");
        };
        let at = self.at;
        if is_quote(next) {
            return Ok(Word { text: self.quoted(next)?, quoted: true, at });
        }
        let length = plain_length(&self.text[at..]);
        if length == 0 {
            return self.fail(at, "a name is missing before this");
        }
        self.at += length;
        Ok(Word { text: self.text[at..self.at].to_owned(), quoted: false, at })
    }

    /// Whatever follows an operator, up to a space or a parenthesis.
    fn value(&mut self) -> Result<String, FilterError> {
        let Some(next) = self.peek() else { return self.fail(self.at, "a value is missing here") };
        if is_quote(next) {
            return self.quoted(next);
        }
        let rest = &self.text[self.at..];
        let length = value_length(rest);
        if length == 0 {
            return self.fail(self.at, "a value is missing before this; put quotes around one with parentheses");
        }
        self.at += length;
        Ok(rest[..length].to_owned())
    }

    fn quoted(&mut self, quote: char) -> Result<String, FilterError> {
        let open = self.at;
        let mut text = String::new();
        let mut chars = self.text[open + 1..].char_indices().peekable();
        while let Some((at, ch)) = chars.next() {
            if ch == quote {
                self.at = open + 1 + at + 1;
                return Ok(text);
            }
            match chars.peek() {
                Some((_, next)) if ch == '\\' && (is_quote(*next) || *next == '\\') => {
                    text.push(*next);
                    chars.next();
                }
                _ => text.push(ch),
            }
        }
        self.fail(open, "this quote is never closed")
    }

    fn fail<T>(&self, at: usize, message: &str) -> Result<T, FilterError> {
        Err(FilterError { at, message: message.to_owned() })
    }
}

/// One part stays itself; parts of the same kind are taken apart, so that grouping that changes nothing leaves no trace.
fn joined(parts: Vec<Expr>, join: fn(Vec<Expr>) -> Expr, apart: fn(Expr) -> Result<Vec<Expr>, Expr>) -> Expr {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match apart(part) {
            Ok(inner) => flat.extend(inner),
            Err(part) => flat.push(part),
        }
    }
    match flat.len() {
        1 => flat.remove(0),
        _ => join(flat),
    }
}

fn is_quote(ch: char) -> bool {
    matches!(ch, '"' | '\'')
}

/// The length of the name or search word at the start: up to a space, parenthesis or operator.
fn plain_length(text: &str) -> usize {
    let ends = |(at, ch): (usize, char)| {
        ch.is_whitespace() || matches!(ch, '(' | ')' | '=' | '<' | '>' | '~') || text[at..].starts_with("!=")
    };
    text.char_indices().find(|found| ends(*found)).map_or(text.len(), |(at, _)| at)
}

fn value_length(text: &str) -> usize {
    text.find(|ch: char| ch.is_whitespace() || matches!(ch, '(' | ')')).unwrap_or(text.len())
}

/// A name or search word as it has to be written.
pub(super) fn quoted_name(text: &str) -> String {
    let keyword = ["and", "or", "not", "is", "has", "missing"].iter().any(|keyword| text.eq_ignore_ascii_case(keyword));
    quote(text, keyword || plain_length(text) != text.len())
}

/// A value as it has to be written.
pub(super) fn quoted_value(text: &str) -> String {
    quote(text, value_length(text) != text.len())
}

fn quote(text: &str, needed: bool) -> String {
    match needed || text.is_empty() || text.starts_with(is_quote) {
        true => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        false => text.to_owned(),
    }
}
