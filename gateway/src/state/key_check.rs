//! Is a provider key good? The cheapest question a vendor answers by its key: which models it has.

use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;

use super::Provider;
use crate::domain::Blame;
use crate::domain::http::UpstreamRequest;
use crate::error::GatewayError;
use crate::upstream::keys::Failure;
use crate::upstream::{ChosenKey, Client};

/// What a provider says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It takes the key.
    Good,
    /// It refuses the key (401, 403), or its account has nothing left (402).
    Bad(Failure),
    /// It said neither: what came instead.
    Unclear(String),
    /// We know no such question for this provider.
    NoQuestion,
}

/// Dialect of a passage, and the path of its list of models. Documented by the vendors: platform.openai.com/docs/api-reference/models,
/// docs.anthropic.com/en/api/models-list, ai.google.dev/api/models, docs.cohere.com/reference/list-models.
const LISTS: [(&str, &str); 4] = [
    ("openai-chat", "/v1/models"),
    ("anthropic-messages", "/v1/models?limit=1"),
    ("gemini-generate", "/v1beta/models?pageSize=1"),
    ("cohere-chat", "/v1/models?page_size=1"),
];

/// A list of models in any of these forms: `data` of `id` (OpenAI, Anthropic), `models` of `name` (Gemini, Cohere).
#[derive(Deserialize)]
struct Listed {
    data: Option<Vec<Entry>>,
    models: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    id: Option<String>,
    name: Option<String>,
}

impl Entry {
    fn plain(self) -> Option<String> {
        let name = self.id.or(self.name)?;
        Some(name.strip_prefix("models/").map(str::to_owned).unwrap_or(name))
    }
}

impl Provider {
    /// Asks the provider for its models with this key.
    pub async fn ask_of_key(&self, client: &Client, key: ChosenKey) -> Asked {
        let Some(request) = self.models_request() else { return Asked::NoQuestion };
        // Boxed: connecting needs 20 KB of state.
        let sent = Box::pin(client.send_with(&self.upstream, Some(key), &request, &self.timeouts)).await;
        let status = match sent {
            Ok(response) => response.head.status,
            Err(mut error) => {
                self.upstream.scrub(&mut error.context);
                return Asked::Unclear(error.to_string());
            }
        };
        let bad = |blame| Asked::Bad(Failure { blame, status: Some(status), retry_after: None });
        match status {
            // 429 is an answer to a key that is known.
            200..300 | 429 => Asked::Good,
            401 | 403 => bad(Blame::Key),
            402 => bad(Blame::Quota),
            _ => Asked::Unclear(format!("the provider answered {status} to the question for its models")),
        }
    }

    /// The names of the provider's models, by its own list.
    ///
    /// # Errors
    /// Why there is none, in words without a secret.
    pub async fn ask_for_models(&self, client: &Client) -> Result<Vec<String>, String> {
        /// Longest list that is read.
        const MOST: usize = 8 << 20;
        let none = || "this provider has no list of models to ask for".to_owned();
        let mut request = self.models_request().ok_or_else(none)?;
        request.path = request.path.replace("limit=1", "limit=1000").replace("ize=1", "ize=1000");
        let failed = |mut error: GatewayError| {
            self.upstream.scrub(&mut error.context);
            error.to_string()
        };
        // Boxed: connecting needs 20 KB of state.
        let sent = Box::pin(client.send(&self.upstream, &request, &self.timeouts)).await;
        let mut response = sent.map_err(failed)?;
        let status = response.head.status;
        if !(200..300).contains(&status) {
            return Err(format!("the provider answered {status} to the question for its models"));
        }
        let body = response.body.whole(MOST).await.map_err(failed)?;
        let listed: Listed = serde_json::from_slice(&body)
            .map_err(|_| "what the provider answered is no list of models".to_owned())?;
        let entries = listed.data.or(listed.models).unwrap_or_default();
        let mut names: Vec<String> = entries.into_iter().filter_map(Entry::plain).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The question, if this provider speaks a dialect that has one.
    fn models_request(&self) -> Option<UpstreamRequest> {
        let known = LISTS.iter().find_map(|(dialect, path)| Some((self.passage(dialect)?, *path)));
        let (passage, path) = known?;
        let mut headers = HeaderMap::new();
        for (name, value) in passage.headers.iter().filter(|(name, _)| *name != http::header::CONTENT_TYPE) {
            headers.append(name.clone(), value.clone());
        }
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
        Some(UpstreamRequest {
            method: Method::GET,
            path: path.to_owned(),
            headers,
            body: bytes::Bytes::new(),
            credential: passage.credential.clone(),
        })
    }
}
