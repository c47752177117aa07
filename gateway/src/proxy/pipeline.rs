//! THE STRAIGHT LINE: one request from its head to its answer.

use std::sync::Arc;
use std::time::Instant;

use super::exchange::Exchange;
use super::recall::Completed;
use super::receive::Client;
use super::service::Ground;
use super::vigil::Vigil;
use super::{attempt, counted, deliver, recall, receive, replay, room, show};
use crate::dialect::{self, Endpoint};
use crate::domain::{LazyAsks, Operation};
use crate::error::{GatewayError, Kind};
use crate::route::{AUTO, Clues, Facts, Question, Turns};
use crate::state::Snapshot;

/// The life of a request. Read this first.
pub(super) async fn run(
    ground: &Ground,
    snapshot: &Arc<Snapshot>,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
) -> Result<(), GatewayError> {
    let api = dialect::of(&exchange.head)?;
    exchange.record.dialect = api.dialect.id();
    match api.endpoint {
        Endpoint::Probe => return deliver::probe(client, exchange).await,
        Endpoint::Version => return show::version(snapshot, client, exchange).await,
        _ => {}
    }
    let key = snapshot.keyring.authenticate(&exchange.head)?;
    exchange.record.key = key.id.clone();
    exchange.record.team.clone_from(&key.team);
    match api.endpoint {
        Endpoint::Converse => {}
        Endpoint::Kept => return recall::serve(ground, snapshot.headers, client, exchange).await,
        Endpoint::Show => return show::model(snapshot, client, exchange, &key).await,
        Endpoint::Loaded => return show::loaded(snapshot, client, exchange).await,
        _ => return deliver::models(snapshot, client, exchange, api, &key).await,
    }
    let (envelope, wishes) = receive::envelope(snapshot, client, exchange, api.dialect, &key).await?;
    let completed = recall::complete(ground, exchange, api.dialect, envelope).await?;
    let Completed { envelope, keeping, first_answer } = completed;
    let talks = api.dialect.operation() == Operation::Chat;
    let clues = Clues {
        body: if talks { &envelope.body } else { &[] },
        first_answer: first_answer.as_deref(),
        headers: &snapshot.session_headers,
    };
    let plan = {
        let asks: LazyAsks<'_> = LazyAsks::new(Box::new(|| api.dialect.asks(&envelope)));
        let (dialect, session, now) = (api.dialect.id(), exchange.head.session(), exchange.created);
        let facts = Facts { asks: &asks, dialect, session, now };
        let (asked, head, now, seed) = (&envelope.model, &exchange.head, Instant::now(), fastrand::u64(..));
        let question = Question { key: &key, asked, head, now, facts, clues, wishes: wishes.as_ref(), seed };
        snapshot.routes.plan(&question, &ground.fleet, Turns::Taken)?
    };
    exchange.record.model = plan.model.name.clone();
    exchange.chosen = (envelope.model == AUTO && *plan.asked != *AUTO).then(|| plan.asked.clone());
    if show::without_model(snapshot, client, exchange, (api.dialect, &envelope)).await? {
        return Ok(());
    }
    let request = attempt::Request { ground, snapshot, dialect: api.dialect, envelope: &envelope, keeping };
    exchange.keep_alive = plan.model.keep_alive;
    let mut vigil = Vigil::of(&request, exchange);
    // Translate, send, translate back, unless there is an answer that serves this request as well. Boxed: what an attempt
    // needs is not kept while its answer is sent.
    let answer = vigil.keep(client, Box::pin(replay::first_good(&request, &plan, exchange))).await;
    exchange.plan = Some(plan);
    let answer = match answer.or_else(|error| request.estimate(error)) {
        Ok(answer) => answer,
        Err(error) => {
            if error.kind == Kind::ClientGone && api.dialect.operation() == Operation::Chat {
                counted::left(exchange, &envelope.body);
            } else {
                vigil.end(client, exchange, &error).await?;
            }
            return Err(error);
        }
    };
    let in_hand = answer.in_hand.clone();
    let target = answer.target.clone();
    let affinity = exchange.plan.as_ref().and_then(|plan| plan.affinity.as_ref());
    exchange.record.affinity = affinity.map(|affinity| affinity.outcome(&answer.target));
    let sent = deliver::send(snapshot, client, exchange, api.dialect, answer).await; // no way back from here
    if api.dialect.operation() == Operation::Chat {
        counted::complete(exchange, &envelope.body);
    }
    in_hand.iter().for_each(|key| key.spent(exchange.record.usage));
    room::spent(ground, &target, exchange.record.usage);
    sent
}
