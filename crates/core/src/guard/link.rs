//! Signed links: a wake by everybody who has the link, until it expires.
//!
//! A link to any path of a group carries `dormouse-expires`, in seconds since 1970, and `dormouse-signature`, the
//! HMAC-SHA-256 (RFC 2104, FIPS 180-4) of `{group}\n{expires}` with the stack's key, in lower-case hexadecimal, which is
//! what `openssl dgst -sha256 -hmac` prints.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::hex;
use crate::error::{Code, Error};
use crate::ids::GroupName;

/// The parameter that says until when a link wakes.
pub const EXPIRES: &str = "dormouse-expires";
/// The parameter that proves it.
pub const SIGNATURE: &str = "dormouse-signature";

/// The key that links are signed with. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkKey(String);

impl LinkKey {
    /// The rule that [`LinkKey::parse`] applies, for error messages.
    pub const RULE: &str = "must be 16 to 128 printable ASCII characters without spaces";

    /// Takes a key; `None` breaks [`LinkKey::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let good = (16..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        good.then(|| Self(text.to_owned()))
    }

    /// The parameters of a link that wakes the group until `expires`, whose seconds count.
    #[must_use]
    pub fn sign(&self, group: &GroupName, expires: Timestamp) -> SignedPart {
        let expires = u64::try_from(expires.as_second()).unwrap_or_default();
        let signature = self.mac(group, expires).map(|mac| mac.finalize().into_bytes());
        SignedPart {
            expires,
            signature: signature.map(Into::into).unwrap_or_default(),
        }
    }

    /// Keys of any length are good for HMAC, so there always is one.
    fn mac(&self, group: &GroupName, expires: u64) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).ok()?;
        mac.update(format!("{group}\n{expires}").as_bytes());
        Some(mac)
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

/// The part of a query that makes a link a signed one. As text it is nothing but names, digits and `&`, so it may stand
/// in any address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedPart {
    expires: u64,
    signature: [u8; 32],
}

impl SignedPart {
    /// The signed part of a query as it came; none if there is none that can be understood.
    #[must_use]
    pub fn of(query: &str) -> Option<Self> {
        let expires = value(query, EXPIRES)?;
        let digits = !expires.is_empty() && expires.bytes().all(|byte| byte.is_ascii_digit());
        let signature = value(query, SIGNATURE)?;
        let lower = !signature.bytes().any(|byte| byte.is_ascii_uppercase());
        Some(Self {
            expires: expires.parse().ok().filter(|_| digits)?,
            signature: hex::parse(signature).filter(|_| lower)?,
        })
    }

    /// Whether it wakes this group now. How long the comparison takes does not depend on the signature.
    ///
    /// # Errors
    /// [`Code::Forbidden`], with what is wrong with it; the signature is never said.
    pub fn check(&self, key: &LinkKey, group: &GroupName, now: Timestamp) -> Result<(), Error> {
        let mac = key.mac(group, self.expires);
        let signed = mac.is_some_and(|mac| mac.verify_slice(&self.signature).is_ok());
        if !signed {
            return Err(refusal(group, "this link's signature is not right"));
        }
        // Expired at the very second that it names.
        if u64::try_from(now.as_second()).is_ok_and(|now| now < self.expires) {
            Ok(())
        } else {
            Err(refusal(group, "this link has expired"))
        }
    }
}

impl fmt::Display for SignedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signature = hex::write(&self.signature);
        write!(f, "{EXPIRES}={}&{SIGNATURE}={signature}", self.expires)
    }
}

/// Whether the query of a request wakes the group now.
///
/// # Errors
/// [`Code::Forbidden`], with what is missing or wrong.
pub fn check(query: &str, key: &LinkKey, group: &GroupName, now: Timestamp) -> Result<(), Error> {
    match SignedPart::of(query) {
        Some(part) => part.check(key, group, now),
        None if value(query, EXPIRES).is_some() || value(query, SIGNATURE).is_some() => {
            Err(refusal(group, "this link is not whole"))
        }
        None => Err(refusal(group, "this address is not signed")),
    }
}

/// The query without its signed part: what goes on to the app.
#[must_use]
pub fn strip(query: &str) -> String {
    let rest = query.split('&').filter(|pair| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        name != EXPIRES && name != SIGNATURE
    });
    rest.collect::<Vec<_>>().join("&")
}

/// The first value of a parameter. Ours need no decoding.
fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .into_iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

fn refusal(group: &GroupName, what: &str) -> Error {
    let message = format!(
        "group `{group}` is woken by signed links only, and {what}: ask whoever gave you the address for a new link"
    );
    Error::new(Code::Forbidden, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "correct-horse-battery-staple";
    /// `printf 'dev\n1800000000' | openssl dgst -sha256 -hmac correct-horse-battery-staple`
    const RECORDED: &str = "7945d0d056e90cebadc8246f012218a199ec885275dd3a43284043ce3d05e075";

    fn key() -> LinkKey {
        LinkKey::parse(KEY).expect("a key")
    }

    fn group(name: &str) -> GroupName {
        GroupName::parse(name).expect("a name")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    fn link() -> String {
        key().sign(&group("dev"), at(1_800_000_000)).to_string()
    }

    #[test]
    fn a_link_is_what_openssl_makes_it() {
        assert_eq!(
            link(),
            format!("dormouse-expires=1800000000&dormouse-signature={RECORDED}")
        );
    }

    #[test]
    fn a_link_wakes_its_group_until_it_expires() {
        let query = format!("tab=open&{}&q=1", link());
        assert_eq!(check(&query, &key(), &group("dev"), at(1_799_999_999)), Ok(()));
        let expired = check(&query, &key(), &group("dev"), at(1_800_000_000)).expect_err("expired");
        assert!(expired.message.contains("has expired"), "{expired}");
    }

    #[test]
    fn what_is_not_exactly_such_a_link_wakes_nothing() {
        let other = LinkKey::parse("another-key-of-somebody").expect("a key");
        let by_other = other.sign(&group("dev"), at(1_800_000_000)).to_string();
        let longer = link().replace("1800000000", "1900000000");
        for (query, part) in [
            ("", "is not signed"),
            ("tab=open", "is not signed"),
            (by_other.as_str(), "signature is not right"),
            (longer.as_str(), "signature is not right"),
            (
                &link()
                    .to_uppercase()
                    .to_lowercase()
                    .replace(RECORDED, &RECORDED.to_uppercase()),
                "is not whole",
            ),
            (&link()[..link().len() - 1], "is not whole"),
            (&link().replace("=1800000000", "=+1800000000"), "is not whole"),
            (&link().replace("=1800000000", "="), "is not whole"),
            ("dormouse-expires=1800000000", "is not whole"),
            (
                "dormouse-expires=99999999999999999999&dormouse-signature=",
                "is not whole",
            ),
        ] {
            let error = check(query, &key(), &group("dev"), at(0)).expect_err(query);
            assert_eq!(error.code, Code::Forbidden);
            assert!(error.message.contains(part), "{query}: {error}");
            assert!(!error.message.contains(RECORDED), "{error}");
        }
        let error = check(&link(), &key(), &group("prod"), at(0)).expect_err("another group");
        assert!(error.message.contains("signature is not right"), "{error}");
    }

    #[test]
    fn the_app_never_sees_the_signed_part() {
        let signed = link();
        assert_eq!(strip(&signed), "");
        assert_eq!(strip(&format!("a=1&{signed}&b=%20&c")), "a=1&b=%20&c");
        assert_eq!(strip(&format!("{signed}&dormouse-expires=5&x=1")), "x=1");
        assert_eq!(strip("a=1&dormouse-signatures=2"), "a=1&dormouse-signatures=2");
        assert_eq!(strip(""), "");
    }

    #[test]
    fn a_key_is_long_enough_and_never_shown() {
        for bad in [
            "",
            "short",
            "with a space in it",
            "fünfzehn-zeichen!",
            &"x".repeat(129),
        ] {
            assert_eq!(LinkKey::parse(bad), None, "{bad}");
        }
        assert!(!format!("{:?}", key()).contains(KEY));
    }

    proptest! {
        #[test]
        fn one_bit_more_or_less_is_no_signature(bit in 0usize..256, seconds in 0u64..4_000_000_000) {
            let mut part = SignedPart::of(&link()).expect("a link");
            prop_assert!(part.check(&key(), &group("dev"), at(0)).is_ok());
            part.signature[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(part.check(&key(), &group("dev"), at(0)).is_err());
            part.signature[bit / 8] ^= 1 << (bit % 8);
            part.expires = seconds;
            prop_assert!(seconds == 1_800_000_000 || part.check(&key(), &group("dev"), at(0)).is_err());
        }

        #[test]
        fn any_query_is_survived(query in "\\PC{0,60}") {
            let _ = check(&query, &key(), &group("dev"), at(0));
            prop_assert!(SignedPart::of(&strip(&query)).is_none());
        }
    }
}
