//! CloudWatch alarms, as SNS delivers them: which of them wake, and whom.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Code, Error};
use crate::ids::GroupName;
use crate::ports::Stored;

/// Metrics that count what the app itself answered. It answers, so nobody waits for it to wake (Elastic Load Balancing
/// User Guide, "CloudWatch metrics for your Application Load Balancer").
const ANSWERS_OF_THE_APP: &str = "HTTPCode_Target_";

/// An alarm that wakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Target groups in its dimensions, as metrics name them: `targetgroup/name/id`.
    pub target_groups: Vec<String>,
    /// Load balancers in its dimensions, as metrics name them: `app/name/id`.
    pub load_balancers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification {
    alarm_name: String,
    new_state_value: String,
    #[serde(default)]
    trigger: Option<Trigger>,
}

/// One metric, or the metrics of an expression.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Trigger {
    #[serde(flatten)]
    metric: Metric,
    metrics: Vec<Query>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Query {
    metric_stat: Option<Stat>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stat {
    metric: Metric,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Metric {
    metric_name: Option<String>,
    dimensions: Vec<Dimension>,
}

#[derive(Deserialize)]
struct Dimension {
    #[serde(alias = "Name")]
    name: String,
    #[serde(alias = "Value")]
    value: String,
}

/// Understands the message of a notification (Amazon CloudWatch User Guide, "Notify users on alarm changes").
///
/// # Errors
/// [`Code::InvalidRequest`] if it is no alarm's; [`Code::NotAWake`] if the alarm's state is not ALARM, or if it counts
/// only what the app itself answered.
pub fn parse(message: &str) -> Result<Alarm, Error> {
    let notification: Notification = serde_json::from_str(message).map_err(|error| {
        let beginning: String = message.chars().take(100).collect();
        Error::new(
            Code::InvalidRequest,
            format!("the message `{beginning}` is not a CloudWatch alarm's: {error}"),
        )
    })?;
    let Notification {
        alarm_name: name,
        new_state_value: state,
        trigger,
    } = notification;
    if state != "ALARM" {
        let message = format!("alarm `{name}` is in state {state}: only ALARM wakes");
        return Err(Error::new(Code::NotAWake, message));
    }
    let trigger = trigger.unwrap_or_default();
    let queries = trigger.metrics.into_iter().filter_map(|query| query.metric_stat);
    let metrics: Vec<Metric> = std::iter::once(trigger.metric)
        .chain(queries.map(|stat| stat.metric))
        .collect();
    let mut names = metrics
        .iter()
        .filter_map(|metric| metric.metric_name.as_deref())
        .peekable();
    if names.peek().is_some() && names.all(|name| name.starts_with(ANSWERS_OF_THE_APP)) {
        let message = format!("alarm `{name}` counts what the app itself answered, so the app is awake");
        return Err(Error::new(Code::NotAWake, message));
    }
    let dimensions = || metrics.iter().flat_map(|metric| &metric.dimensions);
    let of = |wanted: &str| {
        let mut values: Vec<String> = dimensions()
            .filter(|dimension| dimension.name == wanted)
            .map(|dimension| dimension.value.clone())
            .collect();
        values.sort_unstable();
        values.dedup();
        values
    };
    Ok(Alarm {
        target_groups: of("TargetGroup"),
        load_balancers: of("LoadBalancer"),
        name,
    })
}

/// The groups with a service in one of these target groups, given by ARN or as metrics name them.
#[must_use]
pub fn groups_behind(target_groups: &[String], groups: &BTreeMap<GroupName, Stored>) -> Vec<GroupName> {
    let is_one = |arn: &String| {
        target_groups
            .iter()
            .any(|wanted| arn == wanted || arn.ends_with(&format!(":{wanted}")))
    };
    groups
        .iter()
        .filter(|(_, stored)| stored.settings.is_some())
        .filter(|(_, stored)| {
            let services = stored.record.iter().flat_map(|record| record.services.values());
            services.flat_map(|service| &service.target_groups).any(is_one)
        })
        .map(|(name, _)| name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn notification(state: &str, metric: &str) -> String {
        json!({
            "AlarmName": "nobody home \u{1f634}",
            "NewStateValue": state,
            "Trigger": {
                "MetricName": metric,
                "Namespace": "AWS/ApplicationELB",
                "Dimensions": [
                    {"value": "app/dev/50dc6c495c0c9188", "name": "LoadBalancer"},
                    {"value": "eu-west-1a", "name": "AvailabilityZone"},
                ],
            },
        })
        .to_string()
    }

    #[test]
    fn an_alarm_names_what_it_watches() {
        let alarm = parse(&notification("ALARM", "HTTPCode_ELB_503_Count")).expect("an alarm");
        assert_eq!(alarm.load_balancers, ["app/dev/50dc6c495c0c9188"]);
        assert_eq!(alarm.target_groups, [""; 0]);
    }

    #[test]
    fn an_alarm_over_an_expression_names_what_its_metrics_watch() {
        let stat = |metric: &str| {
            json!({"Id": "m", "MetricStat": {"Metric": {"MetricName": metric, "Namespace": "AWS/ApplicationELB",
                "Dimensions": [{"name": "TargetGroup", "value": "targetgroup/dev/1"}]}, "Stat": "Sum", "Period": 60}})
        };
        let message = |metric: &str| {
            json!({"AlarmName": "a", "NewStateValue": "ALARM",
                "Trigger": {"Metrics": [{"Expression": "m+n", "Id": "e"}, stat(metric), stat(metric)]}})
            .to_string()
        };
        let alarm = parse(&message("RequestCount")).expect("an alarm");
        assert_eq!(alarm.target_groups, ["targetgroup/dev/1"]);
        let refused = parse(&message("HTTPCode_Target_5XX_Count")).expect_err("the app answers");
        assert_eq!(refused.code, Code::NotAWake);
    }

    #[test]
    fn a_composite_alarm_names_nothing() {
        let alarm = parse(r#"{"AlarmName": "a", "NewStateValue": "ALARM", "AlarmRule": "ALARM(b)"}"#);
        assert_eq!(alarm.expect("an alarm").load_balancers, [""; 0]);
    }

    #[test]
    fn only_an_alarm_wakes_and_an_app_that_answers_errors_does_not() {
        for state in ["OK", "INSUFFICIENT_DATA", "alarm"] {
            let refused = parse(&notification(state, "HTTPCode_ELB_503_Count")).expect_err(state);
            assert_eq!(refused.code, Code::NotAWake);
            assert!(
                refused.message.contains(state) && refused.message.contains("nobody home"),
                "{refused}"
            );
        }
        let refused =
            parse(&notification("ALARM", "HTTPCode_Target_5XX_Count")).expect_err("the app answers");
        assert_eq!(refused.code, Code::NotAWake);
    }

    #[test]
    fn what_is_no_alarm_is_refused_with_its_beginning_only() {
        for foreign in [
            "",
            "hello",
            "[]",
            "{}",
            "null",
            r#"{"AlarmName": 1, "NewStateValue": "ALARM"}"#,
        ] {
            assert_eq!(parse(foreign).expect_err(foreign).code, Code::InvalidRequest);
        }
        let long = format!("\u{1f634}{}", "x".repeat(256 * 1024));
        assert!(parse(&long).expect_err("no alarm").message.len() < 300);
    }

    proptest! {
        #[test]
        fn no_message_makes_it_panic(text in ".*") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn groups_are_found_by_their_target_groups_as_arns_or_as_metrics_name_them() {
        let arn =
            |name: &str| format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{name}/1");
        let group = |name: &str, target_group: &str| {
            let name = GroupName::parse(name).expect("a name");
            let mut record = crate::record::Record::unseen(jiff::Timestamp::UNIX_EPOCH);
            let service = crate::ids::ServiceId::parse("dev/web").expect("a service");
            record.service(&service).target_groups = vec![arn(target_group)];
            let stored = Stored {
                settings: Some(crate::settings::GroupSettings::of(&name, Vec::new())),
                record: Some(record),
            };
            (name, stored)
        };
        let mut groups = BTreeMap::from([group("one", "web"), group("two", "api")]);
        let behind = |wanted: &str, groups: &BTreeMap<GroupName, Stored>| {
            let found = groups_behind(&[wanted.to_owned()], groups);
            found.into_iter().map(String::from).collect::<Vec<_>>()
        };
        assert_eq!(behind(&arn("web"), &groups), ["one"]);
        assert_eq!(behind("targetgroup/api/1", &groups), ["two"]);
        assert!(behind("targetgroup/other/1", &groups).is_empty());
        groups.values_mut().for_each(|stored| stored.settings = None);
        assert!(behind(&arn("web"), &groups).is_empty(), "they are gone");
    }
}
