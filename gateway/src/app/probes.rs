//! Targets that failed are asked by the gateway itself whether they are back: one token of chat through their adapter.
//!
//! A list of models would prove the key, not the target; one token proves both and costs nearly nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::adapter::Route;
use crate::config::{Probe, ProbeWhen};
use crate::domain::Operation;
use crate::error::{GatewayError, Kind};
use crate::proxy::{Ground, OwnRequest};
use crate::route::{Care, Entry, TargetState};
use crate::state::{Provider, Snapshot};

/// How often it is looked whose turn it is.
const TICK: Duration = Duration::from_millis(250);
/// Targets of one provider in one round: names that clients make up must not become questions without end.
const MOST: usize = 32;
/// Largest answer to a probe that is looked at.
const MAX_ANSWER: usize = 1 << 20;

/// Probes as the configuration in force says; never ends.
pub(super) async fn run(ground: &Ground) {
    let mut due: HashMap<Arc<str>, Instant> = HashMap::new();
    // One round per provider at a time, each target after the other.
    let mut rounds = JoinSet::new();
    let mut busy: Vec<Arc<str>> = Vec::new();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        while let Some(ended) = rounds.try_join_next() {
            match ended {
                Ok(name) => busy.retain(|busy| *busy != name),
                // Whose round it was is not known any more.
                Err(_) => busy.clear(),
            }
        }
        let snapshot = ground.snapshot.load_full();
        let now = Instant::now();
        due.retain(|name, _| snapshot.providers.contains_key(name));
        for (name, provider) in &snapshot.providers {
            let Some(probe) = &provider.probe else { continue };
            let every = Duration::from(probe.every);
            // At the start they do not all ask at once.
            let first = || now + every.mul_f64(fastrand::f64());
            let next = due.entry(Arc::clone(name)).or_insert_with(first);
            if *next > now || busy.contains(name) {
                continue;
            }
            *next = now + every.mul_f64(0.9 + fastrand::f64() / 5.0);
            busy.push(Arc::clone(name));
            let round = Round {
                ground: ground.clone(),
                snapshot: Arc::clone(&snapshot),
                name: Arc::clone(name),
                provider: Arc::clone(provider),
                probe: probe.clone(),
            };
            rounds.spawn(round.run());
        }
    }
}

/// The targets of one provider, once.
struct Round {
    ground: Ground,
    snapshot: Arc<Snapshot>,
    name: Arc<str>,
    provider: Arc<Provider>,
    probe: Probe,
}

impl Round {
    async fn run(self) -> Arc<str> {
        let targets = self.targets();
        if targets.is_empty() {
            return self.name;
        }
        match &self.probe.model {
            Some(model) => {
                if self.ask(model).await.is_ok() {
                    for target in targets {
                        target.try_again(Instant::now());
                    }
                }
            }
            None => {
                for target in targets {
                    self.check(&target).await;
                }
            }
        }
        self.name
    }

    /// Those to ask: whose circuit is not closed, and with `always` all that are configured by name.
    fn targets(&self) -> Vec<Arc<TargetState>> {
        let now = Instant::now();
        let failing = |target: &Arc<TargetState>| target.provider() == &self.name && target.is_open(now);
        let mut targets: Vec<_> = self.ground.fleet.all().into_iter().filter(failing).take(MOST).collect();
        if self.probe.when == ProbeWhen::Always && self.probe.model.is_none() {
            for (provider, model) in self.snapshot.routes.targets() {
                if provider != self.name || model.contains('*') {
                    continue;
                }
                let target = self.ground.fleet.target(&provider, &model);
                if !targets.iter().any(|known| Arc::ptr_eq(known, &target)) {
                    targets.push(target);
                }
            }
        }
        targets
    }

    async fn check(&self, target: &Arc<TargetState>) {
        let now = Instant::now();
        let care = Care { keyless: self.provider.upstream.is_keyless(), ..target.care() };
        let Ok(running) = target.begin(&care, Entry::Check, now) else { return };
        match self.ask(target.model()).await {
            Ok(()) => {
                running.answered(now.elapsed(), Instant::now());
                running.ended(None, Instant::now());
            }
            Err(error) => {
                let model = target.model();
                tracing::debug!(provider = %self.name, model, %error, "a probe failed");
                running.failed(&error, Instant::now());
            }
        }
    }

    /// One token of chat, which is booked.
    async fn ask(&self, model: &str) -> Result<(), GatewayError> {
        let question = serde_json::json!({
            "model": model,
            "messages": [{ "role": "user", "content": "hi" }],
            "max_tokens": 1,
        });
        let body = Bytes::from(question.to_string());
        let mut own = OwnRequest::chat(&self.ground, &self.snapshot, (&self.name, model), &body);
        let asked = timeout(self.probe.timeout.into(), self.chat(model, &body, &mut own)).await;
        let asked = asked
            .unwrap_or_else(|_| Err(GatewayError::upstream(Kind::Timeout, "the provider took too long")));
        own.ended(asked.as_ref().err());
        asked
    }

    async fn chat(&self, model: &str, body: &Bytes, own: &mut OwnRequest) -> Result<(), GatewayError> {
        let provider = &self.provider;
        if !provider.adapter.manifest().translates(Operation::Chat) {
            return Err(GatewayError::client(Kind::Unsupported, "the provider's adapter has no chat"));
        }
        let route =
            Route { model: model.to_owned(), streaming: false, dialect: "openai-chat", headers: Vec::new() };
        let mut lease = provider.adapter.checkout()?;
        let (request, _) = lease.translator()?.translate_request(&route, Operation::Chat, body)?;
        let client = own.client(&self.ground.client);
        let mut response = Box::pin(client.send(&provider.upstream, &request, &provider.timeouts)).await?;
        let status = response.head.status;
        own.answered(status);
        let answer = response.body.whole(MAX_ANSWER).await?;
        if (200..300).contains(&status) {
            let headers = &response.head.headers;
            let answer = lease.translator()?.translate_response(&route, Operation::Chat, headers, &answer)?;
            own.took(answer.usage);
            return Ok(());
        }
        let error = lease.translator()?.map_error(status, &response.head.headers, &answer);
        Err(GatewayError { upstream_status: Some(status), ..error })
    }
}
