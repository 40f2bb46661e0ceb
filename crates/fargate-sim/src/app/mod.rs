//! The small web app that each simulated task really runs, as a process of its own.

mod page;
mod routes;
mod settings;

use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

pub use settings::Settings;

/// Exit code of an app that cannot listen; the server tells it from an app that ran and failed.
pub const CANNOT_LISTEN: i32 = 98;

/// What an app says on standard output once it listens everywhere.
pub const LISTENING: &str = "listening";

/// How an app is started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AppOptions {
    /// Addresses to listen on.
    pub listen: Vec<SocketAddr>,
    /// Name of its service.
    pub service: String,
    /// Id of its task.
    pub task: String,
    /// 503 this long after the start.
    pub ready_after: Duration,
    /// Answer with this status instead of 200.
    pub status: Option<u16>,
    /// Exit 1 this long after the start.
    pub crash_after: Option<Duration>,
}

/// Runs the app until SIGTERM, SIGINT or the end of its standard input; the exit code.
pub async fn run(options: AppOptions) -> i32 {
    let mut listeners = Vec::new();
    for address in &options.listen {
        match TcpListener::bind(address).await {
            Ok(listener) => listeners.push(listener),
            Err(error) => {
                eprintln!("cannot listen on {address}: {error}");
                return CANNOT_LISTEN;
            }
        }
    }
    println!("{LISTENING}");
    let routes = routes::routes(&options);
    let mut servers = JoinSet::new();
    for listener in listeners {
        servers.spawn(axum::serve(listener, routes.clone()).into_future());
    }
    let crash = async {
        match options.crash_after {
            Some(after) => tokio::time::sleep(after).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = crash => {
            eprintln!("told to crash");
            1
        }
        _ = servers.join_next() => 1,
        () = asked_to_stop() => 0,
    }
}

/// Waits for SIGTERM, SIGINT, or the end of the pipe that ties the app to the server that started it.
async fn asked_to_stop() {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
        () = end_of_stdin() => {}
    }
}

/// Comes back when standard input is closed. For a pipe that is when nobody holds its other end any more, so a
/// process that waits for it does not outlive the one that started it, however that one ended.
pub async fn end_of_stdin() {
    let (closed, wait) = oneshot::channel::<()>();
    // A thread of its own: a read of standard input cannot be cancelled.
    std::thread::spawn(move || {
        let _closed = closed;
        let mut buffer = [0; 64];
        while std::io::stdin().read(&mut buffer).is_ok_and(|n| n > 0) {}
    });
    // The sender says nothing; it is dropped.
    let _ = wait.await;
}
