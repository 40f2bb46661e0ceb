//! Observe mode: what is decided is remembered as what would be done, and nothing is changed.

use jiff::Timestamp;

use crate::duration;
use crate::intent::Cause;
use crate::record::{Phase, Record, Would};

use super::{Decision, Effect, NEXT_TICK};

impl Decision {
    /// Whether a wake or a sleep of ours begins, though nothing is done about it yet.
    fn begins(&self, before: &Record) -> bool {
        let phase = self.record.phase;
        let moved = phase != before.phase && matches!(phase, Phase::Waking | Phase::FallingAsleep);
        moved && self.record.cause != Cause::Outside
    }

    /// The same decision in a group that is only observed. What was learnt is kept; the group stays where it was before.
    pub(super) fn observed(mut self, before: &Record, now: Timestamp) -> Self {
        let acts = self.counts() != (0, 0) || self.begins(before);
        // What was led away before it was only observed leads back as ever.
        let (kept, effects): (Vec<Effect>, Vec<Effect>) = std::mem::take(&mut self.effects)
            .into_iter()
            .partition(|effect| leads_back(effect) && !before.front.doors.is_empty());
        let front = match kept.is_empty() && self.record.front.doors.len() >= before.front.doors.len() {
            true => before.front.clone(),
            false => self.record.front.clone(),
        };
        self.effects = kept;
        if !acts {
            // Others changed the counts, and the tick sees what comes of it. What else would be done is not done either.
            self.record.would = None;
            self.record.front = front;
            for (id, service) in &mut self.record.services {
                service.bounds = before.services.get(id).and_then(|before| before.bounds);
            }
            return self;
        }
        let next_tick = duration::after(now, NEXT_TICK);
        self.look_again = self.look_again.map(|at| at.max(next_tick));
        let counts = effects.into_iter().filter_map(|effect| match effect {
            Effect::SetDesired { service, count } => Some((service, count)),
            Effect::Suspend { .. }
            | Effect::StartTimer { .. }
            | Effect::WakeGroup { .. }
            | Effect::Lead(_)
            | Effect::Post(_) => None,
        });
        let would = Would {
            since: now,
            phase: self.record.phase,
            reason: self.reason.clone(),
            counts: counts.collect(),
        };
        let known = before
            .would
            .clone()
            .filter(|known| known.phase == would.phase && known.reason.code() == would.reason.code());
        let mut record = before.clone();
        for (id, learnt) in self.record.services {
            let service = record.service(&id);
            service.saved = learnt.saved;
            service.quiet = learnt.quiet;
            service.active_at = learnt.active_at;
            service.target_groups = learnt.target_groups;
        }
        record.unanswered_since = self.record.unanswered_since;
        record.front = front;
        record.would = Some(known.unwrap_or(would));
        Self {
            would: record.would.clone(),
            record,
            ..self
        }
    }
}

/// Whether a door is given back to its owner.
fn leads_back(effect: &Effect) -> bool {
    match effect {
        Effect::Lead(lead) => lead.posted.left_at.is_some(),
        Effect::Post(posted) => posted.left_at.is_some(),
        _ => false,
    }
}
