//! Tasks that run, and the work that a test gives to their apps.

use serde_json::Value;

use crate::http::Request;
use crate::stack::Stack;

/// A task that runs.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its ARN.
    pub arn: String,
    /// Name of its service.
    pub service: String,
    /// Where its app answers: its public address, else its private one, which this machine reaches too.
    pub address: String,
}

impl Stack {
    /// The tasks of a cluster that run, as the simulator knows them: the read buckets of ECS are everybody's.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub async fn running(&self, cluster: &str) -> Vec<Task> {
        let state = self.sim("GET", "state", None).await.json();
        let cluster = format!(":cluster/{cluster}");
        let tasks = state["tasks"].as_array().expect("tasks").iter();
        let tasks = tasks.filter(|task| {
            let arn = task["clusterArn"].as_str();
            task["lastStatus"] == "RUNNING" && arn.is_some_and(|arn| arn.ends_with(&cluster))
        });
        tasks.filter_map(Task::of).collect()
    }
}

impl Task {
    fn of(task: &Value) -> Option<Self> {
        let address = task["publicAddress"].as_str().or_else(|| private(task))?;
        Some(Self {
            arn: task["taskArn"].as_str()?.to_owned(),
            service: task["group"].as_str()?.strip_prefix("service:")?.to_owned(),
            address: address.to_owned(),
        })
    }

    /// Tells its app what to claim, such as `{"connections": 50}`. The rest stays.
    ///
    /// # Panics
    /// If the app refuses.
    pub async fn claim(&self, what: &Value) {
        let set = Request::new("POST", &format!("http://{}:8080/_app/set", self.address))
            .header("content-type", "application/json")
            .json(what);
        let answer = set.send().await;
        assert!(answer.status < 300, "{answer:?}");
    }
}

fn private(task: &Value) -> Option<&str> {
    let details = task["attachments"][0]["details"].as_array()?;
    let detail = details.iter().find(|d| d["name"] == "privateIPv4Address")?;
    detail["value"].as_str()
}
