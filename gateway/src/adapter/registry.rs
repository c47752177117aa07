//! Adapter name → loaded component, after its digest, imports and version were checked.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use super::engine::Runtime;
use super::sandbox::Limits;
use super::since_v0_1_0::{self, Prepared};
use super::{Manifest, Translator};
use crate::error::{GatewayError, Kind};

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// Where a component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Built with the gateway.
    Bundled,
    /// A file; with a digest it is as trusted as a bundled one.
    File {
        /// Where it is.
        path: PathBuf,
        /// Its `sha256`.
        digest: Option<[u8; 32]>,
    },
}

/// One loaded component.
pub struct Loaded {
    name: String,
    digest: String,
    bytes: usize,
    trusted: bool,
    manifest: Manifest,
    prepared: Prepared,
}

impl Loaded {
    /// What the adapter says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// `sha256` of the component, in lower-case hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Size of the component in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bundled or pinned by digest: its instances may be kept warm between exchanges.
    pub(super) fn is_trusted(&self) -> bool {
        self.trusted
    }

    pub(super) fn instance(
        &self,
        limits: Limits,
        options: &str,
    ) -> Result<Box<dyn Translator>, GatewayError> {
        let instance = self
            .prepared
            .open(limits, options)
            .map_err(|error| error.context(format!("adapter `{}`", self.name)))?;
        Ok(Box::new(instance))
    }
}

/// All adapters by name. What was compiled once is found again by its digest, also after a reload.
pub struct Registry {
    runtime: Runtime,
    compiled: Mutex<HashMap<(String, bool), Arc<Loaded>>>,
}

impl Registry {
    /// An empty registry on a running engine.
    pub fn new(runtime: Runtime) -> Self {
        Self { runtime, compiled: Mutex::default() }
    }

    /// Names of the adapters built with the gateway.
    pub fn bundled() -> impl Iterator<Item = &'static str> {
        BUNDLED.iter().map(|(name, _)| *name)
    }

    /// The components of a folder: `<name>.wasm`.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn folder(path: &Path) -> std::io::Result<BTreeMap<String, Source>> {
        let mut found = BTreeMap::new();
        for entry in std::fs::read_dir(path)? {
            let path = entry?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
            if let (Some(name), Some("wasm")) =
                (name, path.extension().and_then(|extension| extension.to_str()))
            {
                found.insert(name, Source::File { path, digest: None });
            }
        }
        Ok(found)
    }

    /// Loads one adapter.
    ///
    /// # Errors
    /// A file that is missing, a digest that differs, a component of another contract: each in one line.
    pub fn load(&self, name: &str, source: &Source, limits: Limits) -> Result<Arc<Loaded>, GatewayError> {
        let refuse =
            |message: String| GatewayError::gateway(Kind::Internal, format!("adapter `{name}`: {message}"));
        let (bytes, trusted) = match source {
            Source::Bundled => {
                let found = BUNDLED.iter().find(|(bundled, _)| *bundled == name);
                let (_, packed) =
                    found.ok_or_else(|| refuse("there is no bundled adapter of that name".to_owned()))?;
                let bytes = zstd::decode_all(*packed);
                (bytes.map_err(|error| refuse(format!("it cannot be unpacked: {error}")))?, true)
            }
            Source::File { path, digest } => {
                let bytes =
                    std::fs::read(path).map_err(|error| refuse(format!("{}: {error}", path.display())))?;
                (bytes, digest.is_some())
            }
        };
        let found: [u8; 32] = Sha256::digest(&bytes).into();
        let digest = hex(&found);
        if let Source::File { path, digest: Some(wanted) } = source
            && *wanted != found
        {
            let wanted = hex(wanted);
            return Err(refuse(format!(
                "{} has digest sha256:{digest}, the configuration wants sha256:{wanted}",
                path.display()
            )));
        }
        let known = self.compiled.lock().get(&(digest.clone(), trusted)).cloned();
        if let Some(loaded) = known {
            return Ok(loaded);
        }
        let loaded = Arc::new(
            self.compile(name, &bytes, digest.clone(), trusted, limits)
                .map_err(|error| refuse(error.message))?,
        );
        self.compiled.lock().insert((digest, trusted), Arc::clone(&loaded));
        Ok(loaded)
    }

    fn compile(
        &self,
        name: &str,
        bytes: &[u8],
        digest: String,
        trusted: bool,
        limits: Limits,
    ) -> Result<Loaded, GatewayError> {
        let refuse = |message: String| GatewayError::gateway(Kind::Internal, message);
        let component = Component::new(&self.runtime.engine, bytes).map_err(|error| {
            refuse(format!("not a wasm component ({})", error.root_cause().to_string().replace('\n', " ")))
        })?;
        let component_type = component.component_type();
        let imports = component_type.imports(&self.runtime.engine).map(|(import, _)| import.to_owned());
        let exports = component_type.exports(&self.runtime.engine).map(|(export, _)| export.to_owned());
        check_contract(imports, exports).map_err(refuse)?;
        let prepared = Prepared::link(&self.runtime.engine, name, &component)
            .map_err(|error| refuse(format!("does not fit the contract ({error:#})").replace('\n', " ")))?;
        let manifest = prepared.describe(limits)?;
        Ok(Loaded { name: name.to_owned(), digest, bytes: bytes.len(), trusted, manifest, prepared })
    }
}

/// An adapter exports `translate` of our version and imports nothing but `host` (and the types they share).
fn check_contract(
    imports: impl Iterator<Item = String>,
    exports: impl Iterator<Item = String>,
) -> Result<(), String> {
    let ours = since_v0_1_0::VERSION;
    let other = |version: &str| {
        format!(
            "was built for causeway:adapter {version}, this gateway takes {ours}; rebuild it with the matching plugin-sdk"
        )
    };
    let mut exported =
        exports.filter_map(|name| name.strip_prefix("causeway:adapter/translate@").map(str::to_owned));
    match exported.next() {
        Some(version) if version == ours => {}
        Some(version) => return Err(other(&version)),
        None => return Err("does not export causeway:adapter/translate; it is not an adapter".to_owned()),
    }
    for import in imports {
        match import.strip_prefix("causeway:adapter/").and_then(|rest| rest.split_once('@')) {
            Some(("types" | "host", version)) if version == ours => {}
            Some((_, version)) if version != ours => return Err(other(version)),
            _ => {
                return Err(format!(
                    "imports `{import}`; an adapter may import only causeway:adapter/host@{ours}"
                ));
            }
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
