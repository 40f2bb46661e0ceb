//! The one error type of the API: a code of AWS's with its message and HTTP status.

/// What an API call is refused with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The error's code as AWS spells it, `ClusterNotFoundException` for instance.
    pub code: String,
    /// What AWS says to a person.
    pub message: String,
    /// HTTP status: 400 for nearly everything.
    pub status: u16,
}

impl ApiError {
    /// An error with status 400.
    pub fn new(code: &str, message: impl Into<String>) -> ApiError {
        ApiError {
            code: code.into(),
            message: message.into(),
            status: 400,
        }
    }

    /// ECS: a parameter breaks a rule.
    pub fn invalid(message: impl Into<String>) -> ApiError {
        ApiError::new("InvalidParameterException", message)
    }

    /// ECS: the request as a whole cannot be done.
    pub fn client(message: impl Into<String>) -> ApiError {
        ApiError::new("ClientException", message)
    }

    /// ECS: no such cluster.
    pub fn cluster_not_found() -> ApiError {
        ApiError::new("ClusterNotFoundException", "Cluster not found.")
    }

    /// ECS: no such service.
    pub fn service_not_found() -> ApiError {
        ApiError::new("ServiceNotFoundException", "Service not found.")
    }

    /// ELBv2: a parameter breaks a rule.
    pub fn validation(message: impl Into<String>) -> ApiError {
        ApiError::new("ValidationError", message)
    }
}
