//! The component: Anthropic's adapter, exported. The translation is a crate of its own, because exports cannot be linked
//! twice and Vertex AI's adapter builds on it.

use anthropic_messages::Anthropic;

plugin_sdk::register_adapter!(Anthropic);

#[cfg(test)]
mod tests;
