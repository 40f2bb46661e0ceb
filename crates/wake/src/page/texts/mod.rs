//! What the pages say, one file a language. A language that lacks a text does not compile.

mod de;
mod en;
mod es;
mod fr;
mod ja;
mod pl;

use dormouse_core::advice::Advice;
use dormouse_core::intent::Cause;

/// The languages, the first of which is spoken to whoever prefers none of them.
pub(super) const ALL: [&Texts; 6] = [
    &en::TEXTS,
    &de::TEXTS,
    &fr::TEXTS,
    &es::TEXTS,
    &pl::TEXTS,
    &ja::TEXTS,
];

/// The texts of a language. `{name}` in a text is a place that [`fill`] fills.
#[derive(Debug)]
pub(super) struct Texts {
    /// Its tag (BCP 47), as the attribute `lang` has it.
    pub(super) lang: &'static str,
    pub(super) units: Units,
    pub(super) title: Titles,
    pub(super) headline: Headlines,
    /// Why anybody sees this page.
    pub(super) lead: &'static str,
    pub(super) left: Left,
    /// How long the wake takes so far: `{time}`.
    pub(super) elapsed: &'static str,
    /// What the bar is called.
    pub(super) progress: &'static str,
    pub(super) stage: Stages,
    /// Beside a step: `{usual}` and `{most}`.
    pub(super) usually: &'static str,
    pub(super) services: &'static str,
    pub(super) problems: &'static str,
    pub(super) help: &'static str,
    pub(super) next: &'static str,
    /// ECS tries again by itself.
    pub(super) next_ecs: &'static str,
    /// Dormouse repeats its call after `{time}`.
    pub(super) next_call: &'static str,
    /// The page looks again after `{time}`.
    pub(super) next_look: &'static str,
    pub(super) retry: &'static str,
    pub(super) wake: &'static str,
    /// The page's own questions are not answered.
    pub(super) lost: &'static str,
    pub(super) undelivered: Undelivered,
    pub(super) groups: Groups,
    pub(super) advice: Advices,
}

/// The signs of units of time: seconds, minutes, hours, days; they need no plural.
#[derive(Debug)]
pub(super) struct Units {
    pub(super) s: &'static str,
    pub(super) min: &'static str,
    pub(super) h: &'static str,
    pub(super) d: &'static str,
    /// Between a number and its unit, and between two such pairs.
    pub(super) space: &'static str,
}

/// Headings of pages, which their titles begin with.
#[derive(Debug)]
pub(super) struct Titles {
    pub(super) waking: &'static str,
    pub(super) failing: &'static str,
    pub(super) asleep: &'static str,
    pub(super) silent: &'static str,
    pub(super) ready: &'static str,
    pub(super) observed: &'static str,
    pub(super) no_group: &'static str,
    pub(super) not_understood: &'static str,
    pub(super) forbidden: &'static str,
    pub(super) too_many: &'static str,
    pub(super) not_now: &'static str,
    pub(super) broken: &'static str,
}

/// What a group does, in a sentence.
#[derive(Debug)]
pub(super) struct Headlines {
    pub(super) asleep: &'static str,
    pub(super) falling_asleep: &'static str,
    /// Until `{time}`.
    pub(super) kept_asleep: &'static str,
    pub(super) observed: &'static str,
    pub(super) needs: &'static str,
    pub(super) provisioning: &'static str,
    pub(super) pulling: &'static str,
    pub(super) starting: &'static str,
    pub(super) checking: &'static str,
    pub(super) ready: &'static str,
    pub(super) silent: &'static str,
    pub(super) failing: &'static str,
}

/// Of what was sent to an app that slept.
#[derive(Debug)]
pub(super) struct Undelivered {
    pub(super) said: &'static str,
    /// How to send it again.
    pub(super) how: &'static str,
    /// It can be sent again now.
    pub(super) ready: &'static str,
    /// Sends it again.
    pub(super) again: &'static str,
}

/// How long it takes.
#[derive(Debug)]
pub(super) struct Left {
    /// `{left}` by the median, `{most}` by the 90th percentile.
    pub(super) about: &'static str,
    /// The 90th percentile is over too.
    pub(super) late: &'static str,
    pub(super) no_history: &'static str,
    /// From `{count}` wakes.
    pub(super) known: &'static str,
}

/// How far a service is.
#[derive(Debug)]
pub(super) struct Stages {
    pub(super) asleep: &'static str,
    pub(super) needs: &'static str,
    /// Of this one: `{need}`.
    pub(super) waits_for: &'static str,
    pub(super) provisioning: &'static str,
    pub(super) pulling: &'static str,
    pub(super) starting: &'static str,
    pub(super) checking: &'static str,
    pub(super) ready: &'static str,
    pub(super) failing: &'static str,
    /// Its UpdateService waits for those of others.
    pub(super) turn: &'static str,
    pub(super) stopping: &'static str,
}

/// The page of all groups.
#[derive(Debug)]
pub(super) struct Groups {
    pub(super) title: &'static str,
    pub(super) none: &'static str,
    pub(super) asleep: &'static str,
    pub(super) waking: &'static str,
    pub(super) awake: &'static str,
    pub(super) falling_asleep: &'static str,
    pub(super) unknown: &'static str,
    pub(super) observed: &'static str,
    pub(super) since: &'static str,
    pub(super) why: &'static str,
    pub(super) woken_by: &'static str,
    pub(super) may_sleep: &'static str,
    pub(super) wakes: &'static str,
    pub(super) kept_until: &'static str,
    pub(super) saved: &'static str,
    pub(super) open: &'static str,
    pub(super) watch: &'static str,
    /// Wakes this group: `{group}`.
    pub(super) wake: &'static str,
    /// The tags were read at `{time}`.
    pub(super) read_at: &'static str,
    pub(super) cause: Causes,
}

/// Doors, as who came through them would call them.
#[derive(Debug)]
pub(super) struct Causes {
    pub(super) http: &'static str,
    pub(super) direct: &'static str,
    pub(super) pipeline: &'static str,
    pub(super) alarm: &'static str,
    pub(super) logs: &'static str,
    pub(super) eventbridge: &'static str,
    pub(super) task_state: &'static str,
    pub(super) tick: &'static str,
    pub(super) sleep_timer: &'static str,
    pub(super) needed: &'static str,
    pub(super) scaling: &'static str,
    pub(super) outside: &'static str,
}

/// What to do about each kind of failure.
#[derive(Debug)]
pub(super) struct Advices {
    pub(super) image: &'static str,
    pub(super) initialization: &'static str,
    pub(super) not_started: &'static str,
    pub(super) exited: &'static str,
    pub(super) finished: &'static str,
    pub(super) out_of_memory: &'static str,
    pub(super) target_unhealthy: &'static str,
    pub(super) container_unhealthy: &'static str,
    pub(super) ready_path: &'static str,
    pub(super) capacity: &'static str,
    pub(super) network: &'static str,
    pub(super) permission: &'static str,
    pub(super) gone: &'static str,
    pub(super) throttled: &'static str,
    pub(super) private_only: &'static str,
    pub(super) restarts: &'static str,
    pub(super) too_late: &'static str,
    pub(super) tag: &'static str,
}

impl Texts {
    /// What to do about a failure of this kind.
    pub(super) fn advice(&self, advice: Advice) -> &'static str {
        let texts = &self.advice;
        match advice {
            Advice::Image => texts.image,
            Advice::Initialization => texts.initialization,
            Advice::NotStarted => texts.not_started,
            Advice::Exited => texts.exited,
            Advice::Finished => texts.finished,
            Advice::OutOfMemory => texts.out_of_memory,
            Advice::TargetUnhealthy => texts.target_unhealthy,
            Advice::ContainerUnhealthy => texts.container_unhealthy,
            Advice::ReadyPath => texts.ready_path,
            Advice::Capacity => texts.capacity,
            Advice::Network => texts.network,
            Advice::Permission => texts.permission,
            Advice::Gone => texts.gone,
            Advice::Throttled => texts.throttled,
            Advice::PrivateOnly => texts.private_only,
            Advice::Restarts => texts.restarts,
            Advice::TooLate => texts.too_late,
            Advice::Tag => texts.tag,
        }
    }

    /// What a door is called.
    pub(super) fn cause(&self, cause: Cause) -> &'static str {
        let texts = &self.groups.cause;
        match cause {
            Cause::Http => texts.http,
            Cause::Direct => texts.direct,
            Cause::Pipeline => texts.pipeline,
            Cause::Alarm => texts.alarm,
            Cause::Logs => texts.logs,
            Cause::Eventbridge => texts.eventbridge,
            Cause::TaskState => texts.task_state,
            Cause::Tick => texts.tick,
            Cause::SleepTimer => texts.sleep_timer,
            Cause::Needed => texts.needed,
            Cause::Scaling => texts.scaling,
            Cause::Outside => texts.outside,
        }
    }

    /// A time in the two largest units that it has: `1 min 10 s`, `3 d 4 h`.
    pub(super) fn time(&self, seconds: u64) -> String {
        let units = &self.units;
        let sizes = [(units.d, 86_400), (units.h, 3600), (units.min, 60), (units.s, 1)];
        let mut left = seconds;
        let mut parts = Vec::new();
        for (unit, size) in sizes {
            if left >= size && parts.len() < 2 {
                parts.push(format!("{}{}{unit}", left / size, units.space));
            } else if !parts.is_empty() {
                break;
            }
            left %= size;
        }
        if parts.is_empty() {
            parts.push(format!("0{}{}", units.space, units.s));
        }
        parts.join(units.space)
    }
}

/// A text with its places filled. What is filled in is data, and is escaped where the page is rendered.
pub(super) fn fill(text: &str, places: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = places.iter().find(|(place, _)| *place == name);
        filled.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text of a language by the name of its field, as `Debug` shows them.
    fn all(texts: &Texts) -> Vec<(String, String)> {
        let shown = format!("{texts:#?}");
        let fields = shown.lines().filter_map(|line| {
            let (name, text) = line.trim().split_once(": \"")?;
            Some((name.to_owned(), text.trim_end_matches("\",").to_owned()))
        });
        fields.collect()
    }

    fn places(text: &str) -> Vec<String> {
        let mut places: Vec<String> = text
            .split('{')
            .skip(1)
            .map(|rest| rest.split('}').next().unwrap_or_default().to_owned())
            .collect();
        places.sort();
        places
    }

    #[test]
    fn every_language_has_every_text_with_the_same_places() {
        let english = all(&en::TEXTS);
        assert!(english.len() > 90, "{}", english.len());
        for texts in ALL {
            let here = all(texts);
            assert_eq!(here.len(), english.len());
            for ((name, text), (_, model)) in here.iter().zip(&english) {
                if name == "space" {
                    continue;
                }
                assert!(!text.trim().is_empty(), "{} {name}", texts.lang);
                assert_eq!(places(text), places(model), "{} {name}: {text}", texts.lang);
            }
        }
    }

    #[test]
    fn languages_are_translated_and_not_copied() {
        let english = all(&en::TEXTS);
        for texts in &ALL[1..] {
            let here = all(texts);
            let same = here.iter().zip(&english).filter(|(one, other)| one.1 == other.1);
            let same: Vec<_> = same.map(|(one, _)| one.0.as_str()).collect();
            assert!(same.len() <= 8, "{}: {same:?}", texts.lang);
        }
    }

    #[test]
    fn times_have_their_two_largest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (1, "1 s"),
            (59, "59 s"),
            (60, "1 min"),
            (70, "1 min 10 s"),
            (3600, "1 h"),
            (3605, "1 h"),
            (7500, "2 h 5 min"),
            (273_600, "3 d 4 h"),
        ] {
            assert_eq!(en::TEXTS.time(seconds), text.replace(' ', "\u{a0}"));
        }
        assert_eq!(ja::TEXTS.time(70), "1分10秒");
    }

    #[test]
    fn what_is_filled_in_is_never_taken_for_a_place() {
        assert_eq!(fill("{a} of {b}", &[("a", "{b}"), ("b", "2")]), "{b} of 2");
        assert_eq!(fill("no place", &[]), "no place");
        assert_eq!(fill("open {", &[]), "open ");
    }
}
