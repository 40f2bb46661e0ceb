//! How far a wake is, and what is left of it.

use std::time::Duration;

use jiff::Timestamp;

use crate::duration;
use crate::engine::Turn;
use crate::eta::{self, Left, Place, STEPS, Shares, Wakes};
use crate::record::{Phase, ServiceRecord};
use crate::settings::ServiceSettings;

use super::{ServiceStatus, Step, StepState, is_late, state};

/// Time between two questions while it is certainly not ready yet, by all earlier wakes; near the end, and as long as there
/// is nothing to tell the end from; and once the wake is slow.
const FAR: u64 = 5;
const NEAR: u64 = 2;
const SLOW: u64 = 10;
/// What is near.
const SOON: Duration = Duration::from_secs(10);

/// The wake under way.
pub(super) struct Wake<'a> {
    now: Timestamp,
    waking: bool,
    late: bool,
    /// Seconds since it began.
    elapsed: u64,
    services: Vec<Service<'a>>,
    left: Left,
}

struct Service<'a> {
    /// None: its tasks could not be looked at.
    place: Option<Place>,
    wakes: &'a Wakes,
    progress: f64,
    left: Left,
}

static NO_WAKES: Wakes = Wakes::none();

impl<'a> Wake<'a> {
    pub(super) fn of(turn: &'a Turn) -> Self {
        let record = &turn.record;
        let waking = record.phase == Phase::Waking;
        let since = match record.phase {
            Phase::Waking => record.since,
            _ => record.woken_at.unwrap_or(record.since),
        };
        let up = matches!(record.phase, Phase::Waking | Phase::Awake);
        let settings = turn.settings.services.iter().filter(|_| up);
        let services: Vec<Service<'_>> = settings.map(|s| Service::of(turn, s, since)).collect();
        let unready: Vec<Left> = services
            .iter()
            .filter(|service| !service.is_ready())
            .map(|service| service.left.clone())
            .collect();
        Self {
            now: turn.now,
            waking,
            late: is_late(turn),
            elapsed: duration::between(since, turn.now).as_secs(),
            services,
            left: if waking {
                Left::of_all(&unready)
            } else {
                Left::default()
            },
        }
    }

    /// What is left until all services are ready.
    pub(super) fn left(&self) -> &Left {
        &self.left
    }

    /// How many earlier wakes are known of each service that this one wakes.
    pub(super) fn wakes_known(&self) -> usize {
        let woken = self
            .services
            .iter()
            .filter(|service| service.place.as_ref().is_none_or(|place| !place.was_up()));
        let known = woken.map(|service| service.wakes.known()).min();
        known.filter(|_| self.waking).unwrap_or(0)
    }

    /// How far the service is that is least far, rounded down to whole percents; below 1.
    pub(super) fn progress(&self) -> f64 {
        let least = self.services.iter().map(|service| service.progress);
        let least = least.reduce(f64::min).unwrap_or(0.0);
        (least * 100.0).floor().min(99.0) / 100.0
    }

    /// When to ask again, in seconds: the more often, the sooner it may be ready.
    pub(super) fn retry_after(&self) -> u64 {
        let rising = (NEAR + self.elapsed / 20).min(FAR);
        match self.left.soonest() {
            _ if self.late => SLOW,
            Some(soonest) if soonest > SOON => FAR,
            Some(_) => NEAR,
            // Once its containers run, an app may answer any moment.
            None if self.services.iter().all(Service::may_answer) => NEAR,
            None => rising,
        }
    }

    /// Adds to each service what is its own.
    pub(super) fn fill(&self, statuses: &mut [ServiceStatus]) {
        if !self.waking {
            return;
        }
        for (status, service) in statuses.iter_mut().zip(&self.services) {
            status.eta_seconds = service.left.usual();
            status.eta_at_most_seconds = service.left.at_most();
            status.steps = service.steps(self.now);
        }
    }
}

impl<'a> Service<'a> {
    fn of(turn: &'a Turn, settings: &ServiceSettings, since: Timestamp) -> Self {
        let record: Option<&ServiceRecord> = turn.record.services.get(&settings.id).map(Box::as_ref);
        let wakes = record.map_or(&NO_WAKES, |record| &record.wakes);
        let first_ready = record.and_then(|record| record.first_ready);
        let place = state(turn, settings).and_then(|state| Place::of(state, since, first_ready));
        let shares = Shares::of(wakes, !settings.needs.is_empty());
        Self {
            progress: place
                .as_ref()
                .map_or(0.0, |place| eta::progress(&shares, place, turn.now)),
            left: place
                .as_ref()
                .map_or_else(Left::default, |place| Left::of_service(wakes, place, turn.now)),
            place,
            wakes,
        }
    }

    fn is_ready(&self) -> bool {
        self.place.as_ref().is_some_and(Place::is_ready)
    }

    /// Whether its containers start or run, if it is not ready already.
    fn may_answer(&self) -> bool {
        let step = self.place.as_ref().and_then(Place::step);
        self.is_ready() || step.is_some_and(|step| STEPS[step] >= super::StepName::Starting)
    }

    fn steps(&self, now: Timestamp) -> Vec<Step> {
        let Some(place) = &self.place else {
            return Vec::new();
        };
        let whole = |length: Duration| length.as_secs();
        let steps = STEPS.into_iter().enumerate().map(|(n, step)| Step {
            step,
            state: match place.step() {
                Some(current) if n > current => StepState::Ahead,
                Some(current) if n == current => StepState::Now,
                _ => StepState::Done,
            },
            seconds: place.took(n, now).map(whole),
            usual_seconds: self.wakes.usual(n).map(u64::from),
            at_most_seconds: self.wakes.at_most(n).map(u64::from),
        });
        steps.collect()
    }
}
