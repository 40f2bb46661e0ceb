//! The table that people read, in Markdown.

use super::compare::Row;

pub(super) fn of(rows: &[Row]) -> String {
    let mut text =
        String::from("| function | actions allowed | used | not used, listed |\n|---|---|---|---|\n");
    for row in rows {
        text.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            row.function, row.allowed, row.used, row.listed
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_has_a_line() {
        let row = Row {
            function: "wake".to_owned(),
            allowed: 3,
            used: 2,
            listed: 1,
        };
        assert!(of(&[row]).ends_with("|---|---|---|---|\n| wake | 3 | 2 | 1 |\n"));
    }
}
