//! Names and what follows from them.

use super::{Model, Thinking};

#[test]
fn names_tell_how_a_model_thinks() {
    let cases = [
        ("claude-3-opus-20240229", Thinking::Never, 4096),
        ("claude-3-5-sonnet-20241022", Thinking::Never, 8192),
        ("claude-3-7-sonnet-latest", Thinking::Budget, 32_000),
        ("claude-sonnet-4-20250514", Thinking::Budget, 32_000),
        ("claude-opus-4-1-20250805", Thinking::Budget, 32_000),
        ("anthropic/claude-sonnet-4.5", Thinking::Budget, 32_000),
        ("claude-haiku-4-5@20251001", Thinking::Budget, 32_000),
        ("claude-opus-4-6", Thinking::Either, 32_000),
        ("claude-opus-4-7", Thinking::Adaptive, 32_000),
        ("claude-sonnet-5", Thinking::Adaptive, 32_000),
        ("claude-opus-5-20261001", Thinking::Adaptive, 32_000),
        ("claude-next-preview", Thinking::Adaptive, 32_000),
        ("kimi-k2", Thinking::Budget, 4096),
    ];
    for (name, thinking, max_tokens) in cases {
        let model = Model::named(name);
        assert_eq!((model.thinking(), model.default_max_tokens()), (thinking, max_tokens), "{name}");
    }
    assert!(Model::named("claude-sonnet-5").thinks_by_default());
    assert!(!Model::named("claude-opus-4-7").thinks_by_default());
    assert!(Model::named("claude-sonnet-4-20250514").takes_both_samplings());
    assert!(!Model::named("claude-sonnet-4-5").takes_both_samplings());
}
