//! Everything is in the golden files.

#[test]
fn fixtures() {
    plugin_sdk::testing::run::<super::Anthropic>("fixtures");
}

#[test]
fn the_options_schema_is_json() {
    let schema: serde_json::Value = serde_json::from_str(super::options::SCHEMA).expect("JSON");
    assert_eq!(schema["additionalProperties"], false);
}
