//! monday's GraphQL endpoint: one document per call, an answer of data beside errors.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{SPEC, errors};
use crate::crm::api::Api;
use crate::crm::call::Call;
use crate::crm::{Trouble, TroubleKind};

/// The version of the API that every call names.
pub(super) const VERSION: &str = "2026-10";

/// What a document came to.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Answer {
    pub data: Option<Map<String, Value>>,
    pub errors: Vec<Value>,
}

impl Answer {
    /// What a field of the document came to; nothing when it failed.
    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        self.data.as_ref()?.get(name).filter(|value| !value.is_null())
    }

    /// The error of this field of the document.
    pub(super) fn error(&self, name: &str) -> Option<&Value> {
        self.errors.iter().find(|error| error.get("path").and_then(|path| path.get(0)) == Some(&json!(name)))
    }
}

fn document(text: &str, variables: Value) -> Call {
    Call::post("/v2").json(json!({"query": text, "variables": variables}))
}

/// Asks for data of this shape; any error is one of the whole question.
pub(super) async fn query<T: DeserializeOwned>(api: &Api, text: &str, variables: Value) -> Result<T, Trouble> {
    let answer: Answer = api.json(document(text, variables)).await?;
    if let Some(error) = answer.errors.first() {
        return Err(errors::of(error));
    }
    serde_json::from_value(Value::Object(answer.data.unwrap_or_default())).map_err(|_| Trouble {
        kind: TroubleKind::Vendor,
        message: format!("{} answered with something that cannot be read.", SPEC.name),
        next_step: String::new(),
    })
}

/// Sends mutations; the caller looks at each one's data and error. `again` says that a repeat of them changes nothing more.
pub(super) async fn mutate(api: &Api, text: &str, variables: Value, again: bool) -> Result<Answer, Trouble> {
    let call = document(text, variables);
    api.json(if again { call } else { call.once() }).await
}
