//! What somebody can do about a failure: told by ECS's own words, or by the code of a call that failed.
//!
//! The words are those of the Amazon ECS Developer Guide: "Amazon ECS stopped tasks error messages"
//! (stopped-task-error-codes), "Viewing Amazon ECS service event messages" (service-event-messages-list),
//! "Amazon ECS service unhealthy event messages" (service-unhealthy-event-messages), and of the AWS re:Post article "Why is
//! my Amazon ECS task stopped?" (ecs-task-stopped), which lists the exit codes. They may change; what is not recognized has
//! no advice, and is shown as it is.

use serde::{Deserialize, Serialize};

use crate::error::Code;

/// The kinds of failure that a developer meets, each with one thing to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Advice {
    /// The image cannot be pulled.
    Image,
    /// Secrets, logs or registry credentials cannot be set up.
    Initialization,
    /// A container cannot be started at all.
    NotStarted,
    /// The app ended with an error.
    Exited,
    /// The app ended without an error, as a service must not.
    Finished,
    /// It needed more memory than it has, or was killed.
    OutOfMemory,
    /// The target group finds it unhealthy.
    TargetUnhealthy,
    /// Its container health check fails.
    ContainerUnhealthy,
    /// Its ready path does not answer as it should.
    ReadyPath,
    /// AWS has no room for it.
    Capacity,
    /// No network interface, or no free address in its subnets.
    Network,
    /// A role lacks a permission.
    Permission,
    /// The cluster or the service is not there any more.
    Gone,
    /// AWS asks to slow down.
    Throttled,
    /// Nobody can reach it from outside.
    PrivateOnly,
    /// Tasks stop again and again; their stopped reasons say why.
    Restarts,
    /// It takes longer than it may.
    TooLate,
    /// A tag breaks its rule.
    Tag,
}

impl Advice {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Image,
        Self::Initialization,
        Self::NotStarted,
        Self::Exited,
        Self::Finished,
        Self::OutOfMemory,
        Self::TargetUnhealthy,
        Self::ContainerUnhealthy,
        Self::ReadyPath,
        Self::Capacity,
        Self::Network,
        Self::Permission,
        Self::Gone,
        Self::Throttled,
        Self::PrivateOnly,
        Self::Restarts,
        Self::TooLate,
        Self::Tag,
    ];

    /// What to do about an error with this code and message; none if nothing useful can be said about it.
    #[must_use]
    pub fn of(code: Code, message: &str) -> Option<Self> {
        match code {
            Code::AccessDenied => Some(Self::Permission),
            Code::ClusterNotFound | Code::ServiceNotFound => Some(Self::Gone),
            Code::Throttled => Some(Self::Throttled),
            Code::NoPublicAddress => Some(Self::PrivateOnly),
            Code::InvalidTag => Some(Self::Tag),
            _ => by_words(message),
        }
    }
}

/// In the order in which one message may carry several of these words: a pull that is denied is about the image, and a
/// task that was killed after its health checks failed is about those.
const WORDS: &[(&[&str], Advice)] = &[
    (&["cannotpull", "pull image manifest"], Advice::Image),
    (
        &[
            "insufficientfreeaddresses",
            "enough free addresses",
            "network interface provisioning",
            "resource:eni",
        ],
        Advice::Network,
    ),
    (&["resourceinitializationerror"], Advice::Initialization),
    (
        &[
            "is unhealthy in (target-group",
            "failed elb health checks",
            "target group: ",
            "registered in its target group",
        ],
        Advice::TargetUnhealthy,
    ),
    (
        &["failed container health checks", "container health check: "],
        Advice::ContainerUnhealthy,
    ),
    (&["outofmemory"], Advice::OutOfMemory),
    (
        &[
            "cannotstartcontainer",
            "cannotcreatecontainer",
            "containerruntimetimeout",
        ],
        Advice::NotStarted,
    ),
    (&["only the private address"], Advice::PrivateOnly),
    (&["the ready path "], Advice::ReadyPath),
    (
        &[
            "capacity is unavailable",
            "unable to place a task",
            "waiting for capacity",
            "no container instance met",
            "resource:",
        ],
        Advice::Capacity,
    ),
    (
        &["accessdenied", "not authorized", "unable to assume the role"],
        Advice::Permission,
    ),
    (&["rate exceeded"], Advice::Throttled),
];

fn by_words(message: &str) -> Option<Advice> {
    let message = message.to_ascii_lowercase();
    let by_word = || {
        let found = WORDS
            .iter()
            .find(|(words, _)| words.iter().any(|word| message.contains(word)));
        found.map(|(_, advice)| *advice)
    };
    let last = || match &message {
        text if text.contains("unable to consistently start tasks") => Some(Advice::Restarts),
        text if text.contains("not ready within ") => Some(Advice::TooLate),
        _ => None,
    };
    by_word().or_else(|| by_exit(&message)).or_else(last)
}

/// When an essential container ends, ECS stops the others, which then end by SIGTERM (143) or SIGKILL (137): whoever ended
/// otherwise began it. Without one, 137 usually is the kernel, out of memory.
fn by_exit(message: &str) -> Option<Advice> {
    if !message.contains("essential container in task exited") && !message.contains("exit code ") {
        return None;
    }
    let codes: Vec<u32> = message
        .split("exit code ")
        .skip(1)
        .filter_map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
        .collect();
    Some(match codes.as_slice() {
        codes if codes.iter().any(|code| ![0, 137, 143].contains(code)) => Advice::Exited,
        codes if codes.contains(&0) => Advice::Finished,
        codes if codes.contains(&137) => Advice::OutOfMemory,
        _ => Advice::Exited,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_that_a_developer_meets_has_its_advice() {
        for (message, advice) in [
            (
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref x:latest",
                Advice::Image,
            ),
            (
                "CannotPullContainerError: AccessDeniedException: not authorized to perform ecr:GetAuthorizationToken",
                Advice::Image,
            ),
            (
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed",
                Advice::Initialization,
            ),
            (
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times",
                Advice::Initialization,
            ),
            (
                "Essential container in task exited (app: exit code 1)",
                Advice::Exited,
            ),
            (
                "Essential container in task exited (app: exit code 1, proxy: exit code 137)",
                Advice::Exited,
            ),
            (
                "Essential container in task exited (app: exit code 0)",
                Advice::Finished,
            ),
            (
                "Essential container in task exited (app: exit code 137)",
                Advice::OutOfMemory,
            ),
            (
                "Essential container in task exited (app: exit code 137, OutOfMemoryError: Container killed due to memory usage)",
                Advice::OutOfMemory,
            ),
            ("Essential container in task exited", Advice::Exited),
            (
                "CannotStartContainerError: failed to get container status: exec format error",
                Advice::NotStarted,
            ),
            (
                "(service web) (task 0f) (port 8080) is unhealthy in (target-group arn:x) due to (reason Health checks failed with these codes: [500])",
                Advice::TargetUnhealthy,
            ),
            (
                "Task failed ELB health checks in (target-group arn:x) (app: exit code 137)",
                Advice::TargetUnhealthy,
            ),
            (
                "not ready within 5m: target group: Request timed out",
                Advice::TargetUnhealthy,
            ),
            (
                "Task failed container health checks (app: exit code 143)",
                Advice::ContainerUnhealthy,
            ),
            (
                "not ready within 5m: container health check: UNHEALTHY",
                Advice::ContainerUnhealthy,
            ),
            (
                "not ready within 5m: the ready path answers 503",
                Advice::ReadyPath,
            ),
            (
                "not ready within 5m: the ready path does not answer: connection refused",
                Advice::ReadyPath,
            ),
            (
                "(service web) was unable to place a task. Reason: Capacity is unavailable at this time.",
                Advice::Capacity,
            ),
            (
                "Timeout waiting for network interface provisioning to complete.",
                Advice::Network,
            ),
            (
                "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': InsufficientFreeAddressesInSubnet",
                Advice::Network,
            ),
            (
                "ECS was unable to assume the role 'arn:aws:iam::1:role/x' that was provided for this task.",
                Advice::Permission,
            ),
            (
                "(service web) is unable to consistently start tasks successfully.",
                Advice::Restarts,
            ),
            ("not ready within 5m: pulling the image", Advice::TooLate),
            (
                "the task has only the private address 10.0.0.9, no load balancer and no container health check",
                Advice::PrivateOnly,
            ),
        ] {
            assert_eq!(
                Advice::of(Code::NotBecomingReady, message),
                Some(advice),
                "{message}"
            );
        }
    }

    #[test]
    fn a_code_that_says_it_goes_before_the_words() {
        for (code, advice) in [
            (Code::AccessDenied, Advice::Permission),
            (Code::ClusterNotFound, Advice::Gone),
            (Code::ServiceNotFound, Advice::Gone),
            (Code::Throttled, Advice::Throttled),
            (Code::NoPublicAddress, Advice::PrivateOnly),
            (Code::InvalidTag, Advice::Tag),
        ] {
            assert_eq!(Advice::of(code, "CannotPullContainerError"), Some(advice));
        }
    }

    #[test]
    fn what_is_not_known_has_no_advice() {
        for message in ["", "something new", "exit", "exit code"] {
            assert_eq!(Advice::of(Code::NotBecomingReady, message), None, "{message}");
        }
    }

    #[test]
    fn all_are_all() {
        let codes: std::collections::BTreeSet<_> = Advice::ALL.into_iter().collect();
        assert_eq!(
            (codes.len(), Advice::Tag as usize + 1),
            (Advice::ALL.len(), Advice::ALL.len())
        );
        assert_eq!(
            serde_json::to_value(Advice::OutOfMemory).expect("JSON"),
            "out-of-memory"
        );
    }
}
