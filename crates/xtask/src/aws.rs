//! The few AWS calls that xtask makes itself, to a local stack, as the account's root user, whose signature it does not
//! look at.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::http;

/// The account and Region of every local stack, and the key that it lets in.
pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const REGION: &str = "us-east-1";
pub(crate) const KEY: &str = "test";

/// ECS, spoken to as the AWS SDK does.
pub(crate) struct Ecs<'a> {
    /// Address of fargate-sim.
    pub(crate) endpoint: &'a str,
}

impl Ecs<'_> {
    /// Calls `action`, e.g. `CreateService`.
    pub(crate) fn call(&self, action: &str, input: &Value) -> Result<Value> {
        let target = format!("AmazonEC2ContainerServiceV20141113.{action}");
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target.as_str()),
            ("authorization", &authorization("ecs")),
        ];
        let response = http::send("POST", self.endpoint, &headers, input.to_string().as_bytes())?;
        if response.status != 200 {
            bail!("ECS {action} answered {}: {}", response.status, response.text());
        }
        response.json()
    }
}

/// The outputs of a CloudFormation stack, by name.
pub(crate) fn stack_outputs(endpoint: &str, stack: &str) -> Result<BTreeMap<String, String>> {
    let body = format!("Action=DescribeStacks&Version=2010-05-15&StackName={stack}");
    let xml = query(endpoint, "cloudformation", &body)?;
    outputs_in(&xml).with_context(|| format!("stack {stack}"))
}

/// The names that the resources of a CloudFormation stack have in its template, by their own names.
pub(crate) fn stack_resources(endpoint: &str, stack: &str) -> Result<BTreeMap<String, String>> {
    let body = format!("Action=DescribeStackResources&Version=2010-05-15&StackName={stack}");
    let xml = query(endpoint, "cloudformation", &body)?;
    let resources = resources_in(&xml);
    if resources.is_empty() {
        bail!("stack {stack} has no resources");
    }
    Ok(resources)
}

/// Makes a load balancer; returns its ARN.
pub(crate) fn create_load_balancer(endpoint: &str, name: &str) -> Result<String> {
    let body = format!(
        "Action=CreateLoadBalancer&Version=2015-12-01&Name={name}&Subnets.member.1=subnet-1&Subnets.member.2=subnet-2"
    );
    let xml = query(endpoint, "elasticloadbalancing", &body)?;
    let arn = element(&xml, "LoadBalancerArn").context("the load balancer has no ARN")?;
    Ok(arn.to_owned())
}

/// Makes a target group with a function as its target; returns its ARN.
pub(crate) fn create_function_target_group(endpoint: &str, name: &str, function: &str) -> Result<String> {
    let body = format!("Action=CreateTargetGroup&Version=2015-12-01&Name={name}&TargetType=lambda");
    let xml = query(endpoint, "elasticloadbalancing", &body)?;
    let arn = element(&xml, "TargetGroupArn").context("the target group has no ARN")?;
    let target = format!("Version=2015-12-01&TargetGroupArn={arn}");
    let body = format!(
        "Action=ModifyTargetGroupAttributes&{target}&Attributes.member.1.Key=lambda.multi_value_headers.enabled\
         &Attributes.member.1.Value=true"
    );
    query(endpoint, "elasticloadbalancing", &body)?;
    let body = format!("Action=RegisterTargets&{target}&Targets.member.1.Id={function}");
    query(endpoint, "elasticloadbalancing", &body)?;
    Ok(arn.to_owned())
}

/// Makes a log group.
pub(crate) fn create_log_group(endpoint: &str, name: &str) -> Result<()> {
    let headers = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "Logs_20140328.CreateLogGroup"),
        ("authorization", &authorization("logs")),
    ];
    let input = json!({ "logGroupName": name }).to_string();
    let response = http::send("POST", endpoint, &headers, input.as_bytes())?;
    if response.status != 200 {
        bail!(
            "Logs CreateLogGroup answered {}: {}",
            response.status,
            response.text()
        );
    }
    Ok(())
}

/// A call of the query protocol; returns the XML of its answer.
fn query(endpoint: &str, service: &str, body: &str) -> Result<String> {
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", &authorization(service)),
    ];
    let response = http::send("POST", endpoint, &headers, body.as_bytes())?;
    if response.status != 200 {
        bail!(
            "{service} {body} answered {}: {}",
            response.status,
            response.text()
        );
    }
    Ok(response.text())
}

/// The text of the first element of this name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// Reads `<OutputKey>` and `<OutputValue>` out of DescribeStacks' XML.
fn outputs_in(xml: &str) -> Result<BTreeMap<String, String>> {
    let mut outputs = BTreeMap::new();
    for member in xml.split("<OutputKey>").skip(1) {
        let key = member.split("</OutputKey>").next().unwrap_or_default();
        let value =
            element(member, "OutputValue").with_context(|| format!("the output {key} has no value"))?;
        outputs.insert(key.to_owned(), unescape(value));
    }
    if outputs.is_empty() {
        bail!("it has no outputs");
    }
    Ok(outputs)
}

/// Reads `<PhysicalResourceId>` and `<LogicalResourceId>` out of DescribeStackResources' XML.
fn resources_in(xml: &str) -> BTreeMap<String, String> {
    let members = xml.split("<member>").skip(1);
    let names = members.filter_map(|member| {
        let own = element(member, "PhysicalResourceId")?;
        Some((unescape(own), element(member, "LogicalResourceId")?.to_owned()))
    });
    names.collect()
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// The header that says who calls which service where; the signature in it is none.
fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/20260101/{REGION}/{service}/aws4_request, \
         SignedHeaders=host, Signature=0"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_by_name() {
        let xml = "<Outputs><member><OutputKey>WakeUrl</OutputKey><OutputValue>http://a/?b&amp;c</OutputValue>\
                   </member><member><Description>x</Description><OutputKey>TableName</OutputKey>\
                   <OutputValue>t</OutputValue></member></Outputs>";
        let outputs = outputs_in(xml).expect("reads");
        assert_eq!(outputs["WakeUrl"], "http://a/?b&c");
        assert_eq!(outputs["TableName"], "t");
    }

    #[test]
    fn resources_are_read_by_their_own_names() {
        let xml = "<StackResources><member><LogicalResourceId>WakeRole</LogicalResourceId><PhysicalResourceId>\
                   dormouse-WakeRole-1X</PhysicalResourceId></member><member><LogicalResourceId>Unmade\
                   </LogicalResourceId></member></StackResources>";
        let resources = resources_in(xml);
        assert_eq!(resources.len(), 1);
        assert_eq!(resources["dormouse-WakeRole-1X"], "WakeRole");
    }

    #[test]
    fn a_stack_without_outputs_is_an_error() {
        assert!(outputs_in("<Outputs/>").is_err());
    }
}
