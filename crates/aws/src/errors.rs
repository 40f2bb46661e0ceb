//! From the SDK's errors to ours: one place that knows AWS's error codes.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use dormouse_core::error::{Code, Error};

/// The error of a call: `what` names the operation and the thing it was about.
pub fn failed<E>(what: &str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let (code, message) = (context.err().code(), context.err().message());
            let status = context.raw().status().as_u16();
            from_aws(what, status, code, message.unwrap_or("no message"))
        }
        SdkError::TimeoutError(_) => Error::new(Code::Unavailable, format!("{what}: no answer in time")),
        other => Error::new(Code::Unavailable, format!("{what}: {}", chain(other))),
    }
}

/// The error for a request that cannot be built.
pub(crate) fn rejected(what: &str, error: &dyn std::error::Error) -> Error {
    Error::new(Code::Rejected, format!("{what}: {error}"))
}

/// The error for what AWS answered: an HTTP status, and a code unless something in front of the service answered.
pub(crate) fn from_aws(what: &str, status: u16, code: Option<&str>, message: &str) -> Error {
    let ours = match code.unwrap_or_default() {
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
        // Codes are many, and what is in front of a service has none. The status says whose fault it is (RFC 9110,
        // section 15.6, and RFC 6585, section 4).
        _ if status >= 500 => Code::Unavailable,
        _ if status == 429 => Code::Throttled,
        _ => Code::Rejected,
    };
    match code {
        Some(code) => Error::new(ours, format!("{what}: {code}: {message}")),
        None => Error::new(ours, format!("{what}: HTTP {status}: {message}")),
    }
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
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::metadata::ErrorMetadata;

    use super::*;

    #[test]
    fn an_error_names_what_was_tried_and_keeps_the_words_of_aws() {
        let error = from_aws(
            "UpdateService dev/web",
            400,
            Some("AccessDeniedException"),
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
            assert_eq!(from_aws("x", 400, Some(aws), "").code, ours, "{aws}");
        }
    }

    #[test]
    fn a_server_s_error_is_no_refusal_whatever_its_code_and_without_one() {
        for code in [Some("InternalServiceError"), Some("SomethingNew"), None] {
            assert_eq!(from_aws("x", 500, code, "").code, Code::Unavailable, "{code:?}");
            assert_eq!(from_aws("x", 503, code, "").code, Code::Unavailable, "{code:?}");
            assert_eq!(from_aws("x", 429, code, "").code, Code::Throttled, "{code:?}");
            assert_eq!(from_aws("x", 400, code, "").code, Code::Rejected, "{code:?}");
        }
        let throttled = from_aws("x", 503, Some("RequestLimitExceeded"), "");
        assert_eq!(
            throttled.code,
            Code::Throttled,
            "EC2 says so with a status of its own"
        );
    }

    #[test]
    fn a_page_of_what_is_in_front_of_a_service_is_told_by_its_status() {
        let page = HttpResponse::new(
            StatusCode::try_from(503).expect("a status"),
            SdkBody::from("<html>Service Unavailable</html>"),
        );
        let error = ErrorMetadata::builder().build();
        let error = failed("UpdateService dev/web", &SdkError::service_error(error, page));
        assert_eq!(
            error,
            Error::new(Code::Unavailable, "UpdateService dev/web: HTTP 503: no message")
        );
    }
}
