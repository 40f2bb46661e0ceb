//! Who may do what over HTTP: admin actions, wakes, and what never wakes.

mod hex;
pub mod link;
pub mod scanners;
pub mod token;

use crate::error::{Code, Error};
use link::LinkKey;
use token::TokenHash;

/// Who may do what over HTTP, as the stack's parameters say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Who may put groups to sleep and keep them awake.
    pub admin: AdminAuth,
    /// Who may wake them.
    pub wake: WakeAuth,
}

/// What admin actions over HTTP need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdminAuth {
    /// Nobody may do them over HTTP.
    #[default]
    None,
    /// The token with this hash.
    Token(TokenHash),
    /// IAM credentials, which API Gateway has checked.
    Iam,
    /// A JSON web token, which API Gateway has checked.
    Jwt,
}

/// What wakes over HTTP need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WakeAuth {
    /// Nothing.
    #[default]
    Open,
    /// A link that was signed with this key.
    Link(LinkKey),
    /// A JSON web token, which API Gateway has checked.
    Jwt,
}

impl Guard {
    /// Reads `ADMIN_AUTH`, `ADMIN_TOKEN_SHA256`, `WAKE_AUTH` and `LINK_KEY`, of which `get` gives those that are not empty.
    ///
    /// # Errors
    /// [`Code::InvalidConfig`], naming variable, value and rule; the key is never said.
    pub fn from_env<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Error> {
        let admin = match get("ADMIN_AUTH") {
            None | Some("none") => AdminAuth::None,
            Some("token") => AdminAuth::Token(hash(get("ADMIN_TOKEN_SHA256"))?),
            Some("iam") => AdminAuth::Iam,
            Some("jwt") => AdminAuth::Jwt,
            Some(other) => {
                let rule = "must be `none`, `token`, `iam` or `jwt`";
                return Err(invalid(&format!("`ADMIN_AUTH`, value `{other}`: {rule}")));
            }
        };
        let wake = match get("WAKE_AUTH") {
            None | Some("open") => WakeAuth::Open,
            Some("link") => {
                let key = get("LINK_KEY").and_then(LinkKey::parse);
                WakeAuth::Link(key.ok_or_else(|| invalid(&format!("`LINK_KEY`: {}", LinkKey::RULE)))?)
            }
            Some("jwt") => WakeAuth::Jwt,
            Some(other) => {
                let rule = "must be `open`, `link` or `jwt`";
                return Err(invalid(&format!("`WAKE_AUTH`, value `{other}`: {rule}")));
            }
        };
        Ok(Self { admin, wake })
    }
}

fn hash(text: Option<&str>) -> Result<TokenHash, Error> {
    let name = "`ADMIN_TOKEN_SHA256`";
    let text = text.ok_or_else(|| invalid(&format!("{name} is missing: it {}", TokenHash::RULE)))?;
    TokenHash::parse(text).ok_or_else(|| invalid(&format!("{name}, value `{text}`: {}", TokenHash::RULE)))
}

fn invalid(what: &str) -> Error {
    Error::new(Code::InvalidConfig, format!("environment variable {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(env: &[(&str, &'static str)]) -> Result<Guard, Error> {
        Guard::from_env(|name| env.iter().find(|(n, _)| *n == name).map(|(_, value)| *value))
    }

    #[test]
    fn without_a_word_anybody_wakes_and_nobody_is_admin() {
        assert_eq!(read(&[]), Ok(Guard::default()));
        assert_eq!(
            read(&[("ADMIN_AUTH", "none"), ("WAKE_AUTH", "open")]),
            Ok(Guard::default())
        );
    }

    #[test]
    fn every_way_is_understood() {
        let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let guard = read(&[
            ("ADMIN_AUTH", "token"),
            ("ADMIN_TOKEN_SHA256", hash),
            ("WAKE_AUTH", "link"),
            ("LINK_KEY", "0123456789abcdef"),
        ])
        .expect("a guard");
        assert!(matches!(guard.admin, AdminAuth::Token(ref hash) if hash.is_of("test")));
        assert!(matches!(guard.wake, WakeAuth::Link(_)));
        for (admin, wake, expected) in [
            ("iam", "jwt", (AdminAuth::Iam, WakeAuth::Jwt)),
            ("jwt", "open", (AdminAuth::Jwt, WakeAuth::Open)),
        ] {
            let guard = read(&[("ADMIN_AUTH", admin), ("WAKE_AUTH", wake)]).expect("a guard");
            assert_eq!((guard.admin, guard.wake), expected);
        }
    }

    #[test]
    fn a_credential_that_is_missing_or_weak_stops_the_function_and_is_not_said() {
        let weak = read(&[("WAKE_AUTH", "link"), ("LINK_KEY", "hunter2")]).expect_err("weak");
        assert!(
            weak.message.contains("`LINK_KEY`") && weak.message.contains(LinkKey::RULE),
            "{weak}"
        );
        assert!(!weak.message.contains("hunter2"), "{weak}");
        for env in [&[("ADMIN_AUTH", "token")][..], &[("WAKE_AUTH", "link")]] {
            assert_eq!(read(env).expect_err("missing").code, Code::InvalidConfig);
        }
    }
}
