//! Which permissions the services need as they are tagged now.

use std::collections::BTreeMap;

use dormouse_core::ids::ServiceId;
use dormouse_core::observation::Seen;
use dormouse_core::reading::Signal;
use dormouse_core::settings::{ServiceSettings, Signals};

/// Whether some service needs this action, as template.yaml allows it to the functions. An action that is not known here
/// is needed.
pub(crate) fn needed(action: &str, services: &[&ServiceSettings], seen: &BTreeMap<ServiceId, Seen>) -> bool {
    let any = |needs: &dyn Fn(&ServiceSettings) -> bool| services.iter().any(|service| needs(service));
    let balanced = |service: &ServiceSettings| match seen.get(&service.id) {
        Some(Seen::Known(state)) => !state.target_groups.is_empty(),
        Some(Seen::Unknown(_)) | None => false,
    };
    match action {
        // Where there is no load balancer, tasks are asked themselves.
        "ec2:DescribeNetworkInterfaces" | "ecs:DescribeTaskDefinition" => {
            any(&|service| !balanced(service) || service.connections.is_some())
        }
        "elasticloadbalancing:DescribeTargetGroupAttributes" => {
            any(&|service| balanced(service) && scales(service))
        }
        "elasticloadbalancing:DescribeRules" | "elasticloadbalancing:DescribeTags" => {
            any(&|service| service.front)
        }
        "cloudwatch:GetMetricData" => any(&|service| {
            balanced(service)
                || listed(service, Signal::Requests)
                || listed(service, Signal::Cpu)
                || service.scaling.cpu.is_some()
                || service.scaling.memory.is_some()
        }),
        "ecs:GetTaskProtection" => any(&|service| listed(service, Signal::Protection) || scales(service)),
        action if action.starts_with("elasticloadbalancing:") => any(&balanced),
        action if action.starts_with("logs:") => any(&|service| service.logs.is_some()),
        _ => true,
    }
}

fn scales(service: &ServiceSettings) -> bool {
    service.scaling.max.is_some()
}

fn listed(service: &ServiceSettings, signal: Signal) -> bool {
    matches!(&service.signals, Signals::Listed(signals) if signals.contains(&signal))
}

#[cfg(test)]
mod tests {
    use dormouse_core::observation::ServiceState;
    use dormouse_core::settings::Defaults;
    use dormouse_core::tags::{self, TaggedService};

    use super::*;

    fn needs(tags: &[(&str, &str)], balanced: bool) -> Vec<&'static str> {
        let id = ServiceId::new("dev", "web");
        let tags = [("dormouse:group", "dev")].iter().chain(tags);
        let service = TaggedService {
            id: id.clone(),
            tags: tags
                .map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let settings = tags::parse(&service, &Defaults::default())
            .expect("good tags")
            .settings;
        let state = ServiceState {
            target_groups: balanced.then(|| "arn:tg".to_owned()).into_iter().collect(),
            ..ServiceState::default()
        };
        let seen = BTreeMap::from([(id, Seen::Known(state))]);
        [
            "ecs:ListTasks",
            "ecs:GetTaskProtection",
            "ec2:DescribeNetworkInterfaces",
            "elasticloadbalancing:DescribeTargetHealth",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
            "cloudwatch:GetMetricData",
            "logs:StartQuery",
        ]
        .into_iter()
        .filter(|action| needed(action, &[&settings], &seen))
        .collect()
    }

    #[test]
    fn what_is_needed_follows_from_the_tags_and_from_what_is_in_front_of_the_service() {
        assert_eq!(
            needs(&[], false),
            ["ecs:ListTasks", "ec2:DescribeNetworkInterfaces"]
        );
        assert_eq!(
            needs(&[], true),
            [
                "ecs:ListTasks",
                "elasticloadbalancing:DescribeTargetHealth",
                "cloudwatch:GetMetricData"
            ]
        );
        assert_eq!(
            needs(
                &[
                    ("dormouse:log-group", "/ecs/web"),
                    ("dormouse:max", "3"),
                    ("dormouse:cpu", "30-70")
                ],
                false
            ),
            [
                "ecs:ListTasks",
                "ecs:GetTaskProtection",
                "ec2:DescribeNetworkInterfaces",
                "cloudwatch:GetMetricData",
                "logs:StartQuery"
            ]
        );
        assert_eq!(needs(&[("dormouse:max", "3")], true).len(), 5);
    }
}
