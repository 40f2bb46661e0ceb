//! The processes that are the tasks' apps.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Shared, driver, lock};
use crate::app::{CANNOT_LISTEN, LISTENING};
use crate::model::{Answer, AppExit, Load, TaskId};

/// What the model asked for.
pub(super) struct Start {
    pub(super) task: TaskId,
    pub(super) service: String,
    pub(super) addresses: Vec<Ipv4Addr>,
    pub(super) ports: Vec<u16>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) command: Vec<String>,
}

/// An app that runs.
pub(super) struct Running {
    stop: Option<oneshot::Sender<Duration>>,
    supervisor: JoinHandle<()>,
}

impl Running {
    /// Asks it to stop, and kills it after `grace`.
    pub(super) fn stop(&mut self, grace: Duration) {
        if let Some(stop) = self.stop.take() {
            // An app that has just ended by itself needs no stop.
            let _ = stop.send(grace);
        }
    }

    /// Ends it without grace; what is returned ends when it is gone.
    pub(super) fn abandon(self) -> JoinHandle<()> {
        self.supervisor
    }
}

/// Real grace before a kill, however fast the simulation runs.
const LEAST_GRACE: Duration = Duration::from_secs(2);

/// After this a container with the command `crash` exits.
const CRASH_AFTER: &str = "0.1";

/// Starts an app and watches over it.
pub(super) fn start(shared: &Arc<Shared>, start: Start) {
    let (stop, stopped) = oneshot::channel();
    let task = start.task.clone();
    let supervisor = tokio::spawn(supervise(shared.clone(), start, stopped));
    lock(&shared.apps).insert(
        task,
        Running {
            stop: Some(stop),
            supervisor,
        },
    );
}

async fn supervise(shared: Arc<Shared>, start: Start, stopped: oneshot::Receiver<Duration>) {
    let task = start.task.clone();
    let exit = if start.environment.get("SIM_APP").is_some_and(|v| v == "none") {
        // A task without a process: for tests with more tasks than a machine wants processes.
        driver::report(&shared, Answer::AppStarted { task: task.clone() });
        let _ = stopped.await;
        AppExit::Code(0)
    } else {
        match command(&shared, &start).spawn() {
            Ok(child) => attend(&shared, &task, child, stopped).await,
            Err(error) => AppExit::CannotStart(format!(
                "{} cannot be started: {error}",
                shared.app_program.display()
            )),
        }
    };
    lock(&shared.apps).remove(&task);
    driver::report(&shared, Answer::AppExited { task, exit });
}

fn command(shared: &Shared, start: &Start) -> Command {
    let speed = shared.endpoint().world.config.timing.speed;
    let mut command = Command::new(&shared.app_program);
    command.args(["app", "--service", &start.service, "--task", &start.task.0]);
    for address in &start.addresses {
        for port in &start.ports {
            command.args(["--listen", &format!("{address}:{port}")]);
        }
    }
    let setting = |name: &str| start.environment.get(name);
    if let Some(seconds) = setting("SIM_READY_AFTER").and_then(|s| s.parse::<f64>().ok()) {
        command.args(["--ready-after", &(seconds / speed).to_string()]);
    }
    if let Some(status) = setting("SIM_STATUS") {
        command.args(["--status", status]);
    }
    if start.command.first().is_some_and(|c| c == "crash") {
        command.args(["--crash-after", CRASH_AFTER]);
    }
    command
        .envs(&start.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

/// Waits for the app's end, or brings it about: closing its standard input is its SIGTERM.
async fn attend(
    shared: &Arc<Shared>,
    task: &TaskId,
    mut child: Child,
    stopped: oneshot::Receiver<Duration>,
) -> AppExit {
    let stdin = child.stdin.take();
    let loads = child
        .stdout
        .take()
        .map(|out| tokio::spawn(listen_to(shared.clone(), task.clone(), out)));
    let errors = child.stderr.take().map(|err| {
        tokio::spawn(async move {
            let (mut lines, mut last) = (BufReader::new(err).lines(), String::new());
            while let Ok(Some(line)) = lines.next_line().await {
                last = line;
            }
            last
        })
    });
    let status = tokio::select! {
        status = child.wait() => status,
        grace = stopped => {
            drop(stdin);
            // Nobody asks with grace when the server ends.
            let grace = grace.map_or(Duration::ZERO, |g| g.max(LEAST_GRACE));
            match tokio::time::timeout(grace, child.wait()).await {
                Ok(status) => status,
                Err(_) => {
                    if let Err(error) = child.start_kill() {
                        eprintln!("fargate-sim: the app of task {task} cannot be killed: {error}");
                    }
                    child.wait().await
                }
            }
        }
    };
    if let Some(loads) = loads {
        loads.abort();
    }
    let code = status.ok().and_then(|s| s.code());
    match (code, errors) {
        (Some(CANNOT_LISTEN), Some(errors)) => AppExit::CannotStart(errors.await.unwrap_or_default()),
        // Ended by a signal: 128 + SIGKILL, as Docker reports it.
        (code, _) => AppExit::Code(code.unwrap_or(137)),
    }
}

#[derive(Deserialize)]
struct LoadLine {
    cpu: f64,
    memory: f64,
    connections: u64,
}

/// Takes in what the app says about its work.
async fn listen_to(shared: Arc<Shared>, task: TaskId, out: ChildStdout) {
    let mut lines = BufReader::new(out).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line == LISTENING {
            driver::report(&shared, Answer::AppStarted { task: task.clone() });
        } else if let Ok(load) = serde_json::from_str::<LoadLine>(&line) {
            let load = Load {
                cpu: load.cpu,
                memory: load.memory,
                connections: load.connections,
            };
            shared.endpoint().world.report_load(&task, load);
        }
    }
}
