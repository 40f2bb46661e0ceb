//! Order: which services must be ready before another one is started, and which must be gone before it is stopped.

pub mod ready;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{GroupName, ServiceId};

/// One name of the tag `dormouse:needs`, written `db` for services of the group itself and `shared/db` for those of
/// another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Need {
    /// The other group; none: the group of the service that needs it.
    pub group: Option<GroupName>,
    /// The name that the needed service has in ECS.
    pub service: String,
}

impl Need {
    /// The rule that [`Need::parse_list`] applies, for error messages.
    pub const RULE: &str = "must be names of services of the group, or `group/service`, separated by spaces";

    /// Parses one name; `None` breaks [`Need::RULE`]. ECS allows letters, digits, `-` and `_` in names of services
    /// (Amazon ECS API reference, CreateService, `serviceName`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (group, service) = match text.split_once('/') {
            Some((group, service)) => (Some(GroupName::parse(group).ok()?), service),
            None => (None, text),
        };
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let good = (1..=255).contains(&service.len()) && service.chars().all(legal);
        good.then(|| Self {
            group,
            service: service.to_owned(),
        })
    }

    /// Parses a list such as `db shared/cache`, without repetitions; `None` breaks [`Need::RULE`].
    #[must_use]
    pub fn parse_list(text: &str) -> Option<Vec<Self>> {
        let mut needs = Vec::new();
        for word in text.split_whitespace() {
            let need = Self::parse(word)?;
            if !needs.contains(&need) {
                needs.push(need);
            }
        }
        (!needs.is_empty()).then_some(needs)
    }

    /// The services that it means among those of the group that it names: of its name in the cluster of the service that
    /// needs it, else of its name in any. None: it dangles.
    #[must_use]
    pub fn resolve<'a>(
        &self,
        needing: &ServiceId,
        among: impl Iterator<Item = &'a ServiceId>,
    ) -> Vec<&'a ServiceId> {
        let named: Vec<&ServiceId> = among.filter(|id| id.name == self.service).collect();
        let near = named.iter().find(|id| id.cluster == needing.cluster);
        near.map_or_else(|| named.clone(), |near| vec![near])
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.group {
            Some(group) => write!(f, "{group}/{}", self.service),
            None => f.write_str(&self.service),
        }
    }
}

impl TryFrom<String> for Need {
    type Error = String;
    fn try_from(value: String) -> Result<Self, String> {
        Self::parse(&value).ok_or_else(|| format!("need `{value}`: {}", Self::RULE))
    }
}

impl From<Need> for String {
    fn from(need: Need) -> Self {
        need.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(needs: Option<Vec<Need>>) -> Option<Vec<String>> {
        needs.map(|needs| needs.iter().map(Need::to_string).collect())
    }

    #[test]
    fn needs_are_names_with_or_without_a_group() {
        assert_eq!(
            texts(Need::parse_list(" db  shared/cache_1 db")),
            Some(vec!["db".to_owned(), "shared/cache_1".to_owned()])
        );
        for bad in [
            "", " ", "a/b/c", "/db", "shared/", "-/db", "a.b", "db,cache", "db é",
        ] {
            assert_eq!(Need::parse_list(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_need_is_stored_as_its_text() {
        let need = Need::parse("shared/db").expect("a need");
        let json = serde_json::to_value(&need).expect("JSON");
        assert_eq!(json, "shared/db");
        assert_eq!(serde_json::from_value::<Need>(json).expect("a need"), need);
    }

    #[test]
    fn a_name_means_the_service_of_its_own_cluster_else_all_of_that_name() {
        let ids = ["blue/db", "green/db", "green/web"].map(|id| ServiceId::parse(id).expect("an id"));
        let means = |need: &str, needing: &str| {
            let needing = ServiceId::parse(needing).expect("an id");
            let need = Need::parse(need).expect("a need");
            let found = need.resolve(&needing, ids.iter());
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(means("db", "green/web"), ["green/db"]);
        assert_eq!(means("db", "red/web"), ["blue/db", "green/db"]);
        assert_eq!(means("mq", "green/web"), [""; 0]);
    }
}
