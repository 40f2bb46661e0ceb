//! A service that is watched.

use std::time::Duration;

use jiff::Timestamp;

use super::tasks::{Answers, Known};
use crate::duration;
use crate::error::{Code, Error};
use crate::ids::GroupName;
use crate::observation::{Seen, ServiceState, TaskState};
use crate::ports::Stored;
use crate::record::{Phase, ServiceRecord};
use crate::scaling::connections::Policy;
use crate::scaling::connections::reading::Sample;
use crate::scaling::connections::window::Window;
use crate::scaling::load::Tasks;
use crate::scaling::turn::look::{self, Evidence, Metrics};
use crate::scaling::{Action, Decision};
use crate::settings::ServiceSettings;

/// Counts are looked at again after this long. What others change shows this late; whoever acts looks first. Five
/// passes of 3 s; our choice: of 300 services that takes two calls a second.
const COUNTS_AGE: Duration = Duration::from_secs(15);
/// Counts that could not be had are asked for again after this long.
const COUNTS_PAUSE: Duration = Duration::from_secs(3);
/// A scale-in that nothing came of, because no task is free for example, is thought of again after this long: it costs
/// looks at sessions and protections. Our choice, as often as the tick.
const REST: Duration = Duration::from_secs(60);

/// A service that is watched.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) group: GroupName,
    pub(super) settings: ServiceSettings,
    /// Its counts as last seen, or as this watch has changed them since.
    pub(super) state: Option<ServiceState>,
    /// Why its counts could not be had the last time, if so.
    unseen: Option<Error>,
    counted: Option<Timestamp>,
    asked: Option<Timestamp>,
    pub(super) known: Known,
    pub(super) window: Window,
    pub(super) reading: Option<Sample>,
    /// Whether the newest reading there was needs fewer tasks.
    counts_down: bool,
    rests_until: Option<Timestamp>,
}

/// What a service is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    Nothing,
    More,
    Fewer,
}

/// The services of a group that ask to be watched: those that are awake, may scale, and whose connections decide.
pub(super) fn of<'a>(name: &'a GroupName, stored: &'a Stored) -> impl Iterator<Item = Watched> + 'a {
    let awake = stored
        .record
        .as_ref()
        .is_some_and(|record| record.phase == Phase::Awake);
    let settings = stored.settings.iter().filter(move |_| awake);
    let services = settings.flat_map(|settings| &settings.services);
    let watched = services.filter(|service| Policy::of(service).is_some());
    watched.map(|service| Watched::new(name.clone(), service.clone()))
}

impl Watched {
    pub(super) fn new(group: GroupName, settings: ServiceSettings) -> Self {
        Self {
            group,
            settings,
            state: None,
            unseen: None,
            counted: None,
            asked: None,
            known: Known::default(),
            window: Window::default(),
            reading: None,
            counts_down: false,
            rests_until: None,
        }
    }

    /// The same service, as its owner wants it now.
    pub(super) fn under(self, group: GroupName, settings: ServiceSettings) -> Self {
        Self {
            group,
            settings,
            ..self
        }
    }

    /// Whether its counts should be looked at.
    pub(super) fn counts_are_due(&self, now: Timestamp) -> bool {
        let older = |at: Option<Timestamp>, age| at.is_none_or(|at| duration::between(at, now) >= age);
        older(self.counted, COUNTS_AGE) && older(self.asked, COUNTS_PAUSE)
    }

    /// Since when nobody asked for its counts.
    pub(super) fn asked(&self) -> Option<Timestamp> {
        self.asked
    }

    /// Takes over its counts. If they are unknown, those before stay.
    pub(super) fn count(&mut self, seen: Option<Seen>, now: Timestamp) {
        self.asked = Some(now);
        let late = || {
            Error::new(
                Code::Unavailable,
                format!("{}: no answer in time", self.settings.id),
            )
        };
        self.unseen = match seen {
            Some(Seen::Known(state)) => {
                self.state = Some(state);
                self.counted = Some(now);
                None
            }
            Some(Seen::Unknown(error)) => Some(error),
            None => Some(late()),
        };
    }

    /// Whether its tasks should be listed.
    pub(super) fn list_is_due(&self, now: Timestamp) -> bool {
        self.state
            .as_ref()
            .is_some_and(|state| self.known.is_due(state, now))
    }

    pub(super) fn list(&mut self, listed: Result<Vec<TaskState>, Error>, now: Timestamp) {
        if let Some(state) = &self.state {
            self.known.list(listed, state, now);
        }
    }

    /// Remembers what its tasks answered, and says whether that tells anything. Nothing is remembered before its counts
    /// are known.
    pub(super) fn read(&mut self, answers: Answers, now: Timestamp) -> bool {
        let Some(state) = &self.state else { return false };
        let pass = self.known.read(answers, state);
        self.window.record(&pass, state.desired, now);
        self.reading = pass.as_ref().ok().map(Sample::from);
        if let Ok(reading) = &pass {
            self.counts_down = needs_fewer(&self.settings, state.desired, reading.total());
        }
        pass.is_ok()
    }

    pub(super) fn evidence<'a>(&'a self, metrics: &'a Metrics) -> Evidence<'a> {
        Evidence {
            metrics,
            window: Some(&self.window),
            reading: self.reading,
        }
    }

    /// Its counts.
    ///
    /// # Errors
    /// Why they were never seen.
    pub(super) fn state(&self) -> Result<&ServiceState, Error> {
        let waits = || format!("{}: its first look still waits for its turn", self.settings.id);
        let unseen = || {
            self.unseen
                .clone()
                .unwrap_or_else(|| Error::new(Code::Throttled, waits()))
        };
        self.state.as_ref().ok_or_else(unseen)
    }

    /// What would be decided, as far as that can be told without a look at its tasks.
    ///
    /// # Errors
    /// Those of [`Watched::state`].
    pub(super) fn decide(
        &self,
        metrics: &Metrics,
        record: &ServiceRecord,
        now: Timestamp,
    ) -> Result<Decision, Error> {
        let unseen = Tasks::Unknown("they were not looked at".to_owned());
        let evidence = self.evidence(metrics);
        Ok(look::decide_unseen(
            &self.settings,
            self.state()?,
            &evidence,
            record,
            unseen,
            now,
        ))
    }

    /// What it is about to do.
    pub(super) fn wants(&self, metrics: &Metrics, record: &ServiceRecord, now: Timestamp) -> Wants {
        let rests = self.rests_until.is_some_and(|until| now < until);
        match self.decide(metrics, record, now) {
            Ok(decision) if matches!(decision.action, Action::ScaleOut { .. }) => Wants::More,
            Ok(decision) if look::hangs_on_tasks(&decision) && !rests => Wants::Fewer,
            _ => Wants::Nothing,
        }
    }

    /// What this watch has set is so, though ECS may tell later.
    pub(super) fn raised(&mut self, to: u32) {
        if let Some(state) = &mut self.state {
            state.desired = to;
        }
    }

    /// A scale-in was tried just now.
    pub(super) fn rest(&mut self, now: Timestamp) {
        self.rests_until = Some(duration::after(now, REST));
    }

    /// Whether its window is worth keeping: one that counts towards a scale-in. The others begin anew and cost nothing
    /// by it, because a scale-out needs no window.
    pub(super) fn counts_down(&self) -> bool {
        self.counts_down
    }
}

/// Whether a service needs fewer tasks than it has, and may lose some.
fn needs_fewer(settings: &ServiceSettings, desired: u32, total: u64) -> bool {
    Policy::of(settings)
        .is_some_and(|policy| policy.scale_in && policy.mode.needed(total).max(policy.min) < desired)
}
