//! `fault-proxy`: the proxy as a process, until it is told to end.

mod cli;

use std::process::ExitCode;

use fault_proxy::{Config, Server};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let done = match cli::parse(std::env::args_os().skip(1)) {
        Ok(None) => {
            print!("{}", cli::HELP);
            Ok(())
        }
        Ok(Some(config)) => run(config),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fault-proxy: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(config: Config) -> Result<(), String> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), String> {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut term), Ok(mut int)) = signals else {
        return Err("signals cannot be listened for".to_owned());
    };
    let server = Server::start(config)
        .await
        .map_err(|error| format!("cannot listen: {error}"))?;
    println!(
        "fault-proxy listening, counts at http://{}/_faults/counts",
        server.control
    );
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    println!("{}", server.counts().json());
    Ok(())
}
