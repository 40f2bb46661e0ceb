//! From the SDK's errors to ours: one place that knows AWS's error codes.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use dormouse_core::error::{Code, Error};

/// The error of a call: `what` names the operation and the thing it was about.
pub fn failed<E, R>(what: &str, error: &SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let (code, message) = (context.err().code(), context.err().message());
            from_aws(
                what,
                code.unwrap_or("unknown error"),
                message.unwrap_or("no message"),
            )
        }
        SdkError::TimeoutError(_) => Error::new(Code::Unavailable, format!("{what}: no answer in time")),
        other => Error::new(Code::Unavailable, format!("{what}: {}", chain(other))),
    }
}

/// The error for a request that cannot be built.
pub(crate) fn rejected(what: &str, error: &dyn std::error::Error) -> Error {
    Error::new(Code::Rejected, format!("{what}: {error}"))
}

/// The error for what AWS answered.
pub(crate) fn from_aws(what: &str, code: &str, message: &str) -> Error {
    let ours = match code {
        "AccessDeniedException"
        | "AccessDenied"
        | "AuthorizationError"
        | "UnauthorizedOperation"
        | "UnrecognizedClientException" => Code::AccessDenied,
        "ThrottlingException"
        | "Throttling"
        | "Throttled"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "ProvisionedThroughputExceededException"
        | "RequestThrottled"
        | "ThrottledException"
        | "LimitExceededException" => Code::Throttled,
        "ClusterNotFoundException" => Code::ClusterNotFound,
        "ServiceNotFoundException" | "ServiceNotActiveException" => Code::ServiceNotFound,
        "ServerException"
        | "InternalServerError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "InternalServiceException"
        | "InternalError" => Code::Unavailable,
        // Application Auto Scaling: somebody else changes the same target.
        "ConcurrentUpdateException" => Code::Contention,
        _ => Code::Rejected,
    };
    Error::new(ours, format!("{what}: {code}: {message}"))
}

/// An error with its causes, without the SDK's nested debug output.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_what_was_tried_and_keeps_the_words_of_aws() {
        let error = from_aws(
            "UpdateService dev/web",
            "AccessDeniedException",
            "User is not authorized",
        );
        assert_eq!(error.code, Code::AccessDenied);
        assert_eq!(
            error.message,
            "UpdateService dev/web: AccessDeniedException: User is not authorized"
        );
    }

    #[test]
    fn throttling_is_told_from_denial_and_from_bad_content() {
        for (aws, ours) in [
            ("ThrottlingException", Code::Throttled),
            ("RequestLimitExceeded", Code::Throttled),
            ("ClusterNotFoundException", Code::ClusterNotFound),
            ("ServiceNotActiveException", Code::ServiceNotFound),
            ("ServerException", Code::Unavailable),
            ("ConcurrentUpdateException", Code::Contention),
            ("InvalidParameterException", Code::Rejected),
        ] {
            assert_eq!(from_aws("x", aws, "").code, ours, "{aws}");
        }
    }
}
