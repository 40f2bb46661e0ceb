//! Pictures as SVG, written by hand: a white ground, shapes and words.

use std::fmt::{Display, Write};

/// Colour of words and axes.
pub(super) const INK: &str = "#222222";
/// Colour of what is said beside them.
pub(super) const PALE_INK: &str = "#666666";
/// Colour of grid lines.
pub(super) const GRID: &str = "#e3e3e3";
/// Colours that people with colour blindness can tell apart (Okabe and Ito, "Color Universal Design").
pub(super) const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5c00", "#000000",
];

/// Where words begin.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture in the making.
pub(super) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

impl Svg {
    /// An empty picture, in pixels.
    pub(super) fn new(width: f64, height: f64) -> Self {
        let mut svg = Self {
            width,
            height,
            body: String::new(),
        };
        svg.rect(0.0, 0.0, width, height, "#ffffff");
        svg
    }

    fn add(&mut self, element: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "{element}");
    }

    pub(super) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str) {
        self.add(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{fill}"/>"#
        ));
    }

    pub(super) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), stroke: &str) {
        self.add(format_args!(
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{stroke}"/>"#
        ));
    }

    /// A line through points.
    pub(super) fn path(&mut self, points: &[(f64, f64)], stroke: &str, width: f64) {
        let points = coordinates(points);
        self.add(format_args!(
            r#"<polyline points="{points}" fill="none" stroke="{stroke}" stroke-width="{width}"/>"#
        ));
    }

    /// A filled shape.
    pub(super) fn area(&mut self, points: &[(f64, f64)], fill: &str) {
        let points = coordinates(points);
        self.add(format_args!(r#"<polygon points="{points}" fill="{fill}"/>"#));
    }

    /// A mark of one of four shapes.
    pub(super) fn mark(&mut self, (x, y): (f64, f64), shape: usize, fill: &str) {
        let r = 5.0;
        match shape % 4 {
            0 => self.add(format_args!(
                r#"<circle cx="{x:.1}" cy="{y:.1}" r="{r}" fill="{fill}"/>"#
            )),
            1 => self.rect(x - r, y - r, 2.0 * r, 2.0 * r, fill),
            2 => self.area(
                &[(x, y - r - 1.0), (x + r + 1.0, y + r), (x - r - 1.0, y + r)],
                fill,
            ),
            _ => self.area(
                &[
                    (x, y - r - 1.5),
                    (x + r + 1.5, y),
                    (x, y + r + 1.5),
                    (x - r - 1.5, y),
                ],
                fill,
            ),
        }
    }

    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, size: f64, fill: &str, words: &str) {
        self.words(x, y, anchor, size, fill, "", words);
    }

    pub(super) fn bold(&mut self, (x, y): (f64, f64), size: f64, fill: &str, words: &str) {
        self.words(x, y, Anchor::Start, size, fill, r#" font-weight="bold""#, words);
    }

    /// Words that run upwards, centred.
    pub(super) fn upward(&mut self, (x, y): (f64, f64), size: f64, words: &str) {
        let turn = format!(r#" transform="rotate(-90 {x:.1} {y:.1})""#);
        self.words(x, y, Anchor::Middle, size, INK, &turn, words);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one place for all words; the callers take few"
    )]
    fn words(&mut self, x: f64, y: f64, anchor: Anchor, size: f64, fill: &str, more: &str, words: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let words = words
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        self.add(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size}" fill="{fill}"{more}>{words}</text>"#
        ));
    }

    /// The file.
    pub(super) fn finish(self) -> String {
        let Self { width, height, body } = self;
        let fonts = "Helvetica, Arial, sans-serif";
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="{fonts}">
{body}</svg>
"#
        )
    }
}

fn coordinates(points: &[(f64, f64)]) -> String {
    let pairs: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    pairs.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cannot_break_the_file() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.text((1.0, 2.0), Anchor::Middle, 12.0, INK, "a < b & c");
        let text = svg.finish();
        assert!(
            text.contains(r#"<text x="1.0" y="2.0" text-anchor="middle""#),
            "{text}"
        );
        assert!(text.contains(">a &lt; b &amp; c</text>") && text.ends_with("</svg>\n"));
    }
}
