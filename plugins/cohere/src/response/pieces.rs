//! Thoughts, citations, probabilities and fields without a name, in canonical words.

use plugin_sdk::chat::{Fields, Json, ReasoningDetail, Text};
use plugin_sdk::json;
use serde_json::Value;

use crate::VENDOR;
use crate::wire::Logprob;

/// What the model thought.
pub(crate) fn thought(text: Text<'_>) -> ReasoningDetail<'_> {
    ReasoningDetail {
        kind: "reasoning.text".into(),
        text: Some(text),
        format: Some(VENDOR.into()),
        ..ReasoningDetail::default()
    }
}

/// What the model means to do with its calls. As a summary it can be told from a thought when it comes back.
pub(crate) fn plan(text: Text<'_>) -> ReasoningDetail<'_> {
    ReasoningDetail {
        kind: "reasoning.summary".into(),
        summary: Some(text),
        format: Some(VENDOR.into()),
        ..ReasoningDetail::default()
    }
}

/// A citation of Cohere's: it names documents and results, not links.
pub(crate) fn annotation<'a>(citation: &Json<'_>) -> Json<'a> {
    Json::Value(serde_json::json!({ "type": "vendor", "vendor": VENDOR, "value": citation.to_value() }))
}

/// OpenAI tells a probability for each token, Cohere for each piece of text: the tokens' logarithms are added up.
pub(crate) fn logprobs<'a>(given: &[Logprob<'_>]) -> Json<'a> {
    let entry = |piece: &Logprob<'_>| {
        serde_json::json!({
            "token": &*piece.text,
            "logprob": piece.logprobs.iter().sum::<f64>(),
            "bytes": piece.text.as_bytes(),
            "top_logprobs": [],
        })
    };
    let content: Vec<Value> = given.iter().map(entry).collect();
    Json::Value(serde_json::json!({ "content": content, "refusal": null }))
}

/// Keeps fields without a name; later ones replace earlier ones.
pub(crate) fn gather(fields: &Fields<'_>, own: &mut Value) {
    for (name, value) in fields.present() {
        json::merge(own, serde_json::json!({ name: value.to_value() }));
    }
}

/// As `vendor` of a choice.
pub(crate) fn own<'a>(own: Value) -> Fields<'a> {
    let mut vendor = Fields::default();
    if !own.is_null() {
        vendor.push(VENDOR, own);
    }
    vendor
}

/// A call's own fields, with the key `vendor`.
pub(crate) fn beside<'a>(of_call: &Fields<'_>, of_function: &Fields<'_>) -> Fields<'a> {
    let mut own = Value::Null;
    gather(of_call, &mut own);
    gather(of_function, &mut own);
    let mut rest = Fields::default();
    if !own.is_null() {
        rest.push("vendor", serde_json::json!({ VENDOR: own }));
    }
    rest
}
