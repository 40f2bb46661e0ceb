//! The cookie that keeps a client with a target group of a weighted forward.
//!
//! "Action types for listener rules", section forward actions: AWSALBTG, and AWSALBTGCORS with the same value and
//! `SameSite`. AWS encrypts the group and the end of the duration; here the value is the group in hex, and the client
//! drops the cookie when it is over.

use super::action::WeightedGroup;
use super::routing::RequestLine;

const NAMES: [&str; 2] = ["AWSALBTG", "AWSALBTGCORS"];

/// A cookie for the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupCookie {
    /// Its value.
    pub value: String,
    /// How long a client keeps it.
    pub seconds: u64,
}

impl GroupCookie {
    pub(crate) fn new(target_group: &str, seconds: u64) -> GroupCookie {
        GroupCookie {
            value: value_of(target_group),
            seconds,
        }
    }

    /// Values of the two Set-Cookie headers.
    pub fn headers(&self) -> [String; 2] {
        let end = format!("{}; Max-Age={}; Path=/", self.value, self.seconds);
        [
            format!("{}={end}", NAMES[0]),
            format!("{}={end}; SameSite=None", NAMES[1]),
        ]
    }
}

fn value_of(target_group: &str) -> String {
    let name = target_group.rsplit(":targetgroup/").next().unwrap_or_default();
    name.bytes().map(|b| format!("{b:02x}")).collect()
}

/// The group that a request's cookie names, if the action still names it too; otherwise the weights decide anew.
pub(crate) fn remembered<'a>(
    groups: &'a [WeightedGroup],
    request: &RequestLine,
) -> Option<&'a WeightedGroup> {
    let cookies = request.header_values("cookie").flat_map(|line| line.split(';'));
    let values = cookies.filter_map(|c| c.trim().split_once('='));
    let mut named = values.filter(|(name, _)| NAMES.contains(name));
    let (_, value) = named.next()?;
    groups.iter().find(|g| value_of(&g.target_group) == value)
}
