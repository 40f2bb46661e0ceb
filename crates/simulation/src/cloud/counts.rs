//! Counts: what sleep took must come back.

use std::time::Duration;

use dormouse_core::ids::ServiceId;
use dormouse_core::record::Record;
use dormouse_core::settings::GroupSettings;

use super::{Cloud, millis};

/// A count that was so for less time may not have been seen yet.
const SEEN: Duration = Duration::from_secs(30);

impl Cloud {
    /// What is remembered of a scalable target is what its owner made.
    pub(crate) fn check_saved_bounds(&self, record: &Record) {
        let truth = self.truth.borrow();
        for (service, kept) in &record.services {
            let (Some(saved), Some(owned)) = (&kept.bounds, truth.bounds.get(service)) else {
                continue;
            };
            self.check(5, saved.bounds.suspended == owned.suspended, || {
                format!("of the scalable target of {service}, {saved:?} is remembered, and it was {owned:?}")
            });
        }
    }

    /// The settings that functions have of a service's group.
    pub(crate) fn settings_of(&self, service: &ServiceId) -> Option<GroupSettings> {
        let table = self.table.borrow();
        let settings = table
            .groups
            .values()
            .filter_map(|stored| stored.settings.as_ref());
        let mut theirs = settings.filter(|settings| settings.services.iter().any(|own| own.id == *service));
        theirs.next().cloned()
    }

    /// Somebody sets a count. A function that wakes must give back what sleep took.
    pub(crate) fn remember_count(&self, service: &ServiceId, from: u32, to: u32) {
        let (now, meddled) = (self.now(), self.is_meddled(service));
        let mut truth = self.truth.borrow_mut();
        let since = truth.counts_since.insert(service.clone(), now);
        let is_settled = since.is_none_or(|since| now.since(since) >= SEEN);
        if from > 0 && to == 0 {
            truth.emptied.insert(service.clone(), now);
            if is_settled && !meddled {
                let left = self.about_to_leave(service).unwrap_or(from);
                truth.took.insert(service.clone(), left.min(from)..=from);
            } else {
                truth.took.remove(service);
            }
            return;
        }
        let took = truth.took.remove(service);
        drop(truth);
        if from == 0 && to > 0 && !meddled {
            let tagged: Option<u32> = self
                .scene_of(service)
                .and_then(|scene| scene.tag("wake-count")?.parse().ok());
            // One that somebody else has put to 0 goes back to what its generation wanted.
            if let Some(expected) = took.map(|took| tagged.map_or(took, |count| count..=count)) {
                // Tasks that a sleep is only about to take are not taken for the sake of a tag.
                let keeps = tagged.is_some() && to > *expected.end() && !is_settled;
                self.check(5, expected.contains(&to) || keeps, || {
                    format!("{service} wakes with {to} tasks, and slept with {expected:?}")
                });
            }
        }
    }

    /// What a scale-in has just decided to leave. Whoever asks for sleep before its call is seen cannot know whether that
    /// call has gone, or died with its function: then what was decided is as right as what runs.
    fn about_to_leave(&self, service: &ServiceId) -> Option<u32> {
        let group = self.settings_of(service)?.name;
        let table = self.table.borrow();
        let claim = table
            .record(&group)?
            .services
            .get(service)?
            .scaling
            .claim
            .as_ref()?;
        let lowering = claim.lowering?;
        let is_fresh = self.now().since(millis(lowering.at)) < SEEN;
        is_fresh.then_some(lowering.to)
    }
}
