//! The edge: sockets, the real clock, and a process for each task.

mod addresses;
mod api;
mod apps;
mod balancer;
mod control;
mod driver;
mod events;
mod functions;
mod guard;
mod http_client;
mod jobs;
mod metrics;
mod stack;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

pub use addresses::AddressClaim;

use crate::model::{AddressBase, Config, Millis, World};
use crate::protocol::Endpoint;

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Address of the API.
    pub bind: IpAddr,
    /// Port of the API; 0 for any.
    pub port: u16,
    /// Base URL of the stack that takes the metrics and has the functions and rules; `None` for none.
    pub stack: Option<String>,
    /// The access key that may do everything; every other caller is let do what the stack's IAM allows. `None` asks
    /// nobody and lets everybody do everything.
    pub iam_owner: Option<String>,
    /// Loopback addresses for tasks and load balancers; `None` takes the first range that is free.
    pub addresses: Option<AddressBase>,
    /// Whether API calls are throttled.
    pub throttle: bool,
    /// The program that is started as `<program> app …` for each task.
    pub app_program: PathBuf,
    /// Settings of the world; its addresses are replaced by [`ServerConfig::addresses`].
    pub world: Config,
}

impl ServerConfig {
    /// A server on any port of 127.0.0.1 with free addresses, whose tasks run `app_program`.
    pub fn new(app_program: PathBuf) -> ServerConfig {
        ServerConfig {
            bind: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            stack: None,
            iam_owner: None,
            addresses: None,
            throttle: true,
            app_program,
            world: Config::default(),
        }
    }
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The API's port is taken.
    #[error("cannot listen on {address} for the API: {source}")]
    Port {
        /// What was asked for.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// Another simulator uses these addresses.
    #[error("{0}")]
    Addresses(String),
    /// The stack's URL makes no sense.
    #[error("--stack `{0}` is not of the form http://host:port")]
    Stack(String),
    /// There is nobody to ask.
    #[error("--iam-owner needs --stack, whose IAM is asked")]
    NoIam,
}

/// What all parts of the edge share.
struct Shared {
    endpoint: Mutex<Endpoint>,
    /// Wakes the driver: something has happened that may be due now.
    wake: Notify,
    apps: Mutex<HashMap<crate::model::TaskId, apps::Running>>,
    balancers: Mutex<HashMap<std::net::SocketAddrV4, tokio::task::AbortHandle>>,
    app_program: PathBuf,
    stack: Option<stack::Stack>,
    guard: Option<guard::Guard>,
    /// Events on their way to EventBridge's targets.
    events: mpsc::UnboundedSender<Value>,
}

impl Shared {
    fn endpoint(&self) -> MutexGuard<'_, Endpoint> {
        lock(&self.endpoint)
    }
}

/// Locks; a panic elsewhere does not stop the simulator.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The real clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the server is where the model's time comes from"
)]
fn now() -> Millis {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(elapsed.as_millis() as u64)
}

/// A running simulator. Dropping it ends it with all its apps; [`Server::stop`] also waits for them.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    _claim: AddressClaim,
}

impl Server {
    /// Starts a simulator.
    pub async fn start(config: ServerConfig) -> Result<Server, StartError> {
        let claim = AddressClaim::take(config.addresses).map_err(StartError::Addresses)?;
        let asked = SocketAddr::new(config.bind, config.port);
        let listener = TcpListener::bind(asked).await;
        let listener = listener.map_err(|source| StartError::Port {
            address: asked,
            source,
        })?;
        let address = listener.local_addr().map_err(|source| StartError::Port {
            address: asked,
            source,
        })?;
        let stack = config
            .stack
            .map(|url| stack::Stack::parse(&url, &config.world.region).ok_or(StartError::Stack(url)))
            .transpose()?;
        let guard = match (config.iam_owner, &stack) {
            (Some(owner), Some(stack)) => Some(guard::Guard::new(owner, stack.clone(), &config.world)),
            (Some(_), None) => return Err(StartError::NoIam),
            (None, _) => None,
        };
        // Ids differ from run to run, as on AWS: a stack that outlives the simulator must not see old ids again.
        let seed = now().0 ^ u64::from(std::process::id()) << 40;
        let world = World::new(Config {
            addresses: claim.base(),
            seed,
            ..config.world
        });
        let mut endpoint = Endpoint::new(world);
        if !config.throttle {
            endpoint.throttle = None;
        }
        let (events, undelivered) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            endpoint: Mutex::new(endpoint),
            wake: Notify::new(),
            apps: Mutex::default(),
            balancers: Mutex::default(),
            app_program: config.app_program,
            stack,
            guard,
            events,
        });
        let mut tasks = JoinSet::new();
        let routes = api::routes(shared.clone());
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                eprintln!("fargate-sim: the API stopped: {error}");
            }
        });
        tasks.spawn(driver::drive(shared.clone()));
        tasks.spawn(metrics::every_minute(shared.clone()));
        tasks.spawn(events::deliver(shared.clone(), undelivered));
        Ok(Server {
            address,
            shared,
            tasks,
            _claim: claim,
        })
    }

    /// Base URL of the API.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends everything and waits until the apps are gone, at most a few seconds.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        let apps: Vec<_> = lock(&self.shared.apps)
            .drain()
            .map(|(_, app)| app.abandon())
            .collect();
        let all = async {
            for app in apps {
                // An app that panicked is gone too.
                let _ = app.await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(5), all).await.is_err() {
            eprintln!("fargate-sim: some apps did not end within 5 s");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        lock(&self.shared.apps).clear();
        lock(&self.shared.balancers)
            .drain()
            .for_each(|(_, balancer)| balancer.abort());
    }
}
