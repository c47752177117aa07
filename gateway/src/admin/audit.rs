//! Who changed what, and who was refused to: one entry per change, in the store, newest first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::Desk;
use super::reading::{Asked, Page};
use super::refusal::{Problem, Refusal};
use crate::domain::rfc3339;
use crate::store::{Batch, Class, Scan, Space, Store};

/// Entries are kept so long.
const LIFE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Longest text of a value that is kept.
const LONGEST: usize = 500;

/// Members that are never kept, whatever they hold.
const SECRET: [&str; 8] =
    ["password", "secret", "token", "authorization", "key", "keys", "credential", "private_key"];

/// One change, or the attempt of one.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Entry {
    /// Its own id; entries are listed from the newest to the oldest.
    pub(super) id: String,
    /// When, in UTC.
    #[schema(format = DateTime)]
    pub(super) at: String,
    /// The id of the request, as its answer tells it.
    pub(super) request: String,
    /// Who: `admin` is who has the admin password.
    pub(super) who: String,
    /// What he showed: `password`, `key`, `session` or nothing.
    pub(super) way: Option<String>,
    /// From where.
    pub(super) address: String,
    /// Method and path of the operation.
    #[schema(example = "POST /admin/api/targets/lift")]
    pub(super) action: String,
    /// What it was about.
    pub(super) object: Option<String>,
    /// The status it was answered with.
    pub(super) status: u16,
    /// Why it was refused, if it was.
    pub(super) refused: Option<String>,
    /// What stood there before, without secrets.
    #[schema(value_type = Option<Object>)]
    pub(super) before: Option<Value>,
    /// What stands there now, without secrets.
    #[schema(value_type = Option<Object>)]
    pub(super) after: Option<Value>,
}

/// What a handler says about the change it makes; the rest is known to the guard.
#[derive(Clone, Debug, Default)]
pub(super) struct Note(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) who: Option<String>,
    pub(super) object: Option<String>,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

impl Note {
    /// Who it turned out to be.
    pub(super) fn who(&self, who: impl Into<String>) {
        self.0.lock().who = Some(who.into());
    }

    /// What it is about.
    pub(super) fn about(&self, object: impl Into<String>) {
        self.0.lock().object = Some(object.into());
    }

    /// What stood there.
    pub(super) fn before(&self, value: &impl Serialize) {
        self.0.lock().before = serde_json::to_value(value).ok().map(masked);
    }

    /// What stands there now.
    pub(super) fn after(&self, value: &impl Serialize) {
        self.0.lock().after = serde_json::to_value(value).ok().map(masked);
    }

    /// All of it.
    pub(super) fn take(&self) -> Noted {
        std::mem::take(&mut *self.0.lock())
    }
}

/// The same without what may be a secret, and without what is long.
fn masked(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let one = |(name, value): (String, Value)| {
                let hidden = SECRET.contains(&name.as_str()) && !value.is_null() && !value.is_boolean();
                let value = if hidden { Value::String("***".to_owned()) } else { masked(value) };
                (name, value)
            };
            Value::Object(members.into_iter().map(one).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(masked).collect()),
        Value::String(text) if text.chars().count() > LONGEST => {
            Value::String(format!("{}…", text.chars().take(LONGEST).collect::<String>()))
        }
        other => other,
    }
}

/// Keeps an entry. The change is done; when it cannot be noted, the log has it.
pub(super) async fn keep(store: &dyn Store, entry: &Entry) {
    tracing::info!(
        who = entry.who,
        address = entry.address,
        action = entry.action,
        object = entry.object,
        status = entry.status,
        request_id = entry.request,
        "a change by the admin side"
    );
    let Ok(bytes) = serde_json::to_vec(entry) else { return };
    let batch = Batch::default().put(Space::Audit.key(&[&entry.id]), bytes, Some(LIFE));
    if let Err(error) = store.write(batch, Class::Durable).await {
        tracing::error!(%error, action = entry.action, who = entry.who, "a change could not be noted in the audit log");
    }
}

/// The last moment an id was made of: milliseconds and, in the lowest 16 bits, how many came before in that one.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Ids that sort from the newest to the oldest, as the store lists them, also those of one millisecond. What several
/// nodes note in the same millisecond is told apart by chance.
pub(super) fn id(millis: u64) -> String {
    let moment = |last: u64| (millis << 16).max(last.saturating_add(1));
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(moment(last)));
    let now = moment(last.unwrap_or_else(|last| last));
    format!("{:015x}{:04x}", 0xfff_ffff_ffff_ffff_u64.saturating_sub(now), fastrand::u16(..))
}

/// When, as it is told.
pub(super) fn at(millis: u64) -> String {
    rfc3339(millis / 1000)
}

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
struct Entries {
    /// From the newest to the oldest.
    entries: Vec<Entry>,
    /// `after` of the next page; absent: this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Who changed what, and who was refused to
#[utoipa::path(get, path = "/admin/api/audit", tag = "audit", params(Page), responses((status = 200, body = Entries)))]
async fn list(State(desk): State<Arc<Desk>>, Asked(page): Asked<Page>) -> Result<Json<Entries>, Refusal> {
    let rows = page.rows()?;
    let after = page.after.as_deref().map(|after| Space::Audit.key(&[after]));
    let found = desk.store.scan(Scan { prefix: Space::Audit.key(&[]), after, limit: rows }).await?;
    let entries = found.entries.iter().filter_map(|(_, value)| serde_json::from_slice(value).ok()).collect();
    let next = found.next.and_then(|key| Some((*key.parts()?.first()?).to_owned()));
    Ok(Json(Entries { entries, next }))
}

/// So that the form of a refusal stands in the document.
pub(super) type Refused = Problem;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_kept() {
        let value = serde_json::json!({
            "name": "web", "secret": "s", "keys": ["a"], "nested": [{ "password": "p", "key": null }], "key": true,
        });
        let kept = serde_json::json!({
            "name": "web", "secret": "***", "keys": "***", "nested": [{ "password": "***", "key": null }], "key": true,
        });
        assert_eq!(masked(value), kept);
        assert!(masked(Value::String("x".repeat(5000))).as_str().unwrap().len() < 600);
    }

    #[test]
    fn later_ids_come_first() {
        let first = id(1_800_000_000_000);
        assert!(id(1_800_000_000_001) < first);
        let of_one_moment: Vec<String> = (0..1000).map(|_| id(1_800_000_000_002)).collect();
        assert!(of_one_moment.is_sorted_by(|earlier, later| earlier > later));
        assert!(of_one_moment.iter().all(|id| id.len() == first.len()));
    }
}
