//! Plans of scale-ins in the table, one item for each service.

use dormouse_core::error::Error;
use dormouse_core::ids::ServiceId;
use dormouse_core::ports::{Plans, Saved};
use dormouse_core::scale_in::plan::Plan;

use crate::Aws;
use crate::table::{body, json};

const SCALE_IN: &str = "scale-in";

impl Plans for Aws {
    async fn plan(&self, service: &ServiceId) -> Result<Option<Plan>, Error> {
        let item = self.table.get(SCALE_IN, &service.to_string()).await?;
        let plan = item.map(|item| body(&item, &format!("service `{service}`")));
        plan.transpose()
    }

    async fn save_plan(&self, service: &ServiceId, plan: &Plan) -> Result<Saved, Error> {
        let next = Plan {
            version: plan.version + 1,
            ..plan.clone()
        };
        let request = self.table.put(SCALE_IN, &service.to_string());
        self.table
            .put_over(plan.version, request.item("body", json(&next)?))
            .await
    }

    async fn remove_plan(&self, service: &ServiceId, plan: &Plan) -> Result<Saved, Error> {
        self.table
            .delete_same(SCALE_IN, &service.to_string(), json(plan)?)
            .await
    }
}
