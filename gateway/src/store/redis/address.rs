//! Where the server is and how it is asked.

use std::time::Duration;

use redis::{Client, ConnectionAddr, IntoConnectionInfo};

use super::super::StoreError;

/// What the configuration says about the server.
#[derive(Clone)]
pub struct Address {
    /// `redis://user:password@host:port/database`, or `rediss://` for TLS.
    pub url: String,
    /// What all our keys begin with, in braces: one deployment, one prefix.
    pub prefix: String,
    /// A connection is made within this time.
    pub connect: Duration,
    /// A call is answered within this time.
    pub timeout: Duration,
}

impl Address {
    /// With the usual prefix and times.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            prefix: "causeway".to_owned(),
            connect: Duration::from_secs(1),
            timeout: Duration::from_millis(500),
        }
    }

    /// The tag all names begin with. A cluster keeps what has one tag in one slot.
    pub(super) fn tag(&self) -> String {
        format!("{{{}}}", self.prefix)
    }

    /// Host and port, for people: what else the url says may be secret.
    pub(super) fn shown(&self) -> String {
        match self.url.as_str().into_connection_info() {
            Ok(info) => info.addr().to_string(),
            Err(_) => "an address that is not understood".to_owned(),
        }
    }

    /// The client, at this place or where a cluster said the slot has moved to.
    pub(super) fn client(&self, moved: Option<&str>) -> Result<Client, StoreError> {
        let wrong = |_| StoreError::Failed("the address of the store is not understood".to_owned());
        let mut info = self.url.as_str().into_connection_info().map_err(wrong)?;
        if let Some((host, port)) = moved.and_then(|place| place.rsplit_once(':'))
            && let Ok(port) = port.parse()
        {
            let mut place = info.addr().clone();
            match &mut place {
                ConnectionAddr::Tcp(old, number) => (*old, *number) = (host.to_owned(), port),
                ConnectionAddr::TcpTls { host: old, port: number, .. } => {
                    (*old, *number) = (host.to_owned(), port);
                }
                _ => {}
            }
            info = info.set_addr(place);
        }
        Client::open(info).map_err(wrong)
    }
}
