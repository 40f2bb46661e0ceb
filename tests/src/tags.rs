//! Tags that change while a service lives.

use aws_sdk_ecs::types::Tag;

use crate::stack::Stack;

impl Stack {
    /// Gives a service a tag of Dormouse, or another value of one that it has.
    ///
    /// # Panics
    /// If the stack refuses.
    pub async fn tag(&self, cluster: &str, service: &str, name: &str, value: &str) {
        let ecs = aws_sdk_ecs::Client::new(&self.sdk("AWS_ENDPOINT_URL_ECS").await);
        let described = ecs.describe_services().cluster(cluster).services(service).send();
        let described = described.await.expect("the service");
        let arn = described.services()[0].service_arn().expect("an ARN");
        let tag = Tag::builder()
            .key(format!("dormouse:{name}"))
            .value(value)
            .build();
        let tagged = ecs.tag_resource().resource_arn(arn).tags(tag).send().await;
        tagged.expect("tagged");
    }
}
