//! How a command ends.

use std::process::ExitCode;

/// What the exit code says to a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for was done.
    Done,
    /// AWS or the function failed.
    Failed,
    /// The command line cannot be understood.
    Usage,
    /// Dormouse did not do what was asked for.
    Refused,
    /// No service is tagged with the group.
    UnknownGroup,
    /// `check` found something to mend.
    Mend,
    /// `wake --wait` or `release` ended, and a group is not ready.
    NotReady,
}

impl Exit {
    /// All of them, by their codes.
    pub(crate) const ALL: [Self; 7] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Refused,
        Self::UnknownGroup,
        Self::Mend,
        Self::NotReady,
    ];

    /// The code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::UnknownGroup => 4,
            Self::Mend => 5,
            Self::NotReady => 6,
        }
    }

    /// What it means, for `--help` and the README.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "AWS or the function failed",
            Self::Usage => "the command line cannot be understood",
            Self::Refused => "not done: Dormouse has a reason against it, and says which",
            Self::UnknownGroup => "there is no such group",
            Self::Mend => "`check` found something to mend",
            Self::NotReady => "`wake --wait` or `release` ended, and a group is not ready",
        }
    }

    /// The table of all codes, for `--help`.
    pub(crate) fn help() -> String {
        let lines = Self::ALL.map(|exit| format!("  {}  {}", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", lines.join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_readme_tell_the_same_codes() {
        let readme = include_str!("../../../README.md");
        let of_readme = readme.lines().filter_map(|line| {
            let (code, meaning) = line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")?;
            Some((code.parse::<u8>().ok()?, meaning.to_owned()))
        });
        let ours = Exit::ALL.map(|exit| (exit.code(), exit.meaning().to_owned()));
        assert_eq!(of_readme.collect::<Vec<_>>(), ours);
        for (code, meaning) in ours {
            assert!(Exit::help().contains(&format!("{code}  {meaning}")));
        }
    }

    #[test]
    fn codes_are_told_apart() {
        for (place, exit) in Exit::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(exit.code()), place);
        }
    }
}
