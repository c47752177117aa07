//! Passwords of people as Argon2id hashes (RFC 9106) in PHC form, with the parameters OWASP names: 19 MiB, two passes.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::Refusal;
use crate::domain::Secret;

/// Shortest password, in characters.
const SHORTEST: usize = 12;
/// Longest password, in bytes: no reason to hash a book.
const LONGEST: usize = 1_024;

/// Each hash takes 19 MiB and a core for a while; the rest waits.
static ROOM: Semaphore = Semaphore::const_new(2);

/// The hash of a new password.
///
/// # Errors
/// When it is too short or too long.
pub(super) async fn hash(password: Secret) -> Result<String, Refusal> {
    let letters = password.expose().chars().count();
    if letters < SHORTEST || password.expose().len() > LONGEST {
        let message = format!("{SHORTEST} characters at least and {LONGEST} bytes at most are wanted");
        return Err(Refusal::invalid("password", message));
    }
    aside(move || hashed(&password)).await
}

/// Whether a password is the one with this hash. Without one the work is the same, and the answer no.
///
/// # Errors
/// When it could not be found out.
pub(super) async fn verify(password: Secret, hash: Option<String>) -> Result<bool, Refusal> {
    if password.expose().len() > LONGEST {
        return Ok(false);
    }
    aside(move || {
        let Some(hash) = hash else { return hashed(&password).map(|_| false) };
        let hash = PasswordHash::new(&hash).map_err(failed)?;
        // The hash carries its own parameters, so these may change.
        Ok(argon2()?.verify_password(password.expose().as_bytes(), &hash).is_ok())
    })
    .await
}

fn hashed(password: &Secret) -> Result<String, Refusal> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(failed)?;
    let salt = SaltString::encode_b64(&salt).map_err(failed)?;
    let hash = argon2()?.hash_password(password.expose().as_bytes(), &salt).map_err(failed)?;
    Ok(hash.to_string())
}

fn argon2() -> Result<Argon2<'static>, Refusal> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Off the worker, a few at a time.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let _room = ROOM.acquire().await.map_err(failed)?;
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

fn failed(error: impl std::fmt::Display) -> Refusal {
    Refusal::Internal(format!("a password could not be hashed: {error}"))
}
