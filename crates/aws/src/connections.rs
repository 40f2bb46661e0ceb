//! The signal `connections`: every running task is asked how many are open.

use std::net::SocketAddr;

use dormouse_core::connections::{self, Endpoint};
use dormouse_core::observation::{ServiceState, TaskAddress, TaskStage, TaskState};
use dormouse_core::reading::Reading;
use dormouse_core::settings::ServiceSettings;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::Aws;

impl Aws {
    /// What the tasks of a service say. A task is asked at its public address if it has one, else at its private one,
    /// which only a function in the same VPC reaches.
    pub(crate) async fn connections(
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

    async fn ask(
        &self,
        service: &ServiceSettings,
        endpoint: &Endpoint,
        task: &TaskState,
    ) -> Result<u64, String> {
        let (address, app_port) = match task.address {
            TaskAddress::Public(address, port) => (address, Some(port)),
            TaskAddress::PrivateOnly(address) => (address, service.port),
            TaskAddress::Unknown => return Err(format!("the address of task {} is not known yet", task.id)),
        };
        let at = SocketAddr::new(address, endpoint.port.or(app_port).unwrap_or(80));
        let answer = self.probe.get(&format!("http://{at}"), &endpoint.path).await;
        let explain = |why: String| format!("task {} at {at}{}: {why}", task.id, endpoint.path);
        match answer {
            Ok(answer) if answer.status == 200 => connections::active(&answer.body).map_err(explain),
            Ok(answer) => Err(explain(format!("it answers {}", answer.status))),
            Err(why) => Err(explain(why)),
        }
    }
}
