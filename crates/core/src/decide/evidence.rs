//! Evidence of use: which signals are asked, and what their readings mean together.

use std::time::Duration;

use crate::duration;
use crate::intent::Action;
use crate::reading::{Reading, Signal};
use crate::reason::Reason;
use crate::record::{Phase, Quiet};
use crate::settings::{ServiceSettings, Signals};

use super::{Draft, Question};

/// Two looks this far apart still stand for the time between them: one tick may be missed. Our choice.
const LOOKS_APART: Duration = Duration::from_secs(150);

impl<'a> Draft<'a> {
    /// What must be asked next.
    pub(super) fn questions(&self) -> Vec<Question<'a>> {
        let unread = |question: &Question<'a>| self.reading(question).is_none();
        let all: Vec<Question<'a>> = self.signals().into_iter().filter(unread).collect();
        let sleep_is_a_question = self.may_consider_sleep() && self.gate().is_none();
        let wanted = |question: &&Question<'a>| match question.signal {
            // Quiet is known only from look to look, so each tick looks, whatever else keeps the group awake.
            signal if signal.is_momentary() => self.looks_regularly(),
            signal => sleep_is_a_question && !signal.is_costly(),
        };
        let cheap: Vec<Question<'a>> = all.iter().filter(wanted).copied().collect();
        let costly = |question: &&Question<'a>| question.signal.is_costly();
        if cheap.is_empty()
            && sleep_is_a_question
            && self.first_objection(|q| !q.signal.is_costly()).is_none()
        {
            all.iter()
                .filter(costly)
                .filter(|question| self.recorded(question).is_none())
                .copied()
                .collect()
        } else {
            cheap
        }
    }

    fn looks_regularly(&self) -> bool {
        self.record.phase == Phase::Awake && matches!(self.intent.action, Action::Tick | Action::Timer { .. })
    }

    /// Remembers what was read of signals that tell only of the moment, and use that a log showed.
    pub(super) fn note_quiet(&mut self) {
        for question in self.signals() {
            let Some(reading) = self.reading(&question).cloned() else {
                continue;
            };
            let record = self.record.service(&question.service.id);
            match reading {
                Reading::Active(at) if question.signal == Signal::Logs => {
                    record.active_at = record.active_at.max(Some(at));
                }
                Reading::Quiet { since, until } if question.signal.is_momentary() => {
                    let before = record.quiet.get(&question.signal);
                    let unbroken = before.filter(|b| duration::between(b.until, since) <= LOOKS_APART);
                    let since = unbroken.map_or(since, |before| before.since);
                    record.quiet.insert(question.signal, Quiet { since, until });
                }
                Reading::Active(_) | Reading::Unknown(_) => {
                    record.quiet.remove(&question.signal);
                }
                Reading::Quiet { .. } => {}
            }
        }
    }

    /// What all signals say together.
    pub(super) fn judge_signals(&self) -> Reason {
        let idle_after_seconds = self.idle_after().as_secs();
        if let Some(objection) = self.first_objection(|_| true) {
            return objection;
        }
        match (self.signals().is_empty(), self.group.fixed_timer()) {
            (false, _) => Reason::Idle { idle_after_seconds },
            (true, true) => Reason::FixedTimeOver { idle_after_seconds },
            (true, false) if self.group.needed_by.is_empty() => Reason::NoSignal,
            // Without a signal of its own, being needed is its use.
            (true, false) => self
                .needed_recently()
                .unwrap_or(Reason::Idle { idle_after_seconds }),
        }
    }

    /// The signals that decide about this group, the costly ones last.
    fn signals(&self) -> Vec<Question<'a>> {
        let mut all: Vec<Question<'a>> = self
            .known()
            .flat_map(|(service, state)| {
                // Somebody has switched it off: what has no tasks is not in use, and nothing could tell of it but logs.
                let has_tasks = state.desired > 0 || state.running > 0 || state.pending > 0;
                signals_of(service, &state.target_groups)
                    .into_iter()
                    .filter(move |signal| has_tasks || *signal == Signal::Logs)
                    .map(move |signal| Question {
                        service,
                        state,
                        signal,
                    })
            })
            .collect();
        all.sort_by_key(|question| question.signal.is_costly());
        all
    }

    fn first_objection(&self, among: impl Fn(&Question<'a>) -> bool) -> Option<Reason> {
        self.signals()
            .iter()
            .filter(|question| among(question))
            .find_map(|question| self.recorded(question).or_else(|| self.objection(question)))
    }

    /// Use that is remembered, so that nothing need be read.
    fn recorded(&self, question: &Question<'a>) -> Option<Reason> {
        let at = self.record.services.get(&question.service.id)?.active_at?;
        let in_use = question.signal == Signal::Logs && duration::between(at, self.now) < self.idle_after();
        in_use.then(|| Reason::InUse {
            signal: question.signal,
            service: question.service.id.clone(),
            at,
        })
    }

    fn objection(&self, question: &Question<'a>) -> Option<Reason> {
        let signal = question.signal;
        let service = question.service.id.clone();
        let unknown = |why: &str| {
            Some(Reason::SignalUnknown {
                signal,
                service: service.clone(),
                why: why.to_owned(),
            })
        };
        let (since, until) = match self.reading(question) {
            None => return unknown("it was not read"),
            Some(Reading::Unknown(why)) => return unknown(why),
            Some(Reading::Active(at)) => {
                return Some(Reason::InUse {
                    signal,
                    service,
                    at: *at,
                });
            }
            Some(Reading::Quiet { since, until }) => match self.remembered_quiet(question) {
                Some(quiet) => (quiet.since, quiet.until),
                None => (*since, *until),
            },
        };
        let until = until.min(self.now);
        (duration::between(since, until) < self.idle_after()).then_some(Reason::QuietTooShort {
            signal,
            service,
            since,
            until,
        })
    }

    fn remembered_quiet(&self, question: &Question<'a>) -> Option<Quiet> {
        let record = self.record.services.get(&question.service.id)?;
        record.quiet.get(&question.signal).copied()
    }

    fn reading(&self, question: &Question<'a>) -> Option<&'a Reading> {
        self.seen
            .readings
            .iter()
            .find(|(id, signal, _)| *id == question.service.id && *signal == question.signal)
            .map(|(_, _, reading)| reading)
    }
}

/// The signals that decide about a service with these target groups.
pub(crate) fn signals_of(settings: &ServiceSettings, target_groups: &[String]) -> Vec<Signal> {
    match &settings.signals {
        Signals::FixedTimer => Vec::new(),
        Signals::Listed(signals) => signals.iter().copied().collect(),
        Signals::Configured => {
            let means = [
                (Signal::Requests, !target_groups.is_empty()),
                (Signal::Logs, settings.logs.is_some()),
                (Signal::Connections, settings.connections.is_some()),
            ];
            means
                .into_iter()
                .filter(|(_, has)| *has)
                .map(|(signal, _)| signal)
                .collect()
        }
    }
}
