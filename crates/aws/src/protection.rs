//! Task scale-in protection.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{Failure, ProtectedTask};
use dormouse_core::error::{Code, Error};
use dormouse_core::ports::Protection;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use crate::errors::failed;
use crate::task::id;
use crate::{Aws, moment};

/// Tasks in one UpdateTaskProtection call (Amazon ECS API reference). GetTaskProtection takes as many and more.
const PER_CALL: usize = 10;
/// Calls under way at once. Our choice: quick for a large service, and far below the 200 that ECS takes in a burst
/// (Amazon ECS API reference, "Request throttling").
const AT_ONCE: usize = 4;

impl Protection for Aws {
    async fn protected_until(
        &self,
        cluster: &str,
        tasks: &[String],
    ) -> Result<BTreeMap<String, Option<Timestamp>>, Error> {
        let answers = in_tens(tasks, async |tasks| {
            let what = what("GetTaskProtection", cluster, tasks);
            let call = self.ecs.get_task_protection().cluster(cluster);
            let answer = call.set_tasks(Some(tasks.to_vec())).send().await;
            let answer = answer.map_err(|error| failed(&what, &error))?;
            others(answer.failures(), "GetTaskProtection")?;
            Ok(answer.protected_tasks.unwrap_or_default())
        });
        Ok(answers.await?.iter().flatten().map(read).collect())
    }

    async fn protect(&self, cluster: &str, tasks: &[String], minutes: Option<u32>) -> Result<(), Error> {
        let minutes = minutes.map(|minutes| i32::try_from(minutes).unwrap_or(i32::MAX));
        let answers = in_tens(tasks, async |tasks| {
            let what = what("UpdateTaskProtection", cluster, tasks);
            let call = self.ecs.update_task_protection().cluster(cluster);
            let answer = call
                .set_tasks(Some(tasks.to_vec()))
                .protection_enabled(minutes.is_some())
                .set_expires_in_minutes(minutes)
                .send()
                .await
                .map_err(|error| failed(&what, &error))?;
            others(answer.failures(), "UpdateTaskProtection")
        });
        answers.await.map(|_| ())
    }
}

/// Calls for all tasks, some in each call. The first call that fails ends all of them; others may have taken effect.
async fn in_tens<T>(
    tasks: &[String],
    call: impl AsyncFn(&[String]) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let calls = tasks.chunks(PER_CALL).map(|tasks| call(tasks));
    stream::iter(calls).buffered(AT_ONCE).try_collect().await
}

fn what(operation: &str, cluster: &str, tasks: &[String]) -> String {
    format!("{operation} of {} tasks in cluster `{cluster}`", tasks.len())
}

fn read(task: &ProtectedTask) -> (String, Option<Timestamp>) {
    // ECS always says when a protection expires; one that did not would not expire.
    let until = task.expiration_date().map_or(Timestamp::MAX, moment);
    (
        id(task.task_arn().unwrap_or_default()),
        task.protection_enabled().then_some(until),
    )
}

/// Fails unless all failures are of tasks that are gone: those that ECS does not find, and those that are no task of a
/// service (Amazon ECS Developer Guide, "API failure reasons"); that these may have been one is our reading.
fn others(failures: &[Failure], operation: &str) -> Result<(), Error> {
    let gone = |failure: &&Failure| matches!(failure.reason(), Some("MISSING" | "TASK_NOT_VALID"));
    match failures.iter().find(|failure| !gone(failure)) {
        None => Ok(()),
        Some(failure) => {
            let task = failure.arn().unwrap_or("a task");
            let reason = failure.reason().unwrap_or("no reason");
            let detail = failure.detail().unwrap_or("no detail");
            let message = format!("{operation} of {task}: {reason}: {detail}");
            Err(Error::new(Code::Rejected, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::primitives::DateTime;

    use super::*;

    #[tokio::test]
    async fn calls_are_made_for_ten_tasks_each_until_one_fails() {
        let tasks: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        let sizes = in_tens(&tasks, async |tasks| Ok((tasks[0].clone(), tasks.len())));
        let expected = [("0".to_owned(), 10), ("10".to_owned(), 10), ("20".to_owned(), 1)];
        assert_eq!(sizes.await, Ok(expected.to_vec()));
        let refused = in_tens(&tasks, async |tasks| match tasks.len() {
            PER_CALL => Ok(()),
            _ => Err(Error::new(Code::Throttled, "UpdateTaskProtection")),
        });
        assert_eq!(refused.await.expect_err("the third call").code, Code::Throttled);
        let none = in_tens(&[], async |_| Err::<(), _>(Error::new(Code::Internal, "a call")));
        assert_eq!(none.await, Ok(Vec::new()));
    }

    #[test]
    fn a_protection_without_an_end_never_ends() {
        let task = ProtectedTask::builder().task_arn("arn:aws:ecs:eu-west-1:1:task/dev/a");
        let of = |enabled| task.clone().protection_enabled(enabled);
        let hour = Timestamp::from_second(3600).expect("a moment");
        let until = |task: &ProtectedTask| read(task).1;
        assert_eq!(read(&of(false).build()), ("a".to_owned(), None));
        assert_eq!(
            until(&of(true).expiration_date(DateTime::from_secs(3600)).build()),
            Some(hour)
        );
        assert_eq!(until(&of(true).build()), Some(Timestamp::MAX));
    }

    #[test]
    fn tasks_that_are_gone_are_passed_over_and_no_others() {
        let failure = |reason| {
            Failure::builder()
                .arn("task/dev/a")
                .reason(reason)
                .detail("More protected tasks than desired")
                .build()
        };
        let gone = [failure("MISSING"), failure("TASK_NOT_VALID")];
        assert_eq!(others(&gone, "UpdateTaskProtection"), Ok(()));
        let blocked = [failure("MISSING"), failure("DEPLOYMENT_BLOCKED")];
        let error = others(&blocked, "UpdateTaskProtection").expect_err("a failure");
        assert_eq!(error.code, Code::Rejected);
        assert_eq!(
            error.message,
            "UpdateTaskProtection of task/dev/a: DEPLOYMENT_BLOCKED: More protected tasks than desired"
        );
    }
}
