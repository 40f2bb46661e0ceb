//! What makes the pages look like their owner's: name, colour, logo and a note, as the stack's parameters give them.

use crate::error::Error;

/// What the owner of a stack gives for its pages; each may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branding {
    /// `PAGE_NAME`: whose pages these are.
    pub name: Option<String>,
    /// `PAGE_COLOR`: the accent, from which readable shades are derived.
    pub color: Option<Color>,
    /// `PAGE_LOGO`: an image as a data URI.
    pub logo: Option<Logo>,
    /// `PAGE_NOTE`: a sentence to visitors, plain text.
    pub note: Option<String>,
}

/// Longest name, in characters. Our choice: one line on a phone.
const LONGEST_NAME: usize = 60;
/// Longest note, in characters. Our choice.
const LONGEST_NOTE: usize = 300;
/// Longest logo, in bytes. A function's variables have 4 KB together (AWS Lambda quotas, "Environment variables").
const LONGEST_LOGO: usize = 2400;

const NAME_RULE: &str = "must be one line of at most 60 characters";
const NOTE_RULE: &str = "must be one line of at most 300 characters";

impl Branding {
    /// Reads the variables that `get` knows.
    ///
    /// # Errors
    /// [`InvalidConfig`](crate::error::Code::InvalidConfig), naming variable, value and rule.
    pub fn read<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Error> {
        let invalid = crate::config::invalid;
        let line = |name: &str, longest: usize, rule: &str| match get(name) {
            Some(text) if text.chars().count() > longest || text.chars().any(char::is_control) => {
                Err(invalid(name, text, rule))
            }
            text => Ok(text.map(str::to_owned)),
        };
        let color = |text| Color::parse(text).ok_or_else(|| invalid("PAGE_COLOR", text, Color::RULE));
        let logo = |text| Logo::parse(text).ok_or_else(|| invalid("PAGE_LOGO", text, Logo::RULE));
        Ok(Self {
            name: line("PAGE_NAME", LONGEST_NAME, NAME_RULE)?,
            color: get("PAGE_COLOR").map(color).transpose()?,
            logo: get("PAGE_LOGO").map(logo).transpose()?,
            note: line("PAGE_NOTE", LONGEST_NOTE, NOTE_RULE)?,
        })
    }
}

/// A colour: red, green and blue of sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(pub u8, pub u8, pub u8);

impl Color {
    /// The rule that [`Color::parse`] applies, for error messages.
    pub const RULE: &str = "must be `#` and six hexadecimal digits, such as #9a5f0b";

    /// Parses `#rrggbb`; `None` breaks [`Color::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self(part(0)?, part(2)?, part(4)?))
    }
}

/// An image as a data URI, which needs no address to be loaded from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo(String);

impl Logo {
    /// The rule that [`Logo::parse`] applies, for error messages.
    pub const RULE: &str = "must be data:image/ with png, svg+xml, webp, gif or jpeg, then ;base64, and the image in Base64, together at most 2400 \
         characters";

    /// Parses a data URI; `None` breaks [`Logo::RULE`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, data) = text.strip_prefix("data:image/")?.split_once(";base64,")?;
        let image = data.trim_end_matches('=');
        let good = ["png", "svg+xml", "webp", "gif", "jpeg"].contains(&kind)
            && text.len() <= LONGEST_LOGO
            && !image.is_empty()
            && data.len() - image.len() <= 2
            && image
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
        good.then(|| Self(text.to_owned()))
    }

    /// The data URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Branding, Error> {
        Branding::read(|asked| (asked == name).then_some(value))
    }

    #[test]
    fn each_part_may_be_missing_or_given() {
        assert_eq!(Branding::read(|_| None), Ok(Branding::default()));
        let color = read("PAGE_COLOR", "#9A5f0b").expect("a colour").color;
        assert_eq!(color, Some(Color(0x9a, 0x5f, 0x0b)));
        let logo = "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=";
        let read_logo = read("PAGE_LOGO", logo).expect("a logo").logo;
        assert_eq!(read_logo.expect("a logo").as_str(), logo);
        let name = read("PAGE_NAME", "Größe & <Söhne>").expect("a name").name;
        assert_eq!(
            name.as_deref(),
            Some("Größe & <Söhne>"),
            "escaped where it is shown"
        );
        assert_eq!(
            read("PAGE_NOTE", &"ü".repeat(300)).expect("a note").note,
            Some("ü".repeat(300))
        );
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let long_logo = format!("data:image/png;base64,{}", "A".repeat(LONGEST_LOGO));
        for (name, values) in [
            ("PAGE_NAME", vec!["x".repeat(61), "a\nb".to_owned()]),
            ("PAGE_NOTE", vec!["x".repeat(301), "a\u{7}b".to_owned()]),
            (
                "PAGE_COLOR",
                [
                    "red", "#12345", "#1234567", "123456", "#12345g", "#+12345", "#€12",
                ]
                .map(str::to_owned)
                .to_vec(),
            ),
            (
                "PAGE_LOGO",
                vec![
                    "https://example.com/logo.png".to_owned(),
                    "data:text/html;base64,AAAA".to_owned(),
                    "data:image/png,AAAA".to_owned(),
                    "data:image/png;base64,".to_owned(),
                    "data:image/png;base64,AA\"onerror=".to_owned(),
                    "data:image/png;base64,AAAA====".to_owned(),
                    long_logo,
                ],
            ),
        ] {
            for value in values {
                let error = read(name, &value).expect_err(name);
                assert!(
                    error
                        .message
                        .contains(&format!("`{name}`, value `{value}`: must be ")),
                    "{error}"
                );
            }
        }
    }
}
