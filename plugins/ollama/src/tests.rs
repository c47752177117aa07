//! Golden files.

#[test]
fn fixtures() {
    plugin_sdk::testing::run::<super::Ollama>("fixtures");
}

#[test]
fn the_schema_of_the_options_is_json() {
    let schema: serde_json::Value = serde_json::from_str(super::options::SCHEMA).expect("JSON");
    assert_eq!(schema["additionalProperties"], false);
}
