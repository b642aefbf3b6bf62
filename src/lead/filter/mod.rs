//! The filter language: `state = TX and score >= 80 and not title ~ intern`.
//!
//! - A comparison is `name operator value`, with the operators `= != < <= > >=`, `~` (contains) and `has` (is one of a list of
//!   values), or `name is missing`. What follows an operator is always a value; quotes (`"` or `'`) allow spaces, in names too,
//!   and inside them `\` makes the next quote or `\` plain.
//! - `and`, `or`, `not` and parentheses combine; `not` binds closest, then `and`, then `or`.
//! - Words that are no comparison search all columns; of several in a row each must be in some column.
//! - Values are compared trimmed and without case; as numbers where both sides are numbers, as text otherwise. An empty cell is
//!   less, equal or greater than nothing, except that it is `= ""`.
//!
//! A filter is bound to the columns of the schema it was parsed with, and to all tables that only have more columns at the end.

mod parse;
mod value;

use std::fmt;

pub use self::value::parse_number;
pub(super) use self::value::{Needle, fold_into};

use self::value::{Value, has};
use super::Schema;
use super::row::Cells;
use crate::text::clean;

/// A condition on leads. The default one accepts everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    root: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
enum Expr {
    /// Two or more, none of them an `Or` itself.
    Or(Vec<Expr>),
    /// Two or more, none of them an `And` itself.
    And(Vec<Expr>),
    Not(Box<Expr>),
    Compare(Name, Operator, Value),
    Missing(Name),
    Words(Vec<Needle>),
}

/// A column: its position, and its name as the canonical text writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    position: usize,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Contains,
    Has,
}

/// Why a text is no filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// The byte of the text at which it goes wrong; the text's length when something is missing at its end.
    pub at: usize,
    /// What is wrong there, and what could be meant.
    pub message: String,
}

impl FilterError {
    /// Two lines, clean: the text, and a caret under the place with the message.
    pub fn pointed(&self, text: &str) -> String {
        let column = clean(text.get(..self.at).unwrap_or(text)).width();
        format!("{}\n{}^ {}", clean(text), " ".repeat(column), clean(&self.message))
    }
}

impl Filter {
    /// Reads a filter. Names are standard fields or headers of `schema`; an unknown one is an error that lists the nearest.
    pub fn parse(text: &str, schema: &Schema) -> Result<Filter, FilterError> {
        parse::parse(text, &|name| resolve(name, schema)).map(|root| Filter { root })
    }

    /// Checks the grammar alone, where the columns are not known yet.
    pub fn check(text: &str) -> Result<(), FilterError> {
        parse::parse(text, &|name| Ok(Name { position: 0, text: name.to_owned() })).map(|_| ())
    }

    /// Whether every lead passes.
    pub fn is_everything(&self) -> bool {
        self.root.is_none()
    }

    /// Whether a lead passes.
    pub fn matches(&self, lead: &impl Cells) -> bool {
        self.root.as_ref().is_none_or(|root| root.matches(lead))
    }
}

impl Expr {
    fn matches(&self, lead: &impl Cells) -> bool {
        match self {
            Expr::Or(any) => any.iter().any(|expr| expr.matches(lead)),
            Expr::And(all) => all.iter().all(|expr| expr.matches(lead)),
            Expr::Not(expr) => !expr.matches(lead),
            Expr::Missing(name) => lead.cell(name.position).trim().is_empty(),
            Expr::Words(words) => {
                words.iter().all(|word| (0..lead.count()).any(|position| word.is_in(lead.cell(position))))
            }
            Expr::Compare(name, operator, value) => operator.holds(lead.cell(name.position), value),
        }
    }
}

impl Operator {
    const SYMBOLS: [(&'static str, Operator); 7] = [
        ("!=", Operator::Unequal),
        ("<=", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("=", Operator::Equal),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("~", Operator::Contains),
    ];

    fn symbol(self) -> &'static str {
        Operator::SYMBOLS.iter().find(|(_, operator)| *operator == self).map_or("has", |(symbol, _)| symbol)
    }

    fn holds(self, cell: &str, value: &Value) -> bool {
        let cell = cell.trim();
        match self {
            Operator::Contains => value.needle.is_in(cell),
            Operator::Has => has(cell, value),
            Operator::Equal => value.order(cell).is_eq(),
            Operator::Unequal => value.order(cell).is_ne(),
            _ if cell.is_empty() => false,
            Operator::Less => value.order(cell).is_lt(),
            Operator::AtMost => value.order(cell).is_le(),
            Operator::Greater => value.order(cell).is_gt(),
            Operator::AtLeast => value.order(cell).is_ge(),
        }
    }
}

/// Finds the column of a name, or says which names are near.
fn resolve(name: &str, schema: &Schema) -> Result<Name, String> {
    let Some(position) = schema.position_of(name) else {
        let near = near(name, schema);
        return Err(match near.as_slice() {
            [] => format!("there is no column \"{name}\""),
            near => format!("there is no column \"{name}\"; near it: {}", near.join(", ")),
        });
    };
    let canonical = schema.name(position);
    // A header may be hidden behind a field of the same name; then only what was typed leads to it.
    let text = if schema.position_of(canonical) == Some(position) { canonical } else { name };
    Ok(Name { position, text: text.to_owned() })
}

/// Up to three names of the schema that a person may have meant.
fn near<'s>(name: &str, schema: &'s Schema) -> Vec<&'s str> {
    let typed = name.to_lowercase();
    let names = (0..schema.columns.len()).flat_map(|position| {
        let header = schema.columns[position].header.as_str();
        std::iter::once(schema.name(position)).chain((header != schema.name(position)).then_some(header))
    });
    let mut ranked: Vec<(usize, &str)> = names
        .filter_map(|candidate| {
            let folded = candidate.to_lowercase();
            let contains =
                typed.len() > 1 && (folded.contains(&typed) || typed.contains(&folded)) && !folded.is_empty();
            let distance = distance(&typed, &folded);
            (contains || distance <= 2.max(typed.chars().count() / 3)).then_some((distance, candidate))
        })
        .collect();
    ranked.sort();
    ranked.dedup_by_key(|(_, candidate)| *candidate);
    ranked.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// How many letters have to be changed, added or taken out to make one name of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(80).collect();
    let mut costs: Vec<usize> = (0..=other.len()).collect();
    for (row, from) in one.chars().take(80).enumerate() {
        let mut diagonal = costs[0];
        costs[0] = row + 1;
        for (column, to) in other.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = costs[column + 1];
            costs[column + 1] = changed.min(diagonal + 1).min(costs[column] + 1);
        }
    }
    costs[other.len()]
}

impl fmt::Display for Filter {
    /// The canonical text: parsing it gives the same filter.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.as_ref().map_or(Ok(()), |root| root.write(out))
    }
}

impl Expr {
    fn write(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Or(any) => join(out, any, " or ", |_| false),
            Expr::And(all) => join(out, all, " and ", |inner| matches!(inner, Expr::Or(_))),
            Expr::Not(inner) => {
                out.write_str("not ")?;
                inner.write_grouped(out, matches!(**inner, Expr::Or(_) | Expr::And(_)))
            }
            Expr::Compare(name, operator, value) => {
                write!(
                    out,
                    "{} {} {}",
                    parse::quoted_name(&name.text),
                    operator.symbol(),
                    parse::quoted_value(&value.text)
                )
            }
            Expr::Missing(name) => write!(out, "{} is missing", parse::quoted_name(&name.text)),
            Expr::Words(words) => {
                for (at, word) in words.iter().enumerate() {
                    out.write_str(if at == 0 { "" } else { " " })?;
                    out.write_str(&parse::quoted_name(word.text()))?;
                }
                Ok(())
            }
        }
    }

    fn write_grouped(&self, out: &mut fmt::Formatter<'_>, group: bool) -> fmt::Result {
        if !group {
            return self.write(out);
        }
        out.write_str("(")?;
        self.write(out)?;
        out.write_str(")")
    }
}

fn join(out: &mut fmt::Formatter<'_>, parts: &[Expr], word: &str, group: impl Fn(&Expr) -> bool) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        out.write_str(if at == 0 { "" } else { word })?;
        part.write_grouped(out, group(part))?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
