//! The admin password: the configuration's, the environment's, or one that is made at the first start.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;

use crate::config;
use crate::domain::Secret;

/// The variable that is asked when the configuration names none.
const VARIABLE: &str = "CAUSEWAY_ADMIN_PASSWORD";

/// The file a password is kept in that was made here.
const FILE: &str = "admin-password";

/// A password, and where it is from.
#[derive(Clone, Debug)]
pub struct Password {
    /// The password.
    pub secret: Secret,
    /// It was made at this start: whoever started the gateway must be told.
    pub is_new: bool,
    /// Where it is kept; `None`: in the configuration or the environment, or nowhere.
    pub file: Option<PathBuf>,
}

impl Password {
    fn known(secret: Secret) -> Self {
        Self { secret, is_new: false, file: None }
    }

    /// The password as far as it is there already, for who asks a gateway that runs.
    ///
    /// # Errors
    /// One line: it is too short, or its file cannot be read.
    pub fn find(
        configured: Option<&Secret>,
        variable: Option<String>,
        folder: Option<&Path>,
    ) -> Result<Option<Self>, String> {
        if let Some(secret) = configured {
            return Ok(Some(Self::known(secret.clone())));
        }
        if let Some(value) = variable.filter(|value| !value.is_empty()) {
            return long_enough(value, VARIABLE).map(Self::known).map(Some);
        }
        let Some(file) = folder.map(|folder| folder.join(FILE)) else { return Ok(None) };
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", file.display())),
        };
        let secret = long_enough(text.trim().to_owned(), &file.display().to_string())?;
        Ok(Some(Self { secret, is_new: false, file: Some(file) }))
    }
}

/// The password of this gateway, made when there is none. `folder` is where the state is kept, if it is.
///
/// # Errors
/// One line that says what is wrong with it.
pub fn password(configured: Option<&Secret>, folder: Option<&Path>) -> Result<Password, String> {
    if let Some(found) = Password::find(configured, std::env::var(VARIABLE).ok(), folder)? {
        if let Some(file) = found.file.as_deref().filter(|file| others_may_read(file)) {
            tracing::warn!(file = %file.display(), "others can read the admin password; `chmod 600` it");
        }
        return Ok(found);
    }
    let secret = made()?;
    let Some(folder) = folder else { return Ok(Password { secret, is_new: true, file: None }) };
    let file = folder.join(FILE);
    let written = std::fs::create_dir_all(folder).and_then(|()| write(&file, &secret));
    written.map_err(|error| format!("the admin password cannot be kept in {}: {error}", file.display()))?;
    Ok(Password { secret, is_new: true, file: Some(file) })
}

fn long_enough(value: String, place: &str) -> Result<Secret, String> {
    let shortest = config::admin::SHORTEST_PASSWORD;
    if value.chars().count() < shortest {
        return Err(format!("the admin password in {place} has fewer than {shortest} characters"));
    }
    Ok(Secret::new(value))
}

/// 192 random bits in 32 letters.
fn made() -> Result<Secret, String> {
    let mut bits = [0; 24];
    getrandom::fill(&mut bits).map_err(|error| format!("the system gives no randomness: {error}"))?;
    Ok(Secret::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bits)))
}

/// Nobody else can read it at any moment, and nothing is written over.
fn write(file: &Path, secret: &Secret) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(format!("{}\n", secret.expose()).as_bytes())?;
    file.sync_all()
}

fn others_may_read(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}
