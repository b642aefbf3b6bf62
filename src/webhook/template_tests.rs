//! What a receiver gets to parse, whatever stands in a lead.

use super::*;
use crate::lead::Column;
use proptest::prelude::*;
use serde_json::Value as Json;

fn column(header: &str, field: Option<Field>) -> Column {
    Column { header: header.into(), field }
}

fn schema() -> Schema {
    Schema {
        columns: vec![
            column("First", Some(Field::FirstName)),
            column("Last", Some(Field::LastName)),
            column("Mail", Some(Field::Email)),
            column("Firm", Some(Field::Company)),
            column("Score", Some(Field::Score)),
            column("Zip", Some(Field::PostalCode)),
            column("Job Title", None),
        ],
    }
}

fn lead(cells: &[&str]) -> Lead {
    Lead { cells: cells.iter().map(|cell| (*cell).to_owned()).collect() }
}

fn dana() -> Lead {
    lead(&["Dana", "Whitfield", "dana@whitfield.test", "Whitfield Homes", "97.5", "01234", "Owner"])
}

fn spec(template: &str, text: &str, batch: u32) -> WebhookSpec {
    WebhookSpec { template: template.into(), template_text: text.into(), batch, ..WebhookSpec::default() }
}

fn context() -> Context {
    Context {
        list: "Top <Investors>".into(),
        version: 3,
        run: "01RUN".into(),
        event: Context::SYNCED,
        now: "2026-03-02T10:00:00Z".parse().unwrap(),
    }
}

fn render(spec: &WebhookSpec, leads: &[&Lead]) -> Result<Vec<u8>, Failure> {
    Template::compile(spec)?.render(&context(), &schema(), leads)
}

fn json(spec: &WebhookSpec, leads: &[&Lead]) -> Json {
    serde_json::from_slice(&render(spec, leads).unwrap()).unwrap()
}

fn own(text: &str, lead: &Lead) -> Result<String, Failure> {
    render(&spec(CUSTOM, text, 1), &[lead]).map(|body| String::from_utf8(body).unwrap())
}

#[test]
fn the_standard_envelope_holds_type_timestamp_and_data() {
    let body = json(&spec("standard", "", 1), &[&dana()]);
    let keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["type", "timestamp", "data"]);
    assert_eq!(body["timestamp"], "2026-03-02T10:00:00Z");
    assert_eq!(body["data"]["lead"]["email"], "dana@whitfield.test");
    assert_eq!(body["data"]["version"], 3);
    let batch = json(&spec("standard", "", 50), &[&dana()]);
    assert_eq!(batch["data"]["leads"][0]["company"], "Whitfield Homes", "a batch of one is still a batch");
}

#[test]
fn flat_keeps_the_order_of_the_file_and_the_type_of_each_value() {
    let body = String::from_utf8(render(&spec("flat", "", 1), &[&dana()]).unwrap()).unwrap();
    assert_eq!(
        body,
        r#"{"first_name":"Dana","last_name":"Whitfield","email":"dana@whitfield.test","company":"Whitfield Homes","score":97.5,"postal_code":"01234","Job Title":"Owner"}"#
    );
    let short = json(&spec("flat", "", 2), &[&lead(&["Dana"]), &lead(&["", "", "", "", "1e999"])]);
    assert_eq!(short[0]["email"], Json::Null);
    assert_eq!(short[1]["score"], "1e999", "what is no number stays what it was");
}

#[test]
fn slack_shows_the_name_and_calls_nobody() {
    let mut hostile = dana();
    hostile.cells[3] = "<!channel> & \"Sons\"\\".into();
    let body = json(&spec("slack", "", 1), &[&hostile]);
    let text = body["text"].as_str().unwrap();
    assert!(text.starts_with("New lead from Top &lt;Investors&gt;: *Dana Whitfield*\n"), "{text}");
    assert!(text.contains("Company: &lt;!channel&gt; &amp; \"Sons\"\\\n"), "{text}");
    assert!(text.contains("Score: 97.5"), "{text}");
    let many: Vec<Lead> = std::iter::repeat_with(dana).take(25).collect();
    let batch = json(&spec("slack", "", 50), &many.iter().collect::<Vec<_>>());
    assert!(batch["text"].as_str().unwrap().ends_with("and 5 more"), "{batch}");
}

#[test]
fn a_value_is_text_between_quotes_and_a_json_value_elsewhere() {
    let text = r#"{"hello": "Dear {{ lead.first_name }}, \"{{ lead.score }}\" {{ lead.nothing }}", "mail": {{ lead.email }},
        "title": {{ lead["Job Title"] }}, "none": {{ lead.nothing }}, "n": {{ lead.score|int + 1 }}}"#;
    let body: Json = serde_json::from_str(&own(text, &dana()).unwrap()).unwrap();
    assert_eq!(body["hello"], "Dear Dana, \"97.5\" ");
    assert_eq!(body["mail"], "dana@whitfield.test");
    assert_eq!(body["title"], "Owner");
    assert_eq!(body["none"], Json::Null);
    assert_eq!(body["n"], 98);
}

#[test]
fn what_could_break_out_is_refused_when_the_form_is_filled() {
    for (text, words) in [
        (r#"{"a": "\{{ lead.email }}"}"#, "right before"),
        (r#"{"a": "{{ lead }}"}"#, "between quotes"),
        (r#"{"a": {{ lead.email|safe }}}"#, "safe"),
        (r#"{"a": {% set x %}{{ lead.email }}{% endset %}{{ x }}}"#, "captured"),
        (r#"{"a": {{ lead.email }}"#, "not JSON"),
        ("{\"a\": \n {{ lead.email", "line 2"),
        (r#"[{% for a in range(9999) %}{% for b in range(9999) %}{{ b }},{% endfor %}{% endfor %}0]"#, "fuel"),
        ("plain text", "not JSON"),
    ] {
        let failure = own(text, &dana()).unwrap_err();
        assert!(failure.message.contains(words), "{text}: {}", failure.message);
    }
    assert!(Template::compile(&spec("nope", "", 1)).unwrap_err().remedy.contains("standard, flat, slack, custom"));
}

#[test]
fn tojson_from_other_tools_does_no_harm() {
    assert_eq!(
        own(r#"[{{ lead.email|tojson }}, "{{ lead.email|tojson }}"]"#, &lead(&["", "", "a\"b"])).unwrap(),
        r#"["a\"b", "a\"b"]"#
    );
}

#[test]
fn headers_that_repeat_lose_no_value() {
    let twice = Schema { columns: vec![column("Phone", None), column("Phone", None)] };
    let template = Template::compile(&spec("flat", "", 1)).unwrap();
    let body = template.render(&context(), &twice, &[&lead(&["1", "2"])]).unwrap();
    assert_eq!(body, br#"{"Phone":"1","Phone (2)":"2"}"#);
}

fn any_lead() -> impl Strategy<Value = Lead> {
    let cell = prop_oneof![any::<String>(), "[\"\\\\{}\\[\\]:,\u{0}-\u{8}n u0-9-]{0,12}"];
    proptest::collection::vec(cell, 7).prop_map(|cells| Lead { cells })
}

fn seen(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

proptest! {
    #[test]
    fn no_lead_breaks_a_body_or_is_changed_by_it(one in any_lead()) {
        let text = r#"{"x": ["{{ lead.company }}", {{ lead.company }}], "y": "a{{ lead.email }}b{{ lead["Job Title"] }}c", "z": 1}"#;
        let body: Json = serde_json::from_str(&own(text, &one).unwrap()).unwrap();
        prop_assert_eq!(body.as_object().unwrap().len(), 3);
        prop_assert_eq!(body["x"].as_array().unwrap().len(), 2);
        prop_assert_eq!(seen(&body["x"][0]), one.cells[3].clone());
        prop_assert_eq!(seen(&body["x"][1]), one.cells[3].clone());
        prop_assert_eq!(seen(&body["y"]), format!("a{}b{}c", one.cells[2], one.cells[6]));
        for ready in ["standard", "slack", "flat"] {
            let spec = spec(ready, "", 1);
            let first = render(&spec, &[&one]).unwrap();
            prop_assert!(serde_json::from_slice::<Json>(&first).is_ok());
            prop_assert_eq!(first, render(&spec, &[&one]).unwrap(), "the same bytes when rendered again");
        }
        let flat = json(&spec("flat", "", 2), &[&one]);
        for (at, value) in flat[0].as_object().unwrap().values().enumerate() {
            let text = match value { Json::Null => String::new(), Json::String(text) => text.clone(), other => other.to_string() };
            prop_assert_eq!(&text, &one.cells[at]);
        }
    }

    #[test]
    fn no_template_panics(text in "(\\{\\{|\\}\\}|\\{%|%\\}|lead|[\"\\\\a.|\\[\\]{}:,]| if | for | in | end){0,20}") {
        let _ = own(&text, &dana());
    }
}
