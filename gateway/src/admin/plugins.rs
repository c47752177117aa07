//! Adapters: what is there, and who uses it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::Desk;
use super::reading::Named;
use super::refusal::Refusal;
use crate::adapter::{Pool, Registry};

/// All adapters.
#[derive(Serialize, ToSchema)]
struct Plugins {
    /// In order of name.
    plugins: Vec<Plugin>,
}

/// An adapter.
#[derive(Serialize, ToSchema)]
struct Plugin {
    name: String,
    /// `bundled` with the gateway, a file that is `configured`, or one in `[server] plugins_dir` or elsewhere.
    source: &'static str,
    /// Providers that speak by it.
    providers: Vec<String>,
    /// What it says of itself; absent: nobody uses it, so it was not loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<About>,
}

/// What an adapter says of itself.
#[derive(Serialize, ToSchema)]
struct About {
    version: String,
    /// The vendor it is for.
    vendor: String,
    default_url: String,
    operations: Vec<String>,
    capabilities: Vec<String>,
    /// Client APIs whose bytes it lets through untouched.
    passages: Vec<String>,
    /// `sha256` of the component.
    digest: String,
    /// JSON Schema of its options.
    #[schema(value_type = Object)]
    options_schema: serde_json::Value,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(list_plugins)).routes(routes!(one_plugin))
}

/// All adapters, and who uses them
#[utoipa::path(get, path = "/admin/api/plugins", tag = "plugins", responses((status = 200, body = Plugins)))]
async fn list_plugins(State(desk): State<Arc<Desk>>) -> Json<Plugins> {
    Json(Plugins { plugins: all(&desk).into_values().collect() })
}

/// One adapter
#[utoipa::path(get, path = "/admin/api/plugins/{name}", tag = "plugins", params(("name" = String, Path)), responses((status = 200, body = Plugin)))]
async fn one_plugin(State(desk): State<Arc<Desk>>, Named(name): Named) -> Result<Json<Plugin>, Refusal> {
    let found = all(&desk).remove(&name);
    found.map(Json).ok_or_else(|| Refusal::not_found(format!("there is no plugin `{name}`")))
}

fn all(desk: &Desk) -> BTreeMap<String, Plugin> {
    let config = desk.control.config();
    let mut all = BTreeMap::new();
    let mut add = |name: &str, source| {
        let plugin = Plugin { name: name.to_owned(), source, providers: Vec::new(), about: None };
        all.entry(name.to_owned()).or_insert(plugin);
    };
    config.plugins.keys().for_each(|name| add(name, "configured"));
    Registry::bundled().for_each(|name| add(name, "bundled"));
    for (name, provider) in &desk.snapshot().providers {
        let plugin = all.entry(provider.plugin.to_string()).or_insert_with(|| Plugin {
            name: provider.plugin.to_string(),
            source: "file",
            providers: Vec::new(),
            about: None,
        });
        plugin.providers.push(name.to_string());
        plugin.about.get_or_insert_with(|| About::of(&provider.adapter));
    }
    all.values_mut().for_each(|plugin| plugin.providers.sort_unstable());
    all
}

impl About {
    fn of(adapter: &Pool) -> Self {
        let manifest = adapter.manifest().clone();
        let passages = manifest.passages.iter().map(|passage| passage.dialect.clone());
        Self {
            version: manifest.version,
            vendor: manifest.provider,
            default_url: manifest.default_url,
            passages: passages.collect(),
            operations: manifest.operations,
            capabilities: manifest.capabilities,
            digest: adapter.digest().to_owned(),
            options_schema: serde_json::from_str(&manifest.options_schema).unwrap_or_default(),
        }
    }
}
