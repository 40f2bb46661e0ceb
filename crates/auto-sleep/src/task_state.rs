//! Changes of a task's state: a wake that nobody watches moves on when its tasks run, and what others started is seen at
//! once.

use dormouse_core::engine;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::ServiceId;
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::ports::World;
use dormouse_core::report;
use dormouse_function::log;
use serde_json::{Value, json};

/// Takes a turn for the group of the task's service; tasks of others are none of our business.
pub(crate) async fn handle<W: World>(world: &W, detail: &Value, request_id: &str) -> Result<Value, Error> {
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
    let intent = Intent {
        action: Action::Tick,
        cause: Cause::TaskState,
    };
    let turn = engine::turn(world, &settings, record, &intent).await?;
    log::turn(&turn, &intent, request_id);
    Ok(json!(report::summary(&turn, &intent)))
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
