//! The entry of a change by scaling.

use super::{Entry, What};
use crate::ids::{Generation, GroupName, ServiceId};
use crate::intent::Cause;
use crate::reading::Signal;
use crate::scaling::record::Change;
use crate::why::Said;

impl Entry {
    /// The entry of a changed count of a service that scales. It is the same however often it is made.
    #[must_use]
    pub fn of_change(
        group: &GroupName,
        generation: Generation,
        service: &ServiceId,
        change: &Change,
    ) -> Self {
        let said = change.reading.as_ref().map(|sample| Said {
            signal: Signal::Connections,
            service: service.clone(),
            reading: sample.to_string(),
        });
        Self {
            at: change.at,
            group: group.clone(),
            generation,
            cause: Cause::Scaling,
            by: None,
            what: What::Count {
                service: service.clone(),
                from: change.from,
                to: change.to,
            },
            reason: change.reason.code().to_owned(),
            detail: change.reason.to_string(),
            override_until: None,
            counts: Vec::new(),
            readings: said.into_iter().collect(),
        }
    }
}
