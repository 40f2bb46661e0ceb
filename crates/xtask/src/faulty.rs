//! The end-to-end scenarios on a stack whose functions meet AWS's faults.

use std::ffi::OsString;

use anyhow::{Result, ensure};

use crate::faults::Faults;
use crate::progress::{say, step};
use crate::repo::Repo;
use crate::stack::Stack;
use crate::tools::Tools;
use crate::{builds, parts};

/// What `cargo xtask test` does unless told otherwise.
pub(crate) const USUAL: Faults = Faults { rate: 0.05, seed: 1 };

/// Tests, or modules of them, that would show nothing here or cannot hold, and why.
const LEFT_OUT: [(&str, &str); 22] = [
    ("browser::", "looks at the page's own doing"),
    ("browser_pages::", "looks at the page's own doing"),
    (
        "front::in_a_browser_the_page_at_the_app_s_address_becomes_the_app_in_place_again_and_again",
        "a browser",
    ),
    ("missing::", "calls no function"),
    ("privileges::", "shows what IAM refuses"),
    ("uses::", "shows what permissions are for, by the calls that come"),
    ("shared::", "calls no function"),
    (
        "why::an_entry_is_written_with_its_record_or_not_at_all",
        "calls no function",
    ),
    ("connections::spikes::", "exact seconds"),
    ("connections::lulls::", "takes more than six minutes"),
    ("requests::", "takes more than four minutes"),
    (
        "logs::lines_keep_it_awake_and_their_absence_puts_it_to_sleep",
        "exact seconds",
    ),
    (
        "signals::a_task_that_computes_is_kept_awake_and_one_that_idles_is_not",
        "takes more than three minutes",
    ),
    (
        "waking::forty_tabs_that_wait_cost_one_update_and_each_of_ecs_reads_once_a_second",
        "exact numbers of calls",
    ),
    (
        "losing_nothing::an_event_that_fails_is_tried_again_and_at_last_kept_with_its_cause",
        "exact numbers of tries",
    ),
    (
        "losing_nothing::one_of_five_services_denied_wakes_four_and_the_tick_wakes_the_fifth",
        "exact numbers of calls",
    ),
    (
        "failing::a_denied_and_a_throttled_update_say_so_and_are_tried_again",
        "has faults of its own",
    ),
    (
        "pipelines::a_stage_that_does_not_wait_succeeds_at_once",
        "exact numbers of invocations",
    ),
    (
        "cli::a_check_names_bad_tags_and_tries_permissions",
        "calls no function",
    ),
    (
        "cli::what_is_wrong_has_an_exit_code_of_its_own",
        "waits for nothing",
    ),
    (
        "connections::samples::a_sample_that_cannot_be_taken_is_refused_with_the_reason",
        "waits for nothing",
    ),
    ("events::", "waits for nothing"),
];

/// Starts such a stack, and runs the tests on it whose names contain one of `filters`, or all.
pub(crate) fn run(
    repo: &Repo,
    tools: &Tools,
    (speed, at_once): (f64, &str),
    faults: Faults,
    filters: &[OsString],
) -> Result<()> {
    let mut stack = Stack::start(repo, tools, "faulty", speed, Some(faults))?;
    let result = step("run the end-to-end tests under faults", || {
        let mut tests = builds::cargo(repo, "test");
        tests
            .args(["--no-fail-fast", "--test", "end_to_end", "--"])
            .args(filters)
            .args(LEFT_OUT.iter().flat_map(|(name, _)| ["--skip", name]))
            .env("DORMOUSE_LOCAL", &stack.file)
            .env("DORMOUSE_FAULTS", "1")
            .env("RUST_TEST_THREADS", at_once);
        parts::run("cargo test", tests, None)
    });
    let counts = stack.faults();
    let parts = stack.check();
    stack.stop();
    parts?;
    if let Some(counts) = counts? {
        say(&format!("rate {}, seed {}: {counts}", faults.rate, faults.seed));
        ensure!(
            counts.faults() > 0,
            "no call went wrong: the functions do not go through the proxy"
        );
    }
    result
}

#[cfg(test)]
mod tests {
    use super::LEFT_OUT;

    /// A name that is gone would leave nothing out, and nobody would notice.
    #[test]
    fn what_is_left_out_is_there() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/end-to-end");
        for (name, _) in LEFT_OUT {
            let (module, test) = name.rsplit_once("::").expect("a module");
            let path = format!("{folder}/{}.rs", module.replace("::", "/"));
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(
                test.is_empty() || text.contains(&format!("async fn {test}()")),
                "{name}"
            );
        }
    }
}
