//! The three shapes.

use super::*;

fn entries() -> Vec<ModelEntry> {
    let entry = |id: &str, created| ModelEntry {
        id: id.into(),
        created,
        owned_by: "causeway".into(),
        facts: ModelFacts::default(),
    };
    vec![entry("gpt-5", 1_700_000_000), entry("team/claude \"x\"", 0)]
}

fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

#[test]
fn openai_lists_objects() {
    let list = value(&list(Shape::OpenAi, &entries()));
    assert_eq!(list["object"], "list");
    assert_eq!(
        list["data"][0],
        json!({ "id": "gpt-5", "object": "model", "created": 1_700_000_000, "owned_by": "causeway" })
    );
    assert_eq!(list["data"][1]["id"], "team/claude \"x\"");
}

#[test]
fn anthropic_lists_a_page() {
    let page = value(&list(Shape::Anthropic, &entries()));
    assert_eq!((&page["has_more"], &page["first_id"]), (&json!(false), &json!("gpt-5")));
    assert_eq!(page["data"][0]["created_at"], "2023-11-14T22:13:20Z");
    assert_eq!(page["data"][1]["created_at"], "1970-01-01T00:00:00Z");
    let empty = value(&list(Shape::Anthropic, &[]));
    assert_eq!((&empty["first_id"], &empty["last_id"]), (&Value::Null, &Value::Null));
}

#[test]
fn facts_stand_under_the_names_each_client_knows() {
    use crate::domain::ModelPrice;
    let price = ModelPrice {
        input: Micros(1_250_000),
        output: Micros(10_000_000),
        cache_read: Some(Micros(125_000)),
        ..ModelPrice::default()
    };
    let facts = ModelFacts {
        context: Some(400_000),
        max_output: Some(128_000),
        input: vec!["text", "image"],
        output: vec!["text"],
        price: Some(price),
    };
    let entry = ModelEntry { facts, ..entries().remove(0) };
    let openai = value(&single(Shape::OpenAi, &entry));
    assert_eq!(
        openai["pricing"],
        json!({ "prompt": "0.00000125", "completion": "0.00001", "input_cache_read": "0.000000125" })
    );
    assert_eq!((&openai["context_length"], &openai["max_output_tokens"]), (&json!(400_000), &json!(128_000)));
    assert_eq!(openai["architecture"]["modality"], "text+image->text");
    let anthropic = value(&single(Shape::Anthropic, &entry));
    assert_eq!(
        (&anthropic["max_input_tokens"], &anthropic["max_tokens"]),
        (&json!(400_000), &json!(128_000))
    );
    let gemini = value(&single(Shape::Gemini, &entry));
    assert_eq!((&gemini["inputTokenLimit"], &gemini["outputTokenLimit"]), (&json!(400_000), &json!(128_000)));
    assert_eq!(per_token(Micros(0)), "0");
}

#[test]
fn gemini_names_are_resources() {
    assert_eq!(value(&list(Shape::Gemini, &entries()))["models"][0]["name"], "models/gpt-5");
    assert_eq!(value(&single(Shape::Gemini, &entries()[1]))["displayName"], "team/claude \"x\"");
}
