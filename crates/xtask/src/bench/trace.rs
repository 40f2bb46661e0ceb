//! The real trace: requests to a public web server, counted every ten seconds for two weeks.
//!
//! HTTP requests to the NASA Kennedy Space Center web server, from Saturday 1995-07-01 00:00 local time on (NASA-HTTP
//! trace, Internet Traffic Archive). The file stays outside of the project; its address is given by `--traces`.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// Name of the file in the directory of `--traces`.
const FILE: &str = "nasa-ksc-1995-07.csv";
/// Seconds that are counted together.
pub(super) const BIN: u32 = 10;
/// Seconds of a day.
pub(super) const DAY: u32 = 86_400;

/// Requests of each ten seconds, from a Saturday's midnight on.
pub(super) struct Trace {
    bins: Vec<u32>,
}

impl Trace {
    /// Reads the file in this directory.
    pub(super) fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(FILE);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Lines `start_second,requests`, one for each ten seconds; comments begin with `#`.
    fn parse(text: &str) -> Result<Self> {
        let mut bins = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if line.starts_with('#') || line == "start_second,requests" {
                continue;
            }
            let pair = line
                .split_once(',')
                .and_then(|(start, requests)| Some((start.parse::<u32>().ok()?, requests.parse().ok()?)));
            let due = bins.len() as u32 * BIN;
            match pair {
                Some((start, requests)) if start == due => bins.push(requests),
                _ => bail!("line {}: `{line}` is not `{due},<requests>`", number + 1),
            }
        }
        if bins.is_empty() {
            bail!("there is no line `0,<requests>`");
        }
        Ok(Self { bins })
    }

    /// Requests of each ten seconds.
    pub(super) fn bins(&self) -> &[u32] {
        &self.bins
    }

    /// How long it is, in seconds.
    pub(super) fn seconds(&self) -> u32 {
        self.bins.len() as u32 * BIN
    }

    /// All requests.
    pub(super) fn total(&self) -> u64 {
        self.bins.iter().copied().map(u64::from).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_read() {
        let trace = Trace::parse("# NASA\nstart_second,requests\n0,3\n10,18\n20,0\n").expect("a trace");
        assert_eq!(
            (trace.bins(), trace.seconds(), trace.total()),
            (&[3, 18, 0][..], 30, 21)
        );
    }

    #[test]
    fn a_gap_or_a_broken_line_is_refused_with_its_number() {
        for (text, line) in [
            ("0,3\n20,1\n", "line 2"),
            ("0,3\n10\n", "line 2"),
            ("0,-1\n", "line 1"),
        ] {
            let error = Trace::parse(text).err().expect("an error").to_string();
            assert!(error.contains(line), "{error}");
        }
        assert!(Trace::parse("# nothing\n").is_err());
    }
}
