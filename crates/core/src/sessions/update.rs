//! Changing a row that others may change at the same moment.

use std::time::Duration;

use jiff::Timestamp;

use super::ids::TaskKey;
use crate::error::{Code, Error};
use crate::ports::{Clock, Saved, SessionRows, StoredRow};

/// How often a writer that lost the race tries again, before whoever sent the event sends it anew.
const TRIES: u32 = 10;

/// Changes a task's row and writes it, unless `change` says that nothing changed. `loaded` is the row if it was read
/// already; a task of which nothing was reported has an empty one of version 0.
///
/// # Errors
/// Those of the table, and [`Code::Contention`] if other writers won every time.
pub async fn update<W: SessionRows + Clock>(
    world: &W,
    task: &TaskKey,
    loaded: Option<StoredRow>,
    mut change: impl FnMut(&mut StoredRow) -> bool,
) -> Result<(), Error> {
    let mut loaded = loaded;
    for attempt in 0..TRIES {
        let mut stored = match loaded.take() {
            Some(stored) => stored,
            None => {
                let mut rows = world.rows(std::slice::from_ref(task)).await?;
                rows.remove(task).unwrap_or_default()
            }
        };
        if !change(&mut stored) || world.save_row(task, &stored).await? == Saved::Yes {
            return Ok(());
        }
        world.pause(back_off(attempt, world.now())).await;
    }
    Err(Error::new(
        Code::Contention,
        format!("task `{task}`: {TRIES} times another function wrote its sessions first"),
    ))
}

/// A pause that doubles with each attempt, and differs between functions that collide: by half of it, as their clocks do.
fn back_off(attempt: u32, now: Timestamp) -> Duration {
    let whole = Duration::from_millis(10 << attempt.min(6));
    let part = u32::try_from(now.subsec_nanosecond() % 1000).unwrap_or(0);
    whole / 2 + whole * part / 2000
}
