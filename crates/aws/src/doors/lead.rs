//! Leading a door elsewhere: its forward is replaced, and all else of it stays.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::operation::describe_listeners::DescribeListenersError;
use aws_sdk_elasticloadbalancingv2::operation::describe_rules::DescribeRulesError;
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, ForwardActionConfig, TargetGroupStickinessConfig, TargetGroupTuple,
};
use dormouse_core::duration;
use dormouse_core::error::{Code, Error};
use dormouse_core::front::{DoorId, Forward};
use dormouse_core::ports::{Clock, Leases, Saved};

use super::{arn, read};
use crate::Aws;
use crate::errors::failed;

/// Two that change a door at the same time would overwrite each other, so one waits for the other; this is how long a
/// change with all its calls may take. Our choice.
const LEASE: Duration = Duration::from_secs(20);
/// How often a lease is tried that somebody else has, and how long between: leading a door takes about a second.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);
/// How often it is read whether a change is seen.
const LOOKS: u32 = 2;

impl Aws {
    pub(super) async fn lead_alone(
        &self,
        door: &DoorId,
        from: &Forward,
        to: &Forward,
    ) -> Result<Saved, Error> {
        let lease = format!("door:{door}");
        let owner = super::prove::word();
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.pause(PAUSE).await;
            }
            let until = duration::after(self.now(), LEASE);
            if self.take_free_lease(&lease, &owner, until).await? == Saved::Yes {
                let saved = self.replace(door, from, to).await;
                // It ends by itself, so what was done counts for more.
                if let Err(error) = self.return_lease(&lease, &owner, until).await {
                    tracing::warn!(%door, code = %error.code, "{}", error.message);
                }
                return saved;
            }
        }
        Ok(Saved::Conflict)
    }

    async fn replace(&self, door: &DoorId, from: &Forward, to: &Forward) -> Result<Saved, Error> {
        let Some(actions) = self.actions(door).await? else {
            return Ok(Saved::Conflict);
        };
        let Some(found) = read::forward(&actions) else {
            return Ok(Saved::Conflict);
        };
        if found.is_as(to) {
            return Ok(Saved::Yes);
        }
        if !found.is_as(from) {
            return Ok(Saved::Conflict);
        }
        self.modify(door, &actions, to).await?;
        // Answers may be those of before for a moment; what is neither is somebody else's.
        let mut seen = found;
        for _ in 0..LOOKS {
            let actions = self.actions(door).await?;
            let Some(forward) = actions.and_then(|actions| read::forward(&actions)) else {
                return Ok(Saved::Conflict);
            };
            seen = forward;
            if seen.is_as(to) {
                break;
            }
        }
        let is_ours = seen.is_as(to) || seen.is_as(from);
        Ok(if is_ours { Saved::Yes } else { Saved::Conflict })
    }

    /// The actions of a door as they are now; none: it is gone.
    async fn actions(&self, door: &DoorId) -> Result<Option<Vec<Action>>, Error> {
        if arn::is_rule(door) {
            let call = self.elb.client.describe_rules().rule_arns(&door.0);
            return match call.send().await {
                Ok(answer) => {
                    let rule = answer.rules.and_then(|rules| rules.into_iter().next());
                    Ok(rule.map(|rule| rule.actions.unwrap_or_default()))
                }
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(DescribeRulesError::is_rule_not_found_exception) =>
                {
                    Ok(None)
                }
                Err(error) => Err(failed(&format!("DescribeRules {door}"), &error)),
            };
        }
        let call = self.elb.client.describe_listeners().listener_arns(&door.0);
        match call.send().await {
            Ok(answer) => {
                let listener = answer
                    .listeners
                    .and_then(|listeners| listeners.into_iter().next());
                Ok(listener.map(|listener| listener.default_actions.unwrap_or_default()))
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeListenersError::is_listener_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed(&format!("DescribeListeners {door}"), &error)),
        }
    }

    async fn modify(&self, door: &DoorId, actions: &[Action], to: &Forward) -> Result<(), Error> {
        let result = self.put(door, replaced(actions, to, None)).await;
        match result {
            // "You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups."
            Err(error) if asks_for_stickiness(&error) && to.sticky_seconds.is_none() => {
                self.put(door, replaced(actions, to, Some(read::STAYS_A_MOMENT)))
                    .await
            }
            other => other,
        }
    }

    async fn put(&self, door: &DoorId, actions: Vec<Action>) -> Result<(), Error> {
        if arn::is_rule(door) {
            let call = self.elb.client.modify_rule().rule_arn(&door.0);
            let result = call.set_actions(Some(actions)).send().await;
            result.map_err(|error| failed(&format!("ModifyRule {door}"), &error))?;
        } else {
            let call = self.elb.client.modify_listener().listener_arn(&door.0);
            let result = call.set_default_actions(Some(actions)).send().await;
            result.map_err(|error| failed(&format!("ModifyListener {door}"), &error))?;
        }
        Ok(())
    }
}

fn asks_for_stickiness(error: &Error) -> bool {
    error.code == Code::Rejected && error.message.to_lowercase().contains("group stickiness")
}

/// Actions as they were read, with another forward. "To modify the current actions […], specify all" of them (Elastic Load
/// Balancing API reference, ModifyRule).
fn replaced(actions: &[Action], to: &Forward, stays: Option<i32>) -> Vec<Action> {
    let mut actions = actions.to_vec();
    for action in &mut actions {
        match action.r#type() {
            Some(ActionTypeEnum::Forward) => *action = forward(action.order(), to, stays),
            // The client secret is not told, only kept: "If you are modifying a rule, you can omit this parameter if you set
            // UseExistingClientSecret to true" (AuthenticateOidcActionConfig).
            Some(ActionTypeEnum::AuthenticateOidc) => {
                if let Some(config) = &mut action.authenticate_oidc_config {
                    config.client_secret = None;
                    config.use_existing_client_secret = Some(true);
                }
            }
            _ => {}
        }
    }
    actions
}

fn forward(order: Option<i32>, to: &Forward, stays: Option<i32>) -> Action {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let tuples = to.shares.iter().map(|share| {
        TargetGroupTuple::builder()
            .target_group_arn(&share.target_group)
            .weight(number(share.weight))
            .build()
    });
    let seconds = to.sticky_seconds.map(number).or(stays);
    let stickiness = TargetGroupStickinessConfig::builder()
        .enabled(seconds.is_some())
        .set_duration_seconds(seconds)
        .build();
    let config = ForwardActionConfig::builder()
        .set_target_groups(Some(tuples.collect()))
        .target_group_stickiness_config(stickiness)
        .build();
    // "If you specify both ForwardConfig and TargetGroupArn, you can specify only one target group using ForwardConfig and it
    // must be the same target group" (Elastic Load Balancing API reference, Action).
    let only = match &to.shares[..] {
        [only] => Some(only.target_group.clone()),
        _ => None,
    };
    Action::builder()
        .r#type(ActionTypeEnum::Forward)
        .set_order(order)
        .set_target_group_arn(only)
        .forward_config(config)
        .build()
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::AuthenticateOidcActionConfig;

    use super::*;

    fn to(shares: &[(&str, u32)], sticky_seconds: Option<u32>) -> Forward {
        Forward::weighted(shares.iter().copied(), sticky_seconds)
    }

    fn authenticate() -> Action {
        let oidc = AuthenticateOidcActionConfig::builder()
            .issuer("https://id.example")
            .authorization_endpoint("https://id.example/a")
            .token_endpoint("https://id.example/t")
            .user_info_endpoint("https://id.example/u")
            .client_id("id")
            .build();
        Action::builder()
            .r#type(ActionTypeEnum::AuthenticateOidc)
            .order(1)
            .authenticate_oidc_config(oidc)
            .build()
    }

    #[test]
    fn what_is_written_is_read_again() {
        for original in [
            to(&[("app", 1)], None),
            to(&[("app", 0), ("wake", 1)], None),
            to(&[("app", 80), ("other", 20)], Some(3600)),
        ] {
            let written = [forward(Some(2), &original, None)];
            assert_eq!(read::forward(&written), Some(original.clone()));
            let written = [forward(None, &original, Some(1))];
            assert_eq!(
                read::forward(&written),
                Some(original),
                "a moment is as much as none"
            );
        }
    }

    #[test]
    fn only_the_forward_is_replaced_and_the_client_secret_is_kept() {
        let before = [authenticate(), forward(Some(2), &to(&[("app", 1)], None), None)];
        let after = replaced(&before, &to(&[("app", 0), ("wake", 1)], None), None);
        let oidc = after[0].authenticate_oidc_config().expect("kept");
        assert_eq!(oidc.use_existing_client_secret(), Some(true));
        assert_eq!((oidc.client_id(), after[0].order()), (Some("id"), Some(1)));
        assert_eq!((after[1].order(), after[1].target_group_arn()), (Some(2), None));
        let single = replaced(&before, &to(&[("app", 1)], None), None);
        assert_eq!(single[1].target_group_arn(), Some("app"));
    }
}
