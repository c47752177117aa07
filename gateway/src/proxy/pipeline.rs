//! THE STRAIGHT LINE: one request from its head to its answer.

use std::sync::Arc;

use super::asked::Asked;
use super::booked::Tab;
use super::exchange::Exchange;
use super::recall::Completed;
use super::receive::Client;
use super::service::Ground;
use super::spent::{self, Spent};
use super::vigil::Vigil;
use super::{attempt, deliver, door, permit, recall, receive, replay, show};
use crate::dialect::{self, Endpoint};
use crate::error::GatewayError;
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
    let key = door::admit(ground, snapshot, client, exchange)?;
    exchange.record.key = key.id.clone();
    exchange.record.team.clone_from(&key.team);
    if api.endpoint != Endpoint::Converse {
        permit::count(ground, snapshot, &key, exchange).await?;
    }
    match api.endpoint {
        Endpoint::Converse => {}
        Endpoint::Kept => return recall::serve(ground, snapshot.headers, client, exchange).await,
        Endpoint::Show => return show::model(snapshot, client, exchange, &key).await,
        Endpoint::Loaded => return show::loaded(snapshot, client, exchange).await,
        _ => return deliver::models(snapshot, client, exchange, api, &key).await,
    }
    let (envelope, wishes) = receive::envelope(snapshot, client, exchange, api.dialect, &key).await?;
    let Completed { envelope, keeping, first_answer } =
        recall::complete(ground, exchange, api.dialect, envelope).await?;
    let wishes = wishes.as_ref();
    let asked =
        Asked { key: &key, dialect: api.dialect, envelope: &envelope, first_answer, wishes, instead: None };
    let plan = asked.plan(ground, snapshot, exchange)?;
    // Boxed: it is over before the answer begins.
    let plan = Box::pin(permit::admit(ground, snapshot, &asked, (plan, exchange))).await?;
    client.is(exchange.facts());
    if show::without_model(snapshot, client, exchange, (api.dialect, &envelope)).await? {
        return Ok(());
    }
    let most_output = permit::most_output(exchange, &envelope);
    exchange.tab = Some(Tab::open(ground, exchange, &key, (api.dialect.operation(), &envelope.body)));
    // What is held for it must be known before anybody is asked.
    exchange.kept().await;
    let request = attempt::Request {
        ground,
        snapshot,
        dialect: api.dialect,
        envelope: &envelope,
        keeping,
        most_output,
    };
    let mut vigil = Vigil::of(&request, exchange);
    // Translate, send, translate back, unless there is an answer that serves this request as well. Boxed: what an attempt
    // needs is not kept while its answer is sent.
    let answer = vigil.keep(client, Box::pin(replay::first_good(&request, &plan, exchange))).await;
    exchange.plan = Some(plan);
    let answer = match answer.or_else(|error| request.estimate(error)) {
        Ok(answer) => answer,
        Err(error) => {
            exchange.kept().await;
            spent::nothing(exchange, &request, &error);
            vigil.end(client, exchange, &error).await?;
            return Err(error);
        }
    };
    let spent = Spent::of(exchange, &answer);
    let sent = deliver::send(snapshot, client, exchange, api.dialect, answer).await; // no way back from here
    spent.tell(exchange, &request);
    sent
}
