//! Payload templates: minijinja over a lead, aware of JSON.
//!
//! One convention: `{{ value }}` between quotes is escaped text (`"text": "Hello {{ lead.first_name }}"`), anywhere else it is a
//! whole JSON value with its own quotes (`"email": {{ lead.email }}`, `"lead": {{ lead }}`). No value can end the string it
//! stands in or add a member, whatever it holds: values are told from the template's own text by a mark that no value can
//! hold, and only the template's own quotes open and close strings.
//!
//! A template sees `lead` (the first one), `leads`, `batched`, `list`, `version`, `run`, `event` and `now` (when the run
//! started, so that a body rendered again has the same bytes).

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};

use super::WebhookSpec;
use super::ready::{self, READY};
use crate::failure::{Code, Failure};
use crate::lead::{Field, Lead, Schema};

/// The name in a [`WebhookSpec`] that means "my own text".
pub const CUSTOM: &str = "custom";

/// The most bytes one body may have.
pub const MAX_BODY: usize = 4 << 20;

/// Steps of the template engine per lead, and for the rest: enough for any payload, little enough for a slip with loops.
const FUEL_PER_LEAD: u64 = 20_000;
const FUEL_BASE: u64 = 100_000;

/// What a body says besides its leads; frozen with the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The list's name.
    pub list: String,
    /// Its version.
    pub version: u32,
    /// The run's id.
    pub run: String,
    /// The event type: [`Context::SYNCED`], or [`Context::TEST`] for a test.
    pub event: &'static str,
    /// When the run started.
    pub now: Timestamp,
}

impl Context {
    /// The event type of a lead that a run sends.
    pub const SYNCED: &str = "lead.synced";
    /// The event type of a test.
    pub const TEST: &str = "lead.test";
}

/// A template that is ready to render.
#[derive(Clone, Debug)]
pub struct Template {
    environment: Arc<Environment<'static>>,
    mark: String,
    batched: bool,
}

impl Template {
    /// Compiles a webhook's payload. The failure names the line that is wrong.
    pub fn compile(spec: &WebhookSpec) -> Result<Template, Failure> {
        let text = match spec.template.as_str() {
            CUSTOM => spec.template_text.as_str(),
            name => {
                READY.iter().find(|ready| ready.name == name).map(|ready| ready.text).ok_or_else(|| unknown(name))?
            }
        };
        let mark = new_mark()?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        // Nothing may pass for safe text: what a value becomes is decided by where it stands, at the very end.
        for name in ["safe", "escape", "e"] {
            environment.remove_filter(name);
        }
        environment.add_filter("tojson", |value: Value| value);
        environment.add_filter("slack", escape_for_slack);
        environment.set_fuel(Some(FUEL_BASE + FUEL_PER_LEAD * u64::from(spec.batch)));
        let own = mark.clone();
        environment.set_formatter(move |out, _, value| {
            let json = to_json(value, &own)?;
            write!(out, "{own}{json}{own}").map_err(Error::from)
        });
        environment.add_template_owned("payload", text.to_owned()).map_err(|error| refused(&error))?;
        Ok(Template { environment: Arc::new(environment), mark, batched: spec.batch > 1 })
    }

    /// The body for these leads: valid JSON, the same bytes for the same input.
    pub fn render(&self, context: &Context, schema: &Schema, leads: &[&Lead]) -> Result<Vec<u8>, Failure> {
        let names = names(schema);
        let leads: Vec<Value> = leads.iter().map(|lead| lead_value(&names, schema, lead)).collect();
        let values = minijinja::context! {
            lead => leads.first().cloned().unwrap_or_default(),
            leads => leads,
            batched => self.batched,
            list => context.list,
            version => context.version,
            run => context.run,
            event => context.event,
            now => context.now.to_string(),
        };
        let mut out = Capped(Vec::new());
        let template = self.environment.get_template("payload").map_err(|error| refused(&error))?;
        template.render_captured_to(values, &mut out).map_err(|error| refused(&error))?;
        let marked = String::from_utf8(out.0).map_err(|_| broken("it is not UTF-8"))?;
        let body = self.place(&marked)?;
        if body.len() > MAX_BODY {
            return Err(broken("it is larger than 4 MB"));
        }
        serde_json::from_str::<IgnoredAny>(&body).map_err(|error| broken(&format!("it is not JSON: {error}")))?;
        Ok(body.into_bytes())
    }

    /// Puts each value into its place: as it is outside of quotes, as escaped text between them.
    fn place(&self, marked: &str) -> Result<String, Failure> {
        let mut body = String::with_capacity(marked.len());
        let mut place = Place::Value;
        for (at, part) in marked.split(&self.mark).enumerate() {
            if at % 2 == 0 {
                place = part.bytes().fold(place, Place::after);
                body.push_str(part);
                continue;
            }
            match (place, part.as_bytes().first()) {
                (Place::Value, _) => body.push_str(part),
                (Place::Escape, _) => return Err(broken("a \\ stands right before a {{ value }}")),
                (Place::Text, Some(b'"')) => body.push_str(&part[1..part.len() - 1]),
                (Place::Text, Some(b'{' | b'[')) => return Err(broken("a table or list stands between quotes")),
                (Place::Text, _) if part == "null" => {}
                (Place::Text, _) => body.push_str(part),
            }
        }
        Ok(body)
    }
}

/// The SHA-256 of a body, by which a body rendered again is known to be the same.
pub fn hash(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// What one lead would look like, for the form: the text of the body.
pub fn preview(
    spec: &WebhookSpec,
    list: &str,
    schema: &Schema,
    lead: &Lead,
    now: Timestamp,
) -> Result<String, Failure> {
    let context = Context { list: list.to_owned(), version: 1, run: "preview".into(), event: Context::SYNCED, now };
    let body = Template::compile(spec)?.render(&context, schema, &[lead])?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// What is wrong with a webhook's payload, found by trying it on the made-up lead; `None` when it is fine.
pub fn check(spec: &WebhookSpec) -> Option<String> {
    let (schema, lead) = ready::sample();
    preview(spec, "list", &schema, &lead, Timestamp::UNIX_EPOCH).err().map(|failure| failure.message)
}

/// Where in a JSON text the next character stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside of quotes.
    Value,
    /// Between quotes.
    Text,
    /// Between quotes, after a backslash.
    Escape,
}

impl Place {
    fn after(self, byte: u8) -> Place {
        match (self, byte) {
            (Place::Value, b'"') => Place::Text,
            (Place::Text, b'"') => Place::Value,
            (Place::Text, b'\\') => Place::Escape,
            (Place::Escape, _) => Place::Text,
            (same, _) => same,
        }
    }
}

/// Stops a template that writes without end.
struct Capped(Vec<u8>);

impl std::io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // The marks come on top of what the body will hold.
        if self.0.len() + bytes.len() > 2 * MAX_BODY {
            return Err(std::io::Error::other("the body is larger than 4 MB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// No lead can hold it: it is drawn anew for each template, and is gone from what is sent.
fn new_mark() -> Result<String, Failure> {
    let number = getrandom::u64().map_err(|error| broken(&format!("the system gave no randomness: {error}")))?;
    Ok(format!("\0{number:016x}\0"))
}

fn to_json(value: &Value, mark: &str) -> Result<String, Error> {
    if value.as_str().is_some_and(|text| text.contains(mark)) {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "text captured by {% set %} or {% filter %} blocks cannot be used; write {% set name = value %}",
        ));
    }
    if value.is_undefined() {
        return Ok("null".into());
    }
    serde_json::to_string(value).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

/// The names of the columns as templates and payloads use them; a header that repeats gets a number.
fn names(schema: &Schema) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(schema.columns.len());
    for at in 0..schema.columns.len() {
        let own = schema.name(at);
        let mut name = own.to_owned();
        let mut number = 1;
        while names.contains(&name) {
            number += 1;
            name.clear();
            let _ = write!(name, "{own} ({number})");
        }
        names.push(name);
    }
    names
}

/// A lead as a template sees it: text as it stands in the file, `null` for a missing value, the score as a number.
fn lead_value(names: &[String], schema: &Schema, lead: &Lead) -> Value {
    let score = schema.position(Field::Score);
    let cells = names.iter().enumerate().map(|(at, name)| {
        let value = match lead.cell(at) {
            "" => Value::from(()),
            text if Some(at) == score => number(text).unwrap_or_else(|| Value::from(text)),
            text => Value::from(text),
        };
        (name.clone(), value)
    });
    Value::from_iter(cells)
}

/// A number, where writing it again gives the same text.
fn number(text: &str) -> Option<Value> {
    let number: serde_json::Number = text.parse().ok()?;
    (number.to_string() == text).then(|| Value::from_serialize(number))
}

/// Slack reads `&`, `<` and `>` as its own markup: a lead could call a whole channel with `<!channel>`.
fn escape_for_slack(value: &Value) -> String {
    if value.kind() == ValueKind::None || value.is_undefined() {
        return String::new();
    }
    value.to_string().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn unknown(name: &str) -> Failure {
    let names = READY.iter().map(|ready| ready.name).chain([CUSTOM]).collect::<Vec<_>>().join(", ");
    Failure::new(Code::Usage, format!("There is no payload template '{name}'."), format!("Choose one of {names}."))
}

fn refused(error: &Error) -> Failure {
    let line = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    Failure::new(
        Code::Usage,
        format!("The payload template is wrong{line}: {detail}."),
        "Mend the template, or start again from a ready one.",
    )
}

fn broken(why: &str) -> Failure {
    Failure::new(
        Code::Usage,
        format!("The payload cannot be sent: {why}."),
        "Write values as {{ lead.email }}; between quotes they are text, elsewhere whole JSON values.",
    )
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
