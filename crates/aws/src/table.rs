//! The table: one partition of settings and one of records, so that a wake reads two items at once and a tick
//! reads all groups with two queries. Sessions of tasks, plans of scale-ins, the shared bucket, shared looks, leases
//! and windows are beside them, and so is the why-log.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Put, TransactWriteItem};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::ports::{Saved, Store, Stored};
use dormouse_core::record::Record;
use dormouse_core::settings::GroupSettings;
use dormouse_core::why::Entry;
use futures_util::future::try_join;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::Aws;
use crate::errors::{failed, rejected};
use crate::lazy::Lazy;

const SETTINGS: &str = "settings";
const RECORD: &str = "record";
const DISCOVERY: &str = "discovery";
const TAGS: &str = "tags";

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The table of records and settings.
pub(crate) struct Table {
    pub(crate) client: Lazy<aws_sdk_dynamodb::Client>,
    pub(crate) name: String,
}

impl Table {
    pub(crate) fn new(client: Lazy<aws_sdk_dynamodb::Client>, name: String) -> Self {
        Self { client, name }
    }

    /// The item of a kind and name, as it is after all writes.
    pub(crate) async fn get(&self, kind: &str, name: &str) -> Result<Option<Item>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("pk", text(kind))
            .key("sk", text(name))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| self.failed("GetItem", &error))?;
        Ok(answer.item)
    }

    /// All items of a kind, one after the other: only a page of them is held at a time. They are as they are after all
    /// writes, but settings, which change with tags only, may be those of a moment before: so they cost half as much.
    pub(crate) async fn each(&self, kind: &str, mut take: impl FnMut(Item)) -> Result<(), Error> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :kind")
            .expression_attribute_values(":kind", text(kind))
            .consistent_read(kind != SETTINGS)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            take(item.map_err(|error| self.failed("Query", &error))?);
        }
        Ok(())
    }

    /// The bodies of all items of a kind that can be read, by group.
    async fn bodies<T: DeserializeOwned>(&self, kind: &str) -> Result<BTreeMap<GroupName, T>, Error> {
        let mut bodies = Vec::new();
        self.each(kind, |item| bodies.extend(readable(&item))).await?;
        // Made at once, a map has no half-empty nodes.
        Ok(bodies.into_iter().collect())
    }

    /// A request to put an item of a kind and name; the caller adds what is in it.
    pub(crate) fn put(&self, kind: &str, name: &str) -> PutItemFluentBuilder {
        let request = self.client.put_item().table_name(&self.name);
        request.item("pk", text(kind)).item("sk", text(name))
    }

    /// A request to update the item of a kind and name; the caller says how.
    pub(crate) fn update(&self, kind: &str, name: &str) -> UpdateItemFluentBuilder {
        let request = self.client.update_item().table_name(&self.name);
        request.key("pk", text(kind)).key("sk", text(name))
    }

    /// Removes the item of a kind and name, if there is one.
    pub(crate) async fn delete(&self, kind: &str, name: &str) -> Result<(), Error> {
        let request = self.client.delete_item().table_name(&self.name);
        request
            .key("pk", text(kind))
            .key("sk", text(name))
            .send()
            .await
            .map_err(|error| self.failed("DeleteItem", &error))?;
        Ok(())
    }

    /// Removes the item of a kind and name if it has this body.
    pub(crate) async fn delete_same(
        &self,
        kind: &str,
        name: &str,
        body: AttributeValue,
    ) -> Result<Saved, Error> {
        let request = self.client.delete_item().table_name(&self.name);
        let request = request
            .key("pk", text(kind))
            .key("sk", text(name))
            .condition_expression("attribute_not_exists(pk) OR #body = :body")
            .expression_attribute_names("#body", "body")
            .expression_attribute_values(":body", body);
        self.saved("DeleteItem", request.send().await)
    }

    /// Puts an item over the version that was loaded (0: none), as the next version.
    pub(crate) async fn put_over(&self, loaded: u64, request: PutItemFluentBuilder) -> Result<Saved, Error> {
        self.saved("PutItem", over(loaded, request).send().await)
    }

    /// The same, together with another item: both or neither. A transaction writes at twice the price, so what comes
    /// alone is put alone.
    pub(crate) async fn put_both(
        &self,
        loaded: u64,
        request: PutItemFluentBuilder,
        other: PutItemFluentBuilder,
    ) -> Result<Saved, Error> {
        let items = [as_transaction(&over(loaded, request))?, as_transaction(&other)?];
        let both = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items.into()));
        let result = both.send().await;
        if let Err(error) = &result
            && let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
                error.as_service_error()
        {
            return self.cancelled(cancelled.cancellation_reasons());
        }
        self.saved("TransactWriteItems", result)
    }

    /// Why a transaction was cancelled, by the reasons of its items in their order. That somebody else writes the same
    /// item right now is how a race is lost, too (Amazon DynamoDB API reference, TransactWriteItems).
    fn cancelled(&self, reasons: &[CancellationReason]) -> Result<Saved, Error> {
        let codes = || reasons.iter().filter_map(CancellationReason::code);
        if codes().any(|code| matches!(code, "ConditionalCheckFailed" | "TransactionConflict")) {
            return Ok(Saved::Conflict);
        }
        let failed = reasons.iter().find(|reason| reason.code() != Some("None"));
        let code = failed.and_then(CancellationReason::code).unwrap_or("cancelled");
        let message = failed.and_then(CancellationReason::message);
        let ours = match code {
            "ThrottlingError" | "ProvisionedThroughputExceeded" => Code::Throttled,
            "ValidationError" | "ItemCollectionSizeLimitExceeded" => Code::Rejected,
            _ => Code::Unavailable,
        };
        let what = self.what("TransactWriteItems");
        let message = format!("{what}: {code}: {}", message.unwrap_or("no message"));
        Err(Error::new(ours, message))
    }

    /// How a conditional write ended.
    pub(crate) fn saved<T, E>(
        &self,
        operation: &str,
        result: Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<Saved, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        match result {
            Ok(_) => Ok(Saved::Yes),
            Err(error)
                if matches!(
                    error.code(),
                    // The second: a transaction writes it right now.
                    Some("ConditionalCheckFailedException" | "TransactionConflictException")
                ) =>
            {
                Ok(Saved::Conflict)
            }
            Err(error) => Err(self.failed(operation, &error)),
        }
    }

    /// The error of a call on the table. Other services say ResourceNotFoundException of other things.
    pub(crate) fn failed<E>(&self, operation: &str, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let ours = failed(&self.what(operation), error);
        match error.code() {
            Some("ResourceNotFoundException") => Error::new(Code::TableNotFound, ours.message),
            _ => ours,
        }
    }

    pub(crate) fn what(&self, operation: &str) -> String {
        format!("{operation} on table `{}`", self.name)
    }
}

impl Store for Aws {
    async fn load(&self, group: &GroupName) -> Result<Stored, Error> {
        let (settings, record) = try_join(
            self.table.get(SETTINGS, group.as_str()),
            self.table.get(RECORD, group.as_str()),
        )
        .await?;
        let owner = format!("group `{group}`");
        Ok(Stored {
            settings: settings.as_ref().map(|item| body(item, &owner)).transpose()?,
            record: record.as_ref().map(|item| body(item, &owner)).transpose()?,
        })
    }

    /// One unreadable item does not hide the others: it is logged and left out.
    async fn load_all(&self) -> Result<BTreeMap<GroupName, Stored>, Error> {
        let (settings, mut records) =
            try_join(self.table.bodies(SETTINGS), self.table.bodies(RECORD)).await?;
        let known = settings.into_iter().map(|(group, settings)| {
            let record = records.remove(&group);
            let settings = Some(settings);
            (group, Stored { settings, record })
        });
        let mut groups: BTreeMap<GroupName, Stored> = known.collect();
        groups.extend(records.into_iter().map(|(group, record)| {
            let record = Some(record);
            (
                group,
                Stored {
                    settings: None,
                    record,
                },
            )
        }));
        Ok(groups)
    }

    async fn save_record(
        &self,
        group: &GroupName,
        record: &Record,
        why: Option<&Entry>,
    ) -> Result<Saved, Error> {
        let mut next = record.clone();
        next.version = record.version + 1;
        let request = self
            .table
            .put(RECORD, group.as_str())
            .item("body", json(&next)?)
            .item("phase", text(record.phase.as_str()));
        match why {
            None => self.table.put_over(record.version, request).await,
            Some(entry) => {
                let entry = self.entry(entry, next.version)?;
                self.table.put_both(record.version, request, entry).await
            }
        }
    }

    async fn save_settings(&self, settings: &GroupSettings) -> Result<(), Error> {
        self.table
            .put(SETTINGS, settings.name.as_str())
            .item("body", json(settings)?)
            .send()
            .await
            .map_err(|error| self.table.failed("PutItem", &error))?;
        Ok(())
    }

    async fn remove_settings(&self, group: &GroupName) -> Result<(), Error> {
        self.table.delete(SETTINGS, group.as_str()).await
    }

    async fn discovered_at(&self) -> Result<Option<Timestamp>, Error> {
        let item = self.table.get(DISCOVERY, TAGS).await?;
        item.map(|item| body(&item, "the moment of the last discovery"))
            .transpose()
    }

    async fn save_discovered_at(&self, at: Timestamp) -> Result<(), Error> {
        let request = self.table.put(DISCOVERY, TAGS).item("body", json(&at)?);
        request
            .send()
            .await
            .map_err(|error| self.table.failed("PutItem", &error))?;
        Ok(())
    }
}

/// A request to put an item, if the stored one is that of the version that was loaded (0: none), as the next version.
fn over(loaded: u64, request: PutItemFluentBuilder) -> PutItemFluentBuilder {
    let number = |n: u64| AttributeValue::N(n.to_string());
    let request = request.item("version", number(loaded + 1));
    if loaded == 0 {
        request.condition_expression("attribute_not_exists(pk)")
    } else {
        request
            .condition_expression("#version = :loaded")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":loaded", number(loaded))
    }
}

/// The same put as a part of a transaction.
fn as_transaction(request: &PutItemFluentBuilder) -> Result<TransactWriteItem, Error> {
    let put = Put::builder()
        .set_table_name(request.get_table_name().clone())
        .set_item(request.get_item().clone())
        .set_condition_expression(request.get_condition_expression().clone())
        .set_expression_attribute_names(request.get_expression_attribute_names().clone())
        .set_expression_attribute_values(request.get_expression_attribute_values().clone())
        .build()
        .map_err(|error| rejected("TransactWriteItems", &error))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// A moment in whole milliseconds: what is compared must be what was written.
pub(crate) fn millis(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millisecond().to_string())
}

/// A value as the body of an item.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<AttributeValue, Error> {
    let body = serde_json::to_string(value).map_err(|error| {
        Error::new(
            Code::CorruptRecord,
            format!("a record cannot be written: {error}"),
        )
    })?;
    Ok(AttributeValue::S(body))
}

/// The value in the body of an item; `owner` names whose it is.
pub(crate) fn body<T: serde::de::DeserializeOwned>(item: &Item, owner: &str) -> Result<T, Error> {
    let body = item
        .get("body")
        .and_then(|value| value.as_s().ok())
        .map_or("", String::as_str);
    serde_json::from_str(body).map_err(|error| {
        Error::new(
            Code::CorruptRecord,
            format!("the stored item of {owner} cannot be read: {error}"),
        )
    })
}

fn readable<T: DeserializeOwned>(item: &Item) -> Option<(GroupName, T)> {
    let name = item
        .get("sk")
        .and_then(|value| value.as_s().ok())
        .map_or("", String::as_str);
    let group = GroupName::parse(name).ok()?;
    match body(item, &format!("group `{group}`")) {
        Ok(value) => Some((group, value)),
        Err(error) => {
            tracing::error!(%group, code = %error.code, "{}", error.message);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config};

    use super::*;

    fn table() -> Table {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .build();
        let make = || aws_sdk_dynamodb::Client::from_conf(config);
        Table::new(Lazy::new(Box::new(make)), "the-table".to_owned())
    }

    fn cancelled(codes: [&str; 2]) -> Result<Saved, Error> {
        let reason = |code: &str| CancellationReason::builder().code(code).message("why").build();
        table().cancelled(&codes.map(reason))
    }

    #[test]
    fn a_transaction_that_others_were_faster_than_is_a_lost_race() {
        assert_eq!(cancelled(["ConditionalCheckFailed", "None"]), Ok(Saved::Conflict));
        assert_eq!(cancelled(["TransactionConflict", "None"]), Ok(Saved::Conflict));
    }

    #[test]
    fn a_transaction_that_fails_otherwise_is_tried_again_unless_it_is_at_fault_itself() {
        for (codes, ours) in [
            (["ThrottlingError", "None"], Code::Throttled),
            (["None", "ProvisionedThroughputExceeded"], Code::Throttled),
            (["None", "SomethingNew"], Code::Unavailable),
            (["None", "ValidationError"], Code::Rejected),
        ] {
            let error = cancelled(codes).expect_err("an error");
            assert_eq!(error.code, ours, "{codes:?}");
            assert!(
                error
                    .message
                    .starts_with("TransactWriteItems on table `the-table`: "),
                "{error}"
            );
        }
    }

    #[test]
    fn a_put_is_the_same_alone_and_in_a_transaction() {
        let put = over(4, table().put("record", "dev").item("body", text("{}")));
        let both = as_transaction(&put).expect("an item");
        let put = both.put().expect("a put");
        let attribute = |name: &str| put.item().get(name).cloned();
        assert_eq!(put.table_name(), "the-table");
        assert_eq!(attribute("pk"), Some(text("record")));
        assert_eq!(attribute("version"), Some(AttributeValue::N("5".to_owned())));
        assert_eq!(put.condition_expression(), Some("#version = :loaded"));
        let loaded = put
            .expression_attribute_values()
            .and_then(|values| values.get(":loaded"));
        assert_eq!(loaded, Some(&AttributeValue::N("4".to_owned())));
        assert!(
            put.expression_attribute_names()
                .is_some_and(|names| names.contains_key("#version"))
        );
    }
}
