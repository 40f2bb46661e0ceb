//! Markdown tables in which the best value of each row is marked.

use std::fmt::Write;

/// One value.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// What is compared: as it is shown, so that no difference is claimed that cannot be seen.
    pub(super) value: f64,
    /// What is shown.
    pub(super) text: String,
}

impl Cell {
    /// A number with so many decimals.
    pub(super) fn number(value: f64, decimals: usize) -> Self {
        let text = format!("{value:.decimals$}");
        let value = text.parse().unwrap_or(value);
        Self { value, text }
    }

    /// The same value with more said about it.
    pub(super) fn and(self, more: &str) -> Self {
        Self {
            text: format!("{} {more}", self.text),
            ..self
        }
    }
}

/// A table whose rows compare policies.
#[derive(Debug)]
pub(super) struct Table {
    /// What the rows are.
    pub(super) corner: String,
    /// The policies.
    pub(super) columns: Vec<String>,
    /// Label and values of each row.
    pub(super) rows: Vec<(String, Vec<Cell>)>,
}

impl Table {
    /// As Markdown, columns aligned; the lowest values of a row are bold, unless all are equal.
    pub(super) fn markdown(&self) -> String {
        let head = std::iter::once(self.corner.clone()).chain(self.columns.iter().cloned());
        let mut lines: Vec<Vec<String>> = vec![head.collect()];
        for (label, cells) in &self.rows {
            let lowest = cells.iter().map(|cell| cell.value).fold(f64::INFINITY, f64::min);
            let all_equal = cells.iter().all(|cell| cell.value == lowest);
            let mark = |cell: &Cell| match cell.value == lowest && !all_equal {
                true => format!("**{}**", cell.text),
                false => cell.text.clone(),
            };
            lines.push(
                std::iter::once(label.clone())
                    .chain(cells.iter().map(mark))
                    .collect(),
            );
        }
        let width = |column: usize| {
            let widths = lines
                .iter()
                .filter_map(|line| line.get(column))
                .map(|text| text.chars().count());
            widths.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..=self.columns.len()).map(width).collect();
        let mut text = String::new();
        for (number, line) in lines.iter().enumerate() {
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                // Writing to a string cannot fail.
                let _ = match column {
                    0 => write!(text, "| {cell:<width$} "),
                    _ => write!(text, "| {cell:>width$} "),
                };
            }
            text.push_str("|\n");
            if number == 0 {
                for (column, width) in widths.iter().enumerate() {
                    let (dashes, colon) = ("-".repeat(width + 1), if column == 0 { "-" } else { ":" });
                    let _ = write!(text, "|{dashes}{colon}");
                }
                text.push_str("|\n");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, &[f64])]) -> String {
        let cells = |values: &[f64]| values.iter().map(|value| Cell::number(*value, 1)).collect();
        Table {
            corner: "load".into(),
            columns: vec!["ours".into(), "theirs".into()],
            rows: rows
                .iter()
                .map(|(label, values)| ((*label).into(), cells(values)))
                .collect(),
        }
        .markdown()
    }

    #[test]
    fn the_best_of_a_row_is_marked_whoever_has_it() {
        let text = table(&[("ramp", &[12.0, 3.0]), ("spike", &[1.0, 40.25])]);
        let expected = "\
            | load  |    ours |  theirs |\n\
            |-------|--------:|--------:|\n\
            | ramp  |    12.0 | **3.0** |\n\
            | spike | **1.0** |    40.2 |\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn equal_values_are_no_merit_and_what_cannot_be_seen_is_no_difference() {
        let text = table(&[("silent", &[0.0, 0.0]), ("ramp", &[12.01, 12.04])]);
        assert!(!text.contains("**"), "{text}");
    }
}
