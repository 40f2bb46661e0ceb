//! Scalable targets of Application Auto Scaling.

use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalableTarget, ServiceNamespace, SuspendedState,
};

use crate::stack::Stack;

const DIMENSION: ScalableDimension = ScalableDimension::EcsServiceDesiredCount;

impl Stack {
    /// Lets Application Auto Scaling scale a service between two counts, with this suspended. The simulator takes it that
    /// its policies bring the count within them as soon as it leaves them.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn scale_by_policy(&self, service: &str, min: i32, max: i32, suspended: SuspendedState) {
        let call = self.autoscaling().await.register_scalable_target();
        call.service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(DIMENSION)
            .resource_id(format!("service/{service}"))
            .min_capacity(min)
            .max_capacity(max)
            .suspended_state(suspended)
            .send()
            .await
            .expect("a scalable target");
    }

    /// The scalable target of a service, `cluster/name`.
    ///
    /// # Panics
    /// If it has none.
    pub async fn scalable_target(&self, service: &str) -> ScalableTarget {
        let call = self.autoscaling().await.describe_scalable_targets();
        let found = call
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(DIMENSION)
            .resource_ids(format!("service/{service}"))
            .send()
            .await
            .expect("scalable targets");
        let target = found.scalable_targets().first().cloned();
        target.unwrap_or_else(|| panic!("{service} has no scalable target"))
    }

    async fn autoscaling(&self) -> aws_sdk_applicationautoscaling::Client {
        let endpoint = "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING";
        aws_sdk_applicationautoscaling::Client::new(&self.sdk(endpoint).await)
    }
}
