//! Ids as Bedrock lists them.

use super::Family;

#[test]
fn families_are_told_by_the_id() {
    for (id, family) in [
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", Family::Claude(3, 5)),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Family::Claude(4, 5)),
        ("global.anthropic.claude-opus-4-20250514-v1:0", Family::Claude(4, 0)),
        ("anthropic.claude-opus-5", Family::Claude(5, 0)),
        ("eu.amazon.nova-pro-v1:0", Family::Nova),
        ("openai.gpt-oss-120b-1:0", Family::OpenAi),
        ("mistral.mistral-large-2407-v1:0", Family::Mistral),
        ("cohere.command-r-plus-v1:0", Family::Cohere),
        ("us.deepseek.r1-v1:0", Family::DeepSeek),
        ("us.meta.llama3-3-70b-instruct-v1:0", Family::Other),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", Family::Unknown),
    ] {
        assert_eq!(Family::of(id), family, "{id}");
    }
}
