//! What a caller is told who may not.

use super::demands::Demand;
use super::wire::Wire;
use crate::model::ApiError;

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// IAM knows no such key.
    UnknownKey,
    /// The caller's policies do not allow it.
    Denied {
        /// ARN of the caller.
        caller: String,
        /// What is not allowed.
        demand: Demand,
    },
    /// IAM could not be asked; why, for people.
    NoAnswer(String),
}

impl Refusal {
    /// The error as the protocol's services give it: "Common error types" of each API reference, and "Troubleshoot access
    /// denied error messages" in the IAM User Guide
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>).
    pub(super) fn error(&self, wire: Wire) -> ApiError {
        match self {
            Refusal::UnknownKey => {
                let text = "The security token included in the request is invalid";
                match wire {
                    Wire::Json | Wire::Cbor => ApiError::new("UnrecognizedClientException", text),
                    Wire::Query(_) => forbidden("InvalidClientTokenId", text.into()),
                    Wire::Ec2(_) => ApiError {
                        status: 401,
                        ..ApiError::new(
                            "AuthFailure",
                            "AWS was not able to validate the provided access credentials",
                        )
                    },
                }
            }
            Refusal::Denied { caller, demand } => denied(wire, caller, demand),
            Refusal::NoAnswer(why) => ApiError {
                status: 500,
                ..ApiError::new("InternalFailure", format!("fargate-sim cannot ask IAM: {why}"))
            },
        }
    }
}

fn denied(wire: Wire, caller: &str, demand: &Demand) -> ApiError {
    let Demand { action, resource, .. } = demand;
    // AWS names no resource where an action knows none.
    let on = match resource.as_str() {
        "*" => String::new(),
        arn => format!(" on resource: {arn}"),
    };
    let text = format!(
        "User: {caller} is not authorized to perform: {action}{on} because no identity-based policy allows the {action} \
         action"
    );
    match wire {
        Wire::Json | Wire::Cbor => ApiError::new("AccessDeniedException", text),
        Wire::Query(_) => forbidden("AccessDenied", text),
        Wire::Ec2(_) => forbidden(
            "UnauthorizedOperation",
            format!("You are not authorized to perform this operation. {text}"),
        ),
    }
}

fn forbidden(code: &str, text: String) -> ApiError {
    ApiError {
        status: 403,
        ..ApiError::new(code, text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn refusal(action: &str, resource: &str) -> Refusal {
        Refusal::Denied {
            caller: "arn:aws:sts::000000000000:assumed-role/wake/dormouse-wake".into(),
            demand: Demand {
                action: action.into(),
                resource: resource.into(),
                context: BTreeMap::new(),
            },
        }
    }

    #[test]
    fn each_protocol_has_its_own_code_and_status() {
        let refusal = refusal("ecs:UpdateService", "arn:service");
        for (wire, code, status) in [
            (Wire::Json, "AccessDeniedException", 400),
            (Wire::Cbor, "AccessDeniedException", 400),
            (Wire::Query(""), "AccessDenied", 403),
            (Wire::Ec2(""), "UnauthorizedOperation", 403),
        ] {
            let error = refusal.error(wire);
            assert_eq!((error.code.as_str(), error.status), (code, status));
        }
        assert_eq!(
            refusal.error(Wire::Json).message,
            "User: arn:aws:sts::000000000000:assumed-role/wake/dormouse-wake is not authorized to perform: \
             ecs:UpdateService on resource: arn:service because no identity-based policy allows the ecs:UpdateService \
             action"
        );
    }

    #[test]
    fn where_an_action_knows_no_resources_none_is_named() {
        let error = refusal("tag:GetResources", "*").error(Wire::Json);
        assert!(
            error
                .message
                .contains("perform: tag:GetResources because no identity-based")
        );
    }

    #[test]
    fn who_cannot_be_judged_is_not_let_in() {
        assert_eq!(
            Refusal::NoAnswer("it is gone".into()).error(Wire::Json).status,
            500
        );
        assert_eq!(
            Refusal::UnknownKey.error(Wire::Json).code,
            "UnrecognizedClientException"
        );
        assert_eq!(Refusal::UnknownKey.error(Wire::Ec2("")).status, 401);
    }
}
