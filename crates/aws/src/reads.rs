//! The reads that the functions make, tried with whatever credentials there are.
//!
//! Each changes nothing and costs nothing worth the name (GetMetricData: 1 cent for 1,000 metrics). What would need
//! something that is not there, or cost money, is not tried, and says so.

use aws_sdk_cloudwatch::primitives::DateTime;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::ServiceId;
use dormouse_core::minutes;
use futures_util::future::{join, join3, join4};
use jiff::Timestamp;

use crate::Aws;
use crate::cloudwatch::of_service;
use crate::errors::failed;

/// A network interface that nobody has: EC2 refuses whoever may not ask before it looks for it.
const NO_INTERFACE: &str = "eni-00000000000000000";

/// What is read of a service and its tasks.
const ECS_READS: [&str; 5] = [
    "ecs:DescribeServices",
    "ecs:ListTasks",
    "ecs:DescribeTasks",
    "ecs:GetTaskProtection",
    "ecs:DescribeTaskDefinition",
];

/// A permission and what came of trying it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The action as IAM policies name it.
    pub action: &'static str,
    /// What came of it.
    pub result: Tried,
}

/// What came of trying a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// AWS answered.
    Allowed,
    /// AWS refused, in its words.
    Denied(String),
    /// It failed for another reason, so that nothing is known.
    Failed(String),
    /// It was not tried, and why.
    Untried(&'static str),
}

impl Tried {
    /// What an error says about the permission.
    #[must_use]
    pub fn of(error: Error) -> Self {
        if error.code == Code::AccessDenied {
            Self::Denied(error.message)
        } else {
            Self::Failed(error.message)
        }
    }
}

fn trial<T>(action: &'static str, answer: &Result<T, Error>) -> Trial {
    let result = match answer {
        Ok(_) => Tried::Allowed,
        Err(error) => Tried::of(error.clone()),
    };
    Trial { action, result }
}

fn untried(action: &'static str, why: &'static str) -> Trial {
    let result = Tried::Untried(why);
    Trial { action, result }
}

/// Tries an action on something, if there is something to try it on.
async fn with<T, A>(
    action: &'static str,
    thing: Option<T>,
    missing: &'static str,
    call: impl AsyncFnOnce(T) -> Result<A, Error>,
) -> Trial {
    match thing {
        Some(thing) => trial(action, &call(thing).await),
        None => untried(action, missing),
    }
}

impl Aws {
    /// Tries every read that the functions make of ECS, load balancers, CloudWatch and EC2, on this service where one
    /// must be named. Discovery is not among them: whoever knows a service has made it.
    pub async fn try_reads(&self, service: Option<&ServiceId>, now: Timestamp) -> Vec<Trial> {
        let (ecs, balancers, metrics, interfaces) = join4(
            self.try_ecs(service),
            self.try_balancers(),
            self.try_metrics(service, now),
            self.ec2.public_addresses(&[NO_INTERFACE.to_owned()]),
        )
        .await;
        let mut trials = ecs;
        trials.extend(balancers);
        trials.push(metrics);
        trials.push(trial("ec2:DescribeNetworkInterfaces", &interfaces));
        for action in ["logs:StartQuery", "logs:GetQueryResults", "logs:StopQuery"] {
            trials.push(untried(action, "a search costs money"));
        }
        trials
    }

    async fn try_ecs(&self, service: Option<&ServiceId>) -> Vec<Trial> {
        let Some(id) = service else {
            return ECS_READS
                .map(|action| untried(action, "there is no service to ask about"))
                .to_vec();
        };
        let cluster = &id.cluster;
        let (definition, tasks) = join(self.definition_of(id), self.task_arns(id)).await;
        let task = tasks.as_ref().ok().and_then(|arns| arns.first()).cloned();
        let arn = definition.as_ref().ok().cloned().flatten();
        let [services, list, describe, protection, task_definition] = ECS_READS;
        let no_task = "no task runs to ask about";
        let (described, protected, defined) = join3(
            with(describe, task.clone(), no_task, async |task| {
                self.describe(cluster, &[task]).await
            }),
            with(protection, task, no_task, async |task| {
                let call = self.ecs.get_task_protection().cluster(cluster).tasks(task);
                call.send()
                    .await
                    .map_err(|error| failed("GetTaskProtection", &error))
            }),
            with(task_definition, arn, "no task definition is known", async |arn| {
                let call = self.ecs.describe_task_definition().task_definition(arn);
                call.send()
                    .await
                    .map_err(|error| failed("DescribeTaskDefinition", &error))
            }),
        )
        .await;
        vec![
            trial(services, &definition),
            trial(list, &tasks),
            described,
            protected,
            defined,
        ]
    }

    async fn definition_of(&self, id: &ServiceId) -> Result<Option<String>, Error> {
        let call = self
            .ecs
            .describe_services()
            .cluster(&id.cluster)
            .services(&id.name);
        let answer = call.send().await;
        let answer = answer.map_err(|error| failed(&format!("DescribeServices {id}"), &error))?;
        Ok(answer
            .services()
            .first()
            .and_then(|service| service.task_definition.clone()))
    }

    async fn try_balancers(&self) -> Vec<Trial> {
        let client = &self.elb.client;
        let (groups, balancers) = join(
            client.describe_target_groups().page_size(1).send(),
            client.describe_load_balancers().page_size(1).send(),
        )
        .await;
        let groups = groups.map_err(|error| failed("DescribeTargetGroups", &error));
        let balancers = balancers.map_err(|error| failed("DescribeLoadBalancers", &error));
        let group = groups
            .as_ref()
            .ok()
            .and_then(|answer| answer.target_groups().first()?.target_group_arn.clone());
        let balancer = balancers
            .as_ref()
            .ok()
            .and_then(|answer| answer.load_balancers().first()?.load_balancer_arn.clone());
        let no_group = "there is no target group to ask about";
        let tags = with(
            "elasticloadbalancing:DescribeTags",
            group.clone(),
            no_group,
            async |arn| {
                let call = client.describe_tags().resource_arns(arn);
                call.send().await.map_err(|error| failed("DescribeTags", &error))
            },
        );
        let asked = join3(
            with(
                "elasticloadbalancing:DescribeTargetHealth",
                group.clone(),
                no_group,
                async |arn| self.elb.descriptions(&arn).await,
            ),
            with(
                "elasticloadbalancing:DescribeTargetGroupAttributes",
                group,
                no_group,
                async |arn| {
                    let call = client.describe_target_group_attributes().target_group_arn(arn);
                    call.send()
                        .await
                        .map_err(|error| failed("DescribeTargetGroupAttributes", &error))
                },
            ),
            self.try_listeners(balancer),
        );
        let ((health, attributes, listeners), tags) = join(asked, tags).await;
        let mut trials = vec![
            trial("elasticloadbalancing:DescribeTargetGroups", &groups),
            health,
            attributes,
            trial("elasticloadbalancing:DescribeLoadBalancers", &balancers),
        ];
        trials.extend(listeners);
        trials.push(tags);
        trials
    }

    async fn try_listeners(&self, balancer: Option<String>) -> [Trial; 2] {
        const LISTENERS: &str = "elasticloadbalancing:DescribeListeners";
        const RULES: &str = "elasticloadbalancing:DescribeRules";
        let client = &self.elb.client;
        let no_listener = "there is no listener to ask about";
        let Some(balancer) = balancer else {
            let no_balancer = "there is no load balancer to ask about";
            return [untried(LISTENERS, no_balancer), untried(RULES, no_listener)];
        };
        let call = client
            .describe_listeners()
            .load_balancer_arn(balancer)
            .page_size(1);
        let listeners = call.send().await;
        let listeners = listeners.map_err(|error| failed("DescribeListeners", &error));
        let listener = listeners.as_ref().ok();
        let listener = listener.and_then(|answer| answer.listeners().first()?.listener_arn.clone());
        let rules = with(RULES, listener, no_listener, async |arn| {
            let call = client.describe_rules().listener_arn(arn).page_size(1);
            call.send().await.map_err(|error| failed("DescribeRules", &error))
        });
        [trial(LISTENERS, &listeners), rules.await]
    }

    /// The metric of a service that does not exist has no minutes, which is an answer too.
    async fn try_metrics(&self, service: Option<&ServiceId>, now: Timestamp) -> Trial {
        let nobody = ServiceId::new("none", "none");
        let service = service.unwrap_or(&nobody);
        let since = now.as_second() - minutes::PERIOD.as_secs() as i64;
        let answer = self
            .cloudwatch
            .get_metric_data()
            .start_time(DateTime::from_secs(since))
            .end_time(DateTime::from_secs(now.as_second()))
            .metric_data_queries(of_service("cpu", service, "CPUUtilization", "Maximum"))
            .send()
            .await
            .map_err(|error| failed("GetMetricData", &error));
        trial("cloudwatch:GetMetricData", &answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_counts_as_denied() {
        let denied: Result<(), _> = Err(Error::new(Code::AccessDenied, "ListTasks: not authorized"));
        assert_eq!(
            trial("ecs:ListTasks", &denied).result,
            Tried::Denied("ListTasks: not authorized".to_owned())
        );
        let late: Result<(), _> = Err(Error::new(Code::Unavailable, "ListTasks: no answer in time"));
        assert_eq!(
            trial("ecs:ListTasks", &late).result,
            Tried::Failed("ListTasks: no answer in time".to_owned())
        );
        assert_eq!(trial("ecs:ListTasks", &Ok(())).result, Tried::Allowed);
    }
}
