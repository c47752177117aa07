//! Provider keys that rest because they were refused are asked now and then whether they are well again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::error::{GatewayError, Kind};
use crate::proxy::{Ground, OwnRequest};
use crate::state::{Asked, Provider};
use crate::upstream::keys;

/// So many keys of all providers are asked at a time.
const MOST: usize = 5;
/// A list of models is not worth a longer wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the rests of an earlier process.
pub(super) async fn resume(ground: &Ground) {
    let snapshot = ground.snapshot.load_full();
    for (name, provider) in &snapshot.providers {
        match provider.upstream.keys.resume(keys::now()).await {
            Ok(0) => {}
            Ok(resumed) => tracing::info!(provider = %name, keys = resumed, "provider keys still rest"),
            Err(error) => {
                tracing::error!(provider = %name, %error, "the rests of provider keys cannot be read");
            }
        }
    }
}

/// Reads what other nodes found out about provider keys, whenever one has; never ends.
pub(super) async fn follow(ground: &Ground, mut moves: watch::Receiver<u64>) {
    while moves.changed().await.is_ok() {
        let snapshot = ground.snapshot.load_full();
        for (name, provider) in &snapshot.providers {
            if let Err(error) = provider.upstream.keys.resume(keys::now()).await {
                tracing::warn!(provider = %name, %error, "what other nodes know of provider keys cannot be read");
            }
        }
    }
    std::future::pending().await
}

/// Asks the providers of resting keys, a few keys at a time; never ends.
pub(super) async fn run(ground: &Ground, every: Duration) {
    let mut interval = tokio::time::interval(every);
    loop {
        interval.tick().await;
        round(ground).await;
    }
}

/// One round: only keys that are past half of their rest, and so few that no provider minds.
async fn round(ground: &Ground) {
    let snapshot = ground.snapshot.load_full();
    let mut left = MOST;
    for provider in snapshot.providers.values() {
        for key in provider.upstream.keys.due(left, keys::now()) {
            left -= 1;
            let own = OwnRequest::models(ground, &provider.upstream.name, Some(key.id()));
            let client = own.client(&ground.client);
            let asked = timeout(PATIENCE, provider.ask_of_key(&client, key)).await;
            let asked = asked.unwrap_or(Asked::Unclear("it took too long".to_owned()));
            book(own, &asked);
            tell(provider, key, asked);
        }
        if left == 0 {
            return;
        }
    }
}

/// Which models there are costs nothing; that somebody asked stands on the ledger all the same.
fn book(mut own: OwnRequest, asked: &Asked) {
    match asked {
        Asked::Good => {
            own.answered(200);
            own.ended(None);
        }
        Asked::Bad(failure) => {
            failure.status.into_iter().for_each(|status| own.answered(status));
            own.ended(Some(&GatewayError::upstream(Kind::Authentication, "the provider refused the key")));
        }
        Asked::Unclear(why) => own.ended(Some(&GatewayError::upstream(Kind::Provider, why.clone()))),
        // Nothing went out, so nothing is booked.
        Asked::NoQuestion => {}
    }
}

fn tell(provider: &Arc<Provider>, key: crate::upstream::ChosenKey, asked: Asked) {
    let pool = &provider.upstream.keys;
    match asked {
        Asked::Good => pool.succeeded(key, ""),
        Asked::Bad(failure) => pool.failed(key, "", failure, keys::now()),
        // It goes on resting, and is tried when that is over.
        Asked::Unclear(_) | Asked::NoQuestion => pool.put_off(key, keys::now()),
    }
}
