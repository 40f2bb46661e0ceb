//! What a test can set in a running app.

use serde::{Deserialize, Serialize};

/// The app's work and health. `POST /_app/set` takes any part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// CPU, percent.
    pub cpu: f64,
    /// Memory, percent.
    pub memory: f64,
    /// Open connections that it claims to have.
    pub connections: u64,
    /// `false` answers 503 to everything but `/_app/` and `/nginx_status`.
    pub healthy: bool,
    /// Answers with this status instead of 200; null for 200.
    pub status: Option<u16>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            cpu: 1.0,
            memory: 10.0,
            connections: 0,
            healthy: true,
            status: None,
        }
    }
}
