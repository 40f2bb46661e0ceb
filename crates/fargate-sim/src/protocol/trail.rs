//! What each role did, for a comparison with what it may do.

use std::collections::BTreeSet;

use serde::Serialize;

use super::demands::Demand;

/// An action of a role, on a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Use {
    /// ARN of the role's session.
    pub principal: String,
    /// The action.
    pub action: String,
    /// ARN of the resource, or `*`.
    pub resource: String,
    /// Whether IAM allowed it.
    pub allowed: bool,
}

/// All uses since the start, each once. Unlike the record of calls it does not forget.
#[derive(Clone, Debug, Default)]
pub struct Trail(BTreeSet<Use>);

impl Trail {
    /// Adds what was judged.
    pub fn record(&mut self, principal: &str, demand: &Demand, allowed: bool) {
        self.0.insert(Use {
            principal: principal.into(),
            action: demand.action.clone(),
            resource: demand.resource.clone(),
            allowed,
        });
    }

    /// In order of role, action and resource.
    pub fn list(&self) -> Vec<Use> {
        self.0.iter().cloned().collect()
    }
}
