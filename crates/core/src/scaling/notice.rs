//! What people are told of a change, once.

use jiff::Timestamp;
use serde::Serialize;

use super::connections::reading::Sample;
use super::reason::Reason;
use super::record::Change;
use crate::ids::{GroupName, ServiceId};

/// A message to everybody who subscribed to the notification topic: a subject for people and JSON for machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// One line; for the subject of an e-mail.
    #[serde(skip)]
    pub subject: String,
    /// `scaled-out` or `scaled-in`.
    pub event: &'static str,
    /// The group.
    pub group: GroupName,
    /// The service.
    pub service: ServiceId,
    /// When it was decided. Two notices of one service with the same moment are the same one, delivered twice.
    pub at: Timestamp,
    /// The desired count before.
    pub from: u32,
    /// The desired count after.
    pub to: u32,
    /// Why, with its numbers.
    pub reason: Reason,
    /// Why, as a sentence.
    pub message: String,
    /// The reading of connections that it was decided on, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<Sample>,
}

/// Subjects of SNS are at most this long (Amazon SNS API reference, Publish, `Subject`: fewer than 100 characters).
const LONGEST_SUBJECT: usize = 99;

impl Notice {
    /// The notice of a change.
    #[must_use]
    pub fn of(group: &GroupName, service: &ServiceId, change: &Change) -> Self {
        let Change {
            at,
            from,
            to,
            reason,
            reading,
        } = change.clone();
        let event = if to > from { "scaled-out" } else { "scaled-in" };
        let numbers = format!("{from} -> {to}: ");
        let room = LONGEST_SUBJECT - numbers.len();
        let name = service.to_string();
        let name: String = if name.len() <= room {
            name
        } else {
            name.chars().skip(name.chars().count() - room).collect()
        };
        Self {
            subject: format!("{numbers}{name}"),
            event,
            group: group.clone(),
            service: service.clone(),
            at,
            from,
            to,
            message: reason.to_string(),
            reason,
            reading,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_says_what_changed_and_why_to_people_and_machines() {
        let change = Change {
            at: Timestamp::UNIX_EPOCH,
            from: 2,
            to: 4,
            reason: Reason::CpuAbove {
                percent: 91,
                limit: 70,
            },
            reading: None,
        };
        let group = GroupName::parse("dev").expect("a group");
        let notice = Notice::of(&group, &ServiceId::new("dev", "web"), &change);
        assert_eq!(notice.subject, "2 -> 4: dev/web");
        let json = serde_json::to_value(&notice).expect("JSON");
        assert_eq!(
            json,
            serde_json::json!({
                "event": "scaled-out", "group": "dev", "service": "dev/web", "at": "1970-01-01T00:00:00Z",
                "from": 2, "to": 4, "reason": {"code": "cpu-above", "percent": 91, "limit": 70},
                "message": "CPU at 91 %, above 70 %",
            })
        );
        let long = ServiceId::new(&"c".repeat(255), "the-end");
        let notice = Notice::of(
            &group,
            &long,
            &Change {
                to: 1,
                ..change.clone()
            },
        );
        assert!(notice.subject.len() == 99 && notice.subject.ends_with("c/the-end"));
        assert_eq!(notice.event, "scaled-in");
        let same = Notice::of(&group, &ServiceId::new("dev", "web"), &Change { to: 2, ..change });
        assert_eq!(same.event, "scaled-in", "no task came");
    }
}
