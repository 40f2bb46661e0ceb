//! Settings from the tags of an ECS service. A bad tag costs only its own service, which stays at its
//! last good settings.

mod groups;
mod needs;
mod parse;

use crate::ids::ServiceId;

pub use groups::groups;
pub use parse::{Parsed, parse};

/// What every tag of Dormouse begins with.
pub const PREFIX: &str = "dormouse:";
/// The tag that opts a service in.
pub const GROUP: &str = "dormouse:group";
/// The tag that says whether what is decided is done.
const MODE: &str = "dormouse:mode";
/// Most tasks that a service may be given: the default quota of tasks per service (Amazon ECS endpoints and
/// quotas, "Tasks per service").
pub const MAX_COUNT: u32 = 5000;

/// A service as discovery found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedService {
    /// Which service.
    pub id: ServiceId,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The service `dev/web` with these tags.
    pub(super) fn service(tags: &[(&str, &str)]) -> TaggedService {
        TaggedService {
            id: ServiceId::new("dev", "web"),
            tags: tags
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        }
    }
}
