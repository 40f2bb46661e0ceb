//! What is in front of one load balancer's target groups, as it is now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_elasticloadbalancingv2::operation::describe_listeners::DescribeListenersError;
use aws_sdk_elasticloadbalancingv2::operation::describe_rules::DescribeRulesError;
use aws_sdk_elasticloadbalancingv2::types::{Listener, Rule, TagDescription};
use dormouse_core::error::{Code, Error};
use dormouse_core::front::{DoorId, Forward, Place};
use futures_util::future::{try_join, try_join_all};
use tokio::time::{Duration, Instant};

use super::wake::{self, Usage};
use super::{arn, read};
use crate::Aws;
use crate::errors::failed;

/// A look is shared for so long: many sleeping groups behind one load balancer ask in one tick.
const FRESH: Duration = Duration::from_secs(1);
/// ARNs in one DescribeTags call ("You can specify up to 20 resources", Elastic Load Balancing API reference).
const PER_CALL: usize = 20;

/// Listeners and rules of one load balancer.
pub(super) struct Look {
    begun: Instant,
    /// All of them.
    pub(super) doors: BTreeMap<DoorId, Found>,
    /// The target groups of the wake function and what uses them.
    pub(super) wake: Result<Vec<Usage>, Error>,
}

/// A rule or default action.
pub(super) struct Found {
    /// Where it leads; none: it forwards nothing.
    pub(super) forward: Option<Forward>,
    /// Where it is.
    pub(super) place: Place,
    /// Why it cannot be led elsewhere, if it cannot.
    pub(super) refusal: Option<Error>,
}

impl Look {
    /// Whether some door names a target group.
    pub(super) fn names(&self, target_group: &str) -> bool {
        let mut forwards = self.doors.values().filter_map(|found| found.forward.as_ref());
        forwards.any(|forward| forward.weight(target_group).is_some())
    }
}

impl Aws {
    /// A look at a load balancer that began after this call, or a moment before. None: it is gone.
    pub(super) async fn look_at_doors(&self, balancer: &str) -> Result<Option<Arc<Look>>, Error> {
        let asked = Instant::now();
        let slot = self.doors.slot(balancer);
        let mut slot = slot.lock().await;
        if let Some(look) = slot.as_ref()
            && look.begun + FRESH > asked
        {
            return Ok(Some(Arc::clone(look)));
        }
        *slot = None;
        *slot = self.look_at_doors_anew(balancer).await?.map(Arc::new);
        Ok(slot.clone())
    }

    async fn look_at_doors_anew(&self, balancer: &str) -> Result<Option<Look>, Error> {
        let begun = Instant::now();
        let (listeners, host) = try_join(self.listeners(balancer), self.host(balancer)).await?;
        let Some(host) = host else {
            return Ok(None);
        };
        let rules = listeners.iter().map(async |listener| {
            // Those of other load balancers cannot be led to a function at all.
            match listener.listener_arn() {
                Some(arn) if is_application(arn) => self.rules(arn).await,
                _ => Ok(Vec::new()),
            }
        });
        let (rules, wake) = futures_util::future::join(try_join_all(rules), self.wake_target_groups()).await;
        let mut doors = BTreeMap::new();
        for (listener, rules) in listeners.iter().zip(rules?) {
            doors.extend(found(&host, listener, &rules));
        }
        self.ask_for_tags(&mut doors).await?;
        // What may not be asked for is a reason; what fails is none.
        let wake = match wake {
            Err(error) if error.code != Code::AccessDenied => return Err(error),
            other => other,
        };
        Ok(Some(Look { begun, doors, wake }))
    }

    /// The listeners of a load balancer; none if it is gone.
    async fn listeners(&self, balancer: &str) -> Result<Vec<Listener>, Error> {
        let call = self.elb.client.describe_listeners().load_balancer_arn(balancer);
        let mut pages = call.into_paginator().items().send();
        let mut listeners = Vec::new();
        while let Some(listener) = pages.next().await {
            match listener {
                Ok(listener) => listeners.push(listener),
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(DescribeListenersError::is_load_balancer_not_found_exception) =>
                {
                    return Ok(Vec::new());
                }
                Err(error) => return Err(failed(&format!("DescribeListeners of {balancer}"), &error)),
            }
        }
        Ok(listeners)
    }

    /// The rules of a listener without its default action; none if it is gone.
    async fn rules(&self, listener: &str) -> Result<Vec<Rule>, Error> {
        let call = self.elb.client.describe_rules().listener_arn(listener);
        let mut pages = call.into_paginator().items().send();
        let mut rules = Vec::new();
        while let Some(rule) = pages.next().await {
            match rule {
                Ok(rule) => rules.push(rule),
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(DescribeRulesError::is_listener_not_found_exception) =>
                {
                    return Ok(Vec::new());
                }
                Err(error) => return Err(failed(&format!("DescribeRules of {listener}"), &error)),
            }
        }
        rules.retain(|rule| rule.is_default != Some(true));
        Ok(rules)
    }

    /// Finds out which doors that forward may not be led elsewhere because they are not tagged for it.
    async fn ask_for_tags(&self, doors: &mut BTreeMap<DoorId, Found>) -> Result<(), Error> {
        let wanted = doors
            .iter()
            .filter(|(_, found)| found.forward.is_some() && found.refusal.is_none());
        let wanted: Vec<DoorId> = wanted.map(|(id, _)| id.clone()).collect();
        let answers = wanted.chunks(PER_CALL).map(async |some| {
            let arns = some.iter().map(|id| id.0.clone()).collect();
            let answer = self.elb.client.describe_tags().set_resource_arns(Some(arns));
            match answer.send().await {
                Ok(answer) => Ok((some, Ok(tagged(answer.tag_descriptions())))),
                Err(error) => {
                    let error = failed("DescribeTags of listeners and rules", &error);
                    // Not to be allowed to ask is a reason for each; all else may work the next time.
                    let denied = error.code == Code::AccessDenied;
                    denied.then_some((some, Err(error.clone()))).ok_or(error)
                }
            }
        });
        for (some, tagged) in try_join_all(answers).await? {
            for id in some {
                let refusal = match &tagged {
                    Ok(tagged) if tagged.contains(&id.0) => None,
                    Ok(_) => Some(wake::untagged(id)),
                    Err(error) => Some(error.clone()),
                };
                if let Some(found) = doors.get_mut(id) {
                    found.refusal = refusal;
                }
            }
        }
        Ok(())
    }
}

fn is_application(listener: &str) -> bool {
    listener.contains(":listener/app/")
}

/// Those that are tagged.
fn tagged(descriptions: &[TagDescription]) -> BTreeSet<String> {
    let is_on = |description: &&TagDescription| {
        let mut tags = description.tags().iter();
        tags.any(|tag| tag.key() == Some(wake::TAG) && tag.value() == Some(wake::ON))
    };
    let tagged = descriptions.iter().filter(is_on);
    tagged
        .filter_map(|description| description.resource_arn.clone())
        .collect()
}

/// The default action and the rules of a listener.
fn found(host: &str, listener: &Listener, rules: &[Rule]) -> Vec<(DoorId, Found)> {
    let Some(arn) = listener.listener_arn() else {
        return Vec::new();
    };
    let default = Found {
        forward: read::forward(listener.default_actions()),
        place: read::default_place(host, listener),
        refusal: (!is_application(arn)).then(|| wake::no_application(arn, listener.protocol())),
    };
    let rules = rules.iter().filter_map(|rule| {
        let id = DoorId(rule.rule_arn.clone()?);
        let found = Found {
            forward: read::forward(rule.actions()),
            place: read::place(host, listener, rule),
            refusal: (!rule.transforms().is_empty()).then(|| wake::rewrites(&id)),
        };
        Some((id, found))
    });
    std::iter::once((DoorId(arn.to_owned()), default))
        .chain(rules)
        .filter(|(id, _)| arn::balancer(id).is_some())
        .collect()
}
