//! The rows of sessions in the table, one item for each task.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use dormouse_core::error::{Code, Error};
use dormouse_core::ports::{Clock, Saved, SessionRows, StoredRow};
use dormouse_core::sessions::{Row, TaskKey};

use crate::Aws;
use crate::errors::rejected;

/// Items of one BatchGetItem (Amazon DynamoDB API reference).
const PER_CALL: usize = 100;
/// What one call left over is asked again this often.
const TRIES: u32 = 4;
/// The row of a task that has ended is deleted this much later: when no message can come for it any more.
const KEPT_AFTER_END: Duration = Duration::from_secs(48 * 3600);

impl SessionRows for Aws {
    async fn rows(&self, tasks: &[TaskKey]) -> Result<BTreeMap<TaskKey, StoredRow>, Error> {
        let mut rows = BTreeMap::new();
        for chunk in tasks.chunks(PER_CALL) {
            for item in self.items(chunk.iter().map(key).collect()).await? {
                let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
                let Some(task) = text("pk").and_then(|pk| TaskKey::parse(pk.strip_prefix("task#")?).ok())
                else {
                    continue;
                };
                let body = text("body").map_or("", String::as_str);
                let row: Row = serde_json::from_str(body).map_err(|error| {
                    let message = format!("the stored sessions of task `{task}` cannot be read: {error}");
                    Error::new(Code::CorruptRecord, message)
                })?;
                let version = item.get("version").and_then(|version| version.as_n().ok());
                let version = version.and_then(|version| version.parse().ok()).unwrap_or(0);
                rows.insert(task, StoredRow { version, row });
            }
        }
        Ok(rows)
    }

    async fn save_row(&self, task: &TaskKey, stored: &StoredRow) -> Result<Saved, Error> {
        let body =
            serde_json::to_string(&stored.row).map_err(|error| rejected("a row of sessions", &error))?;
        let mut request = self
            .table
            .client
            .put_item()
            .table_name(&self.table.name)
            .set_item(Some(key(task)))
            .item("body", AttributeValue::S(body));
        if let Some(ended) = stored.row.ended_at {
            let delete_at = dormouse_core::duration::after(ended, KEPT_AFTER_END);
            request = request.item("delete_at", AttributeValue::N(delete_at.as_second().to_string()));
        }
        self.table.put_over(stored.version, request).await
    }
}

type Item = HashMap<String, AttributeValue>;

impl Aws {
    async fn items(&self, keys: Vec<Item>) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        let mut keys = keys;
        for attempt in 0..TRIES {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut keys)))
                .consistent_read(true)
                .build()
                .map_err(|error| rejected("BatchGetItem", &error))?;
            let call = self
                .table
                .client
                .batch_get_item()
                .request_items(&self.table.name, wanted);
            let mut answer = call
                .send()
                .await
                .map_err(|error| self.table.failed("BatchGetItem", &error))?;
            let found = answer
                .responses
                .as_mut()
                .and_then(|tables| tables.remove(&self.table.name));
            items.extend(found.unwrap_or_default());
            let left = answer
                .unprocessed_keys
                .as_mut()
                .and_then(|tables| tables.remove(&self.table.name));
            keys = left.map(|left| left.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(items);
            }
            self.pause(Duration::from_millis(50 << attempt)).await;
        }
        Err(Error::new(
            Code::Throttled,
            format!(
                "{}: {} items were not read",
                self.table.what("BatchGetItem"),
                keys.len()
            ),
        ))
    }
}

fn key(task: &TaskKey) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(format!("task#{task}"))),
        ("sk".to_owned(), AttributeValue::S("sessions".to_owned())),
    ])
}
