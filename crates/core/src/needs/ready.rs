//! Whether what a service needs is ready, and whether what needs it is gone.

use crate::ids::ServiceId;
use crate::observation::{Neighbour, Observation, Seen};
use crate::readiness::{self, Readiness};
use crate::record::Record;
use crate::settings::{GroupSettings, ServiceSettings};

use super::Need;

/// What a service waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The name in its tag.
    pub need: Need,
    /// Why that is not ready yet.
    pub why: String,
}

/// The first need of a service that is not ready, so that it must not be started yet. What is not known is not ready. A
/// need that names nothing, or a service that is gone, holds nothing back: it would for ever.
#[must_use]
pub fn waits_for(
    service: &ServiceSettings,
    group: &GroupSettings,
    record: &Record,
    seen: &Observation,
) -> Option<Waiting> {
    service.needs.iter().find_map(|need| {
        let why = match &need.group {
            None => {
                let own = need.resolve(&service.id, group.services.iter().map(|s| &s.id));
                own.into_iter().find_map(|id| own_unready(id, record, seen))
            }
            Some(name) => match seen.groups.get(name) {
                None => Some("its group was not looked at".to_owned()),
                Some(Neighbour::Unknown(error)) => Some(error.to_string()),
                Some(Neighbour::Known(state)) => {
                    let mut needed = need.resolve(&service.id, state.services.iter()).into_iter();
                    if state.is_up() {
                        needed.find_map(|id| unready(id, seen))
                    } else {
                        needed
                            .next()
                            .map(|_| format!("its group is {}", state.phase.as_str()))
                    }
                }
            },
        };
        why.map(|why| Waiting {
            need: need.clone(),
            why,
        })
    })
}

/// Why a service of the group itself is not ready. One that a sleep of ours may still stop any moment is not.
fn own_unready(id: &ServiceId, record: &Record, seen: &Observation) -> Option<String> {
    let command = record.services.get(id).and_then(|service| service.command);
    if command.is_some_and(|command| command.count == 0) {
        return Some("it was falling asleep".to_owned());
    }
    unready(id, seen)
}

fn unready(id: &ServiceId, seen: &Observation) -> Option<String> {
    match seen.services.get(id) {
        Some(Seen::Known(state)) if state.desired == 0 => Some("no task is wanted".to_owned()),
        Some(Seen::Known(state)) => match readiness::of_service(state) {
            Readiness::Ready => None,
            Readiness::NotReady(why) | Readiness::Unknown(why) => Some(why),
        },
        Some(Seen::Unknown(error)) if error.code.is_gone() => None,
        Some(Seen::Unknown(error)) => Some(error.to_string()),
        None => Some("it was not looked at".to_owned()),
    }
}

/// Whether a service of the group that needs this one still has tasks, so that this one must not be stopped yet. What
/// cannot be looked at may have some.
#[must_use]
pub fn is_still_needed(id: &ServiceId, group: &GroupSettings, seen: &Observation) -> bool {
    let mut needing = group.services.iter().filter(|service| {
        let mut own = service.needs.iter().filter(|need| need.group.is_none());
        own.any(|need| {
            let ids = group.services.iter().map(|s| &s.id);
            need.resolve(&service.id, ids).contains(&id)
        })
    });
    needing.any(|service| match seen.services.get(&service.id) {
        Some(Seen::Known(state)) => state.desired > 0 || state.running > 0 || state.pending > 0,
        Some(Seen::Unknown(error)) => !error.code.is_gone(),
        None => true,
    })
}
