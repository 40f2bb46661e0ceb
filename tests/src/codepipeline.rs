//! Pipeline jobs, which the simulator hands to functions as CodePipeline does.

use std::time::Duration;

use serde_json::{Value, json};

use crate::eventually;
use crate::stack::Stack;

impl Stack {
    /// Lets a pipeline come to an action that invokes a function, without `UserParameters` if they are empty; gives the
    /// job's id.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub async fn start_job(&self, output: &str, user_parameters: &str) -> String {
        let parameters = (!user_parameters.is_empty()).then_some(user_parameters);
        let body = json!({"function": self.output(output), "user_parameters": parameters});
        let job = self.sim("POST", "pipeline/jobs", Some(body)).await.json();
        job["id"].as_str().unwrap_or_else(|| panic!("{job}")).to_owned()
    }

    /// A job: its `status` (`InProgress`, `Succeeded` or `Failed`), how many `invocations` the function has had, the
    /// `results` it has put, and the `failure` if it is one.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub async fn job(&self, id: &str) -> Value {
        self.sim("GET", &format!("pipeline/jobs/{id}"), None).await.json()
    }

    /// Waits until a job has its result, and gives the job.
    ///
    /// # Panics
    /// If it takes longer than `limit`.
    pub async fn finished_job(&self, id: &str, limit: Duration) -> Value {
        eventually(&format!("job {id} has a result"), limit, || async {
            let job = self.job(id).await;
            (job["status"] != "InProgress").then_some(job)
        })
        .await
    }

    /// Invokes a job's function once more, as CodePipeline may: it delivers a job at least once.
    ///
    /// # Panics
    /// If the simulator refuses.
    pub async fn invoke_job(&self, id: &str) {
        self.sim("POST", &format!("pipeline/jobs/{id}/invoke"), None)
            .await;
    }
}
