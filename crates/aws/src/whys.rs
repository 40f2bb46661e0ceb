//! The why-log in the table: a partition for each group, sorted by time.

use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use dormouse_core::error::Error;
use dormouse_core::ids::GroupName;
use dormouse_core::ports::{Clock, Whys};
use dormouse_core::why::{Cursor, Entry, Page, Row};

use crate::Aws;
use crate::table::{Item, body, json, text};

impl Whys for Aws {
    /// An entry that cannot be read hides no other: it is logged and left out. What the table has not deleted yet though
    /// its time is over lies outside of the range that is asked for.
    async fn why(&self, group: &GroupName, before: Option<&Cursor>, limit: usize) -> Result<Page, Error> {
        let Some((oldest, end)) = Cursor::range(before, self.now()) else {
            return Ok(Page::of(Vec::new(), limit));
        };
        // BETWEEN includes its ends, and a page more than it holds.
        let wanted = i32::try_from(limit + 2).unwrap_or(i32::MAX);
        let mut items = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .key_condition_expression("pk = :log AND sk BETWEEN :oldest AND :end")
            .expression_attribute_values(":log", text(&log(group)))
            .expression_attribute_values(":oldest", text(&oldest))
            .expression_attribute_values(":end", text(&end))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(wanted)
            .into_paginator()
            .items()
            .send();
        let mut rows = Vec::new();
        while rows.len() <= limit
            && let Some(item) = items.next().await
        {
            let item = item.map_err(|error| self.table.failed("Query", &error))?;
            rows.extend(row(group, &item).filter(|row| row.key < end));
        }
        Ok(Page::of(rows, limit))
    }

    async fn add_why(&self, entry: &Entry) -> Result<(), Error> {
        let put = self.entry(entry, 0)?;
        put.send()
            .await
            .map_err(|error| self.table.failed("PutItem", &error))?;
        Ok(())
    }
}

impl Aws {
    /// A request to put an entry that comes with this version of the record.
    pub(crate) fn entry(&self, entry: &Entry, version: u64) -> Result<PutItemFluentBuilder, Error> {
        let delete_at = entry.delete_at().as_second().to_string();
        let put = self.table.put(&log(&entry.group), &entry.key(version));
        Ok(put
            .item("body", json(entry)?)
            .item("delete_at", AttributeValue::N(delete_at)))
    }
}

/// The partition of a group's log.
fn log(group: &GroupName) -> String {
    format!("why#{group}")
}

fn row(group: &GroupName, item: &Item) -> Option<Row> {
    let key = item.get("sk")?.as_s().ok()?.clone();
    match body(item, &format!("the why-log of group `{group}`")) {
        Ok(entry) => Some(Row { key, entry }),
        Err(error) => {
            tracing::error!(%group, code = %error.code, "{}", error.message);
            None
        }
    }
}
