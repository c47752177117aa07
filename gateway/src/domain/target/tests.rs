//! What is sent for a name that was asked.

use super::{Target, Terms};

#[test]
fn a_star_passes_the_asked_name_on_without_its_address() {
    for (provider, model, asked, sent) in [
        ("openai", "gpt-5", "fast", "gpt-5"),
        ("openai", "*", "gpt-5", "gpt-5"),
        ("openai", "*", "openai/gpt-5", "gpt-5"),
        ("lab", "*", "laboratory/x", "laboratory/x"),
        ("lab", "org/model", "lab/org/model", "org/model"),
    ] {
        let target =
            Target { provider: provider.into(), model: model.to_owned(), weight: 1, terms: Terms::default() };
        assert_eq!(target.model_for(asked), sent, "{provider}/{model} {asked}");
    }
}
