//! What a group waits for in other groups, and what is wrong there.

use crate::engine::Turn;
use crate::error::{Code, Error};
use crate::ids::ServiceId;
use crate::needs::ready::{self, Waiting};
use crate::observation::{GroupState, Neighbour, Seen};
use crate::readiness::{self, Readiness};
use crate::record::Phase;
use crate::settings::{Problem, ServiceSettings};

use super::{is_late, too_late, trouble};

/// What a service waits for before it is started, while its group wakes.
pub(super) fn waits_for(turn: &Turn, service: &ServiceSettings) -> Option<Waiting> {
    if turn.record.phase != Phase::Waking {
        return None;
    }
    ready::waits_for(service, &turn.settings, &turn.record, &turn.seen)
}

/// What keeps services of other groups from being ready that this one needs, while it is up.
pub(super) fn errors(turn: &Turn) -> Vec<Problem> {
    if !matches!(turn.record.phase, Phase::Waking | Phase::Awake) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for name in turn.settings.needed_groups() {
        match turn.seen.groups.get(name) {
            Some(Neighbour::Known(state)) => {
                let needed = turn.seen.services.keys().filter(|id| state.services.contains(id));
                problems.extend(needed.filter_map(|id| service_error(turn, state, id)));
            }
            Some(Neighbour::Unknown(error)) => problems.push(Problem {
                code: error.code,
                service: None,
                message: format!("group `{name}`, which it needs: {}", error.message),
            }),
            None => {}
        }
    }
    problems
}

fn service_error(turn: &Turn, group: &GroupState, id: &ServiceId) -> Option<Problem> {
    let state = match turn.seen.services.get(id)? {
        Seen::Known(state) => state,
        Seen::Unknown(error) => return Some(Problem::of(id, error.clone())),
    };
    let why = match readiness::of_service(state) {
        Readiness::Ready => return None,
        Readiness::NotReady(why) | Readiness::Unknown(why) => why,
    };
    if let Some(error) = group.failures.get(id) {
        return Some(Problem::of(id, error.clone()));
    }
    let message = match trouble(turn, state) {
        Some(trouble) => trouble.to_owned(),
        None if is_late(turn) => too_late(turn, &why),
        None => return None,
    };
    Some(Problem::of(id, Error::new(Code::NotBecomingReady, message)))
}
