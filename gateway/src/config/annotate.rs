//! The annotated file `config/causeway.toml`: every key, its default, one comment.
//!
//! Comments, defaults and required keys come from the schema, the order from the structs, and values for what has
//! no default from a sample.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use super::Config;
use super::schema::{resolve, schema};
use super::tree::key_text;

/// Where the comments break.
const WIDTH: usize = 110;

const HEAD: &str = "\
#:schema ./schema.json
#
# Every key there is. Written by `causeway config show --annotated`; do not edit.
# A plain line shows a default, or a key that must be given. A line behind `#` shows how a key without a default is
# written. Names that you choose (`openai`, `web`, `shop` …) are examples. `config/minimal.toml` is where to start.
";

/// Named tables that are written behind `#`, because they refer to things that only you have.
const ASLEEP: [&str; 5] = ["keys", "teams", "plugins", "prices", "currencies"];

/// One value for every key that has no default.
const SAMPLE: &str = r#"
[server]
tls = { cert = "/etc/causeway/tls.crt", key = "/etc/causeway/tls.key" }
plugins_dir = "/etc/causeway/plugins"
proxy = "environment"
[admin]
password = ""
metrics = "password"
[admin.oidc]
issuer = "https://id.example.com/realms/staff"
client_id = "causeway"
client_secret = ""
redirect_url = "https://causeway.example.com/admin/api/sign-in/oidc/callback"
role_claim = "groups"
roles = { "gateway-admins" = "admin", "engineers" = "member" }
default_role = "member"
ca = "/etc/causeway/our-authority.pem"
[store]
url = ""
on_loss = "lease"
on_loss_by_scope = { global = "deny", key = "lease", user = "lease", team = "deny", model = "allow", provider = "allow" }
[providers.openai]
preset = "groq"
plugin = "openai"
url = "https://api.openai.com/v1"
keys = [""]
keys_file = "/etc/causeway/openai.keys"
key_limits = { requests = ["10/min", "500/day"], tokens = ["100k/min"], models = { "gpt-4o*" = { requests = ["3/min"], tokens = ["50k/min"] } } }
credential = { header = "api-key" }
headers = { "x-team" = "shop" }
options = { organization = "org-acme" }
blame_key = "401,403"
limits = { requests = "4000/min", tokens = "2M/min", concurrent = 500 }
queue = { length = 100, wait = "5s" }
proxy = "direct"
prices = "openai"
timeouts = { connect = "2s", first_token = "5m", idle = "90s", total = "15m" }
[providers.openai.probe]
model = "gpt-5-nano"
[providers.openai.tls]
ca = "/etc/causeway/our-authority.pem"
cert = "/etc/causeway/client.pem"
key = "/etc/causeway/client.key"
server_name = "llm.internal"
[providers.openai.params]
rename = { max_completion_tokens = "max_tokens" }
remove = ["logit_bias"]
default = { temperature = 0.2 }
set = { service_tier = "flex" }
max_tokens = 8192
[models."gpt-*"]
targets = [
  { to = "openai/*", weight = 70, tier = 0, tags = ["eu"], pause_until = "2026-12-24T18:00:00Z", concurrent = 50, when = "tokens < 20000", can = ["images"], cannot = ["audio-input"], context = 128000, max_body = "8MiB", price = { input = 1.25, output = 10, cache_read = 0.125, cache_write = 1.5, request = 0.001, above = [{ tokens = 200000, input = 2.5, output = 15, cache_read = 0.25, cache_write = 3 }] } },
]
hedge = { after = "p95", share = 0.05, floor = "100ms", warm = 8000, also = [] }
fallback = ["openai/gpt-5-mini"]
timeouts = { connect = "2s", first_token = "5m", idle = "90s", total = "15m" }
breaker = { failures = 5, window = "1m", open = "30s", longest = "10m", probes = 1, successes = 1 }
degrade = { window = "10m", samples = 20, rate = 0.5 }
cool_down = { missing = "5m", rate = "0s", longest_rate = "1h", longest_overload = "60s" }
[models."gpt-*".limits]
requests = "60k/min"
tokens = "40M/min"
concurrent = 8000
[models."gpt-*".budget]
usd = 500
per = "30d"
zone = "Europe/Berlin"
downgrade = "gpt-5-nano"
warn_at = [0.9]
[models."gpt-*".reuse]
ttl = "10m"
[models."gpt-*".params]
rename = { max_completion_tokens = "max_tokens" }
remove = ["logit_bias"]
default = { temperature = 0.2, reasoning = { max_tokens = 2048 } }
set = { user = "shop" }
max_tokens = 8192
[limits]
requests = "50k/min"
tokens = "100M/min"
concurrent = 5000
budget = { usd = 5000, per = "month", zone = "Europe/Berlin", warn_at = [0.8], downgrade = "gpt-5-nano" }
[routing]
auto = ["gpt-5"]
default_provider = "openai"
[defaults.key]
limits = { requests = "600/min", tokens = "1M/min", concurrent = 50 }
[keys.web]
secret = ""
team = "shop"
models = ["gpt-*"]
limits = { requests = "6000/min", tokens = "4M/min", concurrent = 800 }
budget = { usd = 20, per = "day", zone = "Europe/Berlin", warn_at = [0.8, 0.95], downgrade = "gpt-5-nano", raises = [{ usd = 50, from = "2026-12-01T00:00:00Z", until = "2026-12-31T23:00:00Z" }] }
log = "metadata"
[teams.shop]
budget = { usd = 2000, per = "month", zone = "UTC", warn_at = [0.8, 0.95], downgrade = "gpt-5-nano" }
limits = { requests = "60k/min", tokens = "40M/min", concurrent = 8000 }
[plugins.acme]
source = "oci://ghcr.io/acme/causeway-adapter:1.2.0"
digest = "sha256:5f0c1a7e9b6d4c3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f"
[log]
format = "json"
[prices]
"openai/gpt-5" = { input = 0.05, output = 0.1, cache_read = 0.01, cache_write = 0.05, cache_write_long = 0.1, reasoning = 0.1, audio_input = 0.3, audio_output = 0.6, image_input = 0.06, image_output = 0.4, request = 0.001, image = 0.04, characters = 15, hour = 0.36, search = 0.002, currency = "eur" }
[currencies]
eur = 1.08
"#;

/// The whole annotated file.
///
/// # Errors
/// When the sample above does not fit the structs; a test makes sure it does.
pub fn annotated() -> Result<String, String> {
    let sample: Config = toml::from_str(SAMPLE).map_err(|error| error.to_string())?;
    let text = serde_json::to_string(&sample).map_err(|error| error.to_string())?;
    let ordered: Ordered = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let mut out = HEAD.to_owned();
    table(&mut out, &[], &ordered, schema(), true);
    Ok(out)
}

/// JSON that keeps the order of its keys, which is the order of the struct's fields.
pub(crate) enum Ordered {
    /// An object.
    Table(Vec<(String, Ordered)>),
    /// Anything else; tables inside lists lose their order.
    Value(Json),
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OrderedVisitor)
    }
}

struct OrderedVisitor;

impl<'de> Visitor<'de> for OrderedVisitor {
    type Value = Ordered;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Ordered::Table(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ordered, A::Error> {
        let mut items: Vec<Json> = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Ordered::Value(Json::Array(items)))
    }

    fn visit_unit<E>(self) -> Result<Ordered, E> {
        Ok(Ordered::Value(Json::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
        Ok(Ordered::Value(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Ordered, E> {
        Ok(Ordered::Value(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Ordered, E> {
        Ok(Ordered::Value(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Ordered, E> {
        Ok(Ordered::Value(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Ordered, E> {
        Ok(Ordered::Value(value.into()))
    }
}

impl Ordered {
    /// On one line of TOML.
    pub(crate) fn inline(&self) -> String {
        match self {
            Self::Value(value) => inline(value),
            Self::Table(members) => {
                let member =
                    |(name, value): &(String, Self)| format!("{} = {}", key_text(name), value.inline());
                let members: Vec<String> = members.iter().map(member).collect();
                format!("{{ {} }}", members.join(", "))
            }
        }
    }
}

/// A table's keys, then the tables in it. `awake` is false behind `#`.
fn table(out: &mut String, path: &[&str], value: &Ordered, schema: &'static Json, awake: bool) {
    let Ordered::Table(members) = value else { return };
    let schema = resolve(schema);
    let required = schema.get("required").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    for (name, member) in members {
        let Some(property) = property(schema, name) else { continue };
        if !is_table(property, member) {
            let awake_key = awake || path.is_empty();
            line(out, name, member, property, required.iter().any(|key| key == name), awake_key);
        }
    }
    for (name, member) in members {
        let Some(property) = property(schema, name).filter(|property| is_table(property, member)) else {
            continue;
        };
        let mut below = path.to_vec();
        below.push(name);
        // An optional table without a default is not there unless it is written.
        let given = property.get("default").is_some()
            || schema.get("additionalProperties").is_some_and(Json::is_object);
        let awake = awake && given && !(path.is_empty() && ASLEEP.contains(&name.as_str()));
        comment(out, property, true);
        if !matches!(resolve(property).get("additionalProperties"), Some(Json::Object(_)))
            || ["prices", "currencies"].contains(&name.as_str())
        {
            let header: Vec<String> = below.iter().map(|key| key_text(key)).collect();
            out.push_str(&format!("{}[{}]\n", if awake { "" } else { "# " }, header.join(".")));
        }
        table(out, &below, member, property, awake);
    }
}

fn property(schema: &'static Json, name: &str) -> Option<&'static Json> {
    let named = schema.get("properties").and_then(|properties| properties.get(name));
    named.or_else(|| schema.get("additionalProperties").filter(|others| others.is_object()))
}

/// True for what gets a header of its own: a struct, or a table of named structs. A price or a credential is one line.
fn is_table(property: &'static Json, member: &Ordered) -> bool {
    let schema = resolve(property);
    // Named structs, not named values.
    let named = schema.get("additionalProperties").filter(|others| others.is_object());
    let named = named.is_some_and(|others| resolve(others).get("properties").is_some());
    let one_line =
        |properties: &Json| ["cache_read", "tenant"].iter().any(|key| properties.get(key).is_some());
    let one_line = schema.get("properties").is_some_and(one_line);
    // Whole sections of named values say so.
    let section = property.get("x-section").is_some();
    matches!(member, Ordered::Table(_))
        && !one_line
        && (named || section || schema.get("properties").is_some())
}

fn line(
    out: &mut String,
    name: &str,
    member: &Ordered,
    property: &'static Json,
    required: bool,
    awake: bool,
) {
    comment(out, property, false);
    let empty = |value: &Json| {
        value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(serde_json::Map::is_empty)
    };
    let default = property.get("default").filter(|default| !empty(default));
    let example = property.get("examples").and_then(|examples| examples.get(0)).cloned();
    let value = default.cloned().or(example).map_or_else(|| member.inline(), |value| inline(&value));
    let plain = awake && (default.is_some() || required);
    out.push_str(&format!("{}{} = {}\n", if plain { "" } else { "# " }, key_text(name), value));
}

/// The description, wrapped; a blank line before it.
fn comment(out: &mut String, property: &'static Json, section: bool) {
    let own = property.get("description").or_else(|| resolve(property).get("description"));
    let text = own.and_then(Json::as_str).unwrap_or_default();
    out.push('\n');
    let mark = if section { "##" } else { "#" };
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count() + 1;
        if width > 0 && width + length > WIDTH {
            out.push('\n');
            width = 0;
        }
        if width == 0 {
            out.push_str(mark);
            width = mark.len();
        }
        out.push(' ');
        out.push_str(word);
        width += length;
    }
    if width > 0 {
        out.push('\n');
    }
}

/// A value on one line of TOML.
pub(crate) fn inline(value: &Json) -> String {
    match value {
        Json::String(text) => toml::Value::String(text.clone()).to_string(),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{} = {}", key_text(name), inline(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}
