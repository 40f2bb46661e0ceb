//! Actions as parameters and as XML.

use super::super::params::Params;
use super::super::xml::{Node, element, list, text};
use super::config;
use crate::model::{
    Action, ActionKind, ApiError, Authenticate, FixedResponse, Forward, Issuer, Redirect, WeightedGroup,
};

/// A list of actions; those without an order come in the order of the list.
pub(super) fn read_all(params: &Params, name: &str) -> Result<Vec<Action>, ApiError> {
    let read = |(n, action): (usize, Params)| {
        Ok(Action {
            order: action.read("Order")?.unwrap_or(n as u32 + 1),
            kind: read(&action)?,
        })
    };
    params
        .structures(name)
        .into_iter()
        .enumerate()
        .map(read)
        .collect()
}

fn read(action: &Params) -> Result<ActionKind, ApiError> {
    match action.required("Type")? {
        "forward" => forward(action).map(ActionKind::Forward),
        "fixed-response" => {
            let config = action.below("FixedResponseConfig");
            Ok(ActionKind::FixedResponse(FixedResponse {
                status: config
                    .read("StatusCode")?
                    .ok_or_else(|| ApiError::validation("A status code must be specified"))?,
                content_type: config.get("ContentType").map(str::to_string),
                body: config.get("MessageBody").map(str::to_string),
            }))
        }
        "redirect" => redirect(&action.below("RedirectConfig")).map(ActionKind::Redirect),
        "authenticate-oidc" => {
            let needed = [
                "Issuer",
                "AuthorizationEndpoint",
                "TokenEndpoint",
                "UserInfoEndpoint",
                "ClientId",
            ];
            authenticate(&action.below("AuthenticateOidcConfig"), Issuer::Oidc, &needed)
        }
        "authenticate-cognito" => {
            let needed = ["UserPoolArn", "UserPoolClientId", "UserPoolDomain"];
            authenticate(
                &action.below("AuthenticateCognitoConfig"),
                Issuer::Cognito,
                &needed,
            )
        }
        "jwt-validation" => {
            let config = action.below("JwtValidationConfig");
            config.required("JwksEndpoint")?;
            config.required("Issuer")?;
            Ok(ActionKind::JwtValidation(config.all().clone()))
        }
        other => Err(ApiError::validation(format!(
            "Action type '{other}' must be forward, fixed-response, redirect, authenticate-oidc, \
             authenticate-cognito or jwt-validation"
        ))),
    }
}

fn forward(action: &Params) -> Result<Forward, ApiError> {
    let group = |g: &Params| {
        Ok(WeightedGroup {
            target_group: g.required("TargetGroupArn")?.into(),
            weight: g.read("Weight")?.unwrap_or(1),
        })
    };
    let listed = action.structures("ForwardConfig.TargetGroups");
    let mut groups = listed.iter().map(group).collect::<Result<Vec<_>, ApiError>>()?;
    // "Action" in the API reference: given both, the list may only name the same group.
    match (action.get("TargetGroupArn"), groups.as_slice()) {
        (Some(arn), []) => groups.push(WeightedGroup {
            target_group: arn.into(),
            weight: 1,
        }),
        (Some(arn), [one]) if one.target_group == arn => {}
        (None, [_, ..]) => {}
        (None, []) => return Err(ApiError::validation("A target group ARN must be specified")),
        (Some(_), _) => {
            return Err(ApiError::validation(
                "TargetGroupArn and ForwardConfig must name the same target group",
            ));
        }
    }
    let sticky = action.below("ForwardConfig.TargetGroupStickinessConfig");
    let sticky_seconds = match sticky.get("Enabled") {
        Some("true") => Some(sticky.read("DurationSeconds")?.ok_or_else(|| {
            ApiError::validation("DurationSeconds must be specified when stickiness is enabled")
        })?),
        _ => None,
    };
    Ok(Forward {
        groups,
        sticky_seconds,
    })
}

fn redirect(config: &Params) -> Result<Redirect, ApiError> {
    let unchanged = Redirect::default();
    let part = |name: &str, base: String| config.get(name).map_or(base, str::to_string);
    Ok(Redirect {
        protocol: part("Protocol", unchanged.protocol),
        host: part("Host", unchanged.host),
        port: part("Port", unchanged.port),
        path: part("Path", unchanged.path),
        query: part("Query", unchanged.query),
        status: match config.required("StatusCode")? {
            "HTTP_301" => 301,
            "HTTP_302" => 302,
            other => {
                return Err(ApiError::validation(format!(
                    "StatusCode '{other}' must be HTTP_301 or HTTP_302"
                )));
            }
        },
    })
}

fn authenticate(config: &Params, issuer: Issuer, needed: &[&str]) -> Result<ActionKind, ApiError> {
    needed
        .iter()
        .try_for_each(|name| config.required(name).map(drop))?;
    let mut config = config.all().clone();
    let secret = config.remove("ClientSecret");
    // "AuthenticateOidcActionConfig" and "AuthenticateCognitoActionConfig" in the API reference.
    for (name, default) in [
        ("SessionCookieName", "AWSELBAuthSessionCookie"),
        ("Scope", "openid"),
        ("SessionTimeout", "604800"),
        ("OnUnauthenticatedRequest", "authenticate"),
    ] {
        config.entry(name.into()).or_insert_with(|| default.into());
    }
    Ok(ActionKind::Authenticate(Authenticate {
        issuer,
        config,
        secret,
    }))
}

/// Actions as they are described: of a forward to one group both forms, of a secret nothing.
pub(super) fn view_all(name: &str, actions: &[Action]) -> Node {
    list(name, actions.iter().map(view))
}

fn view(action: &Action) -> Vec<Node> {
    let mut nodes = vec![text("Type", action.type_name()), text("Order", action.order)];
    match &action.kind {
        ActionKind::Forward(forward) => {
            if let [only] = forward.groups.as_slice() {
                nodes.push(text("TargetGroupArn", &only.target_group));
            }
            let group =
                |g: &WeightedGroup| vec![text("TargetGroupArn", &g.target_group), text("Weight", g.weight)];
            let mut sticky = vec![text("Enabled", forward.sticky_seconds.is_some())];
            sticky.extend(forward.sticky_seconds.map(|s| text("DurationSeconds", s)));
            let config = vec![
                list("TargetGroups", forward.groups.iter().map(group)),
                element("TargetGroupStickinessConfig", sticky),
            ];
            nodes.push(element("ForwardConfig", config));
        }
        ActionKind::FixedResponse(fixed) => {
            let mut config = vec![text("StatusCode", fixed.status)];
            config.extend(fixed.content_type.as_ref().map(|k| text("ContentType", k)));
            config.extend(fixed.body.as_ref().map(|b| text("MessageBody", b)));
            nodes.push(element("FixedResponseConfig", config));
        }
        ActionKind::Redirect(redirect) => {
            let config = vec![
                text("Protocol", &redirect.protocol),
                text("Host", &redirect.host),
                text("Port", &redirect.port),
                text("Path", &redirect.path),
                text("Query", &redirect.query),
                text("StatusCode", format!("HTTP_{}", redirect.status)),
            ];
            nodes.push(element("RedirectConfig", config));
        }
        ActionKind::Authenticate(authenticate) => {
            let name = match authenticate.issuer {
                Issuer::Oidc => "AuthenticateOidcConfig",
                Issuer::Cognito => "AuthenticateCognitoConfig",
            };
            nodes.push(element(name, config::nodes(&authenticate.config)));
        }
        ActionKind::JwtValidation(given) => {
            nodes.push(element("JwtValidationConfig", config::nodes(given)));
        }
    }
    nodes
}
