//! Golden files: one JSON file per case, run natively against an [`Adapter`]. See [`run`].
#![expect(clippy::panic, reason = "a test runner reports by panicking")]

mod fixture;
mod pretty;
mod stream;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{Adapter, Answer, Failure, Header, Loss, UpstreamRequest, Usage, base64};
use fixture::{Body, Fixture, Kind};

/// Runs every `*.json` below `folder` (relative to the crate), in order of name. Call it from one test:
///
/// ```ignore
/// #[test]
/// fn fixtures() { plugin_sdk::testing::run::<Acme>("fixtures"); }
/// ```
///
/// A fixture is `{ "kind": "chat" | "stream" | "error", … }`:
///
/// - all kinds: `about` (a sentence), `operation` (`embeddings`, `count-tokens`, …; chat when absent), `options`, `route`
///   (`model`, `streaming`, `dialect`, `headers`)
/// - `chat`, `stream`: `canonical` (a request) → `vendor_request` (`method`, `path`, `headers`, `credential`, `body`) and
///   `losses`, or `request_failure`
/// - `chat`: `vendor_response` (JSON, or a string of raw bytes) or `vendor_response_base64` (bytes that are no text) →
///   `canonical_response`, `answer_content_type`, `usage` and `answer_losses`, or `answer_failure`
/// - `stream`: `vendor_events` (a string of raw bytes, or a list of lines) or `vendor_bytes_base64` (bytes that are no text) → `canonical_chunks`, `usage`, `stream_losses` and
///   `ending` (`"complete"`, `{ "failed": … }`, `null`), or `stream_failure`. It runs whole, cut in two at every byte, and byte by byte; all must agree
/// - `error`: `vendor_error` (`status`, `headers`, `body`) → `failure`
///
/// `CAUSEWAY_BLESS=1 cargo test` writes what came out into the files; read the difference before you commit it.
///
/// # Panics
/// When a fixture differs, cannot be read, or the folder holds none.
pub fn run<A: Adapter>(folder: impl AsRef<Path>) {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default().join(folder);
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no fixtures in {}", root.display());
    let reports: Vec<String> = files.iter().filter_map(|file| check::<A>(file)).collect();
    assert!(
        reports.is_empty(),
        "{} of {} fixtures differ (CAUSEWAY_BLESS=1 accepts)\n\n{}",
        reports.len(),
        files.len(),
        reports.join("\n\n")
    );
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}

/// A report of what differs, or nothing.
fn check<A: Adapter>(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let fixture: Fixture =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let adapter = A::configure(&fixture.options_text())
        .unwrap_or_else(|failure| panic!("{}: options refused: {failure:?}", file.display()));
    let mut found = Vec::new();
    match fixture.kind {
        Kind::Chat => {
            request(&adapter, &fixture, &mut found);
            answer(&adapter, &fixture, &mut found);
        }
        Kind::Stream => {
            request(&adapter, &fixture, &mut found);
            stream::replay(&adapter, &fixture, &mut found);
        }
        Kind::Error => error(&adapter, &fixture, &mut found),
    }
    if std::env::var_os("CAUSEWAY_BLESS").is_some() {
        fixture.bless(file, found);
        return None;
    }
    let differences: Vec<String> = fixture.differences(&found);
    (!differences.is_empty()).then(|| format!("{}\n  {}", file.display(), differences.join("\n  ")))
}

/// What one call gave: the fixture's key and the value.
type Found = Vec<(&'static str, Value)>;

fn request<A: Adapter>(adapter: &A, fixture: &Fixture, found: &mut Found) {
    let Some(canonical) = &fixture.canonical else { return };
    let body = canonical.get().as_bytes();
    match adapter.translate_request(&fixture.route(), fixture.operation(), body) {
        Ok(request) => {
            found.push(("losses", losses_value(&request.losses)));
            found.push(("vendor_request", request_value(&request)));
        }
        Err(failure) => found.push(("request_failure", failure_value(&failure))),
    }
}

fn answer<A: Adapter>(adapter: &A, fixture: &Fixture, found: &mut Found) {
    let Some(body) = fixture.response_bytes() else { return };
    let headers = fixture.response_headers();
    match adapter.translate_response(&fixture.route(), fixture.operation(), &headers, &body) {
        Ok(Answer { body, content_type, usage, losses }) => {
            found.push(("canonical_response", body_value(&body)));
            found.push(("answer_content_type", Value::from(content_type)));
            found.push(("usage", usage.as_ref().map_or(Value::Null, usage_value)));
            found.push(("answer_losses", losses_value(&losses)));
        }
        Err(failure) => found.push(("answer_failure", failure_value(&failure))),
    }
}

fn error<A: Adapter>(adapter: &A, fixture: &Fixture, found: &mut Found) {
    let Some(vendor) = &fixture.vendor_error else {
        panic!("a fixture of kind `error` needs `vendor_error`")
    };
    let body = vendor.body.as_ref().map(Body::bytes).unwrap_or_default();
    let failure = adapter.map_error(vendor.status, &fixture::headers(&vendor.headers), &body);
    found.push(("failure", failure_value(&failure)));
}

/// A body as JSON; text that is not JSON as a string; other bytes as a string `base64:…`.
fn body_value(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| match std::str::from_utf8(body) {
        Ok(text) => Value::from(text),
        Err(_) => Value::from(format!("base64:{}", base64::encode(body))),
    })
}

fn request_value(request: &UpstreamRequest) -> Value {
    json!({
        "method": request.method,
        "path": request.path,
        "headers": headers_value(&request.headers),
        "credential": word(&request.credential),
        "body": body_value(&request.body),
    })
}

fn headers_value(headers: &[Header]) -> Value {
    headers.iter().map(|header| (header.name.clone(), Value::from(header.value.clone()))).collect()
}

fn losses_value(losses: &[Loss]) -> Value {
    losses.iter().map(|loss| json!({ "field": loss.field, "reason": loss.reason })).collect()
}

fn usage_value(usage: &Usage) -> Value {
    let pairs = [
        ("input", usage.input),
        ("output", usage.output),
        ("cache_read", usage.cache_read),
        ("cache_write", usage.cache_write),
        ("cache_write_long", usage.cache_write_long),
        ("reasoning", usage.reasoning),
        ("audio_input", usage.audio_input),
        ("audio_output", usage.audio_output),
        ("image_input", usage.image_input),
        ("image_output", usage.image_output),
    ];
    said(pairs.map(|(name, value)| (name, Value::from(value))))
}

fn failure_value(failure: &Failure) -> Value {
    said([
        ("kind", Value::from(word(&failure.kind))),
        ("message", Value::from(failure.message.clone())),
        ("code", Value::from(failure.code.clone())),
        ("param", Value::from(failure.param.clone())),
        ("retry_after_ms", Value::from(failure.retry_after_ms)),
    ])
}

/// An object without its `null` fields.
fn said<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    pairs
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The name of a case as the generated code prints it, without the type before it.
fn word(value: &impl std::fmt::Debug) -> String {
    fixture::bare(&format!("{value:?}")).to_owned()
}
