//! A visit: it wakes if it may, is held if it wants to be, and sees what there is to see.

use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_core::duration::between;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::intent::Action;
use dormouse_core::ports::{Looks, World};
use dormouse_core::record::Phase;
use dormouse_core::status::Status;

use super::looks::{self, LONGEST, Told};
use super::request::Request;
use super::{AT_ONCE, ITS_TURN, permit};
use crate::answer::Answer;
use crate::client::Client;
use crate::page;
use crate::response::{self, code};

/// Longest time that a request is held: what is left of the 30 s that an HTTP API waits for its integration (Amazon API
/// Gateway quotas, "Maximum integration timeout") is for the looks before and after.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(25);
/// Time between two looks while a request is held.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a visitor wants.
#[derive(Clone, Copy)]
pub(super) struct Wish {
    /// How long to be held at most.
    pub(super) wait: Duration,
    /// Whether to be told at once if the group is ready already.
    pub(super) at_once: bool,
    /// How long to wait for the group's turn, if nothing else is waited for.
    pub(super) patience: Duration,
}

/// What came of it.
pub(super) struct Visit {
    /// The status.
    pub(super) status: Status,
    /// Why the wake was refused, if it was.
    pub(super) refusal: Option<Error>,
    /// Whether it was held, and looked again.
    pub(super) held: bool,
    /// Why who came may not wake, if so.
    barred: Option<Error>,
}

/// Wakes, and waits for as long as the request may be held. Who may not wake only looks.
pub(super) async fn pay<W: World + Looks>(
    world: &W,
    config: &Config,
    request: &Request,
    group: &GroupName,
    wish: Wish,
    request_id: &str,
) -> Result<Visit, Error> {
    let began = world.now();
    let barred = permit::to_wake(&config.guard, request, group, began).err();
    let action = if barred.is_some() || request.is_out_of_sight() {
        Action::Look
    } else {
        Action::wake()
    };
    let intent = request.intent(action, wish.patience);
    let Told {
        mut status,
        mut refusal,
    } = looks::ask(world, config, group, &intent, LONGEST, request_id).await?;
    let mut held = false;
    let mut has_come = status.ready && wish.at_once;
    let wait = wish.wait.min(LONGEST_WAIT);
    while barred.is_none() && refusal.is_none() && !has_come && between(began, world.now()) < wait {
        world.pause(LOOK_EVERY).await;
        held = true;
        let left = wait.saturating_sub(between(began, world.now()));
        let intent = request.intent(Action::Look, left.clamp(AT_ONCE, ITS_TURN));
        let longest = left.clamp(AT_ONCE, LONGEST);
        Told { status, refusal } = looks::ask(world, config, group, &intent, longest, request_id).await?;
        has_come = status.ready;
    }
    Ok(Visit {
        status,
        refusal,
        held,
        barred,
    })
}

impl Visit {
    /// What a visitor of this path is shown who is not led on.
    ///
    /// # Errors
    /// Why it was not woken, if whoever came may not wake it.
    pub(super) fn shown(self, config: &Config, request: &Request, path: &str) -> Result<Answer, Error> {
        let status = self.status;
        let sleeps = matches!(status.phase, Phase::Asleep | Phase::FallingAsleep);
        if let Some(error) = self
            .barred
            .filter(|_| sleeps && request.client != Client::Passive)
        {
            return Err(error);
        }
        let viewer = request.viewer(config);
        let retry = status.retry_after_seconds;
        Ok(match request.client {
            _ if request.is_shown_to_a_person() => match self.refusal {
                Some(refusal) if refusal.code == Code::WakeBudgetSpent => {
                    response::asking_again_after(retry, page::error(&viewer, &refusal, ""))
                }
                _ if request.poll().is_some() => page::changing_part(&viewer, &status),
                _ => page::waiting(&viewer, &status, path),
            },
            Client::Passive
                if request.method == "GET" && request.wants_page() && !request.is_ahead_of_time() =>
            {
                page::resting(&viewer, &status, path, not_ready(&status))
            }
            _ => response::status(not_ready(&status), &status),
        })
    }
}

/// A failure that waiting will not mend is told from one that it may. Bad tags leave the last good settings in
/// force, so they only stop a group that never had any.
fn not_ready(status: &Status) -> u16 {
    if status
        .errors
        .iter()
        .any(|error| error.code == Code::WakeBudgetSpent)
    {
        return code::TOO_MANY_REQUESTS;
    }
    let stuck = |http: u16| http == code::BAD_GATEWAY;
    let blocking = status
        .errors
        .iter()
        .filter(|error| error.code != Code::InvalidTag);
    let hopeless = blocking.map(|error| response::http_status(error.code)).any(stuck);
    if hopeless || status.services.is_empty() {
        code::BAD_GATEWAY
    } else {
        code::UNAVAILABLE
    }
}
