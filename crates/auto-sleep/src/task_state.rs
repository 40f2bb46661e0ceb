//! Changes of a task's state: a wake that nobody watches moves on when its tasks run, what others started is seen at once,
//! and the sessions of a task that stopped end with it.

use dormouse_core::error::{Code, Error};
use dormouse_core::ids::ServiceId;
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::ports::{SessionRows, World};
use dormouse_core::report;
use dormouse_core::sessions::{self, TaskKey};
use dormouse_function::turn;
use serde_json::{Value, json};

/// Takes a turn for the group of the task's service; tasks of others are none of our business.
pub(crate) async fn handle<W: World + SessionRows>(
    world: &W,
    detail: &Value,
    request_id: &str,
) -> Result<Value, Error> {
    if detail["lastStatus"] == "STOPPED" {
        end_sessions(world, detail).await?;
    }
    let Some(service) = service(detail)? else {
        return Ok(json!({"ignored": "the task belongs to no service"}));
    };
    let stored = world.load_all().await?;
    let ours = stored.into_iter().find_map(|(_, stored)| {
        let settings = stored.settings?;
        let owns = settings.services.iter().any(|settings| settings.id == service);
        owns.then_some((settings, stored.record))
    });
    let Some((settings, record)) = ours else {
        return Ok(json!({"ignored": format!("service `{service}` belongs to no group")}));
    };
    let intent = Intent::of(Action::Tick, Cause::TaskState);
    let turn = turn::take(world, &settings, record, &intent, request_id).await?;
    Ok(json!(report::summary(&turn, &intent)))
}

/// Ends the sessions of a task, if any were reported.
async fn end_sessions<W: World + SessionRows>(world: &W, detail: &Value) -> Result<(), Error> {
    let arn = detail["taskArn"].as_str().unwrap_or_default();
    let Some(task) = TaskKey::from_arn(arn) else {
        return Ok(());
    };
    sessions::update(world, &task, None, |stored| {
        let reported = stored.version > 0;
        reported && stored.row.end(world.now())
    })
    .await
}

/// The service of a task, by the event's `clusterArn` and `group` (Amazon ECS Developer Guide, "Amazon ECS task state
/// change events"); none for a task that was started on its own.
fn service(detail: &Value) -> Result<Option<ServiceId>, Error> {
    let text = |field: &str| {
        detail[field].as_str().ok_or_else(|| {
            Error::new(
                Code::InvalidRequest,
                format!("the task state change has no text `{field}`"),
            )
        })
    };
    let cluster = text("clusterArn")?.rsplit('/').next().unwrap_or_default();
    let name = text("group")?.strip_prefix("service:");
    Ok(name.map(|name| ServiceId::new(cluster, name)))
}
