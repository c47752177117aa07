//! Everything is in the golden files.

#[test]
fn fixtures() {
    plugin_sdk::testing::run::<super::Anthropic>("fixtures");
}

#[test]
fn the_options_schema_is_json() {
    let schema = <super::Anthropic as plugin_sdk::Adapter>::describe().options_schema;
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(schema["additionalProperties"], false);
}
