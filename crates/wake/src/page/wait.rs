//! The wait page, and the part of it that changes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use dormouse_core::advice::Advice;
use dormouse_core::decide::RETRY_AFTER;
use dormouse_core::error::Code;
use dormouse_core::record::Phase;
use dormouse_core::settings::{Mode, Problem};
use dormouse_core::status::{ServiceStatus, Stage, Status, Step, StepName, StepState};

use super::texts::{Texts, Undelivered, fill};
use super::view::{Frame, Icon, Live, Place, Viewer};
use super::{address, clock, rendered};
use crate::answer::Answer;
use crate::response::{self, code};

/// A page of a group that nothing happens to looks again after so many seconds. Our choice: such pages may stay open for days.
const REST: u64 = 30;
/// In place, a page without a script is loaded again after so many seconds at the earliest. Our choice: each is a look.
const RELOAD: u64 = 5;
/// Longest words of AWS that are shown, in characters: longer ones make a page that nobody reads. They are whole in the status.
const LONGEST_WORDS: usize = 500;
/// What readiness says that the stage's name says already, in the visitor's language.
const SAID_BY_STAGE: [&str; 4] = [
    "waiting for capacity and a network interface",
    "pulling the image",
    "starting containers",
    "no task has been started yet",
];

#[derive(Template)]
#[template(path = "wait.html")]
struct Page<'a> {
    frame: Frame<'a>,
    part: Part<'a>,
}

/// What of the page changes: rendered by itself for the page's own script.
#[derive(Template)]
#[template(path = "part.html")]
struct Part<'a> {
    texts: &'static Texts,
    group: &'a str,
    brand: &'a str,
    generation: u64,
    state: State,
    title: &'static str,
    headline: String,
    icon: String,
    percent: u8,
    value_text: String,
    /// Whether it is about to become ready: shows bar, times and what comes next.
    under_way: bool,
    left: String,
    known: String,
    elapsed: String,
    rows: Vec<Row<'a>>,
    problems: Vec<Words>,
    help: Vec<Help>,
    next: Vec<String>,
    lead: &'static str,
    undelivered: Option<&'static Undelivered>,
    offer: Offer,
    pause: u64,
}

/// What a visitor can do from here.
enum Offer {
    /// Wake it, by a form that posts there.
    Post(String),
    /// Open the page's own address again, which wakes.
    Reopen(&'static str),
    /// Send again what was not delivered, once the page's script finds the app.
    SendAgain(&'static str),
    Nothing,
}

struct Row<'a> {
    name: &'a str,
    class: &'static str,
    label: String,
    time: String,
    detail: Cow<'a, str>,
    /// The language of the detail.
    detail_lang: &'static str,
    steps: Vec<StepRow>,
}

struct StepRow {
    class: &'static str,
    label: &'static str,
    time: String,
    usual: String,
    now: bool,
}

struct Words {
    service: String,
    text: String,
}

struct Help {
    services: String,
    text: &'static str,
}

/// What kind of page it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Asleep,
    KeptAsleep,
    Observed,
    Waking,
    Failing,
    Silent,
    Ready,
}

impl State {
    fn of(status: &Status) -> Self {
        let has = |code| status.errors.iter().any(|error| error.code == code);
        let failing = || {
            status
                .services
                .iter()
                .any(|service| service.stage == Stage::Failing)
        };
        match status.phase {
            _ if has(Code::Observing) => Self::Observed,
            _ if has(Code::KeptAsleep) => Self::KeptAsleep,
            _ if status.ready => Self::Ready,
            _ if failing() || status.errors.iter().any(is_blocking) => Self::Failing,
            // Whoever only looks is not refused, and is to read the same.
            Phase::Asleep | Phase::FallingAsleep if status.override_until.is_some() => Self::KeptAsleep,
            Phase::Asleep | Phase::FallingAsleep if status.mode == Mode::Observe => Self::Observed,
            Phase::Asleep | Phase::FallingAsleep => Self::Asleep,
            Phase::Waking => Self::Waking,
            Phase::Awake => Self::Silent,
        }
    }

    /// As the page's script and style know it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Asleep | Self::KeptAsleep | Self::Observed => "asleep",
            Self::Waking | Self::Silent => "waking",
            Self::Failing => "failing",
            Self::Ready => "ready",
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::Asleep | Self::KeptAsleep | Self::Observed => Icon::Asleep,
            Self::Waking | Self::Silent => Icon::Waking,
            Self::Failing => Icon::Failing,
            Self::Ready => Icon::Ready,
        }
    }

    fn title(self, texts: &Texts) -> &'static str {
        let titles = &texts.title;
        match self {
            Self::Asleep | Self::KeptAsleep => titles.asleep,
            Self::Observed => titles.observed,
            Self::Waking => titles.waking,
            Self::Failing => titles.failing,
            Self::Silent => titles.silent,
            Self::Ready => titles.ready,
        }
    }

    fn rests(self) -> bool {
        matches!(self, Self::Asleep | Self::KeptAsleep | Self::Observed)
    }

    fn fails(self) -> bool {
        matches!(self, Self::Failing | Self::Silent)
    }

    fn is_under_way(self) -> bool {
        !self.rests()
    }
}

/// Bad tags leave the last good settings in force, and a group without its timer is put to sleep by the tick.
fn is_blocking(error: &Problem) -> bool {
    !matches!(error.code, Code::InvalidTag | Code::TimerNotStarted)
}

/// The page of a group that is not ready, for a visitor of this path of the app.
pub(crate) fn waiting(viewer: &Viewer, status: &Status, path: &str) -> Answer {
    let state = State::of(status);
    let http = match state {
        _ if viewer.place != Place::Wake => code::UNAVAILABLE,
        State::KeptAsleep | State::Observed => code::UNAVAILABLE,
        _ => code::OK,
    };
    let part = part(viewer, status, state, offer(viewer, state));
    let live = match viewer.place {
        Place::Wake => Live {
            address: address(status.group.as_str(), path, "page"),
            refresh: Some(part.pause),
            poll: "",
        },
        Place::App => Live {
            address: String::new(),
            refresh: Some(part.pause.max(RELOAD)),
            poll: if viewer.by_query { "1, query" } else { "1" },
        },
        // Whoever reloads it sends again what was sent.
        Place::Undelivered => Live {
            address: String::new(),
            refresh: None,
            poll: match viewer.by_query {
                true => "1, undelivered, query",
                false => "1, undelivered",
            },
        },
    };
    let page = Page {
        frame: viewer.frame(state.icon(), Some(live)),
        part,
    };
    let page = rendered(http, page.render(), viewer.nonce);
    response::asking_again_after(status.retry_after_seconds, page)
}

/// The page of a group for somebody whose coming wakes nothing, with a button that does, where one works.
pub(crate) fn resting(viewer: &Viewer, status: &Status, path: &str, http: u16) -> Answer {
    let state = State::of(status);
    let offer = if viewer.place == Place::Wake {
        let wake = address(status.group.as_str(), path, "wake");
        let signed = viewer.signed.as_ref().map(|signed| format!("?{signed}"));
        Offer::Post(wake + &signed.unwrap_or_default())
    } else {
        Offer::Nothing
    };
    let page = Page {
        frame: viewer.frame(state.icon(), None),
        part: part(viewer, status, state, offer),
    };
    let page = rendered(http, page.render(), viewer.nonce);
    response::asking_again_after(status.retry_after_seconds, page)
}

/// The part of the page that changes.
pub(crate) fn changing_part(viewer: &Viewer, status: &Status) -> Answer {
    let state = State::of(status);
    let part = part(viewer, status, state, offer(viewer, state));
    rendered(code::OK, part.render(), viewer.nonce)
}

/// What a visitor can do whose coming wakes.
fn offer(viewer: &Viewer, state: State) -> Offer {
    match viewer.undelivered() {
        Some(texts) => Offer::SendAgain(texts.again),
        None if state.rests() => Offer::Reopen(viewer.texts.wake),
        None if state.fails() => Offer::Reopen(viewer.texts.retry),
        None => Offer::Nothing,
    }
}

fn part<'a>(viewer: &Viewer<'a>, status: &'a Status, state: State, offer: Offer) -> Part<'a> {
    let texts = viewer.texts;
    let percent = percent(status);
    let left = match state {
        State::Waking => {
            let nothing = if status.wakes_known > 0 {
                texts.left.late
            } else {
                texts.left.no_history
            };
            left(texts, status.eta_seconds, status.eta_at_most_seconds).unwrap_or_else(|| nothing.to_owned())
        }
        _ => String::new(),
    };
    let pause = match state {
        _ if state.rests() => REST,
        _ => status.retry_after_seconds.max(2),
    };
    let known = match status.wakes_known {
        count if count > 0 && state == State::Waking => {
            fill(texts.left.known, &[("count", &count.to_string())])
        }
        _ => String::new(),
    };
    let elapsed = status.elapsed_seconds.filter(|_| state != State::Ready);
    Part {
        texts,
        group: status.group.as_str(),
        brand: viewer.branding.name.as_deref().unwrap_or_default(),
        generation: status.generation.0,
        state,
        title: state.title(texts),
        headline: headline(texts, status, state),
        icon: state.icon().address(),
        percent,
        value_text: format!("{percent}\u{a0}%. {left}")
            .trim_end_matches([' ', '.'])
            .to_owned(),
        under_way: state.is_under_way(),
        left,
        known,
        elapsed: elapsed.map_or(String::new(), |seconds| {
            fill(texts.elapsed, &[("time", &texts.time(seconds))])
        }),
        rows: status
            .services
            .iter()
            .map(|service| row(texts, service, state))
            .collect(),
        problems: problems(status),
        help: help(texts, status),
        next: next(texts, status, state, pause),
        lead: viewer.undelivered().map_or(texts.lead, |_| ""),
        undelivered: viewer.undelivered(),
        offer,
        pause,
    }
}

/// The stage that the slowest service is at.
fn headline(texts: &Texts, status: &Status, state: State) -> String {
    let said = &texts.headline;
    let stage = || {
        let behind = status.services.iter().filter(|service| !service.ready);
        match behind.map(step).min() {
            Some(Some(StepName::Needs)) => said.needs,
            Some(None | Some(StepName::Provisioning)) => said.provisioning,
            Some(Some(StepName::Pulling)) => said.pulling,
            Some(Some(StepName::Starting)) => said.starting,
            Some(Some(StepName::Checking)) | None => said.checking,
        }
    };
    let text = match state {
        State::KeptAsleep => {
            let until = status.override_until.map(clock).unwrap_or_default();
            return fill(said.kept_asleep, &[("time", &until)]);
        }
        State::Asleep if status.phase == Phase::FallingAsleep => said.falling_asleep,
        State::Asleep => said.asleep,
        State::Observed => said.observed,
        State::Waking => stage(),
        State::Failing => said.failing,
        State::Silent => said.silent,
        State::Ready => said.ready,
    };
    text.to_owned()
}

/// The step that a service is at; none if it has not begun.
fn step(service: &ServiceStatus) -> Option<StepName> {
    let now = service.steps.iter().find(|step| step.state == StepState::Now);
    now.map(|step| step.step).or(match service.stage {
        Stage::WaitingFor(_) => Some(StepName::Needs),
        Stage::Provisioning | Stage::Failing => Some(StepName::Provisioning),
        Stage::Pending => Some(StepName::Pulling),
        Stage::Starting => Some(StepName::Starting),
        Stage::Asleep => None,
        Stage::Ready => Some(StepName::Checking),
    })
}

fn step_label(texts: &Texts, step: StepName) -> &'static str {
    let stages = &texts.stage;
    match step {
        StepName::Needs => stages.needs,
        StepName::Provisioning => stages.provisioning,
        StepName::Pulling => stages.pulling,
        StepName::Starting => stages.starting,
        StepName::Checking => stages.checking,
    }
}

/// Time left, as earlier wakes tell it; none if nothing is known of this one's end.
fn left(texts: &Texts, eta: Option<u64>, at_most: Option<u64>) -> Option<String> {
    let eta = eta?;
    let most = at_most.unwrap_or(eta).max(eta);
    let (eta, most) = (texts.time(eta), texts.time(most));
    Some(fill(texts.left.about, &[("left", &eta), ("most", &most)]))
}

fn row<'a>(texts: &'static Texts, service: &'a ServiceStatus, state: State) -> Row<'a> {
    let stages = &texts.stage;
    let label = match &service.stage {
        Stage::WaitingFor(need) => fill(stages.waits_for, &[("need", &need.to_string())]),
        Stage::Asleep => stages.asleep.to_owned(),
        Stage::Ready => stages.ready.to_owned(),
        Stage::Failing => stages.failing.to_owned(),
        Stage::Provisioning | Stage::Pending | Stage::Starting => step(service)
            .map_or("", |step| step_label(texts, step))
            .to_owned(),
    };
    let is_waking = state == State::Waking && !matches!(service.stage, Stage::Ready | Stage::Failing);
    let (detail, detail_lang) = detail(texts, service.detail.as_deref().unwrap_or_default());
    Row {
        name: &service.name,
        class: match service.stage {
            Stage::Ready => "ready",
            Stage::Failing => "failing",
            _ => "",
        },
        label,
        time: left(texts, service.eta_seconds, service.eta_at_most_seconds)
            .filter(|_| is_waking)
            .unwrap_or_default(),
        detail,
        detail_lang,
        steps: if is_waking {
            service.steps.iter().map(|step| step_row(texts, step)).collect()
        } else {
            Vec::new()
        },
    }
}

/// What a row says besides its stage, and in which language: AWS's words and most of ours are English.
fn detail<'a>(texts: &'static Texts, detail: &'a str) -> (Cow<'a, str>, &'static str) {
    match detail {
        detail if SAID_BY_STAGE.contains(&detail) => (Cow::Borrowed(""), texts.lang),
        "waits for its turn: ECS takes few changes of services a second" => {
            (Cow::Borrowed(texts.stage.turn), texts.lang)
        }
        "its tasks are stopping" => (Cow::Borrowed(texts.stage.stopping), texts.lang),
        words => (shortened(words), "en"),
    }
}

fn step_row(texts: &'static Texts, step: &Step) -> StepRow {
    let time = |seconds: Option<u64>| seconds.map_or(String::new(), |seconds| texts.time(seconds));
    let usual = step
        .usual_seconds
        .filter(|_| step.state != StepState::Done)
        .map(|usual| {
            let most = step.at_most_seconds.unwrap_or(usual).max(usual);
            fill(
                texts.usually,
                &[("usual", &texts.time(usual)), ("most", &texts.time(most))],
            )
        });
    StepRow {
        class: match step.state {
            StepState::Ahead => "ahead",
            StepState::Now => "now",
            StepState::Done => "done",
        },
        label: step_label(texts, step.step),
        time: time(step.seconds),
        usual: usual.unwrap_or_default(),
        now: step.state == StepState::Now,
    }
}

/// What no service's row says already.
fn problems(status: &Status) -> Vec<Words> {
    let said_by_row = |error: &Problem| {
        error.code != Code::InvalidTag
            && error.service.as_ref().is_some_and(|id| {
                let is = |service: &ServiceStatus| service.cluster == id.cluster && service.name == id.name;
                status
                    .services
                    .iter()
                    .any(|service| is(service) && service.stage == Stage::Failing)
            })
    };
    let others = status.errors.iter().filter(|error| !said_by_row(error));
    others
        .map(|error| Words {
            service: error
                .service
                .as_ref()
                .map(|id| id.name.clone())
                .unwrap_or_default(),
            text: shortened(&error.message).into_owned(),
        })
        .collect()
}

/// Each kind of advice once, with the services that it is for.
fn help(texts: &Texts, status: &Status) -> Vec<Help> {
    let mut services: BTreeMap<Advice, BTreeSet<&str>> = BTreeMap::new();
    for error in &status.errors {
        if let Some(advice) = Advice::of(error.code, &error.message) {
            let named = services.entry(advice).or_default();
            named.extend(error.service.as_ref().map(|id| id.name.as_str()));
        }
    }
    let each = services.into_iter().map(|(advice, services)| Help {
        services: services.into_iter().collect::<Vec<_>>().join(", "),
        text: texts.advice(advice),
    });
    each.collect()
}

/// What is tried next, and when.
fn next(texts: &Texts, status: &Status, state: State, pause: u64) -> Vec<String> {
    if state != State::Failing {
        return Vec::new();
    }
    let mut next = Vec::new();
    let is_ecs_own = |error: &&Problem| error.code == Code::NotBecomingReady;
    if status.errors.iter().any(|error| is_ecs_own(&error)) {
        next.push(texts.next_ecs.to_owned());
    }
    let calls = status
        .errors
        .iter()
        .filter(|error| error.service.is_some() && is_blocking(error));
    if calls.filter(|error| !is_ecs_own(error)).count() > 0 {
        let time = texts.time(RETRY_AFTER.as_secs());
        next.push(fill(texts.next_call, &[("time", &time)]));
    }
    next.push(fill(texts.next_look, &[("time", &texts.time(pause))]));
    next
}

/// Words of AWS as they are, up to where a page stays readable; that more follows is to be seen.
fn shortened(words: &str) -> Cow<'_, str> {
    let end = words.char_indices().nth(LONGEST_WORDS).map(|(end, _)| end);
    match end.and_then(|end| words.get(..end)) {
        None => Cow::Borrowed(words),
        Some(start) => Cow::Owned(format!("{start}…")),
    }
}

/// Never 100 before ready.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 to 99 first"
)]
fn percent(status: &Status) -> u8 {
    if status.ready {
        100
    } else {
        (status.progress * 100.0).clamp(0.0, 99.0) as u8
    }
}

#[cfg(test)]
mod tests;
