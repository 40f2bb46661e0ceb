//! The app's own address: its doors lead to the wake function before counts go, and to the app once enough of it answers.
//!
//! A door is never led by what is remembered alone: each look compares where it leads with where it should, and whatever
//! somebody else did to it meanwhile is kept. One that its owner put back exactly as it was, as a deploy does, is led away
//! anew while the group sleeps: that is no use, and a template that is deployed each hour would keep the group awake.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::duration;
use crate::error::{Code, Error};
use crate::front::{Door, DoorChange, DoorId, Forward, Led, MOST_TARGET_GROUPS, Posted, Share, Stuck, What};
use crate::intent::Action;
use crate::readiness;
use crate::reason::Reason;
use crate::record::{Command, Phase};
use crate::settings::Mode;

use super::{Draft, Effect, Lead, RETRY_AFTER};

/// A load balancer uses new actions everywhere after this long; before, counts stay. Our choice: it takes a second or two.
pub const SETTLES_IN: Duration = Duration::from_secs(5);
/// A door is led within this time of the decision, or not at all: later, somebody else may rely on where it leads. Our
/// choice: a look and the calls after it take a second or two.
pub const LEADS_WITHIN: Duration = Duration::from_secs(14);
/// A change of a door that shows no effect is repeated after this long, when it can land no more.
const REDO_AFTER: Duration = Duration::from_secs(20);
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

    /// Whether there are doors to watch: those that are led away, or should be.
    pub(super) fn has_front(&self) -> bool {
        !self.record.front.doors.is_empty() || self.group.services.iter().any(|service| service.front)
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
            let front = self.drive_front(&away, false);
            self.note_refusal(front);
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
        if !self.record.front.doors.is_empty() {
            self.drive_front(&BTreeSet::new(), false);
        }
    }

    /// Makes sure, while the group sleeps, that its doors lead to the wake function.
    pub(super) fn watch_front(&mut self) {
        if self.intent.action == Action::Tick && self.has_front() {
            let away = self.fronted();
            let front = self.drive_front(&away, false);
            self.note_refusal(front);
        }
    }

    fn note_refusal(&mut self, front: Front) {
        if let Front::Refused(error) = front {
            self.front_error.get_or_insert(error);
        }
    }

    /// Compares each door with where it should lead, with the shares of these target groups led away, and leads those that
    /// do not lead there; if `all_or_none`, none of them as long as one cannot be led.
    fn drive_front(&mut self, away: &BTreeSet<String>, all_or_none: bool) -> Front {
        if self.record.front.doors.is_empty() && away.is_empty() {
            return Front::Settled;
        }
        let seen = self.seen;
        let doors = match &seen.doors {
            None => {
                self.wants.doors = true;
                return Front::Underway;
            }
            Some(Err(error)) => {
                self.front_error.get_or_insert_with(|| error.clone());
                return Front::Underway;
            }
            Some(Ok(doors)) => doors,
        };
        let obstacle = doors.iter().find_map(|(id, door)| self.obstacle(id, door, away));
        self.reconcile(doors, away);
        if let Some(error) = obstacle.clone().filter(|_| all_or_none) {
            return Front::Refused(error);
        }
        let mut settled = true;
        for (id, door) in doors {
            settled &= self.lead(id, door, away);
        }
        match obstacle {
            Some(error) => Front::Refused(error),
            None if settled => Front::Settled,
            None => Front::Underway,
        }
    }

    /// Brings what is remembered in line with what is seen, and remembers the doors that are to be led away.
    fn reconcile(&mut self, doors: &BTreeMap<DoorId, Door>, away: &BTreeSet<String>) {
        let now = self.now;
        let remembered = std::mem::take(&mut self.record.front.doors);
        for (id, mut led) in remembered {
            let what = match doors.get(&id) {
                None => Some(What::Removed),
                Some(door) => led.reconcile(&door.forward, &door.place, now),
            };
            self.door_changes.extend(what.map(|what| DoorChange {
                door: id.clone(),
                what,
            }));
            if matches!(what, Some(What::Removed | What::LedElsewhere)) {
                self.take_back(&id, &led);
            } else {
                self.record.front.doors.insert(id, led);
            }
        }
        for (id, door) in doors {
            let Ok(wake) = &door.wake else { continue };
            if self.record.front.doors.contains_key(id) || self.obstacle(id, door, away).is_some() {
                continue;
            }
            let ours = self.fronted();
            let orphan = orphaned(&door.forward, &ours, wake);
            let leads = away
                .iter()
                .any(|target_group| door.forward.leads_to(target_group));
            if !leads && orphan.is_none() {
                continue;
            }
            let led = Led {
                original: orphan.unwrap_or_else(|| door.forward.clone()),
                set: door.forward.clone(),
                from: door.forward.clone(),
                wake: wake.clone(),
                ours,
                place: door.place.clone(),
                at: None,
                arrived_at: Some(now),
                proven_at: None,
                posted: None,
                failure: None,
            };
            self.record.front.doors.insert(id.clone(), led);
        }
    }

    /// Tells the wake function that a door is none of this group any more, if it was told that it is.
    fn take_back(&mut self, id: &DoorId, led: &Led) {
        if led.posted.is_some() {
            let posted = self.posted(id, led, Some(self.now));
            self.effects.push(Effect::Post(Box::new(posted)));
        }
    }

    fn posted(&self, id: &DoorId, led: &Led, left_at: Option<Timestamp>) -> Posted {
        Posted {
            door: id.clone(),
            group: self.group.name.clone(),
            wake: led.wake.clone(),
            place: led.place.clone(),
            at: self.now,
            left_at,
        }
    }

    /// Why a door that should be led away cannot be.
    fn obstacle(&self, id: &DoorId, door: &Door, away: &BTreeSet<String>) -> Option<Error> {
        let leads = away
            .iter()
            .any(|target_group| door.forward.leads_to(target_group));
        if !leads {
            return None;
        }
        let wake = match &door.wake {
            Err(error) => return Some(error.clone()),
            Ok(wake) => wake,
        };
        let not_led = |why: String| Some(Error::new(Code::FrontNotLed, format!("{id} {why}")));
        if door.forward.away(away, wake).shares.len() > MOST_TARGET_GROUPS {
            return not_led(format!(
                "forwards to {MOST_TARGET_GROUPS} target groups already, the most there can be: there is no room for that \
                 of the wake function"
            ));
        }
        if self.record.front.doors.contains_key(id) {
            return None;
        }
        if door.forward.leads_to(wake) {
            return not_led(
                "leads to the wake function for another group already: of two groups behind one rule only one sleeps at a \
                 time"
                    .to_owned(),
            );
        }
        let why = door.place.sample("word").err()?;
        let message = format!("{id}: it cannot be tried whether it leads to the wake function: {why}");
        Some(Error::new(Code::FrontUnproven, message))
    }

    /// Leads a door where it should. Tells whether it leads there, for long enough.
    fn lead(&mut self, id: &DoorId, door: &Door, away: &BTreeSet<String>) -> bool {
        let now = self.now;
        let Some(mut led) = self.record.front.doors.remove(id) else {
            return true;
        };
        // One that has never led to the wake function may lead to another target group of it.
        if let Ok(wake) = &door.wake
            && door.forward.weight(&led.wake).is_none()
        {
            led.wake.clone_from(wake);
        }
        let (settled, gone) = self.move_on(id, door, away, &mut led, now);
        if !gone {
            self.record.front.doors.insert(id.clone(), led);
        }
        settled
    }

    /// Tells whether the door leads where it should, for long enough, and whether it is as its owner made it, so that nothing
    /// is left to remember.
    fn move_on(
        &mut self,
        id: &DoorId,
        door: &Door,
        away: &BTreeSet<String>,
        led: &mut Led,
        now: Timestamp,
    ) -> (bool, bool) {
        let wanted = led.original.away(away, &led.wake);
        let led_for = led.at.map(|at| duration::between(at, now));
        if door.forward.is_as(&wanted) {
            // A call to lead it elsewhere may still land.
            let may_turn = !led.set.is_as(&wanted) && led_for.is_some_and(|time| time < REDO_AFTER);
            if may_turn {
                return (false, false);
            }
            led.set = wanted.clone();
            led.failure = None;
            if wanted.is_as(&led.original) {
                self.take_back(id, led);
                return (true, true);
            }
            if led.posted.as_ref() != Some(&led.place) {
                let posted = self.posted(id, led, None);
                self.effects.push(Effect::Post(Box::new(posted)));
            }
            let arrived_at = *led.arrived_at.get_or_insert(now);
            return (duration::between(arrived_at, now) >= SETTLES_IN, false);
        }
        let wait = if led.failure.is_some() {
            RETRY_AFTER
        } else {
            REDO_AFTER
        };
        let tried = led.failure.as_ref().map(|failure| failure.at).or(led.at);
        let on_its_way = led.set.is_as(&wanted) || led.failure.is_some();
        if on_its_way && tried.is_some_and(|at| duration::between(at, now) < wait) {
            return (false, false);
        }
        led.from = door.forward.clone();
        led.set = wanted.clone();
        led.at = Some(now);
        led.arrived_at = None;
        led.proven_at = None;
        let returns = wanted.is_as(&led.original);
        self.effects.push(Effect::Lead(Box::new(Lead {
            door: id.clone(),
            from: door.forward.clone(),
            to: wanted,
            at: now,
            posted: self.posted(id, led, returns.then_some(now)),
        })));
        (false, false)
    }

    /// Makes sure that the wake function answers at each door that was led to it.
    fn prove(&mut self) -> Front {
        let now = self.now;
        let mut front = Front::Settled;
        for (id, led) in &mut self.record.front.doors {
            if led.proven_at.is_some() {
                continue;
            }
            match self.seen.proofs.get(id) {
                Some(Ok(())) => led.proven_at = Some(now),
                Some(Err(error)) => {
                    self.front_error.get_or_insert_with(|| error.clone());
                    front = Front::Underway;
                }
                None => {
                    self.wants.proofs.insert(id.clone());
                    front = Front::Underway;
                }
            }
        }
        front
    }
}

/// Where a door led before it was led away by a call of ours that nobody remembers: all that leads anywhere is the wake
/// function, and one of ours is still named.
fn orphaned(forward: &Forward, ours: &BTreeSet<String>, wake: &str) -> Option<Forward> {
    let others = || forward.shares.iter().filter(|share| share.target_group != wake);
    let given = forward.weight(wake).filter(|weight| *weight > 0)?;
    let lost = others().find(|share| ours.contains(&share.target_group))?;
    others().all(|share| share.weight == 0).then(|| {
        let mut shares: Vec<Share> = others().cloned().collect();
        for share in &mut shares {
            if share.target_group == lost.target_group {
                share.weight = given;
            }
        }
        Forward {
            shares,
            sticky_seconds: None,
        }
    })
}
