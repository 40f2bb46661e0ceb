//! The admin token: only its hash is known here, so that who reads a stack's parameters or a function's environment
//! cannot use it.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::hex;

/// The SHA-256 of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The rule that [`TokenHash::parse`] applies, for error messages.
    pub const RULE: &str = "must be the SHA-256 of the token, 64 hexadecimal digits";

    /// Parses 64 hexadecimal digits; `None` breaks [`TokenHash::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        hex::parse(text.trim()).map(Self)
    }

    /// Whether it is the hash of this token. How long that takes depends on the token's length alone.
    #[must_use]
    pub fn is_of(&self, token: &str) -> bool {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        bool::from(self.0.ct_eq(&hash))
    }
}

/// The token of a header `Authorization: Bearer …` (RFC 6750, section 2.1; the scheme's name in any case: RFC 9110,
/// section 11.1).
#[must_use]
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf %s test | openssl dgst -sha256 -r`
    const OF_TEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn only_the_token_itself_has_its_hash() {
        let hash = TokenHash::parse(OF_TEST).expect("a hash");
        assert!(hash.is_of("test"));
        for other in ["", "Test", "test ", "tes", OF_TEST] {
            assert!(!hash.is_of(other), "{other:?}");
        }
        assert_eq!(TokenHash::parse(&OF_TEST.to_uppercase()), Some(hash));
    }

    #[test]
    fn a_hash_is_64_hexadecimal_digits() {
        for bad in [
            "",
            "test",
            &OF_TEST[1..],
            &format!("{OF_TEST}0"),
            &OF_TEST.replace('9', "g"),
            &OF_TEST.replacen("9f", "é", 1),
        ] {
            assert_eq!(TokenHash::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_token_comes_as_bearer() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for other in ["", "Bearer", "Bearer ", "Basic abc", "abc", "Bearerabc"] {
            assert_eq!(bearer(other), None, "{other:?}");
        }
    }
}
