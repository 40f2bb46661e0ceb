//! Resource Groups Tagging API: GetResources over ECS services.

use serde::Deserialize;
use serde_json::{Value, json};

use super::endpoint::unknown;
use crate::model::{ApiError, Service, ServiceStatus, World, page};

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct GetResources {
    tag_filters: Vec<TagFilter>,
    resource_type_filters: Vec<String>,
    resources_per_page: Option<i64>,
    pagination_token: Option<String>,
    #[serde(rename = "ResourceARNList")]
    resource_arn_list: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagFilter {
    key: String,
    #[serde(default)]
    values: Vec<String>,
}

impl TagFilter {
    fn takes(&self, service: &Service) -> bool {
        let value_fits = |value: &String| self.values.is_empty() || self.values.contains(value);
        service
            .tags
            .iter()
            .any(|t| t.key == self.key && value_fits(&t.value))
    }
}

/// GetResources ("GetResources" in the API reference): filters are joined by and, the values of one by or; 100
/// resources a page unless asked otherwise; untagged resources are not listed.
pub(crate) fn perform(world: &World, operation: &str, input: &Value) -> Result<Value, ApiError> {
    if operation != "GetResources" {
        return Err(unknown(operation));
    }
    let invalid = |text: String| ApiError::new("InvalidParameterException", text);
    let input = GetResources::deserialize(input).map_err(|e| invalid(e.to_string()))?;
    let size = input.resources_per_page.unwrap_or(100);
    if !(1..=100).contains(&size) {
        return Err(invalid(format!(
            "ResourcesPerPage {size} must be between 1 and 100"
        )));
    }
    let kinds = &input.resource_type_filters;
    let services_wanted = kinds.is_empty() || kinds.iter().any(|k| k == "ecs" || k == "ecs:service");
    let mut found: Vec<&Service> = world
        .services()
        .filter(|s| services_wanted && s.status != ServiceStatus::Inactive && !s.tags.is_empty())
        .filter(|s| input.tag_filters.iter().all(|f| f.takes(s)))
        .filter(|s| input.resource_arn_list.is_empty() || input.resource_arn_list.contains(&s.arn))
        .collect();
    found.sort_by(|a, b| a.arn.cmp(&b.arn));
    let found = page(
        found,
        |s| s.arn.clone(),
        input.pagination_token.as_deref(),
        size as usize,
    )
    .map_err(|_| {
        ApiError::new(
            "PaginationTokenExpiredException",
            "The pagination token is not valid.",
        )
    })?;
    let mapping = |s: &&Service| {
        let tags: Vec<Value> = s
            .tags
            .iter()
            .map(|t| json!({"Key": t.key, "Value": t.value}))
            .collect();
        json!({"ResourceARN": s.arn, "Tags": tags})
    };
    Ok(json!({
        "PaginationToken": found.next.unwrap_or_default(),
        "ResourceTagMappingList": found.items.iter().map(mapping).collect::<Vec<_>>(),
    }))
}
