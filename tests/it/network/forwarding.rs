//! Proxies as the test needs them: HTTP with CONNECT and whole URLs, and SOCKS5; both count what passes.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// The user and the password that proxies with a password want.
pub(super) const USER: &str = "ada";
pub(super) const PASSWORD: &str = "s3cret@x";

/// A running proxy.
pub(super) struct Proxy {
    address: SocketAddr,
    /// One line per tunnel or forwarded request, `CONNECT host:port` or `POST http://…`.
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// An HTTP proxy, perhaps inside TLS.
    pub(super) async fn http(with_password: bool, tls: Option<TlsAcceptor>) -> Self {
        Self::start(move |stream, seen| {
            let tls = tls.clone();
            async move {
                match tls {
                    Some(tls) => {
                        let Ok(stream) = tls.accept(stream).await else { return };
                        http(stream, with_password, seen).await;
                    }
                    None => http(stream, with_password, seen).await,
                }
            }
        })
        .await
    }

    /// A SOCKS5 proxy.
    pub(super) async fn socks(with_password: bool) -> Self {
        Self::start(move |stream, seen| async move {
            let _ = socks(stream, with_password, seen).await;
        })
        .await
    }

    async fn start<F, S>(serve: S) -> Self
    where
        S: Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noting = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&noting)));
            }
        });
        Self { address, seen, task }
    }

    /// `host:port`.
    pub(super) fn at(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// What has passed so far.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn http(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    with_password: bool,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let expected = format!("proxy-authorization: Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    let (line, fields) = head.split_once("\r\n").unwrap();
    if with_password && !fields.lines().any(|field| field.eq_ignore_ascii_case(&expected)) {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\
                       content-length: 0\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(refusal.as_bytes()).await;
        return;
    }
    let (method, target) = line.split_once(' ').unwrap();
    let target = target.split(' ').next().unwrap();
    seen.lock().push(format!("{method} {target}"));
    if method == "CONNECT" {
        let Ok(mut upstream) = TcpStream::connect(target).await else {
            let _ = stream.write_all(b"HTTP/1.1 503 No way there\r\n\r\n").await;
            return;
        };
        stream.write_all(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n").await.unwrap();
        let _ = copy_bidirectional(&mut stream, &mut upstream).await;
        return;
    }
    let (authority, path) = target.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let Ok(mut upstream) = TcpStream::connect(authority).await else { return };
    let kept = fields.lines().filter(|field| !field.to_ascii_lowercase().starts_with("proxy-"));
    let kept: Vec<_> = kept.filter(|field| !field.is_empty()).collect();
    // One request per connection is all that is needed.
    let request = format!("{method} /{path} HTTP/1.1\r\n{}\r\nconnection: close\r\n\r\n", kept.join("\r\n"));
    upstream.write_all(request.as_bytes()).await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut upstream).await;
}

/// RFC 1928 and 1929, the server's side.
async fn socks(
    mut stream: TcpStream,
    with_password: bool,
    seen: Arc<Mutex<Vec<String>>>,
) -> std::io::Result<()> {
    assert_eq!(stream.read_u8().await?, 5);
    let mut methods = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut methods).await?;
    let method = if with_password { 2 } else { 0 };
    if !methods.contains(&method) {
        return stream.write_all(&[5, 0xff]).await;
    }
    stream.write_all(&[5, method]).await?;
    if with_password {
        assert_eq!(stream.read_u8().await?, 1);
        let user = text(&mut stream).await?;
        let password = text(&mut stream).await?;
        let good = user == USER && password == PASSWORD;
        stream.write_all(&[1, u8::from(!good)]).await?;
        if !good {
            return Ok(());
        }
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    assert_eq!(request[..3], [5, 1, 0]);
    let host = match request[3] {
        1 => std::net::Ipv4Addr::from(stream.read_u32().await?).to_string(),
        4 => format!("[{}]", std::net::Ipv6Addr::from(stream.read_u128().await?)),
        _ => text(&mut stream).await?,
    };
    let target = format!("{host}:{}", stream.read_u16().await?);
    seen.lock().push(format!("CONNECT {target}"));
    match TcpStream::connect(&target).await {
        Ok(mut upstream) => {
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
            copy_bidirectional(&mut stream, &mut upstream).await.map(drop)
        }
        Err(_) => stream.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).await,
    }
}

async fn text(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut bytes).await?;
    Ok(String::from_utf8(bytes).unwrap())
}
