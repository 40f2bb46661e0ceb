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
            Some(endpoint) => self.ask(endpoint, task).await,
            None => Err(format!("service {} does not say where", service.id)),
        }
    }
}

impl Aws {
    /// The signal `connections`: what the tasks of a service say.
    pub(crate) async fn connections_signal(
        &self,
        endpoint: &Endpoint,
        state: &ServiceState,
        now: Timestamp,
    ) -> Reading {
        if let Some(why) = &state.tasks_unknown {
            return Reading::Unknown(why.clone());
        }
        let running = state.tasks.iter().filter(|task| task.stage == TaskStage::Running);
        let answers = running.map(async |task| self.ask(endpoint, task).await);
        connections::judge(&join_all(answers).await, now)
    }

    async fn ask(&self, endpoint: &Endpoint, task: &TaskState) -> Result<u64, String> {
        let at = place(self.in_vpc, endpoint, task)?;
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

/// Where a task is asked: at its public address if it has one, else at its private one, which only a function in the same
/// VPC reaches; such a function asks there in any case.
fn place(in_vpc: bool, endpoint: &Endpoint, task: &TaskState) -> Result<SocketAddr, String> {
    let (TaskAddress::Public(address, app_port) | TaskAddress::PrivateOnly(address, app_port)) =
        &task.address
    else {
        return Err(format!("the address of task {} is not known yet", task.id));
    };
    let address = task.private.filter(|_| in_vpc).unwrap_or(*address);
    Ok(SocketAddr::new(address, endpoint.port.unwrap_or(*app_port)))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const PUBLIC: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));
    const PRIVATE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 9));

    fn asked(in_vpc: bool, endpoint: &str, address: TaskAddress) -> Result<String, String> {
        let task = TaskState {
            id: "t1".to_owned(),
            stage: TaskStage::Running,
            health: None,
            targets: Vec::new(),
            probe: None,
            private: (address != TaskAddress::Unknown).then_some(PRIVATE),
            address,
            times: Default::default(),
        };
        let endpoint = Endpoint::parse(endpoint).expect("an endpoint");
        place(in_vpc, &endpoint, &task).map(|at| at.to_string())
    }

    #[test]
    fn a_function_in_the_vpc_asks_at_private_addresses_and_others_at_public_ones() {
        let public = || TaskAddress::Public(PUBLIC, 8080);
        assert_eq!(
            asked(false, "/status", public()),
            Ok("198.51.100.7:8080".to_owned())
        );
        assert_eq!(asked(true, "/status", public()), Ok("10.0.0.9:8080".to_owned()));
        assert_eq!(
            asked(false, ":81/status", public()),
            Ok("198.51.100.7:81".to_owned())
        );
        let private = || TaskAddress::PrivateOnly(PRIVATE, 3000);
        assert_eq!(asked(true, "/status", private()), Ok("10.0.0.9:3000".to_owned()));
        assert_eq!(asked(false, "/status", private()), Ok("10.0.0.9:3000".to_owned()));
        let unknown = asked(false, "/status", TaskAddress::Unknown);
        assert_eq!(unknown, Err("the address of task t1 is not known yet".to_owned()));
    }
}
