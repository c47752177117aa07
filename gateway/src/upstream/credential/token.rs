//! An access token that is fetched once for all who wait, kept, and renewed before it ends.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::domain::Secret;
use crate::error::GatewayError;

/// A token is renewed this long before it ends, or in the last quarter of a short life.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// No token is sent that ends within this time, or within the last tenth of a short life.
const SPARE: Duration = Duration::from_secs(10);
/// After a failed renewal the old token serves, and the endpoint is left alone this long.
const PAUSE: Duration = Duration::from_secs(15);

/// What a token endpoint answered.
pub(crate) struct Fetched {
    pub(crate) token: Secret,
    /// How long it holds, from when it was asked for.
    pub(crate) lifetime: Duration,
}

/// One credential's token.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    state: Mutex<State>,
    /// Held by the one that fetches.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// The last failure and when it came.
    failed: Option<(Instant, GatewayError)>,
}

#[derive(Debug)]
struct Held {
    token: Secret,
    scope: String,
    renew: Instant,
    end: Instant,
}

enum Found {
    Fresh(Secret),
    /// It still holds, and somebody should fetch the next one.
    Old(Secret),
    Nothing,
}

impl Cell {
    /// The token for this scope. `fetch` is awaited by one caller at a time, and only when it must be: the others wait for
    /// what it brings, also when it fails. A caller who leaves while fetching hands the task to the next.
    pub(crate) async fn get(
        &self,
        scope: &str,
        clock: impl Fn() -> Instant,
        fetch: impl Future<Output = Result<Fetched, GatewayError>>,
    ) -> Result<Secret, GatewayError> {
        let asked = clock();
        let (_fetching, old) = match self.find(scope, asked) {
            Found::Fresh(token) => return Ok(token),
            Found::Old(token) => match self.fetching.try_lock() {
                Ok(guard) => (guard, Some(token)),
                Err(_) => return Ok(token),
            },
            Found::Nothing => (self.fetching.lock().await, None),
        };
        // Whoever fetched while we waited did it for us, too.
        match self.find(scope, clock()) {
            Found::Fresh(token) => return Ok(token),
            Found::Old(token) if old.is_none() => return Ok(token),
            _ => {}
        }
        if let (None, Some((at, error))) = (&old, &self.state.lock().failed)
            && *at >= asked
        {
            return Err(error.clone());
        }
        let sent = clock();
        match (fetch.await, old) {
            (Ok(fetched), _) => Ok(self.keep(scope, sent, fetched)),
            (Err(error), Some(token)) => {
                tracing::warn!(%error, "an access token could not be renewed; the old one serves on");
                self.leave_alone(clock());
                Ok(token)
            }
            (Err(error), None) => {
                self.state.lock().failed = Some((clock(), error.clone()));
                Err(error)
            }
        }
    }

    /// A token that was refused before its end is not used again.
    pub(crate) fn forget(&self, refused: &Secret) {
        let mut state = self.state.lock();
        if state.held.as_ref().is_some_and(|held| held.token == *refused) {
            state.held = None;
        }
    }

    /// Overwrites the token in a text.
    pub(crate) fn scrub(&self, text: &mut String) {
        if let Some(held) = &self.state.lock().held
            && text.contains(held.token.expose())
        {
            *text = text.replace(held.token.expose(), "***");
        }
    }

    fn find(&self, scope: &str, now: Instant) -> Found {
        match &self.state.lock().held {
            Some(held) if held.scope != scope || held.end <= now => Found::Nothing,
            Some(held) if held.renew <= now => Found::Old(held.token.clone()),
            Some(held) => Found::Fresh(held.token.clone()),
            None => Found::Nothing,
        }
    }

    fn keep(&self, scope: &str, sent: Instant, fetched: Fetched) -> Secret {
        let Fetched { token, lifetime } = fetched;
        let held = Held {
            token: token.clone(),
            scope: scope.to_owned(),
            renew: sent + (lifetime - RENEW_BEFORE.min(lifetime / 4)),
            end: sent + (lifetime - SPARE.min(lifetime / 10)),
        };
        *self.state.lock() = State { held: Some(held), failed: None };
        token
    }

    fn leave_alone(&self, now: Instant) {
        if let Some(held) = &mut self.state.lock().held {
            held.renew = now + PAUSE;
        }
    }
}

#[cfg(test)]
mod tests;
