//! Authorities, certificates and a TLS front for what speaks plain HTTP; all made for one test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use super::super::support::gateway::Folder;

/// One that signs, and a folder for what it signed.
pub(super) struct Authority {
    folder: Folder,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

/// A certificate and its key.
pub(super) struct Signed {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
    cert_path: PathBuf,
    key_path: PathBuf,
}

impl Authority {
    /// A new one; its own certificate is `ca.pem`.
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Two of one name are taken for one with a wrong signature.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("authority {}", NEXT.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        let folder = Folder::new();
        std::fs::write(folder.path().join("ca.pem"), own.pem()).unwrap();
        Self { folder, certificate: own.der().clone(), issuer: Issuer::new(params, key) }
    }

    /// Where its certificate is.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Signs a certificate for a name.
    pub(super) fn sign(&self, name: &str) -> Signed {
        self.sign_until(name, 2090)
    }

    /// Signs one that ends with a year.
    pub(super) fn sign_until(&self, name: &str, year: i32) -> Signed {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let at = |ending: &str| self.folder.path().join(format!("{name}-{year}.{ending}"));
        std::fs::write(at("pem"), signed.pem()).unwrap();
        std::fs::write(at("key"), key.serialize_pem()).unwrap();
        Signed {
            certificate: signed.der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            cert_path: at("pem"),
            key_path: at("key"),
        }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        roots
    }
}

impl Signed {
    /// `cert = "…", key = "…"`.
    pub(super) fn lines(&self) -> String {
        let shown = |path: &Path| path.display().to_string();
        format!("cert = {:?}, key = {:?}", shown(&self.cert_path), shown(&self.key_path))
    }
}

/// How a TLS server is set up.
pub(super) struct Server {
    versions: Vec<&'static SupportedProtocolVersion>,
    clients: Option<RootCertStore>,
    protocols: Vec<Vec<u8>>,
}

impl Server {
    pub(super) fn new() -> Self {
        Self { versions: vec![&version::TLS12, &version::TLS13], clients: None, protocols: Vec::new() }
    }

    /// Speaks TLS 1.2 at most.
    pub(super) fn old() -> Self {
        Self { versions: vec![&version::TLS12], ..Self::new() }
    }

    /// Lets in clients with a certificate of this authority alone.
    pub(super) fn asking(mut self, authority: &Authority) -> Self {
        self.clients = Some(authority.roots());
        self
    }

    /// Offers HTTP/2.
    pub(super) fn with_http2(mut self) -> Self {
        self.protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        self
    }

    pub(super) fn acceptor(self, own: &Signed) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(&self.versions).unwrap();
        let builder = match self.clients {
            Some(roots) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
            None => builder.with_no_client_auth(),
        };
        let mut config =
            builder.with_single_cert(vec![own.certificate.clone()], own.key.clone_key()).unwrap();
        config.alpn_protocols = self.protocols;
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A TLS server that hands the plain bytes to another.
pub(super) struct Front {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Front {
    pub(super) async fn start(acceptor: TlsAcceptor, to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counting.fetch_add(1, Ordering::Relaxed);
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut upstream = TcpStream::connect(to).await.unwrap();
                    let _ = copy_bidirectional(&mut stream, &mut upstream).await;
                });
            }
        });
        Self { address, connections, task }
    }

    /// Its port.
    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Where it is, by the name in its certificate.
    pub(super) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// How many connections it was given so far.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}
