//! What the template's other ways to wake watch on a local stack: a load balancer and a log group.

use anyhow::Result;

use crate::aws;

/// Name of the load balancer whose 503s wake.
pub(crate) const LOAD_BALANCER: &str = "front";
/// Name of the log group whose lines wake.
pub(crate) const LOG_GROUP: &str = "/ecs/front";
/// The text that these lines contain.
pub(crate) const LOG_PATTERN: &str = "/api/";

/// Makes both; returns the parameters with which the template watches them.
pub(crate) fn create(stack: &str, sim: &str) -> Result<Vec<String>> {
    let balancer = aws::create_load_balancer(sim, LOAD_BALANCER)?;
    aws::create_log_group(stack, LOG_GROUP)?;
    Ok(vec![
        format!("LoadBalancer={balancer}"),
        format!("LogGroup={LOG_GROUP}"),
        format!("LogPattern={LOG_PATTERN}"),
    ])
}
