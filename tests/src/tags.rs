//! Tags that change while a service lives.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::Tag;

use crate::stack::Stack;

impl Stack {
    /// Gives a service a tag of Dormouse, or another value of one that it has.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn tag(&self, cluster: &str, service: &str, name: &str, value: &str) {
        let (ecs, arn) = self.found(cluster, service).await;
        let tag = Tag::builder()
            .key(format!("dormouse:{name}"))
            .value(value)
            .build();
        let tagged = ecs.tag_resource().resource_arn(arn).tags(tag).send().await;
        tagged.expect("tagged");
    }

    /// Takes a tag of Dormouse away from a service.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn untag(&self, cluster: &str, service: &str, name: &str) {
        let (ecs, arn) = self.found(cluster, service).await;
        let call = ecs.untag_resource().resource_arn(arn);
        let untagged = call.tag_keys(format!("dormouse:{name}")).send().await;
        untagged.expect("untagged");
    }

    async fn found(&self, cluster: &str, service: &str) -> (Client, String) {
        let ecs = Client::new(&self.sdk("AWS_ENDPOINT_URL_ECS").await);
        let described = ecs.describe_services().cluster(cluster).services(service).send();
        let described = described.await.expect("the service");
        let arn = described.services()[0].service_arn().expect("an ARN");
        (ecs, arn.to_owned())
    }
}
