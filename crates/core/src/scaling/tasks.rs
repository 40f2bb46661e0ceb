//! Who uses which task: what a scale-in must know before it takes one away, and again before each step.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::load::{Sessions, Task};
use crate::error::Error;
use crate::observation::{TaskStage, TaskState};
use crate::ports::{Protection, SessionRows};
use crate::scale_in::plan::Plan;
use crate::sessions::TaskKey;

/// Looks at the sessions and the protection of tasks. What a plan says it protected itself is not the app's doing.
///
/// # Errors
/// Those of the table and of ECS: what is unknown must not be taken for unused.
pub async fn look<W: SessionRows + Protection>(
    world: &W,
    cluster: &str,
    tasks: &[&TaskState],
    plan: Option<&Plan>,
    now: Timestamp,
) -> Result<Vec<Task>, Error> {
    let keys: BTreeMap<&str, TaskKey> = tasks
        .iter()
        .filter_map(|task| Some((&*task.id, TaskKey::parse(&format!("{cluster}/{}", task.id)).ok()?)))
        .collect();
    let ids: Vec<String> = tasks.iter().map(|task| task.id.clone()).collect();
    let wanted: Vec<TaskKey> = keys.values().cloned().collect();
    let (rows, protections) =
        futures_util::future::try_join(world.rows(&wanted), world.protected_until(cluster, &ids)).await?;
    let sessions = |task: &TaskState| match keys.get(&*task.id) {
        None => Sessions::Unknown(format!("`{}` is not the id of a task", task.id)),
        Some(key) if rows.get(key).is_some_and(|stored| stored.row.in_use(now)) => Sessions::InUse,
        Some(_) => Sessions::Free,
    };
    let protected = |task: &TaskState| match protections.get(&task.id) {
        None => true,
        Some(None) => false,
        Some(Some(until)) => *until > now && !plan.is_some_and(|plan| plan.is_ours(&task.id, *until)),
    };
    Ok(tasks
        .iter()
        .map(|task| Task {
            id: task.id.clone(),
            running: task.stage == TaskStage::Running,
            protected: protected(task),
            sessions: sessions(task),
        })
        .collect())
}
