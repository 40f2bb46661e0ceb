//! Observe mode: what is decided is remembered as what would be done, and nothing is changed.

use jiff::Timestamp;

use crate::record::{Record, Would};

use super::{Decision, Effect};

impl Decision {
    /// The same decision in a group that is only observed. What was learnt is kept; the group stays where it was before.
    pub(super) fn observed(mut self, before: &Record, now: Timestamp) -> Self {
        let acts = self.acts();
        let effects = std::mem::take(&mut self.effects);
        if !acts {
            // Others changed the counts, and the tick sees what comes of it.
            self.record.would = None;
            return self;
        }
        let counts = effects.into_iter().filter_map(|effect| match effect {
            Effect::SetDesired { service, count } => Some((service, count)),
            Effect::StartTimer { .. } | Effect::WakeGroup { .. } => None,
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
            service.quiet = learnt.quiet;
            service.active_at = learnt.active_at;
            service.target_groups = learnt.target_groups;
        }
        record.unanswered_since = self.record.unanswered_since;
        record.would = Some(known.unwrap_or(would));
        Self {
            would: record.would.clone(),
            record,
            ..self
        }
    }
}
