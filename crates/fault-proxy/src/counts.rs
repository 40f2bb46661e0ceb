//! What was done so far.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::fault::Fault;

/// Calls and faults so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All calls, those that went wrong too.
    pub calls: u64,
    /// Faults by kind.
    pub faults: BTreeMap<Fault, u64>,
}

impl Counts {
    /// Counts a call.
    pub(crate) fn count(&mut self, fault: Option<Fault>) {
        self.calls += 1;
        if let Some(fault) = fault {
            *self.faults.entry(fault).or_default() += 1;
        }
    }

    /// `{"calls": 3, "faults": {"slow": 1, …}}`, each kind named, those too that have not happened.
    #[must_use]
    pub fn json(&self) -> Value {
        let count = |fault: &Fault| self.faults.get(fault).copied().unwrap_or_default();
        let faults: BTreeMap<_, _> = Fault::ALL
            .iter()
            .map(|fault| (fault.name(), count(fault)))
            .collect();
        json!({"calls": self.calls, "faults": faults})
    }
}
