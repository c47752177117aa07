//! Whether a server may keep our state: its version, what it does when its memory is full, and who it is.

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError};

use super::super::StoreError;
use super::link::Link;

/// The layout of keys, kept beside the identity.
const FORMAT: &str = "1";
/// For so long nothing is admitted after a store was emptied: each node says first what it has seen.
pub(super) const SETTLING_MILLIS: u64 = 3000;

/// What is known of the server.
#[derive(Clone, Debug, Default)]
pub(super) struct Server {
    /// Given to the store when it was made; a store with another one is not the store we knew.
    pub(super) identity: String,
    /// How often the identity was another one than before.
    pub(super) emptied: u64,
    /// Its name and version, for people.
    pub(super) shown: String,
    /// It writes what it is told to a file.
    pub(super) keeps: bool,
}

/// Looks at a server that was just connected to.
pub(super) async fn look(connection: &mut MultiplexedConnection, link: &Link) -> Result<Server, StoreError> {
    let told: String = redis::cmd("INFO").query_async(connection).await.map_err(|error| refused(&error))?;
    let mut server = fit(&Told(&told))?;
    let before = link.server();
    let fresh = ulid::Ulid::generate().to_string();
    let mut call = link.verbs.establish.prepare_invoke();
    call.key(link.address.tag()).arg(&before.identity).arg(fresh).arg(FORMAT).arg(SETTLING_MILLIS);
    let (identity, format): (String, String) =
        call.invoke_async(connection).await.map_err(|error| refused(&error))?;
    if format != FORMAT {
        let what = format!("it was written by another version of this program (its format is `{format}`)");
        return Err(StoreError::Failed(what));
    }
    server.emptied = before.emptied;
    if !before.identity.is_empty() && before.identity != identity {
        server.emptied += 1;
        tracing::error!(
            server = %link.address.shown(),
            was = %before.identity, is = %identity,
            "the store was emptied or replaced: keys, conversations and sums that stood there are gone"
        );
    }
    server.identity = identity;
    Ok(server)
}

/// Whether what a server says of itself will do.
fn fit(told: &Told<'_>) -> Result<Server, StoreError> {
    let wrong = |what: String| Err(StoreError::Failed(what));
    // Valkey says Redis 7.2.4 for the sake of older clients, and its own version beside.
    let (name, version) = match told.value("valkey_version") {
        Some(version) => ("Valkey", version),
        None => ("Redis", told.value("redis_version").unwrap_or("?")),
    };
    let shown = format!("{name} {version}");
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < 7) {
        return wrong(format!("the server is {shown}, and Redis 7 or Valkey 7.2 is needed: upgrade it"));
    }
    if told.value("loading") == Some("1") {
        return wrong(format!("the server ({shown}) is still loading its data"));
    }
    if told.value("role").is_some_and(|role| role != "master") {
        return wrong(format!(
            "the server ({shown}) is a replica and takes no writes: name its primary in `store.url`"
        ));
    }
    let policy = told.value("maxmemory_policy").unwrap_or("noeviction");
    if told.value("maxmemory") != Some("0") && policy != "noeviction" {
        return wrong(format!(
            "the server ({shown}) forgets what it is told when its memory is full (`maxmemory-policy {policy}`): \
             set `maxmemory-policy noeviction`, with `redis-cli config set maxmemory-policy noeviction` and in redis.conf"
        ));
    }
    let keeps = told.value("aof_enabled") == Some("1");
    Ok(Server { shown, keeps, ..Server::default() })
}

/// Why a server did not let us in, and what helps.
pub(super) fn refused(error: &RedisError) -> StoreError {
    let code = error.code().unwrap_or_default();
    if error.kind() == ErrorKind::AuthenticationFailed || code == "WRONGPASS" || code == "NOAUTH" {
        let what = "the server wants a password, and the one in `store.url` is missing or wrong: write it as in \
                    \"redis://user:password@host:port\", or \"redis://:password@host:port\"";
        return StoreError::Failed(what.to_owned());
    }
    if code == "NOPERM" {
        let what = "the user in `store.url` may not do what is needed: it needs the commands of strings, hashes, \
                    sorted sets, scripts and `INFO`, on the keys of the prefix";
        return StoreError::Failed(format!("{what} ({error})"));
    }
    StoreError::Lost(error.to_string())
}

/// What `INFO` answers: a line `name:value` each.
struct Told<'t>(&'t str);

impl<'t> Told<'t> {
    fn value(&self, name: &str) -> Option<&'t str> {
        let of_line = |line: &'t str| line.strip_prefix(name)?.strip_prefix(':');
        self.0.lines().find_map(of_line).map(str::trim)
    }
}

#[cfg(test)]
mod tests;
