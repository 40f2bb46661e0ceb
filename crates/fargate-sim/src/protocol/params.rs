//! Parameters of a Query request: `Targets.member.1.Id=10.0.0.1&…`.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::model::ApiError;

/// Names and values, with lists and structures flattened into dotted names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(BTreeMap<String, String>);

impl Params {
    pub(crate) fn parse(body: &[u8]) -> Params {
        Params(form_urlencoded::parse(body).into_owned().collect())
    }

    pub(crate) fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A value that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name)
            .ok_or_else(|| ApiError::validation(format!("A value must be specified for '{name}'")))
    }

    /// A value of another type than text.
    pub(crate) fn read<T: FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let invalid = |text| ApiError::validation(format!("'{text}' is not a valid value for '{name}'"));
        self.get(name)
            .map(|text| text.parse().map_err(|_| invalid(text)))
            .transpose()
    }

    /// A list of plain values, `name.member.N` or EC2's `name.N`.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        self.structures(name)
            .into_iter()
            .filter_map(|p| p.0.get("").cloned())
            .collect()
    }

    /// The fields of a structure.
    pub(crate) fn below(&self, name: &str) -> Params {
        let field = |(key, value): (&String, &String)| {
            let rest = key.strip_prefix(name)?.strip_prefix('.')?;
            Some((rest.to_string(), value.clone()))
        };
        Params(self.0.iter().filter_map(field).collect())
    }

    /// A list of structures, in the order of their numbers.
    pub(crate) fn structures(&self, name: &str) -> Vec<Params> {
        let mut found: BTreeMap<u32, Params> = BTreeMap::new();
        for (key, value) in &self.0 {
            let Some(rest) = key.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) else {
                continue;
            };
            let rest = rest.strip_prefix("member.").unwrap_or(rest);
            let (number, field) = rest.split_once('.').unwrap_or((rest, ""));
            if let Ok(number) = number.parse() {
                found
                    .entry(number)
                    .or_default()
                    .0
                    .insert(field.to_string(), value.clone());
            }
        }
        found.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_structures_come_in_the_order_of_their_numbers() {
        let params = Params::parse(
            b"Targets.member.10.Id=b&Targets.member.2.Id=a&Targets.member.2.Port=80&NetworkInterfaceId.1=eni-1&Names.member.1=x%2By",
        );
        let targets = params.structures("Targets");
        assert_eq!(
            targets.iter().map(|t| t.get("Id").unwrap()).collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!(targets[0].read::<u16>("Port").unwrap(), Some(80));
        assert_eq!(params.list("NetworkInterfaceId"), ["eni-1"]);
        assert_eq!(params.list("Names"), ["x+y"]);
    }
}
