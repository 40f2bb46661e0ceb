//! The command line.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use fargate_sim::app::AppOptions;
use fargate_sim::model::ScaleInChoice;
use fargate_sim::server::ServerConfig;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Command {
    /// Print this and end.
    Help(&'static str),
    /// Run the simulator.
    Serve(Box<Serve>),
    /// Run a task's app.
    App(AppOptions),
}

/// `serve` with its options.
#[derive(Debug)]
pub(crate) struct Serve {
    pub(crate) config: ServerConfig,
    pub(crate) exit_with_stdin: bool,
}

pub(crate) const HELP: &str = "\
fargate-sim: Amazon ECS on Fargate, ELBv2 and task network interfaces, simulated on this machine

Usage:
  fargate-sim serve [options]   run the simulator
  fargate-sim app [options]     run the web app of one simulated task (serve does this by itself)

`fargate-sim serve --help` and `fargate-sim app --help` list the options.
";

pub(crate) const SERVE_HELP: &str = "\
Usage: fargate-sim serve [options]

Serves ECS, Resource Groups Tagging, ELBv2, EC2 (network interfaces), Application Auto Scaling (scalable targets) and
CodePipeline (results of jobs) on one port. Point an AWS SDK at it with AWS_ENDPOINT_URL_ECS,
AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API, AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2, AWS_ENDPOINT_URL_EC2,
AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING and AWS_ENDPOINT_URL_CODEPIPELINE. When ready it prints `fargate-sim listening on http://ADDRESS:PORT`.

Options:
  --port N              port of the API, 0 for any free one (default 0)
  --bind ADDRESS        address of the API (default 127.0.0.1)
  --speed N             task stages, health checks and draining are N times faster (default 1)
  --stack URL           stack with CloudWatch, EventBridge and Lambda, such as http://127.0.0.1:4566: takes the metrics,
                        has the rules that task state changes are handed to, and the functions of pipeline jobs and of
                        target groups; without it such target groups answer 502
  --iam-owner KEY       let everybody but this access key do only what the stack's IAM allows (default: everybody may
                        do everything)
  --account ID          12 digit account id in ARNs (default 000000000000)
  --region NAME         region in ARNs (default us-east-1)
  --address-base 127.N  loopback ranges of tasks (127.N private, 127.N+1 public) and load balancers (127.N+2);
                        `auto` takes the first free one (default 127.77)
  --scale-in WHICH      task that a scale-in stops: busiest, oldest or newest (default busiest, the worst pick)
  --rule-propagation SECONDS
                        a change of listener rules takes that long; meanwhile requests go by the old and the new rules
                        in turn (default 0)
  --reregister SECONDS  put a running task's target back that long after it was deregistered by hand (default off)
  --no-throttle         let API calls through without the token buckets of AWS
  --exit-with-stdin     end when standard input is closed, as it is when a parent holding its other end dies
  --help                this text

SIGTERM and SIGINT end it, with all apps. Its control API for tests is at /_sim/: health, state, calls, trail,
faults, capacity, metrics/flush, and
  POST /_sim/pipeline/jobs {\"function\":\"NAME or ARN\",\"user_parameters\":null}
                                      a pipeline comes to an action that invokes the function; answers with the job's id
  GET  /_sim/pipeline/jobs/ID         its status, number of invocations and results
  POST /_sim/pipeline/jobs/ID/invoke  delivers the latest event of the job once more
After a result with a continuation token the function is invoked again 30 s later, divided by the speed, but not
before 1 s.

Ordinary task definitions steer their simulated tasks (seconds are divided by the speed):
  image with `missing` in it       it cannot be pulled
  command [\"crash\"]                exits 1 shortly after the start
  environment SIM_PULL_SECONDS=N   how long the pull takes
  environment SIM_PENDING=forever  the pull never ends
  environment SIM_READY_AFTER=N    the app answers 503 that long
  environment SIM_STATUS=CODE      the app answers with this status
  environment SIM_APP=none         no process is started; nothing answers
";

pub(crate) const APP_HELP: &str = "\
Usage: fargate-sim app --listen ADDRESS:PORT [--listen …] --service NAME --task ID [options]

Answers every path with a page that shows it (headers x-sim-service, x-sim-task, x-sim-path; JSON with
`Accept: application/json`), /healthz, /nginx_status (stub_status), GET /_app/state, and
POST /_app/set {\"cpu\":1,\"memory\":10,\"connections\":0,\"healthy\":true,\"status\":null}.
Ends on SIGTERM, SIGINT, or when its standard input is closed.

Options:
  --ready-after SECONDS  answer 503 that long after the start
  --status CODE          answer with this status instead of 200
  --crash-after SECONDS  exit 1 that long after the start
  --help                 this text
";

/// Reads the arguments after the program's name.
///
/// Errors: for people; names the option, the value and the rule.
pub(crate) fn parse(args: impl IntoIterator<Item = String>, program: PathBuf) -> Result<Command, String> {
    let mut args: VecDeque<String> = args.into_iter().collect();
    match args.pop_front().as_deref() {
        None | Some("--help" | "-h" | "help") => Ok(Command::Help(HELP)),
        Some("serve") => serve(args, program),
        Some("app") => app(args),
        Some(other) => Err(format!("`{other}` is not a command: it must be `serve` or `app`")),
    }
}

fn serve(mut args: VecDeque<String>, program: PathBuf) -> Result<Command, String> {
    let mut config = ServerConfig::new(program);
    let mut exit_with_stdin = false;
    let mut address_base = "127.77".to_string();
    while let Some(option) = args.pop_front() {
        match option.as_str() {
            "--help" | "-h" => return Ok(Command::Help(SERVE_HELP)),
            "--port" => config.port = value(&option, &mut args, "a number from 0 to 65535")?,
            "--bind" => config.bind = value(&option, &mut args, "an IP address")?,
            "--speed" => {
                let rule = "a number from 0.01 to 10000";
                let speed: f64 = value(&option, &mut args, rule)?;
                if !(0.01..=10_000.0).contains(&speed) {
                    return Err(broken(&option, &speed.to_string(), rule));
                }
                config.world.timing.speed = speed;
            }
            "--stack" => config.stack = Some(value(&option, &mut args, "a URL")?),
            "--iam-owner" => config.iam_owner = Some(value(&option, &mut args, "an access key")?),
            "--account" => {
                let account: String = value(&option, &mut args, "12 digits")?;
                if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(broken(&option, &account, "12 digits"));
                }
                config.world.account = account;
            }
            "--region" => config.world.region = value(&option, &mut args, "a region's name")?,
            "--address-base" => address_base = value(&option, &mut args, "127.N or auto")?,
            "--scale-in" => {
                let which: String = value(&option, &mut args, "busiest, oldest or newest")?;
                config.world.scale_in = match which.as_str() {
                    "busiest" => ScaleInChoice::busiest(),
                    "oldest" => ScaleInChoice::oldest(),
                    "newest" => ScaleInChoice::newest(),
                    _ => return Err(broken(&option, &which, "busiest, oldest or newest")),
                };
            }
            "--reregister" => config.world.reregister_after = Some(seconds(&option, &mut args)?),
            "--rule-propagation" => config.world.rule_propagation = seconds(&option, &mut args)?,
            "--no-throttle" => config.throttle = false,
            "--exit-with-stdin" => exit_with_stdin = true,
            _ => {
                return Err(format!(
                    "`{option}` is not an option of serve: see fargate-sim serve --help"
                ));
            }
        }
    }
    config.addresses = match address_base.as_str() {
        "auto" => None,
        text => Some(
            text.parse()
                .map_err(|e| format!("--address-base: {e}, and not `auto`"))?,
        ),
    };
    Ok(Command::Serve(Box::new(Serve {
        config,
        exit_with_stdin,
    })))
}

fn app(mut args: VecDeque<String>) -> Result<Command, String> {
    let mut options = AppOptions::default();
    while let Some(option) = args.pop_front() {
        match option.as_str() {
            "--help" | "-h" => return Ok(Command::Help(APP_HELP)),
            "--listen" => options.listen.push(value(&option, &mut args, "ADDRESS:PORT")?),
            "--service" => options.service = value(&option, &mut args, "a name")?,
            "--task" => options.task = value(&option, &mut args, "an id")?,
            "--ready-after" => options.ready_after = seconds(&option, &mut args)?,
            "--crash-after" => options.crash_after = Some(seconds(&option, &mut args)?),
            "--status" => {
                let rule = "an HTTP status from 200 to 599";
                let status: u16 = value(&option, &mut args, rule)?;
                if !(200..=599).contains(&status) {
                    return Err(broken(&option, &status.to_string(), rule));
                }
                options.status = Some(status);
            }
            _ => {
                return Err(format!(
                    "`{option}` is not an option of app: see fargate-sim app --help"
                ));
            }
        }
    }
    if options.listen.is_empty() {
        return Err("app needs at least one --listen ADDRESS:PORT".into());
    }
    Ok(Command::App(options))
}

fn value<T: FromStr>(option: &str, args: &mut VecDeque<String>, rule: &str) -> Result<T, String> {
    let text = args
        .pop_front()
        .ok_or_else(|| format!("{option} needs a value: {rule}"))?;
    text.parse().map_err(|_| broken(option, &text, rule))
}

fn seconds(option: &str, args: &mut VecDeque<String>) -> Result<Duration, String> {
    let rule = "a number of seconds from 0 to 1000000";
    let seconds: f64 = value(option, args, rule)?;
    match (0.0..=1e6).contains(&seconds) {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err(broken(option, &seconds.to_string(), rule)),
    }
}

fn broken(option: &str, value: &str, rule: &str) -> String {
    format!("{option} `{value}` must be {rule}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_string), "sim".into())
    }

    #[test]
    fn options_are_read() {
        let Ok(Command::Serve(serve)) =
            run("serve --port 0 --speed 20 --address-base auto --scale-in oldest")
        else {
            panic!("serve expected")
        };
        assert_eq!(
            (serve.config.world.timing.speed, serve.config.addresses),
            (20.0, None)
        );
        let Ok(Command::App(app)) =
            run("app --listen 127.77.0.2:80 --service web --task t --ready-after 0.5")
        else {
            panic!("app expected")
        };
        assert_eq!(app.ready_after, Duration::from_millis(500));
    }

    #[test]
    fn errors_name_option_value_and_rule() {
        assert_eq!(
            run("serve --speed fast").unwrap_err(),
            "--speed `fast` must be a number from 0.01 to 10000"
        );
        assert_eq!(
            run("serve --port").unwrap_err(),
            "--port needs a value: a number from 0 to 65535"
        );
        assert_eq!(
            run("serve --address-base 10.0").unwrap_err(),
            "--address-base: `10.0` is not of the form 127.N with N from 1 to 253, and not `auto`"
        );
        assert_eq!(
            run("start").unwrap_err(),
            "`start` is not a command: it must be `serve` or `app`"
        );
    }
}
