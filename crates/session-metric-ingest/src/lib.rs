//! What apps report of their sessions: batches of a queue become few writes, one for each task whose row changes.

mod batch;

use std::collections::BTreeMap;

use dormouse_core::config::Config;
use dormouse_core::error::{Code, Error};
use dormouse_core::ports::{Clock, Rejects, SessionRows, StoredRow};
use dormouse_core::sessions::{self, Message, TaskKey};
use dormouse_function::log;
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

use batch::Batch;

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
            match keep(world, task, row, messages).await {
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

/// Applies messages to a task's row, and writes it only if they changed it.
async fn keep<W: SessionRows + Clock>(
    world: &W,
    task: &TaskKey,
    loaded: Option<StoredRow>,
    messages: &[(String, Message)],
) -> Result<(), Error> {
    sessions::update(world, task, loaded, |stored| {
        let mut changed = false;
        for (_, message) in messages {
            changed |= stored.row.apply(message);
        }
        if changed {
            stored.row.prune(world.now());
        }
        changed
    })
    .await
}
