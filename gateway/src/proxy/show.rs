//! Ollama's small questions: what a model is, what is loaded, which version speaks; and requests that only load a model.

use super::exchange::Exchange;
use super::receive::Client;
use super::{deliver, receive};
use crate::dialect::model_list::ModelEntry;
use crate::dialect::ollama_chat::show;
use crate::dialect::{AnswerFacts, Dialect};
use crate::domain::{Envelope, VirtualKey};
use crate::error::{GatewayError, Kind};
use crate::state::Snapshot;

/// `GET /api/version`; no key is asked for, as for a sign of life.
pub(super) async fn version(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
) -> Result<(), GatewayError> {
    tell(snapshot, client, exchange, "application/json", show::version()).await
}

/// `GET /api/ps`.
pub(super) async fn loaded(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
) -> Result<(), GatewayError> {
    tell(snapshot, client, exchange, "application/json", show::loaded()).await
}

/// `POST /api/show`: what is known of one model that the key may use.
pub(super) async fn model(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    key: &VirtualKey,
) -> Result<(), GatewayError> {
    let body = receive::body(snapshot, client, exchange).await?;
    let asked = show::asked(&body)?;
    let plan = snapshot.routes.plan(key, &asked).map_err(|error| match error.kind {
        Kind::ModelNotFound => show::not_found(&asked),
        _ => error,
    })?;
    let steps = plan.targets.iter().chain(&plan.fallback);
    let providers: Vec<_> = steps.filter_map(|step| snapshot.providers.get(&step.provider)).collect();
    // What one of the targets can do is routed there.
    let can = |word: &str| {
        providers
            .iter()
            .any(|provider| provider.adapter.manifest().capabilities.iter().any(|can| can == word))
    };
    let known = [("tools", "tools"), ("images", "vision"), ("reasoning", "thinking")];
    let mut capabilities = vec!["completion"];
    capabilities.extend(known.into_iter().filter(|(ours, _)| can(ours)).map(|(_, theirs)| theirs));
    let entry = ModelEntry { id: asked, created: 0, owned_by: "causeway".to_owned() };
    tell(snapshot, client, exchange, "application/json", show::model(&entry, &capabilities)).await
}

/// An answer for which no provider needs to be asked, sent. False: a model must be asked.
pub(super) async fn without_model(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    (dialect, envelope): (&dyn Dialect, &Envelope),
) -> Result<bool, GatewayError> {
    let facts = AnswerFacts {
        request_id: exchange.record.request_id.clone(),
        created: exchange.created,
        model: envelope.model.clone(),
        waited: exchange.started.elapsed(),
    };
    let Some(answer) = dialect.without_model(&facts, envelope) else { return Ok(false) };
    let content_type = if envelope.stream { "application/x-ndjson" } else { "application/json" };
    tell(snapshot, client, exchange, content_type, answer).await.map(|()| true)
}

async fn tell(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    content_type: &'static str,
    body: Vec<u8>,
) -> Result<(), GatewayError> {
    let head = deliver::head(200, exchange, exchange.record.dialect, snapshot.headers)?;
    deliver::whole(client, exchange, head, content_type, body.into()).await
}
