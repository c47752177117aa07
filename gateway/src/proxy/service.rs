//! Pingora's `ProxyHttp`: every exchange goes to the pipeline, and to `observe` once.

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use pingora::http::RequestHeader;
use pingora::proxy::{ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;

use super::exchange::Exchange;
use super::receive::Client;
use super::{permit, pipeline, receive, reject};
use crate::account::Ledger;
use crate::cache::Cache;
use crate::conversation::Conversations;
use crate::dialect;
use crate::domain::{RequestHead, id};
use crate::error::{GatewayError, Kind};
use crate::limit::Limits;
use crate::observe::Observer;
use crate::people::People;
use crate::route::{Decision, Decisions, Fleet};
use crate::state::Snapshot;
use crate::upstream;
use crate::vault::Vault;

/// What all requests share.
#[derive(Clone)]
pub struct Ground {
    /// The configuration of now; a request takes it once.
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    /// Keys that were made at run time, and whose they are.
    pub people: Arc<People>,
    /// Connections to providers.
    pub client: upstream::Client,
    /// Where finished requests are told.
    pub observer: Arc<Observer>,
    /// How every target is doing; kept over reloads.
    pub fleet: Arc<Fleet>,
    /// Where the latest requests went, and why.
    pub decisions: Arc<Decisions>,
    /// How many requests each of them may get at a time; kept over reloads.
    pub gates: upstream::Gates,
    /// Reasoning state that clients cannot carry.
    pub vault: Vault,
    /// Answers that clients refer to.
    pub conversations: Conversations,
    /// Answers that serve more than one request.
    pub cache: Cache,
    /// Where every request to a provider is booked.
    pub ledger: Arc<Ledger>,
    /// How much may be asked and spent; what is counted is kept over reloads.
    pub limits: Limits,
}

/// The data plane as Pingora sees it.
pub struct Gateway {
    ground: Ground,
}

impl Gateway {
    /// A data plane on shared ground.
    pub fn new(ground: Ground) -> Self {
        Self { ground }
    }

    async fn handle(&self, session: &mut Session) {
        let snapshot = self.ground.snapshot.load_full();
        let (mut exchange, routed) = begin(session.req_header());
        let entered =
            self.ground.observer.under_way().enter(&exchange.record.request_id, &exchange.record.path);
        let mut client = Client::new(session, Arc::clone(&entered.ongoing));
        self.ground.observer.began();
        let result = match routed {
            // Boxed: what is handed on by value is moved at each step.
            Ok(()) => Box::pin(pipeline::run(&self.ground, &snapshot, &mut client, &mut exchange)).await,
            Err(error) => Err(error),
        };
        // From here on it cannot be cancelled; if it was at the last moment, that is what happened.
        let result = if entered.ongoing.end() { result } else { Err(receive::cancelled()) };
        if let Err(error) = &result {
            // A client that is gone cannot be told; the record says it.
            let told = reject::send(snapshot.headers, &mut client, &mut exchange, error).await;
            let error = told.as_ref().err().unwrap_or(error);
            exchange.record.error_kind = error.kind.as_str();
            exchange.record.error = Some(error.to_string());
            // Whatever the head said of an answer that was cancelled, this is how it ended.
            let unanswered = error.kind == Kind::ClientGone && exchange.record.status == 0;
            if unanswered || error.kind == Kind::Cancelled {
                exchange.record.status = error.kind.status();
            }
        }
        permit::settle(&mut exchange).await;
        exchange.record.took = exchange.started.elapsed();
        if exchange.record.overhead.is_zero() {
            exchange.record.overhead = exchange.overhead();
        }
        if let Some(plan) = exchange.plan.take() {
            exchange.record.balance = plan.model.balance.name();
            exchange.record.planned = plan.steps.len() + plan.fallback.len();
            exchange.record.passed_over = plan.passed_over.len();
            self.ground.decisions.add(Decision::of(&plan, &exchange.record, exchange.created));
        }
        self.ground.observer.record(&exchange.record);
    }
}

/// The exchange of a request head, and whether its path is one we can route.
fn begin(header: &RequestHeader) -> (Exchange, Result<(), GatewayError>) {
    let path = header.uri.path();
    let routed = dialect::routed_path(path);
    let shown = format!("{} {path}", header.method);
    let head = RequestHead {
        method: header.method.clone(),
        path: routed.as_ref().map_or_else(|_| path.to_owned(), Clone::clone),
        query: header.uri.query().map(str::to_owned),
        headers: header.headers.clone(),
    };
    let request_id = id::request_id(head.header("x-request-id"));
    (Exchange::new(head, request_id, shown), routed.map(drop))
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = ();

    fn new_ctx(&self) -> Self::CTX {}

    async fn request_filter(&self, session: &mut Session, (): &mut Self::CTX) -> pingora::Result<bool> {
        self.handle(session).await;
        Ok(true)
    }

    async fn upstream_peer(&self, _: &mut Session, (): &mut Self::CTX) -> pingora::Result<Box<HttpPeer>> {
        // Never reached: `request_filter` answers everything.
        pingora::Error::e_explain(pingora::ErrorType::HTTPStatus(404), "nothing is passed through raw")
    }
}
