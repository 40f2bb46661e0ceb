//! Faults that a test asks for.

use serde::{Deserialize, Serialize};

use crate::model::ApiError;

/// Answers an operation with an error instead of doing it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The operation.
    pub operation: String,
    /// The error's code.
    pub code: String,
    /// The error's message.
    #[serde(default)]
    pub message: String,
    /// HTTP status, 400 unless given.
    #[serde(default = "bad_request")]
    pub status: u16,
    /// How often; for ever unless given.
    pub times: Option<u32>,
    /// Only requests with this text in their body.
    pub resource: Option<String>,
}

fn bad_request() -> u16 {
    400
}

/// The faults that are set, first set first asked.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds a fault.
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Removes all of them.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The faults that are left.
    pub fn list(&self) -> &[Fault] {
        &self.0
    }

    /// The error for this request, if a fault is set for it; one use of that fault is gone then.
    pub fn strike(&mut self, operation: &str, body: &str) -> Result<(), ApiError> {
        let matches =
            |f: &Fault| f.operation == operation && f.resource.as_ref().is_none_or(|r| body.contains(r));
        let Some(at) = self.0.iter().position(matches) else {
            return Ok(());
        };
        let fault = &mut self.0[at];
        let error = ApiError {
            code: fault.code.clone(),
            message: fault.message.clone(),
            status: fault.status,
        };
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.0.remove(at);
            }
        }
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_asked_and_only_its_resource() {
        let mut faults = Faults::default();
        let fault =
            r#"{"operation":"UpdateService","code":"AccessDeniedException","times":2,"resource":"web"}"#;
        faults.add(serde_json::from_str(fault).unwrap());
        assert!(faults.strike("UpdateService", "api").is_ok());
        assert!(faults.strike("DescribeServices", "web").is_ok());
        assert_eq!(faults.strike("UpdateService", "web").unwrap_err().status, 400);
        assert!(faults.strike("UpdateService", "web").is_err());
        assert!(faults.strike("UpdateService", "web").is_ok());
    }
}
