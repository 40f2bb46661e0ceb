//! Each door by itself: where it leads, where it should, and what is done about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::{Front, SETTLES_IN};
use crate::decide::{Draft, Effect, Lead, RETRY_AFTER};
use crate::duration;
use crate::error::{Code, Error};
use crate::front::{Door, DoorChange, DoorId, Led, MOST_TARGET_GROUPS, Posted, What};

/// A change of a door that shows no effect is repeated after this long, when it can land no more.
const REDO_AFTER: Duration = Duration::from_secs(20);

/// How far a door is.
enum Progress {
    /// It does not lead where it should yet, or not for long enough.
    Underway,
    /// It leads where it should.
    Settled,
    /// It is as its owner made it: nothing is left to remember.
    Released,
}

impl Draft<'_> {
    /// Compares each door with where it should lead, with the shares of these target groups led away, and leads those that
    /// do not lead there; if `all_or_none`, none of them as long as one cannot be led.
    pub(super) fn drive_front(&mut self, away: &BTreeSet<String>, all_or_none: bool) -> Front {
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
        let obstacles = doors
            .iter()
            .filter_map(|(id, door)| Some((id, self.obstacle(id, door, away)?)));
        let obstacles: BTreeMap<&DoorId, Error> = obstacles.collect();
        self.reconcile(doors, &obstacles, away);
        let mut settled = true;
        if obstacles.is_empty() || !all_or_none {
            for (id, door) in doors {
                settled &= self.lead(id, door, away);
            }
        }
        match obstacles.into_values().next() {
            Some(error) => {
                self.front_error.get_or_insert_with(|| error.clone());
                Front::Refused(error)
            }
            None if settled => Front::Settled,
            None => Front::Underway,
        }
    }

    /// Brings what is remembered in line with what is seen, and remembers the doors that are to be led away.
    fn reconcile(
        &mut self,
        doors: &BTreeMap<DoorId, Door>,
        obstacles: &BTreeMap<&DoorId, Error>,
        away: &BTreeSet<String>,
    ) {
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
            if self.record.front.doors.contains_key(id) || obstacles.contains_key(id) {
                continue;
            }
            let ours = self.fronted();
            let orphan = door.forward.orphaned(&ours, wake);
            if !door.forward.leads_to_any(away) && orphan.is_none() {
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
        if !door.forward.leads_to_any(away) {
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
        let Some(mut led) = self.record.front.doors.remove(id) else {
            return true;
        };
        // One that has never led to the wake function may lead to another target group of it.
        if let Ok(wake) = &door.wake
            && door.forward.weight(&led.wake).is_none()
        {
            led.wake.clone_from(wake);
        }
        let progress = self.move_on(id, door, away, &mut led);
        if !matches!(progress, Progress::Released) {
            self.record.front.doors.insert(id.clone(), led);
        }
        !matches!(progress, Progress::Underway)
    }

    fn move_on(&mut self, id: &DoorId, door: &Door, away: &BTreeSet<String>, led: &mut Led) -> Progress {
        let now = self.now;
        let wanted = led.original.away(away, &led.wake);
        let led_for = led.at.map(|at| duration::between(at, now));
        if door.forward.is_as(&wanted) {
            // A call to lead it elsewhere may still land.
            let may_turn = !led.set.is_as(&wanted) && led_for.is_some_and(|time| time < REDO_AFTER);
            if may_turn {
                return Progress::Underway;
            }
            led.set = wanted.clone();
            led.failure = None;
            if wanted.is_as(&led.original) {
                self.take_back(id, led);
                return Progress::Released;
            }
            if led.posted.as_ref() != Some(&led.place) {
                let posted = self.posted(id, led, None);
                self.effects.push(Effect::Post(Box::new(posted)));
            }
            let arrived_at = *led.arrived_at.get_or_insert(now);
            return match duration::between(arrived_at, now) >= SETTLES_IN {
                true => Progress::Settled,
                false => Progress::Underway,
            };
        }
        let wait = if led.failure.is_some() {
            RETRY_AFTER
        } else {
            REDO_AFTER
        };
        let tried = led.failure.as_ref().map(|failure| failure.at).or(led.at);
        let on_its_way = led.set.is_as(&wanted) || led.failure.is_some();
        if on_its_way && tried.is_some_and(|at| duration::between(at, now) < wait) {
            return Progress::Underway;
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
        Progress::Underway
    }

    /// Makes sure that the wake function answers at each door that was led to it.
    pub(super) fn prove(&mut self) -> Front {
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
