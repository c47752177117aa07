//! A first answer without a file and without a key: the built-in mock provider, and what is printed at start.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};

use crate::admin::Password;
use crate::config::{Config, Destination, Model, Provider, Target, TargetName};
use crate::domain::Secret;
use crate::mock::{Mock, Running, Settings};

/// The mock provider, running on a worker of its own.
pub struct Demo {
    /// The providers and models it added.
    pub made: Additions,
    _running: Running,
    _runtime: tokio::runtime::Runtime,
}

/// Providers and models that stand in no file.
#[derive(Clone, Debug, Default)]
pub struct Additions {
    providers: BTreeMap<String, Provider>,
    models: BTreeMap<String, Model>,
}

impl Additions {
    /// Puts them into a configuration.
    pub fn add_to(&self, config: &mut Config) {
        config.providers.extend(self.providers.clone());
        config.models.extend(self.models.clone());
    }
}

/// Public name, adapter: one model in each vendor's dialect, so that every road can be tried.
const MODELS: [(&str, &str); 4] =
    [("mock", "openai"), ("mock-claude", "anthropic"), ("mock-gemini", "gemini"), ("mock-ollama", "ollama")];

impl Demo {
    /// Starts the mock and adds it to a configuration.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(config: &mut Config) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| format!("no runtime for the mock provider: {error}"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let running = {
            let _entered = runtime.enter();
            Mock::start(Settings::default(), address)
                .map_err(|error| format!("the mock provider cannot listen: {error}"))?
        };
        let mut made = Additions::default();
        for (model, plugin) in MODELS {
            let provider = Provider {
                plugin: Some(plugin.to_owned()),
                url: Some(format!("http://{}", running.address())),
                keys: vec![Secret::new("mock")],
                prices: Some("mock".to_owned()),
                ..Provider::default()
            };
            made.providers.insert(model.to_owned(), provider);
            let target = TargetName { provider: model.to_owned(), model: model.to_owned() };
            made.models.insert(model.to_owned(), Model::to(Target::to(Destination::Provider(target))));
        }
        made.add_to(config);
        Ok(Self { made, _running: running, _runtime: runtime })
    }
}

/// What was made because nobody gave it.
pub struct Made<'m> {
    /// A client key for this run.
    pub key: Option<&'m Secret>,
    /// The admin password, told when it is new.
    pub password: &'m Password,
}

/// What a newcomer sees when the listeners are up.
pub fn greeting(config: &Config, made: &Made<'_>, demo: bool, state: &str) -> String {
    let mut text = String::new();
    let scheme = if config.server.tls.is_some() { "https" } else { "http" };
    let Some(listen) = config.server.listen.first() else { return text };
    let address = if listen.0.ip().is_unspecified() {
        format!("127.0.0.1:{}", listen.0.port())
    } else {
        listen.to_string()
    };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "Causeway {} listens on {scheme}://{address}", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(text, "  admin       http://{}  (/healthz, /readyz, /metrics)", config.admin.listen);
    let models: Vec<_> = config.models.keys().map(String::as_str).collect();
    if made.password.is_new {
        let kept = match &made.password.file {
            Some(file) => format!("kept in {}", file.display()),
            None => "made for this run; name your own in [admin] or CAUSEWAY_ADMIN_PASSWORD".to_owned(),
        };
        let _ =
            writeln!(text, "  password    {}  (of the admin side; {kept})", made.password.secret.expose());
    }
    let _ = writeln!(text, "  models      {}", models.join(", "));
    let _ = writeln!(text, "  state       {state}");
    let Some(secret) = made.key else { return text };
    let _ = writeln!(text, "  client key  {}  (made for this run; name your own in [keys])", secret.expose());
    if demo {
        let _ = write!(
            text,
            "\nTry it:\n  curl {scheme}://{address}/v1/chat/completions -H 'authorization: Bearer {}' \\\n    \
             -H 'content-type: application/json' -d '{{\"model\":\"mock\",\"messages\":[{{\"role\":\"user\",\"content\":\"hello\"}}]}}'\n\n",
            secret.expose()
        );
    }
    text
}
