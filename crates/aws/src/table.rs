//! The table: one partition of settings and one of records, so that a wake reads two items at once and a tick
//! reads all groups with two queries.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::GroupName;
use dormouse_core::ports::{Saved, Store, Stored};
use dormouse_core::record::Record;
use dormouse_core::settings::GroupSettings;
use futures_util::future::try_join;

use crate::Aws;
use crate::errors::failed;

const SETTINGS: &str = "settings";
const RECORD: &str = "record";

type Item = HashMap<String, AttributeValue>;

/// The table of records and settings.
pub(crate) struct Table {
    pub(crate) client: aws_sdk_dynamodb::Client,
    pub(crate) name: String,
}

impl Table {
    pub(crate) fn new(client: aws_sdk_dynamodb::Client, name: String) -> Self {
        Self { client, name }
    }

    async fn get(&self, kind: &str, group: &GroupName) -> Result<Option<Item>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("pk", text(kind))
            .key("sk", text(group.as_str()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(&self.what("GetItem"), &error))?;
        Ok(answer.item)
    }

    async fn all(&self, kind: &str) -> Result<Vec<Item>, Error> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :kind")
            .expression_attribute_values(":kind", text(kind))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.map_err(|error| failed(&self.what("Query"), &error))?);
        }
        Ok(items)
    }

    /// Puts an item over the version that was loaded (0: none), as the next version.
    pub(crate) async fn put_over(&self, loaded: u64, request: PutItemFluentBuilder) -> Result<Saved, Error> {
        let number = |n: u64| AttributeValue::N(n.to_string());
        let request = request.item("version", number(loaded + 1));
        let request = if loaded == 0 {
            request.condition_expression("attribute_not_exists(pk)")
        } else {
            request
                .condition_expression("#version = :loaded")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":loaded", number(loaded))
        };
        match request.send().await {
            Ok(_) => Ok(Saved::Yes),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Ok(Saved::Conflict)
            }
            Err(error) => Err(failed(&self.what("PutItem"), &error)),
        }
    }

    pub(crate) fn what(&self, operation: &str) -> String {
        format!("{operation} on table `{}`", self.name)
    }
}

impl Store for Aws {
    async fn load(&self, group: &GroupName) -> Result<Stored, Error> {
        let (settings, record) =
            try_join(self.table.get(SETTINGS, group), self.table.get(RECORD, group)).await?;
        Ok(Stored {
            settings: settings.as_ref().map(|item| body(item, group)).transpose()?,
            record: record.as_ref().map(|item| body(item, group)).transpose()?,
        })
    }

    /// One unreadable item does not hide the others: it is logged and left out.
    async fn load_all(&self) -> Result<BTreeMap<GroupName, Stored>, Error> {
        let (settings, records) = try_join(self.table.all(SETTINGS), self.table.all(RECORD)).await?;
        let mut groups: BTreeMap<GroupName, Stored> = BTreeMap::new();
        for item in &settings {
            if let Some((group, settings)) = readable(item) {
                groups.entry(group).or_default().settings = Some(settings);
            }
        }
        for item in &records {
            if let Some((group, record)) = readable(item) {
                groups.entry(group).or_default().record = Some(record);
            }
        }
        Ok(groups)
    }

    async fn save_record(&self, group: &GroupName, record: &Record) -> Result<Saved, Error> {
        let mut next = record.clone();
        next.version = record.version + 1;
        let request = self
            .table
            .client
            .put_item()
            .table_name(&self.table.name)
            .item("pk", text(RECORD))
            .item("sk", text(group.as_str()))
            .item("body", json(&next)?)
            .item("phase", text(record.phase.as_str()));
        self.table.put_over(record.version, request).await
    }

    async fn save_settings(&self, settings: &GroupSettings) -> Result<(), Error> {
        let request = self.table.client.put_item().table_name(&self.table.name);
        request
            .item("pk", text(SETTINGS))
            .item("sk", text(settings.name.as_str()))
            .item("body", json(settings)?)
            .send()
            .await
            .map_err(|error| failed(&self.table.what("PutItem"), &error))?;
        Ok(())
    }

    async fn remove_settings(&self, group: &GroupName) -> Result<(), Error> {
        let request = self.table.client.delete_item().table_name(&self.table.name);
        request
            .key("pk", text(SETTINGS))
            .key("sk", text(group.as_str()))
            .send()
            .await
            .map_err(|error| failed(&self.table.what("DeleteItem"), &error))?;
        Ok(())
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn json<T: serde::Serialize>(value: &T) -> Result<AttributeValue, Error> {
    let body = serde_json::to_string(value).map_err(|error| {
        Error::new(
            Code::CorruptRecord,
            format!("a record cannot be written: {error}"),
        )
    })?;
    Ok(AttributeValue::S(body))
}

fn body<T: serde::de::DeserializeOwned>(item: &Item, group: &GroupName) -> Result<T, Error> {
    let body = item
        .get("body")
        .and_then(|value| value.as_s().ok())
        .map_or("", String::as_str);
    serde_json::from_str(body).map_err(|error| {
        Error::new(
            Code::CorruptRecord,
            format!("the stored item of group `{group}` cannot be read: {error}"),
        )
    })
}

fn readable<T: serde::de::DeserializeOwned>(item: &Item) -> Option<(GroupName, T)> {
    let name = item
        .get("sk")
        .and_then(|value| value.as_s().ok())
        .map_or("", String::as_str);
    let group = GroupName::parse(name).ok()?;
    match body(item, &group) {
        Ok(value) => Some((group, value)),
        Err(error) => {
            tracing::error!(%group, code = %error.code, "{}", error.message);
            None
        }
    }
}
