//! Ollama's small questions: what a model is, what is loaded, which version speaks; and requests that only load a model.

use http::HeaderValue;

use super::answer::JSON;
use super::exchange::Exchange;
use super::receive::Client;
use super::{deliver, receive};
use crate::dialect::Dialect;
use crate::dialect::model_list::ModelEntry;
use crate::dialect::ollama_chat::show;
use crate::domain::{Abilities, Ability, Envelope, VirtualKey};
use crate::error::{GatewayError, Kind};
use crate::state::Snapshot;

/// `GET /api/version`; no key is asked for, as for a sign of life.
pub(super) async fn version(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
) -> Result<(), GatewayError> {
    tell(snapshot, client, exchange, JSON, show::version()).await
}

/// `GET /api/ps`.
pub(super) async fn loaded(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
) -> Result<(), GatewayError> {
    tell(snapshot, client, exchange, JSON, show::loaded()).await
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
    let reading = snapshot.routes.permitted(key, &asked).map_err(|error| match error.kind {
        Kind::ModelNotFound => show::not_found(&asked),
        _ => error,
    })?;
    let model = reading.model;
    let targets = snapshot.routes.leaves(model).into_iter();
    // What one of the targets can do is sent there.
    let all = targets.map(|target| target.terms.can).fold(Abilities::default(), Abilities::with);
    let can = |word: &str| Ability::of(word).is_some_and(|ability| all.has(ability));
    let facts = model.facts.clone();
    let entry = ModelEntry { id: asked, created: 0, owned_by: "causeway".to_owned(), facts };
    tell(snapshot, client, exchange, JSON, show::model(&entry, can)).await
}

/// An answer for which no provider needs to be asked, sent. False: a model must be asked.
pub(super) async fn without_model(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    (dialect, envelope): (&dyn Dialect, &Envelope),
) -> Result<bool, GatewayError> {
    let Some(answer) = dialect.without_model(envelope, exchange.created) else { return Ok(false) };
    let content_type = if envelope.stream { HeaderValue::from_static("application/x-ndjson") } else { JSON };
    tell(snapshot, client, exchange, content_type, answer).await.map(|()| true)
}

async fn tell(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    content_type: HeaderValue,
    body: Vec<u8>,
) -> Result<(), GatewayError> {
    let head = deliver::head(200, exchange, exchange.record.dialect, snapshot.headers)?;
    deliver::whole(client, exchange, head, content_type, body.into()).await
}
