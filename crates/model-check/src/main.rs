//! The binary behind `cargo xtask model-check`: explores every scene and says what holds.

use std::process::ExitCode;
use std::time::Duration;

use dormouse_model_check::report::{Until, explore};
use dormouse_model_check::scenes::{self, Size};
use lexopt::{Arg, Parser, ValueExt};

const HELP: &str = "\
model-check [--threads N] [--deep] [--only NAME] [--seconds N] [--first]

Explores small worlds in every order in which functions, services, faults and people may take their steps, and
prints for each: its states, and which invariants hold. Exit code 1 if one does not, with the steps that break it.

  --threads N   threads to explore with (default: one for each processor; 1 finds the shortest steps)
  --deep        more faults and more time: far more states, so give it --seconds too
  --only NAME   explore only scenes whose name contains this
  --seconds N   give a scene up after so long, and say so
  --first       end a scene with the first invariant that does not hold
";

struct Asked {
    threads: usize,
    size: Size,
    only: String,
    until: Until,
    most: Option<Duration>,
}

fn main() -> ExitCode {
    match parse() {
        Ok(None) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Ok(Some(asked)) => check(&asked),
        Err(error) => {
            eprintln!("model-check: {error}; see --help");
            ExitCode::from(2)
        }
    }
}

fn parse() -> Result<Option<Asked>, lexopt::Error> {
    let mut asked = Asked {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        size: Size::Test,
        only: String::new(),
        until: Until::End,
        most: None,
    };
    let mut parser = Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("threads") => asked.threads = parser.value()?.parse()?,
            Arg::Long("first") => asked.until = Until::AnyBroken,
            Arg::Long("seconds") => asked.most = Some(Duration::from_secs(parser.value()?.parse()?)),
            Arg::Long("deep") => asked.size = Size::Full,
            Arg::Long("only") => asked.only = parser.value()?.string()?,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(asked))
}

fn check(asked: &Asked) -> ExitCode {
    let mut good = true;
    let scenes = scenes::all(asked.size).into_iter();
    for scene in scenes.filter(|scene| scene.name.contains(&asked.only)) {
        let found = explore(scene, asked.threads.max(1), asked.until, asked.most);
        print!("{}", found.text());
        good &= found.holds() && found.complete;
    }
    match good {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(1),
    }
}
