//! Whom a provider's certificate may come from, and which one we show.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pingora::tls::{ClientConfig, RootCertStore};
use pingora::utils::tls::{CertKey, WrappedX509, parse_x509};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{ProviderTls, TlsVersion};

/// TLS towards one provider.
#[derive(Clone)]
pub struct Tls {
    /// The authorities; none: the system's.
    pub(super) trusted: Option<Arc<Trusted>>,
    /// Our certificate and its key.
    pub(super) client: Option<Arc<CertKey>>,
    /// Instead of the URL's host.
    pub(super) server_name: Option<String>,
    pub(super) verify: bool,
    pub(super) min_version: TlsVersion,
    /// Of the files and everything else.
    digest: u64,
}

/// Authorities in the two forms that are needed.
pub(super) struct Trusted {
    /// For Pingora's connections.
    pub(super) list: Arc<[WrappedX509]>,
    /// For our own to a proxy.
    roots: RootCertStore,
    /// They stand beside the system's.
    besides: bool,
    digest: u64,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            trusted: None,
            client: None,
            server_name: None,
            verify: true,
            min_version: TlsVersion::default(),
            digest: 0,
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tls").field("verify", &self.verify).finish_non_exhaustive()
    }
}

/// Authorities that were read before in the same load, so that a thousand providers share one list.
#[derive(Default)]
pub struct Authorities {
    known: HashMap<(PathBuf, bool), Arc<Trusted>>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// Which file cannot be used, and why.
    pub fn read(settings: &ProviderTls, authorities: &mut Authorities) -> Result<Self, String> {
        let trusted = settings.ca.as_ref().map(|path| authorities.read(path, !settings.only_ca));
        let trusted = trusted.transpose()?;
        let client = match (&settings.cert, &settings.key) {
            (Some(cert), Some(key)) => Some(identity(cert, key)?),
            _ => None,
        };
        let mut hasher = DefaultHasher::new();
        (trusted.as_ref().map(|trusted| trusted.digest), client.as_ref().map(|(_, digest)| digest))
            .hash(&mut hasher);
        (&settings.server_name, settings.verify, settings.min_version).hash(&mut hasher);
        Ok(Self {
            trusted,
            client: client.map(|(client, _)| client),
            server_name: settings.server_name.clone(),
            verify: settings.verify,
            min_version: settings.min_version,
            digest: hasher.finish(),
        })
    }

    /// True when nothing was said.
    pub(super) fn is_usual(&self) -> bool {
        self.digest == 0
    }

    /// Connections may be shared where this is the same.
    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    /// For another server than the provider: what is trusted beside the system's authorities, and nothing else.
    pub(super) fn elsewhere(&self) -> Self {
        let trusted = self.trusted.clone().filter(|trusted| trusted.besides);
        let digest = trusted.as_ref().map_or(0, |trusted| trusted.digest);
        Self { trusted, digest, ..Self::default() }
    }

    /// For a proxy inside TLS.
    pub(super) fn for_proxy(&self) -> Arc<ClientConfig> {
        let trusted = self.elsewhere().trusted;
        let roots = trusted.map_or_else(|| roots_of(&system()), |trusted| trusted.roots.clone());
        pingora::tls::install_default_crypto_provider();
        Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
    }

    /// True when this is an older version than may be spoken; as rustls names it.
    pub(super) fn is_too_old(&self, version: &str) -> bool {
        self.min_version == TlsVersion::V1_3 && version != "TLSv1_3"
    }
}

impl Authorities {
    fn read(&mut self, path: &Path, besides: bool) -> Result<Arc<Trusted>, String> {
        let key = (path.to_owned(), besides);
        if let Some(known) = self.known.get(&key) {
            return Ok(Arc::clone(known));
        }
        let own = certificates(path)?;
        let mut roots = RootCertStore::empty();
        for (index, certificate) in own.iter().enumerate() {
            roots.add(certificate.clone()).map_err(|error| {
                format!("{}: certificate {} cannot be trusted: {error}", path.display(), index + 1)
            })?;
        }
        let mut hasher = DefaultHasher::new();
        own.iter().for_each(|certificate| certificate.as_ref().hash(&mut hasher));
        besides.hash(&mut hasher);
        let mut all = own;
        if besides {
            all.extend(system());
            roots = roots_of(&all);
        }
        let list = all.into_iter().filter_map(|certificate| wrapped(&certificate)).collect();
        let trusted = Arc::new(Trusted { list, roots, besides, digest: hasher.finish() });
        self.known.insert(key, Arc::clone(&trusted));
        Ok(trusted)
    }
}

/// The system's authorities; what `SSL_CERT_FILE` and `SSL_CERT_DIR` name comes instead.
fn system() -> Vec<CertificateDer<'static>> {
    // Without any, the connection says so; the rest of the file may be of use.
    pingora::tls::load_native_certs().unwrap_or_default()
}

/// Those that can be used: systems keep some that cannot.
fn roots_of(certificates: &[CertificateDer<'static>]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let _ = roots.add(certificate.clone());
    }
    roots
}

/// As Pingora wants it; it stops the process over one that cannot be read, so none is given to it.
fn wrapped(certificate: &CertificateDer<'static>) -> Option<WrappedX509> {
    x509_parser::parse_x509_certificate(certificate).ok()?;
    RootCertStore::empty().add(certificate.clone()).ok()?;
    Some(WrappedX509::new(certificate.to_vec(), parse_x509))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    match found {
        Err(error) => Err(format!("{}: {error}", path.display())),
        Ok(found) if found.is_empty() => Err(format!("{}: it holds no certificate", path.display())),
        Ok(found) => Ok(found),
    }
}

/// Our certificate with its key, and a digest of both.
fn identity(cert: &Path, key: &Path) -> Result<(Arc<CertKey>, u64), String> {
    let chain = certificates(cert)?;
    for certificate in &chain {
        x509_parser::parse_x509_certificate(certificate)
            .map_err(|error| format!("{}: {error}", cert.display()))?;
    }
    let private = PrivateKeyDer::from_pem_slice(&read(key)?)
        .map_err(|_| format!("{}: it holds no private key", key.display()))?;
    pingora::tls::install_default_crypto_provider();
    ClientConfig::builder()
        .with_root_certificates(RootCertStore::empty())
        .with_client_auth_cert(chain.clone(), private.clone_key())
        .map_err(|error| format!("{} and {}: {error}", cert.display(), key.display()))?;
    let secret = private.secret_der().to_vec();
    // Pingora hands the bare bytes on, and whoever gets them finds out what they are.
    PrivateKeyDer::try_from(secret.clone()).map_err(|error| format!("{}: {error}", key.display()))?;
    let mut hasher = DefaultHasher::new();
    (&chain.iter().map(|certificate| certificate.to_vec()).collect::<Vec<_>>(), &secret).hash(&mut hasher);
    let chain = chain.iter().map(|certificate| certificate.to_vec()).collect();
    Ok((Arc::new(CertKey::new(chain, secret)), hasher.finish()))
}
