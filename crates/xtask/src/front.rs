//! What the template's other ways to wake watch on a local stack: a load balancer and a log group; and the target group by
//! which load balancers lead to the wake function.

use anyhow::Result;

use crate::aws::{self, ACCOUNT, REGION};
use crate::deploy::STACK;

/// Name of the load balancer whose 503s wake.
pub(crate) const LOAD_BALANCER: &str = "front";
/// Name of the log group whose lines wake.
pub(crate) const LOG_GROUP: &str = "/ecs/front";
/// The text that these lines contain.
pub(crate) const LOG_PATTERN: &str = "/api/";

/// Name of the wake function's target group.
const TARGET_GROUP: &str = "dormouse-wake";

/// Makes them; returns the parameters by which the template knows them.
///
/// The stack's CloudFormation would make the template's own target group in its own Elastic Load Balancing, which no load
/// balancer here knows. So one is made where load balancers are, as for a second load balancer.
pub(crate) fn create(stack: &str, sim: &str) -> Result<Vec<String>> {
    let balancer = aws::create_load_balancer(sim, LOAD_BALANCER)?;
    aws::create_log_group(stack, LOG_GROUP)?;
    let function = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{STACK}-wake");
    let target_group = aws::create_function_target_group(sim, TARGET_GROUP, &function)?;
    Ok(vec![
        "Front=off".to_owned(),
        format!("FrontTargetGroups={target_group}"),
        format!("LoadBalancer={balancer}"),
        format!("LogGroup={LOG_GROUP}"),
        format!("LogPattern={LOG_PATTERN}"),
    ])
}
