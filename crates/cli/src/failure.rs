//! What keeps a command from an answer.

use dormouse_core::error::Error;
use serde_json::{Value, json};

use crate::exit::Exit;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// AWS refused or did not answer.
    #[error("{}", .0.message)]
    Aws(Error),
    /// There are no credentials, or they cannot be had.
    #[error("no AWS credentials: {0}")]
    NoCredentials(String),
    /// The function answered with an error.
    #[error("{message} ({kind})")]
    Function {
        /// Its stable code, or what the Lambda runtime calls it.
        kind: String,
        /// Its words.
        message: String,
    },
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    /// The error report of a function: `{"errorType","errorMessage"}`.
    pub(crate) fn of_function(report: &Value) -> Self {
        let text = |name: &str| report[name].as_str().map(str::to_owned);
        Self::Function {
            kind: text("errorType").unwrap_or_else(|| "Unknown".to_owned()),
            message: text("errorMessage").unwrap_or_else(|| report.to_string()),
        }
    }

    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Function { kind, .. } if kind == "UnknownGroup" => Exit::UnknownGroup,
            Self::Aws(_) | Self::NoCredentials(_) | Self::Function { .. } => Exit::Failed,
            Self::Usage(_) => Exit::Usage,
        }
    }

    /// The same as a function reports errors, for `--json`.
    pub(crate) fn json(&self) -> Value {
        let (kind, message) = match self {
            Self::Aws(error) => (error.code.to_string(), error.message.clone()),
            Self::NoCredentials(_) => ("NoCredentials".to_owned(), self.to_string()),
            Self::Function { kind, message } => (kind.clone(), message.clone()),
            Self::Usage(message) => ("Usage".to_owned(), message.clone()),
        };
        json!({"errorType": kind, "errorMessage": message})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_group_has_a_code_of_its_own() {
        let report =
            json!({"errorType": "UnknownGroup", "errorMessage": "group `x`: no service has the tag"});
        let failure = Failure::of_function(&report);
        assert_eq!(failure.exit(), Exit::UnknownGroup);
        assert_eq!(
            failure.to_string(),
            "group `x`: no service has the tag (UnknownGroup)"
        );
        assert_eq!(failure.json(), report);
    }

    #[test]
    fn a_report_without_words_is_shown_as_it_is() {
        let failure = Failure::of_function(&json!({"oops": 1}));
        assert_eq!(failure.exit(), Exit::Failed);
        assert_eq!(failure.to_string(), r#"{"oops":1} (Unknown)"#);
    }
}
