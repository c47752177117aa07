//! Golden files.

#[test]
fn fixtures() {
    plugin_sdk::testing::run::<super::Gemini>("fixtures");
}
