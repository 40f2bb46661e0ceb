//! Who asks, where AWS does not say.

use std::collections::HashMap;

/// `user@host` from the environment.
pub(crate) fn local(env: &HashMap<String, String>) -> String {
    let first = |names: [&str; 3]| {
        let mut given = names.into_iter().filter_map(|name| env.get(name));
        given.find(|value| !value.is_empty()).cloned()
    };
    let user = first(["USER", "LOGNAME", "USERNAME"]);
    let host = first(["HOSTNAME", "HOST", "COMPUTERNAME"]);
    let or_unknown = |name: Option<String>| name.unwrap_or_else(|| "unknown".to_owned());
    format!("{}@{}", or_unknown(user), or_unknown(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_without_an_arn_is_a_user_of_a_machine() {
        let env = |pairs: &[(&str, &str)]| {
            let owned = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            owned.collect()
        };
        assert_eq!(local(&env(&[("USER", "ana"), ("HOSTNAME", "lab")])), "ana@lab");
        assert_eq!(local(&env(&[("USER", ""), ("USERNAME", "ana")])), "ana@unknown");
    }
}
