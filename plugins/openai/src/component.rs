//! The component: OpenAI's adapter, exported. The translation is a crate of its own, because exports cannot be linked
//! twice and Azure's adapter builds on it.

use openai_chat::OpenAi;

plugin_sdk::register_adapter!(OpenAi);

#[cfg(test)]
mod tests;
