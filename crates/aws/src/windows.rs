//! What is remembered of connections, in the table: one item for all services of a shard.

use std::collections::BTreeMap;

use dormouse_core::error::Error;
use dormouse_core::ids::ServiceId;
use dormouse_core::ports::Windows;
use dormouse_core::scaling::connections::window::Window;

use crate::Aws;
use crate::table::{body, json};

const WINDOWS: &str = "windows";

impl Windows for Aws {
    async fn windows(&self, name: &str) -> Result<BTreeMap<ServiceId, Window>, Error> {
        let item = self.table.get(WINDOWS, name).await?;
        item.map_or(Ok(BTreeMap::new()), |item| {
            body(&item, &format!("windows of `{name}`"))
        })
    }

    async fn save_windows(&self, name: &str, windows: &BTreeMap<ServiceId, Window>) -> Result<(), Error> {
        let request = self.table.put(WINDOWS, name).item("body", json(windows)?);
        let saved = request.send().await;
        saved.map_err(|error| self.table.failed("PutItem", &error))?;
        Ok(())
    }
}
