//! The command line.

use clap::{Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;
use dormouse_core::duration;
use dormouse_core::ids::GroupName;
use dormouse_core::settings::AppUrl;
use dormouse_core::tags::MAX_COUNT;

use crate::commands::link;
use crate::commands::why::PAGE;
use crate::exit::Exit;
use crate::moment::Moment;

/// Lists groups of ECS services, wakes them and puts them to sleep, says why, and checks an account.
///
/// It calls the wake function of a Dormouse stack with your own AWS credentials, and needs lambda:InvokeFunction on it.
#[derive(Clone, Debug, Parser)]
#[command(name = "dormouse", version, after_help = Exit::help(), disable_help_subcommand = true)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Where to do it.
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print the answer as one JSON document
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Which stack, with which credentials.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Place {
    /// Name of the Dormouse stack
    #[arg(
        long,
        global = true,
        env = "DORMOUSE_STACK",
        default_value = "dormouse",
        value_name = "NAME"
    )]
    pub(crate) stack: String,
    /// Name or ARN of its wake function, instead of the one that the stack's name gives
    #[arg(long, global = true, env = "DORMOUSE_FUNCTION", value_name = "NAME-OR-ARN")]
    pub(crate) function: Option<String>,
    /// Profile of the AWS configuration files [else as everywhere: AWS_PROFILE, or `default`]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// AWS Region [else as everywhere: AWS_REGION, or that of the profile]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) region: Option<String>,
}

impl Place {
    /// What Lambda knows the function by.
    pub(crate) fn function(&self) -> String {
        // A variable that is set and empty says nothing.
        let given = self.function.clone().filter(|name| !name.is_empty());
        given.unwrap_or_else(|| format!("{}-wake", self.stack))
    }
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// What a stack is asked.
    #[command(flatten)]
    Ask(Ask),
    /// Check the tags and your permissions in an account; needs no stack and changes nothing
    Check,
    /// Make a signed link that wakes a group until it expires; asks nobody
    ///
    /// For a stack whose parameter WakeAuth is link. The key, its parameter LinkKey, comes from the variable
    /// DORMOUSE_LINK_KEY, so that no list of processes shows it. Whoever has the link can wake the group, and no other.
    #[command(group = clap::ArgGroup::new("end").required(true).args(["period", "until"]))]
    Link {
        /// The group
        #[arg(value_parser = GroupName::parse)]
        group: GroupName,
        /// How long it stays good.
        #[command(flatten)]
        end: End,
        /// Path of the app to open, with its query: /reports?tab=open
        #[arg(long, value_name = "PATH", default_value = "", value_parser = link::path)]
        path: String,
        /// The stack's output WakeUrl
        #[arg(long, env = "DORMOUSE_WAKE_URL", value_name = "URL", value_parser = link::url)]
        url: AppUrl,
    },
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// What a stack is asked.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Ask {
    /// List all groups: phase, next deadline, signals, savings, what is to be mended
    Ls,
    /// Wake a group
    Wake {
        /// The group
        #[arg(value_parser = GroupName::parse)]
        group: GroupName,
        /// Tasks to wake each service with, at least
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_COUNT)))]
        count: Option<u32>,
        /// Wait until it is ready, or it is clear that it will not be
        #[arg(long)]
        wait: bool,
    },
    /// Put a group to sleep, until the next wake or for a while whatever happens
    Sleep {
        /// The group
        #[arg(value_parser = GroupName::parse)]
        group: GroupName,
        /// How long it stays asleep.
        #[command(flatten)]
        end: End,
    },
    /// Wake a group and keep it awake for a while
    #[command(group = clap::ArgGroup::new("end").required(true).args(["period", "until"]))]
    KeepAwake {
        /// The group
        #[arg(value_parser = GroupName::parse)]
        group: GroupName,
        /// How long it stays awake.
        #[command(flatten)]
        end: End,
    },
    /// Lead load balancers back to the app that lead to the wake function: wake their groups, and wait until they are ready
    ///
    /// Before the stack is deleted: a target group that a listener rule leads to cannot be.
    #[command(group = clap::ArgGroup::new("which").required(true).args(["groups", "all"]))]
    Release {
        /// The groups
        #[arg(value_parser = GroupName::parse, value_name = "GROUP")]
        groups: Vec<GroupName>,
        /// All groups
        #[arg(long)]
        all: bool,
    },
    /// Say why a group is where it is: its last decisions, the newest first
    Why {
        /// The group
        #[arg(value_parser = GroupName::parse)]
        group: GroupName,
        /// At most so many decisions, up to 100
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE)), conflicts_with = "all")]
        limit: Option<u32>,
        /// Those before this cursor, which the page before names
        #[arg(long, value_name = "CURSOR")]
        before: Option<String>,
        /// All that are kept
        #[arg(long)]
        all: bool,
    },
}

impl Ask {
    /// Whether something is to be done, which a group remembers with the name of who wanted it.
    pub(crate) fn is_order(&self) -> bool {
        match self {
            Self::Wake { .. } | Self::Sleep { .. } | Self::KeepAwake { .. } | Self::Release { .. } => true,
            Self::Ls | Self::Why { .. } => false,
        }
    }
}

/// The end of what is asked for.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct End {
    /// For this long: 30m, 2h, 1d12h
    #[arg(long = "for", value_name = "DURATION", value_parser = period, conflicts_with = "until")]
    pub(crate) period: Option<String>,
    /// Until then: HH:MM or YYYY-MM-DD HH:MM of your clock, or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Moment>,
}

fn period(text: &str) -> Result<String, String> {
    duration::parse(text)
        .filter(|period| !period.is_zero())
        .map(|_| text.to_owned())
        .ok_or_else(|| format!("{}, more than 0s", duration::RULE))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_function_follows_from_the_stack_unless_it_is_named() {
        let function = |line: &str| parse(line).expect("a command").place.function();
        assert_eq!(function("dormouse ls --stack sleepy"), "sleepy-wake");
        assert_eq!(function("dormouse --function other ls"), "other");
        assert_eq!(function("dormouse --stack sleepy --function other ls"), "other");
    }

    #[test]
    fn a_link_is_for_a_group_an_end_and_a_path() {
        let line = "dormouse link dev --for 7d --path /reports?tab=open --url https://wake.example.com/";
        let Command::Link { group, path, url, .. } = parse(line).expect("a command").command else {
            panic!("another command");
        };
        assert_eq!(
            (group.as_str(), path.as_str(), url.as_str()),
            ("dev", "/reports?tab=open", "https://wake.example.com")
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_before_anything_is_called() {
        for line in [
            "dormouse",
            "dormouse nap dev",
            "dormouse wake",
            "dormouse wake a/b",
            "dormouse wake dev --count 0",
            "dormouse wake dev --count 5001",
            "dormouse sleep dev --for soon",
            "dormouse sleep dev --for 0s",
            "dormouse sleep dev --for 2h --until 18:00",
            "dormouse keep-awake dev",
            "dormouse release",
            "dormouse release dev --all",
            "dormouse keep-awake dev --until tomorrow",
            "dormouse why dev --limit 0",
            "dormouse why dev --limit 101",
            "dormouse why dev --all --limit 3",
            "dormouse link dev --url https://x --for soon",
            "dormouse link dev --url example.com --for 7d",
            "dormouse link dev --url https://u@x --for 7d",
            "dormouse link dev --url https://x --for 7d --path reports",
            "dormouse link dev --url https://x --for 7d --path /a#b",
            "dormouse link dev --url https://x --for 7d --path /ü",
            "dormouse link dev --url https://x",
        ] {
            let error = parse(line).map(|_| ()).expect_err(line);
            assert_eq!(error.exit_code(), i32::from(Exit::Usage.code()), "{line}");
        }
        let error = parse("dormouse sleep dev --for soon").expect_err("no duration");
        assert_eq!(error.kind(), ErrorKind::ValueValidation);
        assert!(error.to_string().contains(duration::RULE), "{error}");
    }

    #[test]
    fn every_command_of_the_docs_is_understood() {
        let pages = [
            include_str!("../../../README.md"),
            include_str!("../../../docs/RUNBOOKS.md"),
        ];
        let quoted = |page: &'static str| page.split('`').skip(1).step_by(2);
        let lines = pages.into_iter().flat_map(str::lines);
        let all = lines.chain(pages.into_iter().flat_map(quoted));
        // Without the shell's comments and quotes.
        let plain = all.map(|text| text.split(" #").next().unwrap_or(text));
        let commands: Vec<&str> = plain.filter(|text| text.starts_with("dormouse ")).collect();
        assert!(commands.len() > 10, "{commands:?}");
        for command in commands {
            // A link's address comes from a variable there.
            let url = match command.starts_with("dormouse link") {
                true => " --url https://wake.example.com",
                false => "",
            };
            if let Err(error) = parse(&format!("{}{url}", command.replace('\'', ""))) {
                panic!("{command}: {error}");
            }
        }
    }
}
