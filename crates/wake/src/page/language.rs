//! Which language a visitor reads.

use super::texts::{self, Texts};

/// The texts for an `Accept-Language` (RFC 9110, section 12.5.4), by basic filtering (RFC 4647, section 3.3.1): the
/// best-liked language that there is, else English. `*` and what cannot be read are left out; of equals the first wins.
pub(super) fn of(accepted: Option<&str>) -> &'static Texts {
    let mut best: Option<(u16, &'static Texts)> = None;
    // More ranges than a browser ever sends are somebody's play.
    for range in accepted.unwrap_or_default().split(',').take(30) {
        let mut parts = range.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let Some(weight) = weight(parts.next()) else {
            continue;
        };
        let primary = tag.split('-').next().unwrap_or_default();
        let known = texts::ALL
            .into_iter()
            .find(|texts| texts.lang.eq_ignore_ascii_case(primary));
        if let Some(known) = known.filter(|_| weight > best.map_or(0, |(weight, _)| weight)) {
            best = Some((weight, known));
        }
    }
    best.map_or(texts::ALL[0], |(_, texts)| texts)
}

/// A weight in thousandths; 1 where none is given, none if it cannot be read.
fn weight(parameter: Option<&str>) -> Option<u16> {
    let Some(parameter) = parameter else {
        return Some(1000);
    };
    let value: f64 = parameter.trim().strip_prefix("q=")?.trim().parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 1000"
    )]
    (0.0..=1.0).contains(&value).then_some((value * 1000.0) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_language_that_there_is_is_spoken() {
        for (accepted, lang) in [
            (None, "en"),
            (Some(""), "en"),
            (Some("*"), "en"),
            (Some("de"), "de"),
            (Some("de-AT,de;q=0.9,en;q=0.8"), "de"),
            (Some("FR-ca"), "fr"),
            (Some("en;q=0.5, ja;q=0.9"), "ja"),
            (Some("it,pt;q=0.9,es;q=0.2"), "es"),
            (Some("it, nl"), "en"),
            (Some("pl;q=0,en"), "en"),
            (Some("pl;q=0"), "en"),
            (Some("de;q=0.8,fr;q=0.8"), "de"),
            (Some("de;q=high,fr;q=0.1"), "fr"),
            (Some("de;q=7,fr"), "fr"),
            (Some("de;q=NaN,fr;q=0.3"), "fr"),
            (Some("\"><script>,pl"), "pl"),
            (Some(";;;,,,=;q="), "en"),
        ] {
            assert_eq!(of(accepted).lang, lang, "{accepted:?}");
        }
    }
}
