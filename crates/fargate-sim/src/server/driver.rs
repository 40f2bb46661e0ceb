//! Keeps the model's clock with the real one and carries out what it asks for.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use super::{Shared, apps, http_client, jobs, lock, now};
use crate::model::{Answer, Effect, ProbeOutcome};
use crate::protocol::task_state_change;

/// Real probes get at least this long, however fast the simulation runs: an app on a busy machine is not dead.
const LEAST_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) async fn drive(shared: Arc<Shared>) {
    loop {
        let (effects, next) = {
            let mut endpoint = shared.endpoint();
            (endpoint.world.advance(now()), endpoint.world.next_due())
        };
        for effect in effects {
            carry_out(&shared, effect);
        }
        let wait = next.map_or(Duration::from_secs(60), |due| due.since(now()));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shared.wake.notified() => {}
        }
    }
}

fn carry_out(shared: &Arc<Shared>, effect: Effect) {
    match effect {
        Effect::StartApp {
            task,
            service,
            addresses,
            ports,
            environment,
            command,
        } => {
            let start = apps::Start {
                task,
                service,
                addresses,
                ports,
                environment,
                command,
            };
            apps::start(shared, start);
        }
        Effect::StopApp { task, grace } => {
            if let Some(app) = lock(&shared.apps).get_mut(&task) {
                app.stop(grace);
            }
        }
        Effect::ProbeTarget {
            target_group,
            target,
            port,
            path,
            timeout,
        } => {
            let shared = shared.clone();
            tokio::spawn(async move {
                let outcome = probe(target.address, port, &path, timeout).await;
                report(
                    &shared,
                    Answer::TargetProbed {
                        target_group,
                        target,
                        outcome,
                    },
                );
            });
        }
        Effect::ProbeContainer {
            task,
            address,
            port,
            path,
            timeout,
        } => {
            let shared = shared.clone();
            tokio::spawn(async move {
                let outcome = probe(address, port, &path, timeout).await;
                // `curl -f` fails from 400 on.
                let healthy = matches!(outcome, ProbeOutcome::Status(status) if status < 400);
                report(&shared, Answer::ContainerProbed { task, healthy });
            });
        }
        Effect::TaskStateChanged { at, task } => {
            if shared.stack.is_some() {
                let event = task_state_change(&shared.endpoint().world, at, &task);
                // Nobody takes it when the server ends.
                let _ = shared.events.send(event);
            }
        }
        Effect::InvokeJob { job } => jobs::invoke(shared, job),
    }
}

async fn probe(address: Ipv4Addr, port: u16, path: &str, timeout: Duration) -> ProbeOutcome {
    let get = http_client::get(SocketAddrV4::new(address, port), path);
    match tokio::time::timeout(timeout.max(LEAST_TIMEOUT), get).await {
        Err(_) => ProbeOutcome::TimedOut,
        Ok(Err(_)) => ProbeOutcome::Failed,
        Ok(Ok(status)) => ProbeOutcome::Status(status),
    }
}

/// Hands an answer to the model.
pub(super) fn report(shared: &Shared, answer: Answer) {
    shared.endpoint().world.answer(now(), answer);
    shared.wake.notify_one();
}
