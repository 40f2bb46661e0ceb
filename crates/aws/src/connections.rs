//! Open connections: every running task is asked how many it has.

use std::net::SocketAddr;
use std::time::Duration;

use dormouse_core::connections::{self, Endpoint};
use dormouse_core::observation::{ServiceState, TaskAddress, TaskStage, TaskState};
use dormouse_core::ports::{Connections, Listed};
use dormouse_core::reading::Reading;
use dormouse_core::settings::ServiceSettings;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::Aws;

/// A task may take this long to say how many connections it has, which is no work at all. A task that is so busy that
/// it takes longer is unknown, and the others of its service tell what is needed.
const LIMIT: Duration = Duration::from_secs(1);
/// A connection that is lost on the way costs only itself: a task is asked so often.
const TRIES: u32 = 2;

impl Connections for Aws {
    async fn list_tasks(&self, services: &[&ServiceSettings]) -> Listed {
        self.list_with_addresses(services).await
    }

    async fn connections(&self, service: &ServiceSettings, task: &TaskState) -> Result<u64, String> {
        match &service.connections {
            Some(endpoint) => self.ask(service, endpoint, task).await,
            None => Err(format!("service {} does not say where", service.id)),
        }
    }
}

impl Aws {
    /// The signal `connections`: what the tasks of a service say.
    pub(crate) async fn connections_signal(
        &self,
        service: &ServiceSettings,
        endpoint: &Endpoint,
        state: &ServiceState,
        now: Timestamp,
    ) -> Reading {
        if let Some(why) = &state.tasks_unknown {
            return Reading::Unknown(why.clone());
        }
        let running = state.tasks.iter().filter(|task| task.stage == TaskStage::Running);
        let answers = running.map(async |task| self.ask(service, endpoint, task).await);
        connections::judge(&join_all(answers).await, now)
    }

    /// A task is asked at its public address if it has one, else at its private one, which only a function in the same
    /// VPC reaches; such a function asks there in any case.
    async fn ask(
        &self,
        service: &ServiceSettings,
        endpoint: &Endpoint,
        task: &TaskState,
    ) -> Result<u64, String> {
        let (address, app_port) = match (task.address.clone(), task.private.filter(|_| self.in_vpc)) {
            (TaskAddress::Public(_, port), Some(private)) => (private, Some(port)),
            (_, Some(private)) => (private, service.port),
            (TaskAddress::Public(address, port), None) => (address, Some(port)),
            (TaskAddress::PrivateOnly(address), None) => (address, service.port),
            (TaskAddress::Unknown, None) => {
                return Err(format!("the address of task {} is not known yet", task.id));
            }
        };
        let at = SocketAddr::new(address, endpoint.port.or(app_port).unwrap_or(80));
        let (base, path) = (format!("http://{at}"), &endpoint.path);
        let explain = |why: String| format!("task {} at {at}{path}: {why}", task.id);
        let mut answer = self.probe.get(&base, path, LIMIT).await;
        for _ in 1..TRIES {
            if answer.is_err() {
                answer = self.probe.get(&base, path, LIMIT).await;
            }
        }
        match answer {
            Ok(answer) if answer.status == 200 => connections::active(&answer.body).map_err(explain),
            Ok(answer) => Err(explain(format!("it answers {}", answer.status))),
            Err(why) => Err(explain(why)),
        }
    }
}
