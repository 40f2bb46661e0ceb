//! CloudWatch alarms that come through SNS.

use dormouse_core::alarm::{self, Alarm};
use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::intent::{Action, Cause, Intent};
use dormouse_core::ports::{LoadBalancers, World};
use dormouse_function::{direct, log};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// Handles the records of an SNS event, each on its own.
///
/// # Errors
/// [`Code::InvalidRequest`] if the records are no list; else the first error that trying again may mend, once all records were handled: Lambda then repeats the event, and a wake
/// that is repeated does nothing more. What is at fault itself is reported and dropped.
pub(crate) async fn handle<W: World + LoadBalancers>(
    world: &W,
    config: &Config,
    records: &Value,
    request_id: &str,
) -> Result<Value, Error> {
    let Some(records) = records.as_array() else {
        return Err(Error::new(
            Code::InvalidRequest,
            "the event's Records are not a list",
        ));
    };
    let mut results = Vec::new();
    let mut failure = None;
    for record in records {
        let result = match understand(record) {
            Ok(alarm) => wake(world, config, &alarm, request_id).await,
            Err(refusal) => Err(refusal),
        };
        results.push(match result {
            Ok(answers) => json!({"groups": answers}),
            Err(error) if error.code.is_refusal() => {
                log::refused("alarm", &error, request_id);
                json!({"refused": error})
            }
            Err(error) => {
                log::error(&error, None, request_id);
                failure.get_or_insert(error.clone());
                json!({"errors": [error]})
            }
        });
    }
    match failure {
        None => Ok(json!({"records": results})),
        Some(error) => Err(error),
    }
}

fn understand(record: &Value) -> Result<Alarm, Error> {
    let source = record
        .get("EventSource")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let message = record.pointer("/Sns/Message").and_then(Value::as_str);
    match (source, message) {
        ("aws:sns", Some(message)) => alarm::parse(message),
        ("aws:sns", None) => Err(Error::new(Code::InvalidRequest, "the SNS record has no message")),
        (source, _) => Err(Error::new(
            Code::InvalidRequest,
            format!("a record's EventSource is `{source}`: must be `aws:sns`"),
        )),
    }
}

/// Wakes every group behind what the alarm watches. One that fails does not stop the others.
async fn wake<W: World + LoadBalancers>(
    world: &W,
    config: &Config,
    alarm: &Alarm,
    request_id: &str,
) -> Result<Vec<Value>, Error> {
    let intent = Intent::of(Action::wake(), Cause::Alarm).by(Some(alarm.name.clone()));
    let groups = groups(world, alarm).await?;
    // All at once, because they share the function's time.
    let turns = groups
        .iter()
        .map(|group| direct::answer(world, config, group, &intent, request_id));
    let mut answers = Vec::new();
    let mut failure = None;
    for answer in join_all(turns).await {
        match answer {
            Ok(answer) => answers.push(answer),
            Err(error) => {
                failure.get_or_insert(Error::new(
                    error.code,
                    format!("alarm `{}`: {}", alarm.name, error.message),
                ));
            }
        }
    }
    failure.map_or(Ok(answers), Err)
}

/// The groups that an alarm is about: those behind its target groups, else behind its load balancers, else `default`.
async fn groups<W: World + LoadBalancers>(world: &W, alarm: &Alarm) -> Result<Vec<GroupName>, Error> {
    let mut target_groups = alarm.target_groups.clone();
    if target_groups.is_empty() {
        for balancer in &alarm.load_balancers {
            target_groups.extend(world.target_groups(balancer).await?);
        }
    }
    let groups = if target_groups.is_empty() {
        Vec::new()
    } else {
        alarm::groups_behind(&target_groups, &world.load_all().await?)
    };
    Ok(if groups.is_empty() {
        vec![GroupName::default_group()]
    } else {
        groups
    })
}
