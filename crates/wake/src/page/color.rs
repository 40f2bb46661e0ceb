//! Readable shades of whatever colour an owner likes (WCAG 2.2, "relative luminance", "contrast ratio" and success criteria
//! 1.4.3 and 1.4.11).

use dormouse_core::branding::Color;

/// The accent where nobody chose one.
pub(super) const USUAL: Color = Color(0x9a, 0x5f, 0x0b);

/// Contrast of text that criterion 1.4.3 asks for; links and buttons have the accent.
const TEXT: f64 = 4.5;
/// Contrast of what is no text that criterion 1.4.11 asks for; the bar's fill has the accent.
const GRAPHICS: f64 = 3.0;

/// What an accent lies on, in light and in dark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground {
    card: Color,
    paper: Color,
    /// The empty part of the bar.
    track: Color,
    /// Where shades go until they can be read.
    toward: Color,
}

/// As base.html has them.
pub(super) const LIGHT: Ground = Ground {
    card: Color(0xff, 0xff, 0xff),
    paper: Color(0xfa, 0xf8, 0xf4),
    track: Color(0xe4, 0xdd, 0xd0),
    toward: Color(0, 0, 0),
};
/// As base.html has them.
pub(super) const DARK: Ground = Ground {
    card: Color(0x25, 0x22, 0x1e),
    paper: Color(0x1b, 0x19, 0x16),
    track: Color(0x3c, 0x37, 0x2f),
    toward: Color(0xff, 0xff, 0xff),
};

/// The colour itself if it can be read on the ground, else the nearest shade that can.
pub(super) fn readable(color: Color, ground: Ground) -> Color {
    let reads = |shade: &Color| {
        contrast(*shade, ground.card) >= TEXT
            && contrast(*shade, ground.paper) >= TEXT
            && contrast(*shade, ground.track) >= GRAPHICS
    };
    let shades = (0..=STEPS).map(|step| mixed(color, ground.toward, step));
    shades.into_iter().find(reads).unwrap_or(ground.toward)
}

/// A colour as CSS writes it.
pub(super) fn css(Color(red, green, blue): Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

const STEPS: u16 = 64;

fn mixed(one: Color, other: Color, step: u16) -> Color {
    let part = |one: u8, other: u8| {
        let sum = u16::from(one) * (STEPS - step) + u16::from(other) * step;
        u8::try_from(sum / STEPS).unwrap_or(u8::MAX)
    };
    Color(part(one.0, other.0), part(one.1, other.1), part(one.2, other.2))
}

/// From 1 to 21.
fn contrast(one: Color, other: Color) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(Color(red, green, blue): Color) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = include_str!("../../templates/base.html");

    #[test]
    fn contrast_is_that_of_wcag() {
        let (black, white) = (Color(0, 0, 0), Color(255, 255, 255));
        assert!((contrast(black, white) - 21.0).abs() < 0.001);
        assert!((contrast(white, white) - 1.0).abs() < 0.001);
        // The best-known grey that just passes on white.
        assert!((contrast(Color(0x76, 0x76, 0x76), white) - 4.54).abs() < 0.01);
    }

    #[test]
    fn whatever_colour_is_given_its_shades_can_be_read() {
        let parts = [0u8, 1, 40, 90, 128, 160, 200, 254, 255];
        for red in parts {
            for green in parts {
                for blue in parts {
                    for ground in [LIGHT, DARK] {
                        let shade = readable(Color(red, green, blue), ground);
                        assert!(contrast(shade, ground.card) >= TEXT, "{red} {green} {blue}");
                        assert!(contrast(shade, ground.paper) >= TEXT, "{red} {green} {blue}");
                        assert!(contrast(shade, ground.track) >= GRAPHICS, "{red} {green} {blue}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_is_left_alone() {
        assert_eq!(readable(USUAL, LIGHT), USUAL);
        let yellow = Color(0xff, 0xd0, 0x00);
        assert_eq!(readable(yellow, DARK), yellow);
        assert_ne!(readable(yellow, LIGHT), yellow);
    }

    /// The grounds and all other colours of text are those of the template, and can be read.
    #[test]
    fn the_templates_own_colours_can_be_read() {
        let (light, dark) = BASE
            .split_once("prefers-color-scheme: dark")
            .expect("two schemes");
        for (css_text, ground) in [(light, LIGHT), (dark, DARK)] {
            let of = |name: &str| {
                let (_, rest) = css_text
                    .split_once(&format!("--{name}:"))
                    .unwrap_or_else(|| panic!("{name}"));
                let value: String = rest.trim_start().chars().take_while(|c| *c != ';').collect();
                Color::parse(&value).unwrap_or_else(|| panic!("{name}: {value}"))
            };
            assert_eq!(
                (of("card"), of("paper"), of("line")),
                (ground.card, ground.paper, ground.track)
            );
            for text in ["ink", "soft", "good", "bad"] {
                assert!(contrast(of(text), ground.card) >= TEXT, "{text}");
                assert!(contrast(of(text), ground.paper) >= TEXT, "{text}");
            }
        }
    }
}
