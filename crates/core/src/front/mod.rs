//! The app's own address while its group sleeps: the doors of its load balancer lead to the wake function.
//!
//! A door is what forwards requests to a target group: a rule of a listener, or the listener's default action. While a
//! service with `dormouse:front=on` sleeps, its share of each door's forward goes to the wake function's target group, and
//! its own stays there with weight 0: so the load balancer goes on checking the health of its targets, which it does only
//! for target groups that some action names ("Target groups for your Application Load Balancers",
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html>).

mod condition;
mod door;
mod forward;
mod place;
mod posted;
mod record;
#[cfg(test)]
mod tests;

pub use condition::{Condition, QueryPair, matches_pattern};
pub use door::{Door, DoorChange, DoorId, What};
pub use forward::{Forward, MOST_TARGET_GROUPS, Share};
pub use place::{Asked, Place, Sample};
pub use posted::{Posted, find};
pub use record::{FrontRecord, Led, Stuck};
