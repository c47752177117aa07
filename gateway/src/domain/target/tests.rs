//! What is sent for a name that was asked.

use super::model_for;

#[test]
fn a_star_passes_the_asked_name_on_without_its_address() {
    for (provider, model, asked, sent) in [
        ("openai", "gpt-5", "fast", "gpt-5"),
        ("openai", "*", "gpt-5", "gpt-5"),
        ("openai", "*", "openai/gpt-5", "gpt-5"),
        ("lab", "*", "laboratory/x", "laboratory/x"),
        ("lab", "org/model", "lab/org/model", "org/model"),
    ] {
        assert_eq!(model_for(provider, model, asked), sent, "{provider}/{model} {asked}");
    }
}
