//! Wildcards of listener rules: `*` is any characters, also none, and `?` is exactly one.
//!
//! "Condition types for listener rules"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html>).

/// How letters and backslashes of a pattern are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letters {
    /// As they are: paths.
    Exact,
    /// Upper and lower case alike: hosts and headers.
    AnyCase,
    /// Alike too, and `\*` and `\?` are the characters themselves: query strings.
    AnyCaseEscaped,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Any,
    One,
    Char(char),
}

/// Whether the whole text fits the pattern.
pub(crate) fn fits(pattern: &str, text: &str, letters: Letters) -> bool {
    let same = |c: char| match letters {
        Letters::Exact => c,
        _ => c.to_ascii_lowercase(),
    };
    let parts = parts(pattern, letters, same);
    let text: Vec<char> = text.chars().map(same).collect();
    // The last `*` may always take one character more, so one place to come back to is enough.
    let (mut p, mut t, mut back) = (0, 0, None);
    while t < text.len() {
        match parts.get(p) {
            Some(Part::Any) => {
                back = Some((p, t));
                p += 1;
            }
            Some(Part::One) => (p, t) = (p + 1, t + 1),
            Some(Part::Char(c)) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    (p, t) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    parts[p..].iter().all(|part| *part == Part::Any)
}

fn parts(pattern: &str, letters: Letters, same: impl Fn(char) -> char) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '\\' if letters == Letters::AnyCaseEscaped => match chars.next_if(|n| matches!(n, '*' | '?')) {
                Some(escaped) => Part::Char(escaped),
                None => Part::Char(c),
            },
            '*' => Part::Any,
            '?' => Part::One,
            c => Part::Char(same(c)),
        });
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rule itself, word for word, at exponential cost.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match (pattern.first(), text.first()) {
            (None, None) => true,
            (Some('*'), _) => slow(&pattern[1..], text) || (!text.is_empty() && slow(pattern, &text[1..])),
            (Some('?'), Some(_)) => slow(&pattern[1..], &text[1..]),
            (Some(p), Some(t)) if p == t => slow(&pattern[1..], &text[1..]),
            _ => false,
        }
    }

    #[test]
    fn the_documented_examples_hold() {
        assert!(fits("*.example.com", "test.example.com", Letters::AnyCase));
        assert!(!fits("*.example.com", "example.com", Letters::AnyCase));
        assert!(fits("*.Example.com", "TEST.example.COM", Letters::AnyCase));
        assert!(fits("/img/*", "/img/picture.jpg", Letters::Exact));
        assert!(!fits("/img/*", "/IMG/picture.jpg", Letters::Exact));
        assert!(fits("/img/*/pics", "/img/a/b/pics", Letters::Exact));
        assert!(fits(r"a\*b", "A*b", Letters::AnyCaseEscaped));
        assert!(!fits(r"a\*b", "axb", Letters::AnyCaseEscaped));
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_rule_written_out(pattern in "[ab*?]{0,8}", text in "[abA]{0,8}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(fits(&pattern, &text, Letters::Exact), slow(&p, &t));
        }

        #[test]
        fn case_matters_only_where_it_should(pattern in "[aAbB*?]{0,8}", text in "[aAbB]{0,8}") {
            let (p, t) = (pattern.to_lowercase(), text.to_uppercase());
            prop_assert_eq!(fits(&p, &t, Letters::AnyCase), fits(&pattern, &text, Letters::AnyCase));
            prop_assert_eq!(fits(&p, &text.to_lowercase(), Letters::Exact), fits(&pattern, &text, Letters::AnyCase));
        }

        #[test]
        fn a_text_fits_itself_and_what_stars_are_put_around(text in "\\PC{0,20}", cut in 0usize..20) {
            let plain = text.replace(['*', '?'], "x");
            prop_assert!(fits(&plain, &plain, Letters::Exact));
            let (head, tail): (String, String) = (plain.chars().take(cut).collect(), plain.chars().skip(cut).collect());
            let around = [head + "*" + &tail, "*".to_string() + &tail];
            prop_assert!(around.iter().all(|pattern| fits(pattern, &plain, Letters::Exact)));
            let longer = plain.clone() + "?";
            prop_assert!(!fits(&longer, &plain, Letters::Exact));
        }
    }
}
