//! Where a fault happens: a script behind a port, or a place where nobody answers.

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::fault::{At, Fault};
use crate::support::gateway::free_address;
use crate::support::upstream::Scripted;

pub(super) struct Place {
    url: String,
    /// Who plays the fault to a whole request.
    scripted: Option<Scripted>,
    /// What must stay open, so that the fault stays.
    _held: Held,
}

#[expect(dead_code, reason = "held for what dropping it would end")]
enum Held {
    Nothing,
    /// A full queue: the port neither takes nor refuses another connection.
    Full(Vec<TcpStream>, TcpListener),
    AtOnce(Scripted),
}

impl Place {
    pub(super) async fn of(fault: &'static Fault) -> Self {
        match fault.at {
            At::Script(script) => {
                let scripted = Scripted::by_request(script).await;
                Self { url: scripted.url(), scripted: Some(scripted), _held: Held::Nothing }
            }
            At::Connection(steps) => {
                let scripted = Scripted::at_once(steps()).await;
                Self { url: scripted.url(), scripted: None, _held: Held::AtOnce(scripted) }
            }
            At::Tls(steps) => {
                let scripted = Scripted::at_once(steps()).await;
                let url = scripted.url().replace("http://", "https://");
                Self { url, scripted: None, _held: Held::AtOnce(scripted) }
            }
            At::Closed => Self::without(&format!("http://{}", free_address())),
            At::Unknown => Self::without("http://nobody.invalid"),
            At::Full => Self::full().await,
        }
    }

    fn without(url: &str) -> Self {
        Self { url: url.to_owned(), scripted: None, _held: Held::Nothing }
    }

    /// A port whose queue of connections is full: the system drops whoever knocks.
    async fn full() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        for _ in 0..8 {
            let knock = TcpStream::connect(address);
            match tokio::time::timeout(std::time::Duration::from_millis(200), knock).await {
                Ok(Ok(stream)) => waiting.push(stream),
                _ => break,
            }
        }
        Self { url: format!("http://{address}"), scripted: None, _held: Held::Full(waiting, listener) }
    }

    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    /// What it was asked, where it reads what it is asked.
    pub(super) fn requests(&self) -> Option<impl Iterator<Item = Vec<u8>> + use<>> {
        Some(self.scripted.as_ref()?.requests().into_iter().map(|request| request.to_vec()))
    }
}
