//! What apps report of their sessions: batches of a queue become few writes, one for each task whose row changes.

mod batch;

use std::collections::BTreeMap;
use std::time::Duration;

use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::ports::{Clock, Rejects, Saved, SessionRows, StoredRow};
use dormouse_core::sessions::{Message, TaskKey};
use dormouse_function::log;
use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;
use serde_json::{Value, json};

use batch::Batch;

/// How often a writer that lost the race for a row tries again before the queue delivers its messages anew.
const TRIES: u32 = 10;
/// Rows that are written at once.
const WRITES_AT_ONCE: usize = 16;

/// Handles one batch of the queue. A message that cannot be understood is put into the dead-letter queue with its reason,
/// and costs only itself; one that could not be kept is delivered again.
///
/// # Errors
/// [`Code::InvalidRequest`] if the event has no records.
pub async fn handle<W: SessionRows + Rejects + Clock>(
    world: &W,
    _config: &Config,
    event: Value,
    request_id: &str,
) -> Result<Value, Error> {
    let batch = Batch::read(&event)?;
    let mut failed: Vec<String> = Vec::new();
    for (id, body, error) in &batch.rejected {
        log::refused("sessions", error, request_id);
        if let Err(error) = world.reject(body, error).await {
            log::error(&error, None, request_id);
            failed.push(id.clone());
        }
    }
    match rows(world, &batch).await {
        Ok(rows) => failed.extend(keep_all(world, &batch, Some(rows), request_id).await),
        // One row that cannot be read does not hold up the others: each is read for itself.
        Err(error) if error.code == Code::CorruptRecord => {
            failed.extend(keep_all(world, &batch, None, request_id).await);
        }
        Err(error) => {
            log::error(&error, None, request_id);
            failed.extend(batch.tasks.values().flatten().map(|(id, _)| id.clone()));
        }
    }
    let items: Vec<Value> = failed.iter().map(|id| json!({"itemIdentifier": id})).collect();
    Ok(json!({"batchItemFailures": items}))
}

async fn rows<W: SessionRows>(world: &W, batch: &Batch) -> Result<BTreeMap<TaskKey, StoredRow>, Error> {
    let tasks: Vec<TaskKey> = batch.tasks.keys().cloned().collect();
    world.rows(&tasks).await
}

/// Keeps the messages of each task in its row, which is read if it was not yet; gives the ids of those that could not be
/// kept.
async fn keep_all<W: SessionRows + Clock>(
    world: &W,
    batch: &Batch,
    mut rows: Option<BTreeMap<TaskKey, StoredRow>>,
    request_id: &str,
) -> Vec<String> {
    let writes = batch.tasks.iter().map(|(task, messages)| {
        let row = rows.as_mut().map(|rows| rows.remove(task).unwrap_or_default());
        async move {
            let kept = match row {
                Some(row) => keep(world, task, row, messages).await,
                None => match read(world, task).await {
                    Ok(row) => keep(world, task, row, messages).await,
                    Err(error) => Err(error),
                },
            };
            match kept {
                Ok(()) => Vec::new(),
                Err(error) => {
                    log::error(&error, None, request_id);
                    messages.iter().map(|(id, _)| id.clone()).collect()
                }
            }
        }
    });
    let failed: Vec<Vec<String>> = stream::iter(writes)
        .buffer_unordered(WRITES_AT_ONCE)
        .collect()
        .await;
    failed.into_iter().flatten().collect()
}

async fn read<W: SessionRows>(world: &W, task: &TaskKey) -> Result<StoredRow, Error> {
    let row = world.rows(std::slice::from_ref(task)).await?.remove(task);
    Ok(row.unwrap_or_default())
}

/// A pause that doubles with each attempt, and differs between functions that collide: by half of it, as their clocks do.
fn back_off(attempt: u32, now: Timestamp) -> Duration {
    let whole = Duration::from_millis(10 << attempt.min(6));
    let part = u32::try_from(now.subsec_nanosecond() % 1000).unwrap_or(0);
    whole / 2 + whole * part / 2000
}

/// Applies messages to a task's row, and writes it only if they changed it.
async fn keep<W: SessionRows + Clock>(
    world: &W,
    task: &TaskKey,
    mut stored: StoredRow,
    messages: &[(String, Message)],
) -> Result<(), Error> {
    for attempt in 0..TRIES {
        let mut changed = false;
        for (_, message) in messages {
            changed |= stored.row.apply(message);
        }
        if !changed {
            return Ok(());
        }
        stored.row.prune(world.now());
        if world.save_row(task, &stored).await? == Saved::Yes {
            return Ok(());
        }
        world.pause(back_off(attempt, world.now())).await;
        stored = read(world, task).await?;
    }
    Err(Error::new(
        Code::Contention,
        format!("task `{task}`: {TRIES} times another function wrote its sessions first"),
    ))
}
