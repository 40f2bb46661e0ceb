//! `fargate-sim serve` runs the simulator, `fargate-sim app` the web app of one simulated task.

mod cli;

use std::process::ExitCode;

use fargate_sim::server::Server;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use cli::{Command, Serve};

fn main() -> ExitCode {
    let program = std::env::current_exe().unwrap_or_else(|_| "fargate-sim".into());
    let done = match cli::parse(std::env::args().skip(1), program) {
        Ok(Command::Help(text)) => {
            print!("{text}");
            Ok(0)
        }
        Ok(Command::Serve(serve)) => run(
            Builder::new_multi_thread().worker_threads(2),
            serve_until_told(*serve),
        ),
        Ok(Command::App(options)) => run(&mut Builder::new_current_thread(), async {
            Ok(fargate_sim::app::run(options).await)
        }),
        Err(message) => Err(message),
    };
    match done {
        // The runtime's thread that reads standard input must not hold the process back.
        Ok(code) => std::process::exit(code),
        Err(message) => {
            eprintln!("fargate-sim: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(runtime: &mut Builder, work: impl Future<Output = Result<i32, String>>) -> Result<i32, String> {
    let runtime = runtime
        .enable_all()
        .build()
        .map_err(|e| format!("no runtime: {e}"))?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

async fn serve_until_told(serve: Serve) -> Result<i32, String> {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut term), Ok(mut int)) = signals else {
        return Err("signals cannot be listened for".into());
    };
    let server = Server::start(serve.config).await.map_err(|e| e.to_string())?;
    println!("fargate-sim listening on {}", server.url());
    let parent_gone = async {
        match serve.exit_with_stdin {
            true => fargate_sim::app::end_of_stdin().await,
            false => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
        () = parent_gone => {}
    }
    server.stop().await;
    Ok(0)
}
