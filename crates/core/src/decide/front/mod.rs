//! The app's own address: its doors lead to the wake function before counts go, and to the app once enough of it answers.
//!
//! A door is never led by what is remembered alone: each look compares where it leads with where it should, and whatever
//! somebody else did to it meanwhile is kept. One that its owner put back exactly as it was, as a deploy does, is led away
//! anew while the group sleeps: that is no use, and a template that is deployed each hour would keep the group awake.

mod doors;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::duration;
use crate::error::{Code, Error};
use crate::front::Stuck;
use crate::intent::Action;
use crate::readiness;
use crate::reason::Reason;
use crate::record::{Command, Phase};
use crate::settings::Mode;

use super::Draft;

/// A load balancer uses new actions everywhere after this long; before, counts stay. Our choice: it takes a second or two.
pub const SETTLES_IN: Duration = Duration::from_secs(5);
/// A door is led within this time of the decision, or not at all: later, somebody else may rely on where it leads. Our
/// choice: a look and the calls after it take a second or two.
pub const LEADS_WITHIN: Duration = Duration::from_secs(14);
/// A sleep whose doors cannot be led away for so long comes to nothing. Our choice: two ticks.
const PATIENCE: Duration = Duration::from_secs(120);
/// And is not tried again for so long. Our choice.
const STUCK_FOR: Duration = Duration::from_secs(15 * 60);

/// How far the doors are.
enum Front {
    /// All lead where they should, for long enough.
    Settled,
    /// They are on their way.
    Underway,
    /// They cannot be led, and why.
    Refused(Error),
}

impl Draft<'_> {
    /// The target groups of services whose addresses wake them.
    fn fronted(&self) -> BTreeSet<String> {
        // What is only observed is not led away, and what would be done does not wait for it. What was led away before
        // leads back when its app answers.
        let acts = self.group.mode() == Mode::Act || !self.record.front.doors.is_empty();
        let fronted = self.group.services.iter().filter(|service| service.front && acts);
        fronted
            .flat_map(|service| self.target_groups_of(&service.id).iter().cloned())
            .collect()
    }

    /// Leads all doors to the wake function and makes sure that it answers there. Tells what to wait for, if anything: no
    /// count may go before.
    pub(super) fn lead_away(&mut self) -> Option<Reason> {
        let away = self.fronted();
        let mut front = self.drive_front(&away, !self.has_begun_to_fall());
        if matches!(front, Front::Settled) {
            front = self.prove();
        }
        let error = match front {
            Front::Settled => {
                self.record.front.stuck = None;
                return None;
            }
            Front::Underway if duration::between(self.record.since, self.now) < PATIENCE => {
                return Some(Reason::LeadingAway);
            }
            Front::Underway => self.why_underway(),
            Front::Refused(error) => error,
        };
        // Once a count has gone there is nothing left to stay awake for.
        if self.has_begun_to_fall() {
            self.front_error.get_or_insert(error);
            return Some(Reason::LeadingAway);
        }
        Some(self.give_sleep_up(error))
    }

    /// Whether this sleep took a count, or found none.
    fn has_begun_to_fall(&self) -> bool {
        let mut services = self.record.services.values();
        services.any(|service| service.command.is_some_and(|command| command.count == 0))
            || self.known().all(|(_, state)| state.desired == 0)
    }

    /// What keeps the doors from leading where they should.
    fn why_underway(&self) -> Error {
        let mut failures = self
            .record
            .front
            .doors
            .values()
            .filter_map(|led| led.failure.as_ref());
        let failure = failures.next().map(|failure| failure.error.clone());
        failure.or_else(|| self.front_error.clone()).unwrap_or_else(|| {
            Error::new(
                Code::FrontNotLed,
                "its listener rules do not lead to the wake function yet",
            )
        })
    }

    /// Stays awake, and leads the doors back that were led away.
    fn give_sleep_up(&mut self, error: Error) -> Reason {
        let until = duration::after(self.now, STUCK_FOR);
        let why = error.to_string();
        self.record.front.stuck = Some(Stuck {
            until,
            why: why.clone(),
        });
        self.front_error.get_or_insert(error);
        let reason = Reason::FrontStuck { until, why };
        self.record
            .enter(Phase::Awake, reason.clone(), self.intent.cause, self.now);
        self.drive_front(&BTreeSet::new(), false);
        reason
    }

    /// That the last sleep came to nothing because of the doors, a moment ago.
    pub(super) fn front_stuck(&self) -> Option<Reason> {
        let stuck = self.record.front.stuck.as_ref()?;
        let (until, why) = (stuck.until, stuck.why.clone());
        (until > self.now).then_some(Reason::FrontStuck { until, why })
    }

    /// Leads doors back whose service has enough tasks that answer; those of others stay where they are. Tells whether
    /// all are back.
    pub(super) fn lead_back(&mut self) -> bool {
        if self.record.front.doors.is_empty() {
            return true;
        }
        let now = self.now;
        self.record.front.landed_by.take_if(|at| *at <= now);
        if self.record.front.landed_by.is_some() {
            return false;
        }
        let mut away = self.fronted();
        let all = away.len();
        for (settings, state) in self.known() {
            let wanted = self
                .record
                .services
                .get(&settings.id)
                .and_then(|record| record.wanted);
            if readiness::has_enough(state, wanted) {
                away.retain(|target_group| !state.target_groups.contains(target_group));
            }
        }
        // Nobody is asked for doors while none may be led back.
        if away.len() < all || all == 0 {
            self.drive_front(&away, false);
        }
        self.record.front.doors.is_empty()
    }

    /// Remembers, as a wake begins, until when a count that a sleep took away may still go.
    pub(super) fn note_late_sleep(&mut self) {
        let commands = self
            .record
            .services
            .values()
            .filter_map(|service| service.command);
        let to_zero = commands.filter(|command| command.count == 0);
        let landed_by = to_zero
            .map(|command| duration::after(command.at, Command::LANDS_WITHIN))
            .max();
        self.record.front.landed_by = landed_by.filter(|_| !self.record.front.doors.is_empty());
    }

    /// Leads everything back, whatever answers there: nobody wants it to be led away any more.
    pub(super) fn release_front(&mut self) {
        self.drive_front(&BTreeSet::new(), false);
    }

    /// Makes sure, while the group sleeps, that its doors lead to the wake function.
    pub(super) fn watch_front(&mut self) {
        if self.intent.action == Action::Tick {
            self.drive_front(&self.fronted(), false);
        }
    }
}
