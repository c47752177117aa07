//! What a client wants done; the contract's own list.

/// What is asked of a provider. The body's canonical form depends on it (`wit/canonical-operations.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A conversation, in canonical chat.
    Chat,
    /// How many tokens a conversation has.
    CountTokens,
    /// Texts as vectors.
    Embeddings,
    /// Documents in the order of their relevance.
    Rerank,
    /// Whether texts and pictures break a policy.
    Moderation,
    /// Pictures out of a text.
    ImageGeneration,
    /// Pictures out of pictures and a text.
    ImageEdit,
    /// Pictures like a picture.
    ImageVariation,
    /// Sound out of a text.
    Speech,
    /// Text out of sound, in the language spoken.
    Transcription,
    /// Text out of sound, in English.
    Translation,
}

impl Operation {
    /// The contract's word for it, as manifests list it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::CountTokens => "count-tokens",
            Self::Embeddings => "embeddings",
            Self::Rerank => "rerank",
            Self::Moderation => "moderation",
            Self::ImageGeneration => "image-generation",
            Self::ImageEdit => "image-edit",
            Self::ImageVariation => "image-variation",
            Self::Speech => "speech",
            Self::Transcription => "transcription",
            Self::Translation => "translation",
        }
    }
}
