//! Service events: what the scheduler tells people, in its own words.
//!
//! Texts: "Viewing Amazon ECS service event messages" and "Amazon ECS service event messages"
//! (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html>).

use super::ids::Ids;
use super::service::Service;
use super::time::Millis;

/// One entry of a service's `events`.
#[derive(Clone, Debug)]
pub struct ServiceEvent {
    /// A UUID.
    pub id: String,
    /// When.
    pub at: Millis,
    /// The text.
    pub message: String,
}

impl Service {
    /// Adds an event, newest first; the list holds 100.
    pub(crate) fn say(&mut self, ids: &mut Ids, at: Millis, text: &str) {
        let message = format!("(service {}) {text}", self.key.name);
        self.events.push_front(ServiceEvent {
            id: ids.uuid(),
            at,
            message,
        });
        self.events.truncate(100);
    }
}

/// `(task a) (task b)`.
pub(crate) fn task_list<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    ids.into_iter()
        .map(|id| format!("(task {id})"))
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) const NO_CAPACITY: &str = "was unable to place a task. Reason: Capacity is unavailable at this time. \
    Please try again later or in a different availability zone. For more information, see the Troubleshooting \
    section of the Amazon ECS Developer Guide.";

pub(crate) const CANNOT_START: &str = "is unable to consistently start tasks successfully. For more information, \
    see the Troubleshooting section of the Amazon ECS Developer Guide.";

pub(crate) const STEADY: &str = "has reached a steady state.";
