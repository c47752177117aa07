//! Configuration → snapshot; the only place that resolves names to things.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use parking_lot::Mutex;

use super::terms::{self, Known};
use super::{Provider, Snapshot};
use crate::adapter::{Limits, Pool, Registry, Source};
use crate::auth::Keyring;
use crate::config::{self, Config, CredentialWay};
use crate::domain::http::CredentialKind;
use crate::domain::rules::leaves;
use crate::domain::{
    Destination, ModelFacts, Outbound, Rules, Secret, Surroundings, Target, Trigger, VirtualKey,
};
use crate::error::{GatewayError, Kind};
use crate::route::{Hedge, Model, Retry, Table};
use crate::upstream::{self, Authorities, AzureAd, BaseUrl, Caps, Credential, Guard, Network, Timeouts, Tls};

/// Compiles a checked configuration. `extra` are keys that stand in no file.
///
/// # Errors
/// Every provider and plugin that cannot be used, one line each.
pub fn build(
    config: &Config,
    registry: &Registry,
    generation: u64,
    extra: Vec<(Secret, VirtualKey)>,
) -> Result<Snapshot, Vec<String>> {
    let mut problems = Vec::new();
    let sources = sources(config, &mut problems);
    let surroundings = Surroundings::read(|name| std::env::var(name).ok());
    let mut outside = Outside {
        proxy: config.server.proxy.clone(),
        surroundings: Arc::new(if_obeyed(config, surroundings, &mut problems)),
        authorities: Authorities::default(),
        guard: Guard::new(&config.admin.allow_private),
    };
    let mut providers = HashMap::new();
    for (name, provider) in &config.providers {
        match open(config, (registry, &sources), &mut outside, (name, provider)) {
            Ok(provider) => drop(providers.insert(Arc::from(name.as_str()), Arc::new(provider))),
            Err(problem) => problems.push(problem),
        }
    }
    // A plugin that no provider uses is checked all the same: a wrong digest should not wait for its first use.
    for (name, plugin) in &config.plugins {
        let unused = !config.providers.iter().any(|(own, provider)| provider.plugin_name(own) == name);
        if let (true, Some(source)) = (unused, sources.get(name))
            && let Err(error) = registry.load(name, source, limits(Some(plugin)))
        {
            problems.push(error.message);
        }
    }
    let keyring = Keyring::new(keys(config).chain(extra)).map_err(|error| vec![error.message])?;
    if !problems.is_empty() {
        return Err(problems);
    }
    let prices = Arc::new(super::prices::book(config));
    Ok(Snapshot {
        generation,
        keyring,
        routes: routes(&Known { config, providers: &providers, prices: &prices }),
        prices,
        answers: super::Answers::of(config, &providers),
        providers,
        max_body: config.server.max_body.bytes(),
        timeouts: timeouts(config.server.timeouts),
        headers: config.server.headers,
        trusted_proxies: config.server.trusted_proxies.clone(),
        session_headers: session_headers(config),
        limits: super::Limits::of(config),
    })
}

/// The checks have seen that each is a name.
fn session_headers(config: &Config) -> Vec<HeaderName> {
    let names = config.routing.session_headers.iter();
    names.filter_map(|name| HeaderName::try_from(name.as_str()).ok()).collect()
}

/// Where each adapter comes from: the bundled set, over it the plugin folder, over that the file's own.
fn sources(config: &Config, problems: &mut Vec<String>) -> BTreeMap<String, Source> {
    let mut sources: BTreeMap<_, _> =
        Registry::bundled().map(|name| (name.to_owned(), Source::Bundled)).collect();
    if let Some(folder) = &config.server.plugins_dir {
        match Registry::folder(folder) {
            Ok(found) => sources.extend(found),
            Err(error) => problems.push(format!("server.plugins_dir {}: {error}", folder.display())),
        }
    }
    for (name, plugin) in &config.plugins {
        match &plugin.source {
            config::Source::File(path) => {
                let digest = plugin.digest.map(|digest| digest.0);
                sources.insert(name.clone(), Source::File { path: path.clone(), digest });
            }
            // Said at start by the configuration's notes; a provider that uses it is refused below.
            config::Source::Https(_) | config::Source::Oci(_) => drop(sources.remove(name)),
        }
    }
    sources
}

fn open(
    config: &Config,
    (registry, sources): (&Registry, &BTreeMap<String, Source>),
    outside: &mut Outside,
    (name, provider): (&str, &config::Provider),
) -> Result<Provider, String> {
    let plugin = provider.plugin_name(name);
    let at = |problem: &dyn std::fmt::Display| format!("providers.{name}: {problem}");
    let source = sources.get(plugin).ok_or_else(|| {
        if let Some(configured) = config.plugins.get(plugin) {
            return at(&format!(
                "this version loads adapters from files only, not from `{}`",
                configured.source
            ));
        }
        let known: Vec<_> = sources.keys().map(String::as_str).collect();
        at(&format!("there is no adapter `{plugin}`; there are {}", known.join(", ")))
    })?;
    let limits = limits(config.plugins.get(plugin));
    let loaded = registry.load(plugin, source, limits).map_err(|error| at(&error.message))?;
    let options = serde_json::to_string(&provider.options).map_err(|error| at(&error))?;
    super::options::check(&loaded.manifest().options_schema, &provider.options)
        .map_err(|problem| at(&problem))?;
    let url = match &provider.url {
        Some(url) => url.clone(),
        None => {
            let manifest = loaded.manifest();
            super::options::url(&manifest.default_url, &manifest.options_schema, &provider.options)
                .map_err(|problem| at(&format!("the adapter `{plugin}` {problem}")))?
        }
    };
    let bound = at_its_origin(name, &url, provider);
    let upstream = connected(name, &url, &bound, outside).map_err(|problem| at(&problem))?;
    let adapter = Pool::open(loaded, options, limits).map_err(|error| at(&error))?;
    let timeouts = timeouts(provider.timeouts.over(config.server.timeouts));
    // The adapter's own option says the same for what it translates.
    let stream_usage =
        provider.options.get("stream_usage").and_then(serde_json::Value::as_bool).unwrap_or(true);
    let manifest = adapter.manifest();
    let passages = super::options::passages(&manifest.options_schema, &provider.options, &manifest.passages);
    let dialects = passages.iter().map(|passage| passage.dialect.clone());
    let offers = terms::offers(dialects, &manifest.operations).into();
    Ok(Provider {
        offers,
        upstream,
        adapter,
        plugin: plugin.into(),
        timeouts,
        caps: caps(provider),
        model_caps: model_caps(config, name),
        passages,
        stream_usage,
        rules: rules(&provider.params),
        probe: provider.probe.clone(),
        error_triggers: provider.error_triggers.iter().map(|text| Trigger::new(text)).collect(),
        blame_key: provider.blame_key.clone(),
    })
}

/// Secrets of a provider made through the admin API are sent where they were meant to go and nowhere else.
fn at_its_origin<'p>(name: &str, url: &str, provider: &'p config::Provider) -> Cow<'p, config::Provider> {
    let Some(origin) = &provider.kept.origin else { return Cow::Borrowed(provider) };
    if BaseUrl::parse(url).is_ok_and(|url| url.origin() == *origin) {
        return Cow::Borrowed(provider);
    }
    tracing::error!(
        provider = name,
        origin,
        "the provider is elsewhere now; its headers and credential are not sent there"
    );
    Cow::Owned(config::Provider { headers: BTreeMap::new(), credential: None, ..provider.clone() })
}

/// What the environment says of proxies; what is wrong with it matters only to who obeys it.
fn if_obeyed(
    config: &Config,
    surroundings: Result<Surroundings, String>,
    problems: &mut Vec<String>,
) -> Surroundings {
    let obeys = |proxy: &Option<Secret>| proxy.as_ref().is_some_and(|proxy| proxy.expose() == "environment");
    let obeyed = obeys(&config.server.proxy) || config.providers.values().any(|own| obeys(&own.proxy));
    surroundings.unwrap_or_else(|problem| {
        problems.extend(obeyed.then_some(problem));
        Surroundings::default()
    })
}

/// What lies around all providers.
struct Outside {
    /// The way out of those that do not say otherwise.
    proxy: Option<Secret>,
    surroundings: Arc<Surroundings>,
    authorities: Authorities,
    /// Of providers made through the admin API.
    guard: Guard,
}

/// The provider as the network sees it.
fn connected(
    name: &str,
    url: &str,
    provider: &config::Provider,
    outside: &mut Outside,
) -> Result<upstream::Provider, String> {
    let region = provider.options.get("region").and_then(|region| region.as_str());
    let headers = provider.headers.iter().map(|(name, value)| (name.as_str(), value));
    let outbound = match provider.proxy.as_ref().or(outside.proxy.as_ref()) {
        Some(proxy) => Outbound::parse(proxy.expose()).map_err(|why| format!("proxy: {why}"))?,
        None => Outbound::Direct,
    };
    let tls = provider.tls.as_ref().map(|tls| Tls::read(tls, &mut outside.authorities));
    let network = Network {
        outbound,
        surroundings: Arc::clone(&outside.surroundings),
        tls: tls.transpose().map_err(|why| format!("tls: {why}"))?.unwrap_or_default(),
        http2: provider.http2,
        guard: provider.kept.made.then(|| outside.guard.clone()),
    };
    let opened = || {
        upstream::Provider::new(name, url, Vec::new())?
            .with_keys(super::provider_keys::pool(name, url, provider)?)
            .in_region(region)
            .with_headers(headers)?
            .with_credential(credential(provider.credential.as_ref())?)?
            .over(&network)
    };
    opened().map_err(|error| error.message)
}

fn caps(provider: &config::Provider) -> Caps {
    let queue = provider.queue.map(|queue| (queue.length as usize, Duration::from(queue.wait)));
    let config::Limits { requests, tokens, concurrent } = provider.limits;
    Caps { concurrent, requests, tokens, queue }
}

/// The caps of a provider's single models; the lowest where there are several.
fn model_caps(config: &Config, provider: &str) -> BTreeMap<String, (Arc<str>, u32)> {
    let mut caps = BTreeMap::new();
    for target in config.models.values().flat_map(|model| &model.targets) {
        let destination = target.destination();
        let Some((cap, to)) = target.concurrent.zip(destination.target()) else { continue };
        if to.provider == provider {
            let known = caps.entry(to.model.clone()).or_insert_with(|| (Arc::from(to.to_string()), cap));
            known.1 = known.1.min(cap);
        }
    }
    caps
}

fn credential(configured: Option<&config::Credential>) -> Result<Credential, GatewayError> {
    let Some(configured) = configured else { return Ok(Credential::Adapter) };
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    Ok(match configured.way() {
        None => Credential::Adapter,
        Some(CredentialWay::None) => Credential::Fixed(CredentialKind::None),
        Some(CredentialWay::Bearer) => Credential::Fixed(CredentialKind::Bearer),
        Some(CredentialWay::Query) => Credential::Fixed(CredentialKind::Query(text(&configured.query))),
        Some(CredentialWay::Header) => {
            let name = HeaderName::try_from(text(&configured.header)).map_err(|_| {
                GatewayError::gateway(Kind::Internal, "credential.header is not the name of a header")
            })?;
            Credential::Fixed(CredentialKind::Header(name))
        }
        Some(CredentialWay::AzureAd) => Credential::AzureAd(AzureAd {
            tenant: text(&configured.tenant),
            client_id: text(&configured.client_id),
            secret: configured.client_secret.clone().unwrap_or_else(|| Secret::new("")),
            scope: configured.scope.clone().unwrap_or_else(|| AzureAd::SCOPE.to_owned()),
            authority: configured.authority.clone().unwrap_or_else(|| AzureAd::AUTHORITY.to_owned()),
        }),
    })
}

fn limits(plugin: Option<&config::Plugin>) -> Limits {
    let standard = Limits::default();
    let Some(plugin) = plugin else { return standard };
    Limits { memory: plugin.memory.bytes(), budget: Duration::from(plugin.budget) }
}

fn keys(config: &Config) -> impl Iterator<Item = (Secret, VirtualKey)> {
    config.keys.iter().map(|(name, key)| {
        let models =
            key.models.as_ref().map(|models| models.iter().map(|model| model.pattern().clone()).collect());
        let team = key.team.as_deref().map(Arc::from);
        let bounds = super::bounds::of_key(config, name, key);
        let (preferences, tags) = (key.preferences, key.tags.clone());
        let addresses = (!key.addresses.is_empty()).then(|| key.addresses.as_slice().into());
        let addresses = addresses.into_iter().collect();
        let expires = key.expires.as_ref().map(|moment| moment.seconds);
        let closed = key.disabled.then(|| "the api key is disabled".into());
        let user = key.user.as_deref().map(Arc::from);
        let virtual_key = VirtualKey {
            user,
            team,
            bounds,
            models,
            addresses,
            expires,
            closed,
            preferences,
            tags,
            ..VirtualKey::named(name)
        };
        (key.secret.clone(), virtual_key)
    })
}

fn model_of(name: &str, model: &config::Model, known: &Known<'_>) -> Model {
    Model {
        name: name.into(),
        targets: model
            .targets
            .iter()
            .map(|configured| within(target(configured, known), model.context))
            .collect(),
        fallback: in_turn(&model.fallback, known),
        on_content_policy: in_turn(&model.fallback_on.content_policy, known),
        on_context_length: in_turn(&model.fallback_on.context_length, known),
        empty: model.empty,
        keep_alive: model.keep_alive.into(),
        retry: Retry {
            attempts: model.retry.attempts,
            on: model.retry.on.clone(),
            failover: model.failover.clone(),
            sent: model.retry.sent,
            first_wait: Duration::from(model.retry.backoff.from),
            longest_wait: Duration::from(model.retry.backoff.to),
        },
        balance: model.balance.0,
        memory: Mutex::default(),
        care: super::care::of(model, &known.config.defaults.model),
        sticky: model.sticky,
        hedge: model.hedge.as_ref().map(Hedge::new),
        lossy: model.lossy,
        cache: model.cache,
        reuse: model.reuse,
        single_flight: model.single_flight,
        rules: rules(&model.params),
        timeouts: model.timeouts,
        facts: ModelFacts::default(),
        when: model.when.clone(),
        capabilities: model.capabilities,
    }
}

fn target(configured: &config::Target, known: &Known<'_>) -> Target {
    Target {
        to: destination(&configured.destination()),
        weight: u32::from(configured.weight),
        tier: u32::from(configured.tier),
        tags: configured.tags.iter().map(|tag| tag.as_str().into()).collect(),
        price: configured.price.as_ref().map(|price| Arc::new(known.price(price))),
        pause_until: configured.pause_until.as_ref().map(|until| until.seconds),
        terms: known.terms_of(&configured.destination(), &configured.terms),
    }
}

/// A provider's model with the context of the model whose target it is, unless it has its own. Those that come after a
/// failure may well be larger, and are held to their own alone.
fn within(mut target: Target, context: Option<u64>) -> Target {
    if target.provider().is_some() {
        target.terms.context = target.terms.context.or(context);
    }
    target
}

/// Tried one after the other.
fn in_turn(configured: &[config::Destination], known: &Known<'_>) -> Vec<Target> {
    configured.iter().map(|to| target(&config::Target::to(to.clone()), known)).collect()
}

fn destination(configured: &config::Destination) -> Destination {
    match configured {
        config::Destination::Provider(to) => {
            Destination::Provider { provider: to.provider.as_str().into(), model: to.model.clone() }
        }
        config::Destination::Model(name) => Destination::Model(name.as_str().into()),
    }
}

/// Routing alone, without what the adapters say that their providers can do.
pub fn routes_alone(config: &Config) -> Table {
    routes(&Known { config, providers: &HashMap::new(), prices: &Arc::new(super::prices::book(config)) })
}

/// Every model by its name, and what other names mean.
fn routes(known: &Known<'_>) -> Table {
    let config = known.config;
    let model = |name: &str, model: &config::Model| Model {
        facts: super::model_facts::of(known, model),
        ..model_of(name, model, known)
    };
    let passing = |provider: &str| {
        let any = config::TargetName { provider: provider.to_owned(), model: "*".to_owned() };
        let to = config::Target::to(config::Destination::Provider(any));
        (Arc::from(provider), model(&format!("{provider}/*"), &config::Model::to(to)))
    };
    let addressed = config.providers.keys().filter(|_| config.routing.addressing);
    Table::new(config.models.iter().map(|(name, configured)| model(name, configured)))
        .addressing(addressed.map(|name| passing(name)))
        .or_else(config.routing.default_provider.as_deref().map(passing))
        .priced(Arc::clone(known.prices))
        .with_auto(config.routing.auto.clone())
}

fn rules(params: &config::Params) -> Rules {
    Rules {
        rename: params.rename.iter().map(|(from, to)| (from.clone(), to.clone())).collect(),
        remove: params.remove.clone(),
        default: leaves(&params.default),
        set: leaves(&params.set),
        max_tokens: params.max_tokens,
    }
}

fn timeouts(configured: config::Timeouts) -> Timeouts {
    Timeouts {
        connect: configured.connect.into(),
        first_token: configured.first_token.into(),
        idle: configured.idle.into(),
        total: configured.total.into(),
    }
}
