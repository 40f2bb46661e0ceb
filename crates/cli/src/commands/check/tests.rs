//! Checks of accounts in memory.

use dormouse_core::error::Error;
use dormouse_core::front::{Door, DoorId};
use dormouse_core::observation::ServiceState;

use super::*;
use crate::commands::testing::block_on;
use crate::ports::Caller;

/// An account with these services and permissions.
struct Fake {
    services: Result<Vec<TaggedService>, Error>,
    missing: Vec<ServiceId>,
    trials: Vec<Trial>,
}

impl Account for Fake {
    async fn caller(&self) -> Result<Caller, Error> {
        Ok(Caller {
            account: "123456789012".to_owned(),
            arn: "arn:me".to_owned(),
        })
    }

    async fn services(&self) -> Result<Vec<TaggedService>, Error> {
        self.services.clone()
    }

    async fn look(&self, services: &[&ServiceSettings]) -> BTreeMap<ServiceId, Seen> {
        let seen = services.iter().map(|settings| {
            let id = settings.id.clone();
            let seen = if self.missing.contains(&id) {
                let message = format!("service `{id}` is MISSING: it must exist and be ACTIVE");
                Seen::Unknown(Error::new(Code::ServiceNotFound, message))
            } else {
                Seen::Known(ServiceState {
                    desired: 2,
                    running: 1,
                    ..ServiceState::default()
                })
            };
            (id, seen)
        });
        seen.collect()
    }

    async fn doors(&self, _: &[String]) -> Result<BTreeMap<DoorId, Door>, Error> {
        Ok(BTreeMap::new())
    }

    async fn try_reads(&self, service: Option<&ServiceId>) -> Vec<Trial> {
        let mut trials = self.trials.clone();
        if service.is_none() {
            trials.retain(|trial| !matches!(trial.result, Tried::Allowed));
        }
        trials
    }
}

fn service(name: &str, tags: &[(&str, &str)]) -> TaggedService {
    TaggedService {
        id: ServiceId::new("dev", name),
        tags: tags
            .iter()
            .map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn trial(action: &'static str, result: Tried) -> Trial {
    Trial { action, result }
}

fn check(fake: &Fake) -> Report {
    block_on(run(fake, "eu-central-1")).expect("a report")
}

#[test]
fn good_tags_and_permissions_leave_nothing_to_mend() {
    let report = check(&Fake {
        services: Ok(vec![
            service("web", &[("dormouse:group", "dev")]),
            service("other", &[("Name", "x")]),
        ]),
        missing: Vec::new(),
        trials: vec![
            trial("ecs:ListTasks", Tried::Allowed),
            trial("ecs:DescribeTasks", Tried::Untried("no task runs to ask about")),
            trial("logs:StartQuery", Tried::Untried("a search costs money")),
            trial(
                "cloudwatch:GetMetricData",
                Tried::Denied("not authorized".to_owned()),
            ),
        ],
    });
    assert_eq!((report.exit, &report.complaint), (Exit::Done, &None));
    assert_eq!(
        report.text,
        format!(
            "\
Account 123456789012, Region eu-central-1, as arn:me

dev
  dev/web  1 of 2 tasks run

PERMISSION
tag:GetResources          ok
ecs:ListTasks             ok
ecs:DescribeTasks         untried     no task runs to ask about
logs:StartQuery           not needed  as services are tagged now
cloudwatch:GetMetricData  not needed  as services are tagged now

{}",
            text_note()
        )
    );
}

fn text_note() -> &'static str {
    "These are your own permissions. The functions get roles of their own when the stack is deployed; what an \
     organization\ndenies you, it may deny them too. Nothing that changes something was tried, such as \
     ecs:UpdateService."
}

#[test]
fn everything_that_is_to_be_mended_is_named_and_counted() {
    let report = check(&Fake {
        services: Ok(vec![
            service(
                "web",
                &[("dormouse:group", "dev"), ("dormouse:idle-after", "soon")],
            ),
            service("fronted", &[("dormouse:group", "dev"), ("dormouse:front", "on")]),
            service("gone", &[("dormouse:group", "dev")]),
            service("typo", &[("dormouse:grupp", "dev")]),
            service("odd", &[("dormouse:group", "a/b")]),
        ]),
        missing: vec![ServiceId::new("dev", "gone")],
        trials: vec![trial(
            "ecs:ListTasks",
            Tried::Denied("ListTasks: not authorized".to_owned()),
        )],
    });
    assert_eq!(report.exit, Exit::Mend);
    assert_eq!(report.complaint.as_deref(), Some("6 to mend"));
    for line in [
        "  ! service `dev/web`, tag `dormouse:idle-after`, value `soon`: must be whole numbers",
        "  ! service `dev/fronted`: the tag dormouse:front is on, but no listener or rule",
        "  ! service `dev/gone` is MISSING: it must exist and be ACTIVE",
        "in no group\n  dev/typo  1 of 2 tasks run\n  dev/odd  1 of 2 tasks run\n",
        "  ! service `dev/typo`, tag `dormouse:grupp`, value `dev`: is not a tag that this version knows",
        "  ! service `dev/odd`, tag `dormouse:group`, value `a/b`: must be 1 to 50 letters",
        "ecs:ListTasks     denied  ListTasks: not authorized",
    ] {
        assert!(report.text.contains(line), "{line}\n\n{}", report.text);
    }
    let json = &report.json;
    assert_eq!(json["account"], "123456789012");
    assert_eq!(
        json["groups"][0]["services"][0],
        json!({"id": "dev/web", "desired": 2, "running": 1})
    );
    assert_eq!(json["groups"][0]["services"][2]["code"], "ServiceNotFound");
    assert_eq!(json["groups"][0]["problems"][0]["code"], "InvalidTag");
    assert_eq!(json["strays"][0]["id"], "dev/typo");
    assert_eq!(json["permissions"][1]["outcome"], "denied");
}

#[test]
fn whoever_may_not_search_for_tags_is_told_so() {
    let denied = Error::new(Code::AccessDenied, "GetResources: not authorized");
    let report = check(&Fake {
        services: Err(denied),
        missing: Vec::new(),
        trials: vec![trial(
            "ecs:ListTasks",
            Tried::Untried("there is no service to ask about"),
        )],
    });
    assert_eq!(report.exit, Exit::Mend);
    assert!(
        report
            .text
            .contains("tag:GetResources  denied   GetResources: not authorized"),
        "{}",
        report.text
    );
    assert!(!report.text.contains("No service has a tag"), "{}", report.text);
}

#[test]
fn an_account_without_tags_is_told_how_to_begin() {
    let report = check(&Fake {
        services: Ok(Vec::new()),
        missing: Vec::new(),
        trials: Vec::new(),
    });
    assert_eq!(report.exit, Exit::Done);
    assert!(
        report.text.contains("opt in with the tag `dormouse:group`"),
        "{}",
        report.text
    );
}

#[test]
fn an_account_that_cannot_be_searched_is_a_failure() {
    let fake = Fake {
        services: Err(Error::new(Code::Unavailable, "GetResources: no answer in time")),
        missing: Vec::new(),
        trials: Vec::new(),
    };
    let failure = block_on(run(&fake, "eu-central-1")).expect_err("no answer");
    assert_eq!(failure.exit(), Exit::Failed);
}
