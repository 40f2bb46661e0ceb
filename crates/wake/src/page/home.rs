//! The page of all groups.

use askama::Template;
use dormouse_core::overview::{Group, Overview};
use dormouse_core::record::Phase;
use dormouse_core::settings::Mode;
use jiff::Timestamp;

use super::texts::{Texts, fill};
use super::view::{Frame, Icon, Live, Viewer};
use super::{clock, rendered};
use crate::answer::Answer;
use crate::response::code;

/// Seconds between two looks at the table. Our choice.
const REFRESH: u64 = 30;

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: Frame<'a>,
    texts: &'static Texts,
    groups: Vec<Row<'a>>,
    read_at: String,
    refresh: u64,
}

struct Row<'a> {
    name: &'a str,
    class: &'static str,
    phase: &'static str,
    observed: bool,
    since: Option<Moment>,
    cause: &'static str,
    detail: &'a str,
    woken_by: &'a str,
    deadline: Option<Moment>,
    deadline_label: &'static str,
    kept_until: Option<Moment>,
    saved: String,
    problems: Vec<String>,
    button: Button,
    wake_label: String,
}

/// What can be done from here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Button {
    Wake,
    Watch,
    Open,
    /// A wake needs a link that was signed for this group.
    Nothing,
}

impl Button {
    fn is_wake(self) -> bool {
        self == Self::Wake
    }

    fn is_none(self) -> bool {
        self == Self::Nothing
    }

    fn is_watch(self) -> bool {
        self == Self::Watch
    }
}

/// A moment for machines, and for people.
struct Moment {
    iso: String,
    text: String,
}

fn moment(at: Timestamp) -> Moment {
    Moment {
        iso: format!("{at:.0}"),
        text: clock(at),
    }
}

/// The page of all groups.
pub(crate) fn groups(viewer: &Viewer, overview: &Overview) -> Answer {
    let texts = viewer.texts;
    let is_any = |phase| overview.groups.iter().any(|group| group.phase == Some(phase));
    let icon = if is_any(Phase::Awake) {
        Icon::Ready
    } else {
        Icon::Asleep
    };
    let mut groups: Vec<&Group> = overview.groups.iter().collect();
    groups.sort_by(|one, other| one.group.cmp(&other.group));
    let live = Live {
        address: String::new(),
        refresh: Some(REFRESH),
        poll: "",
    };
    let page = Home {
        frame: viewer.frame(icon, Some(live)),
        refresh: REFRESH,
        texts,
        groups: groups.into_iter().map(|group| row(viewer, group)).collect(),
        read_at: overview.discovered_at.map_or(String::new(), |at| {
            fill(texts.groups.read_at, &[("time", &clock(at))])
        }),
    };
    rendered(code::OK, page.render(), viewer.nonce)
}

fn row<'a>(viewer: &Viewer, group: &'a Group) -> Row<'a> {
    let texts = viewer.texts;
    let said = &texts.groups;
    let is_up = matches!(group.phase, Some(Phase::Waking | Phase::Awake));
    let (phase, class, button) = match group.phase {
        None => (said.unknown, "", Button::Wake),
        Some(Phase::Asleep) => (said.asleep, "", Button::Wake),
        Some(Phase::FallingAsleep) => (said.falling_asleep, "", Button::Wake),
        Some(Phase::Waking) => (said.waking, "waking", Button::Watch),
        Some(Phase::Awake) => (said.awake, "ready", Button::Open),
    };
    let button = match button {
        Button::Wake if !viewer.may_wake_any => Button::Nothing,
        button => button,
    };
    Row {
        name: group.group.as_str(),
        class,
        phase,
        observed: group.mode == Mode::Observe,
        since: group.since.map(moment),
        // What was never looked at has no cause.
        cause: group
            .cause
            .filter(|_| group.generation.0 > 0)
            .map_or("", |cause| texts.cause(cause)),
        detail: &group.detail,
        woken_by: group.woken_by.as_deref().filter(|_| is_up).unwrap_or_default(),
        deadline: group.next_deadline.map(moment),
        deadline_label: if is_up { said.may_sleep } else { said.wakes },
        kept_until: group.override_until.map(moment),
        saved: match group.slept_task_seconds {
            0 => String::new(),
            seconds => texts.time(seconds),
        },
        problems: group
            .problems
            .iter()
            .map(|problem| problem.message.clone())
            .collect(),
        button,
        wake_label: fill(said.wake, &[("group", group.group.as_str())]),
    }
}
