//! Functions that can be put into a VPC: the template's three halves of it belong together.

use serde_json::Value;

/// What Lambda needs to put a function into a VPC, and nothing else.
const POLICY: &str = "AWSLambdaENIManagementAccess";

/// Functions that would be in a VPC and not know it, or know it and not be there, or not be allowed to.
pub(crate) fn problems<'a>(
    template: &'a Value,
    functions: impl Iterator<Item = (&'a str, &'a Value)>,
) -> Vec<String> {
    let halves = functions.filter_map(|(name, function)| {
        let properties = &function["Properties"];
        let is_there = mentions(&properties["VpcConfig"], "SubnetIds");
        let knows = !properties["Environment"]["Variables"]["IN_VPC"].is_null();
        let role = properties["Role"]["Fn::GetAtt"][0].as_str().unwrap_or_default();
        let may = mentions(
            &template["Resources"][role]["Properties"]["ManagedPolicyArns"],
            POLICY,
        );
        let all = [is_there, knows, may];
        (all != [false; 3] && all != [true; 3]).then(|| {
            format!("template.yaml: {name} must have all or none of VpcConfig ({is_there}), IN_VPC ({knows}) and {POLICY} ({may})")
        })
    });
    halves.collect()
}

fn mentions(value: &Value, word: &str) -> bool {
    value.to_string().contains(word)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_function_in_a_vpc_knows_it_and_may_be_there() {
        let function = |vpc: Value, variables: Value| {
            json!({ "Properties": {
                "Role": { "Fn::GetAtt": ["Role", "Arn"] }, "VpcConfig": vpc, "Environment": { "Variables": variables },
            }})
        };
        let role = |policies: Value| json!({ "Resources": { "Role": { "Properties": { "ManagedPolicyArns": policies } } } });
        let vpc = json!({ "Fn::If": ["HasSubnets", { "SubnetIds": [] }, { "Ref": "AWS::NoValue" }] });
        let policies = json!([{ "Fn::Sub": format!("arn:aws:iam::aws:policy/service-role/{POLICY}") }]);
        let count =
            |template: &Value, function: &Value| problems(template, [("F", function)].into_iter()).len();
        let (whole, nothing) = (
            function(vpc.clone(), json!({ "IN_VPC": "x" })),
            function(json!(null), json!({})),
        );
        assert_eq!(count(&role(policies.clone()), &whole), 0);
        assert_eq!(count(&role(json!([])), &nothing), 0);
        assert_eq!(count(&role(json!([])), &whole), 1, "its role lacks the policy");
        assert_eq!(
            count(&role(policies.clone()), &function(vpc, json!({}))),
            1,
            "it does not know"
        );
        assert_eq!(count(&role(policies), &nothing), 1, "a policy for nothing");
    }
}
