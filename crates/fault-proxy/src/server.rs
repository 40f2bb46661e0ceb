//! Ports and what listens on them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::counts::Counts;
use crate::dice::Dice;
use crate::proxy::{self, Shared};

/// An endpoint, and the port at which its clients find the proxy instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Port of 127.0.0.1; 0 for any.
    pub port: u16,
    /// `host:port` of the endpoint.
    pub address: String,
}

/// Settings of a proxy.
#[derive(Clone, Debug)]
pub struct Config {
    /// The endpoints.
    pub upstreams: Vec<Upstream>,
    /// Port of 127.0.0.1 that tells the counts; 0 for any.
    pub control: u16,
    /// What fails.
    pub dice: Dice,
}

/// A running proxy. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    /// Where the clients of each endpoint go.
    pub addresses: Vec<SocketAddr>,
    /// Where the counts are told.
    pub control: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Starts a proxy.
    ///
    /// # Errors
    /// A port is taken.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new(config.dice));
        let mut tasks = JoinSet::new();
        let mut addresses = Vec::new();
        for upstream in config.upstreams {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, upstream.port)).await?;
            addresses.push(listener.local_addr()?);
            let (address, shared): (Arc<str>, _) = (upstream.address.into(), shared.clone());
            tasks.spawn(accept(listener, move |stream| {
                proxy::serve(stream, address.clone(), shared.clone())
            }));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.control)).await?;
        let control = listener.local_addr()?;
        let counted = shared.clone();
        tasks.spawn(accept(listener, move |stream| {
            proxy::control(stream, counted.clone())
        }));
        Ok(Self {
            addresses,
            control,
            shared,
            _tasks: tasks,
        })
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }
}

/// Serves every connection that comes, for ever.
async fn accept<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            // Latency only.
            drop(stream.set_nodelay(true));
            connections.spawn(serve(stream));
        }
        while connections.try_join_next().is_some() {}
    }
}
