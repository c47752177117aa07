//! Which vendor a path belongs to, and what is wanted.

use hyper::{HeaderMap, Method};

use super::anthropic::Anthropic;
use super::bedrock::Bedrock;
use super::cohere::Cohere;
use super::gemini::Gemini;
use super::ollama::Ollama;
use super::openai::{Completions, OpenAi};
use super::operations::{self, Asked};
use super::settings::percent_decoded;
use super::vendor::{Target, Vendor};

pub(super) struct Route {
    pub(super) vendor: &'static dyn Vendor,
    pub(super) wanted: Wanted,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Answer(Target),
    /// The number of tokens in a prompt.
    Count(Target),
    /// Something beyond chat.
    Other(Asked, Target),
    Models,
    Model(String),
    /// No such path.
    Nothing,
    /// The path exists, the method does not.
    OtherMethod,
}

/// Finds the route. Whatever stands before the known end of a path is accepted, as gateways and proxies add prefixes.
pub(super) fn of(method: &Method, path: &str, query: &str, headers: &HeaderMap) -> Route {
    let path = percent_decoded(path.trim_end_matches('/'));
    let vendor = vendor(&path, headers);
    let posted = |wanted: Wanted| if method == Method::POST { wanted } else { Wanted::OtherMethod };
    if let Some(asked) = operations::at(&path) {
        let model = path.rsplit_once("/models/").and_then(|(_, name)| name.rsplit_once(':'));
        let model = model.map_or_else(String::new, |(model, _)| model.to_owned());
        return Route { vendor, wanted: posted(Wanted::Other(asked, Target { model, ..Target::default() })) };
    }
    if path.ends_with("/chat/completions") {
        return Route { vendor: &OpenAi, wanted: posted(Wanted::Answer(Target::default())) };
    }
    if path.ends_with("/completions") {
        return Route { vendor: &Completions, wanted: posted(Wanted::Answer(Target::default())) };
    }
    if path.ends_with("/api/chat") {
        return Route { vendor: &Ollama::Chat, wanted: posted(Wanted::Answer(Target::default())) };
    }
    if path.ends_with("/api/generate") {
        return Route { vendor: &Ollama::Generate, wanted: posted(Wanted::Answer(Target::default())) };
    }
    if path.ends_with("/api/tags") && method == Method::GET {
        return Route { vendor: &Ollama::Chat, wanted: Wanted::Models };
    }
    if path.ends_with("/messages") {
        return Route { vendor: &Anthropic, wanted: posted(Wanted::Answer(Target::default())) };
    }
    if path.ends_with("/v2/chat") {
        return Route { vendor: &Cohere, wanted: posted(Wanted::Answer(Target::default())) };
    }
    if let Some(target) = conversed(&path) {
        return Route { vendor: &Bedrock, wanted: posted(Wanted::Answer(target)) };
    }
    if path.ends_with("/messages/count_tokens") {
        return Route { vendor: &Anthropic, wanted: posted(Wanted::Count(Target::default())) };
    }
    if path.ends_with("/models") && method == Method::GET {
        return Route { vendor, wanted: Wanted::Models };
    }
    let Some((_, name)) = path.split_once("/models/") else {
        return Route { vendor, wanted: Wanted::Nothing };
    };
    if method == Method::GET {
        return Route { vendor, wanted: Wanted::Model(name.to_owned()) };
    }
    let Some((model, call)) = name.rsplit_once(':') else { return Route { vendor, wanted: Wanted::Nothing } };
    let mut target = Target { model: model.to_owned(), ..Target::default() };
    let wanted = match call {
        "generateContent" => Wanted::Answer(target),
        "streamGenerateContent" => {
            target.stream = true;
            target.events = query.split('&').any(|pair| pair == "alt=sse");
            Wanted::Answer(target)
        }
        "countTokens" => Wanted::Count(target),
        _ => Wanted::Nothing,
    };
    Route { vendor: &Gemini, wanted: posted(wanted) }
}

/// `…/model/{id}/converse` and `…/model/{id}/converse-stream`.
fn conversed(path: &str) -> Option<Target> {
    let (front, call) = path.rsplit_once('/')?;
    let stream = match call {
        "converse" => false,
        "converse-stream" => true,
        _ => return None,
    };
    let (_, model) = front.split_once("/model/").filter(|(_, model)| !model.is_empty())?;
    Some(Target { model: model.to_owned(), stream, events: false })
}

fn vendor(path: &str, headers: &HeaderMap) -> &'static dyn Vendor {
    if path.rsplit_once("/api/").is_some_and(|(_, rest)| !rest.contains('/')) {
        return &Ollama::Chat;
    }
    let google = path.contains("/v1beta") || headers.contains_key("x-goog-api-key");
    if google {
        &Gemini
    } else if headers.contains_key("anthropic-version") {
        &Anthropic
    } else {
        &OpenAi
    }
}
