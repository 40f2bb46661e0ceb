//! Services that opted in, found by their group tag.

use aws_sdk_resourcegroupstagging::types::TagFilter;
use dormouse_core::error::{Code, Error};
use dormouse_core::ids::ServiceId;
use dormouse_core::ports::Discovery;
use dormouse_core::tags::{GROUP, TaggedService};

use crate::Aws;
use crate::errors::failed;

impl Discovery for Aws {
    async fn tagged(&self) -> Result<Vec<TaggedService>, Error> {
        self.services(Some(TagFilter::builder().key(GROUP).build())).await
    }
}

impl Aws {
    /// All services that have a tag, whoever set it: among them those whose group tag was forgotten or mistyped.
    ///
    /// # Errors
    /// Those of GetResources.
    pub async fn services_with_tags(&self) -> Result<Vec<TaggedService>, Error> {
        self.services(None).await
    }

    async fn services(&self, filter: Option<TagFilter>) -> Result<Vec<TaggedService>, Error> {
        let mut pages = self
            .tagging
            .get_resources()
            .set_tag_filters(filter.map(|filter| vec![filter]))
            .resource_type_filters("ecs:service")
            .resources_per_page(100)
            .into_paginator()
            .send();
        let mut services = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed("GetResources", &error))?;
            for resource in page.resource_tag_mapping_list() {
                let arn = resource.resource_arn().unwrap_or_default();
                let Ok(id) = ServiceId::parse(arn) else {
                    // Services from before long ARNs name no cluster, so no call could address them.
                    tracing::warn!(arn, code = %Code::Rejected, "a tagged service has an ARN without its cluster");
                    continue;
                };
                let tags = resource
                    .tags()
                    .iter()
                    .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
                    .collect();
                services.push(TaggedService { id, tags });
            }
        }
        Ok(services)
    }
}
