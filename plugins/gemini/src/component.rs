//! The component: Gemini's adapter, exported. The translation is a crate of its own, because exports cannot be linked
//! twice and Vertex AI's adapter builds on it.

use gemini_generate::Gemini;

plugin_sdk::register_adapter!(Gemini);

#[cfg(test)]
mod tests;
