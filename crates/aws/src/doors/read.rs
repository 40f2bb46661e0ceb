//! From the SDK's rules and listeners to doors.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, AuthenticateCognitoActionConditionalBehaviorEnum,
    AuthenticateOidcActionConditionalBehaviorEnum, Listener, ProtocolEnum, Rule, RuleCondition,
};
use dormouse_core::front::{Condition, Forward, Place, QueryPair, Share};

/// Clients must stay with a target group for a moment at least where one of several keeps them at a target: the load
/// balancer asks for it. It is the shortest that there is, and means as much as none.
pub(super) const STAYS_A_MOMENT: i32 = 1;

/// Where actions forward to; none: they do not end in a forward.
pub(super) fn forward(actions: &[Action]) -> Option<Forward> {
    let last = last(actions)?;
    if last.r#type() != Some(&ActionTypeEnum::Forward) {
        return None;
    }
    let config = last.forward_config();
    let shares = config.map(|config| config.target_groups()).unwrap_or_default();
    let shares = shares.iter().filter_map(|tuple| {
        Some(Share {
            target_group: tuple.target_group_arn.clone()?,
            weight: u32::try_from(tuple.weight.unwrap_or(1)).unwrap_or(0),
        })
    });
    let mut shares: Vec<Share> = shares.collect();
    if shares.is_empty() {
        shares.extend(last.target_group_arn().map(|arn| Share {
            target_group: arn.to_owned(),
            weight: 1,
        }));
    }
    let stickiness = config.and_then(|config| config.target_group_stickiness_config());
    let seconds = stickiness
        .filter(|stickiness| stickiness.enabled == Some(true))
        .and_then(|stickiness| stickiness.duration_seconds)
        .filter(|seconds| *seconds != STAYS_A_MOMENT);
    Some(Forward {
        shares,
        sticky_seconds: seconds.and_then(|seconds| u32::try_from(seconds).ok()),
    })
}

/// The action that is performed last.
fn last(actions: &[Action]) -> Option<&Action> {
    // Of equals the last one: a single action need not say its order.
    actions.iter().max_by_key(|action| action.order)
}

/// Where the default action of a listener is.
pub(super) fn default_place(host: &str, listener: &Listener) -> Place {
    Place {
        host: host.to_owned(),
        tls: listener.protocol() == Some(&ProtocolEnum::Https),
        port: listener
            .port()
            .and_then(|port| u16::try_from(port).ok())
            .unwrap_or(0),
        priority: None,
        conditions: Vec::new(),
        authenticates: authenticates(listener.default_actions()),
    }
}

/// Where a rule of a listener is.
pub(super) fn place(host: &str, listener: &Listener, rule: &Rule) -> Place {
    Place {
        priority: rule.priority().and_then(|priority| priority.parse().ok()),
        conditions: rule.conditions().iter().map(condition).collect(),
        authenticates: authenticates(rule.actions()),
        ..default_place(host, listener)
    }
}

/// Whether nobody comes through these actions who was not authenticated.
fn authenticates(actions: &[Action]) -> bool {
    actions.iter().any(|action| match action.r#type() {
        Some(ActionTypeEnum::AuthenticateCognito) => {
            let config = action.authenticate_cognito_config();
            let unknown = config.and_then(|config| config.on_unauthenticated_request());
            unknown != Some(&AuthenticateCognitoActionConditionalBehaviorEnum::Allow)
        }
        Some(ActionTypeEnum::AuthenticateOidc) => {
            let config = action.authenticate_oidc_config();
            let unknown = config.and_then(|config| config.on_unauthenticated_request());
            unknown != Some(&AuthenticateOidcActionConditionalBehaviorEnum::Allow)
        }
        Some(ActionTypeEnum::JwtValidation) => true,
        _ => false,
    })
}

/// A condition's values stand in `Values` or in the configuration of its field, or in both.
fn condition(condition: &RuleCondition) -> Condition {
    let field = condition.field().unwrap_or_default();
    read(field, condition).unwrap_or_else(|| Condition::Other(field.to_owned()))
}

/// None: a kind of condition that is not known here, or one by regular expressions.
fn read(field: &str, condition: &RuleCondition) -> Option<Condition> {
    let values = |of_field: Option<&[String]>| {
        let of_field = of_field.unwrap_or_default();
        let values = if of_field.is_empty() {
            condition.values()
        } else {
            of_field
        };
        (!values.is_empty()).then(|| values.to_vec())
    };
    match field {
        "host-header" => {
            values(condition.host_header_config().map(|config| config.values())).map(Condition::Host)
        }
        "path-pattern" => {
            values(condition.path_pattern_config().map(|config| config.values())).map(Condition::Path)
        }
        "http-request-method" => {
            let config = condition.http_request_method_config();
            values(config.map(|config| config.values())).map(Condition::Method)
        }
        "source-ip" => {
            values(condition.source_ip_config().map(|config| config.values())).map(Condition::Source)
        }
        "http-header" => {
            let config = condition.http_header_config()?;
            Some(Condition::Header {
                name: config.http_header_name()?.to_owned(),
                values: values(Some(config.values()))?,
            })
        }
        "query-string" => {
            let pairs = condition.query_string_config()?.values();
            let pairs = pairs.iter().map(|pair| QueryPair {
                key: pair.key.clone(),
                value: pair.value.clone().unwrap_or_default(),
            });
            let pairs: Vec<QueryPair> = pairs.collect();
            (!pairs.is_empty()).then_some(Condition::Query(pairs))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::AuthenticateOidcActionConfig;

    use super::*;

    fn asks(unknown: Option<AuthenticateOidcActionConditionalBehaviorEnum>) -> Action {
        let config = AuthenticateOidcActionConfig::builder()
            .issuer("https://id.example")
            .authorization_endpoint("https://id.example/a")
            .token_endpoint("https://id.example/t")
            .user_info_endpoint("https://id.example/u")
            .client_id("id")
            .set_on_unauthenticated_request(unknown)
            .build();
        Action::builder()
            .r#type(ActionTypeEnum::AuthenticateOidc)
            .authenticate_oidc_config(config)
            .build()
    }

    #[test]
    fn who_lets_everybody_through_authenticates_nobody() {
        use AuthenticateOidcActionConditionalBehaviorEnum as Unknown;
        assert!(authenticates(&[asks(None)]));
        assert!(authenticates(&[asks(Some(Unknown::Deny))]));
        assert!(!authenticates(&[asks(Some(Unknown::Allow))]));
        assert!(!authenticates(&[]));
    }
}
