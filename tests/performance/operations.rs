//! What functions are asked to do, each on groups of its own.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dormouse_core::ids::GroupName;
use dormouse_core::ports::Stored;
use dormouse_core::settings::GroupSettings;
use dormouse_core::{duration, engine};
use dormouse_testkit::config;
use end_to_end::{Service, Stack, status_when};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use wiretap::{Function, Tape};

/// Enough to be told from the time that a call takes by itself.
const DELAY: Duration = Duration::from_millis(100);
const SOON: Duration = Duration::from_secs(60);
const MINUTE: Duration = Duration::from_secs(60);
/// What all measurements take at most.
const MINUTES: u32 = 5;

/// Something to ask of a function.
pub(crate) struct Operation {
    /// In words, for the table.
    pub(crate) name: &'static str,
    /// Its function in the template, and the output that names it.
    pub(crate) function: (&'static str, &'static str),
    pub(crate) event: Value,
}

pub(crate) const WAKE: (&str, &str) = ("WakeFunction", "WakeFunctionName");
pub(crate) const AUTO_SLEEP: (&str, &str) = ("AutoSleepFunction", "AutoSleepFunctionName");
const LOGS: (&str, &str) = ("LogPatternTriggerFunction", "LogPatternTriggerFunctionName");
pub(crate) const INGEST: (&str, &str) = ("SessionMetricIngestFunction", "SessionMetricIngestFunctionName");
pub(crate) const SCALING: (&str, &str) = ("ScalingDecisionFunction", "ScalingDecisionFunctionName");
/// Their names in the template, and the outputs that name them.
pub(crate) const FUNCTIONS: [(&str, &str); 5] = [WAKE, AUTO_SLEEP, LOGS, INGEST, SCALING];

/// All operations, in the order of the table, on groups whose names begin so. Those that change a group come last, so that
/// the others find all at rest.
pub(crate) async fn all(stack: &Stack, prefix: &str) -> Vec<Operation> {
    let [asleep, awake, paged, called] =
        ["asleep", "awake", "paged", "called"].map(|name| format!("{prefix}-{name}"));
    let cluster = at_rest(prefix);
    // Found before a wake needs them.
    for group in [&asleep, &paged, &called] {
        let service = Service::new(group).within(&cluster).sleeps_after("10m");
        service.create(stack).await;
    }
    let log_group = format!("/ecs/{awake}");
    Service::new(&awake)
        .within(&cluster)
        .sleeps_after("10m")
        .tag("log-group", &log_group)
        .tag("log-pattern", "GET")
        .create(stack)
        .await;
    stack.wake("GET", &format!("/{awake}")).browser().send().await;
    status_when(stack, &awake, "ready", SOON, |status| status["ready"] == true).await;
    let found = stack
        .invoke("AutoSleepFunctionName", &json!({"action": "tick"}))
        .await;
    found.expect("all groups are found");
    let task =
        json!({"task_arn": "arn:aws:ecs:us-east-1:000000000000:task/dev/0123456789abcdef0123456789abcdef"});
    vec![
        Operation {
            name: "status of a sleeping group",
            function: WAKE,
            event: http("status", &asleep),
        },
        Operation {
            name: "status of an awake group",
            function: WAKE,
            event: http("status", &awake),
        },
        Operation {
            name: "visit of an awake group",
            function: WAKE,
            event: http("browser", &awake),
        },
        Operation {
            name: "tick of all groups, nothing to do",
            function: AUTO_SLEEP,
            event: event("eventbridge-scheduled"),
        },
        Operation {
            name: "tick of scaling, nothing to do",
            function: SCALING,
            event: event("eventbridge-scheduled"),
        },
        Operation {
            name: "lines of an awake group's log",
            function: LOGS,
            event: lines(&log_group),
        },
        Operation {
            name: "two reports of sessions",
            function: INGEST,
            event: reports(&task),
        },
        Operation {
            name: "wake of a sleeping group, by its page",
            function: WAKE,
            event: http("browser", &paged),
        },
        Operation {
            name: "wake of a sleeping group, by a direct call",
            function: WAKE,
            event: json!({"group": called, "action": "wake"}),
        },
    ]
}

impl Operation {
    /// What the function asks of AWS for this, each call with a delay.
    ///
    /// # Panics
    /// If it does not answer, or with an error.
    pub(crate) async fn record(&self, stack: &Stack) -> Tape {
        // What somebody saw within the last second answers for a second look.
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        untold_minute().await;
        let (tap, program) = stack.tapped(self.function, DELAY).await;
        let mut function = Function::start(&program).await.expect("its process");
        tap.rewind();
        let answer = function.invoke(&self.event).await.expect("an answer");
        assert!(answer.answer.is_ok(), "{}: {answer:?}", self.name);
        tap.tape()
    }
}

/// Waits until it is none of the minutes in which a tick writes that it read the tags.
pub(crate) async fn untold_minute() {
    while end_to_end::now().as_second() / 60 % engine::TOLD_IN_ONE_OF == 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A cluster whose groups no tick looks at in the next minutes, if they are at rest: each is looked at once in a while.
pub(crate) fn at_rest(prefix: &str) -> String {
    let now = end_to_end::now();
    let is_due = |cluster: &str, minute: u32| {
        let listed = config(&[("CLUSTER", cluster), ("SERVICES", "web")]).listed;
        let name = GroupName::parse("default").expect("a name");
        let stored = Stored {
            settings: Some(GroupSettings::of(&name, listed)),
            record: None,
        };
        let groups = BTreeMap::from([(name, stored)]);
        !engine::due(&groups, duration::after(now, MINUTE * minute)).is_empty()
    };
    let names = (0..).map(|number| format!("{prefix}-{number}"));
    let mut names = names.filter(|cluster| !(0..MINUTES).any(|minute| is_due(cluster, minute)));
    names.next().expect("most clusters are")
}

/// One of `events`.
pub(crate) fn event(name: &str) -> Value {
    let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("JSON")
}

/// A request to the wake address, for this group.
pub(crate) fn http(name: &str, group: &str) -> Value {
    let text = event(&format!("http-api-{name}")).to_string();
    serde_json::from_str(&text.replace("\"/dev/", &format!("\"/{group}/"))).expect("JSON")
}

/// A payload of a subscription.
fn lines(log_group: &str) -> Value {
    let at = end_to_end::now().as_millisecond();
    let payload = json!({
        "messageType": "DATA_MESSAGE",
        "owner": "000000000000",
        "logGroup": log_group,
        "logStream": "ecs/web/1",
        "subscriptionFilters": ["all"],
        "logEvents": [{"id": "1", "timestamp": at, "message": "GET /reports 200"}],
    });
    let mut zipped = GzEncoder::new(Vec::new(), Compression::default());
    zipped.write_all(payload.to_string().as_bytes()).expect("memory");
    json!({"awslogs": {"data": BASE64_STANDARD.encode(zipped.finish().expect("memory"))}})
}

/// Two messages of the sessions queue.
fn reports(task: &Value) -> Value {
    let at = end_to_end::now().as_millisecond();
    let mut started = task.clone();
    started["session_id"] = json!("visitor-1");
    started["event"] = json!("started");
    started["at"] = json!(at);
    let mut beat = started.clone();
    beat["session_id"] = json!("visitor-2");
    beat["event"] = json!("heartbeat");
    let record = |(number, body): (usize, Value)| {
        json!({
            "messageId": number.to_string(),
            "receiptHandle": "r",
            "body": body.to_string(),
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": at.to_string()},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:sessions",
            "awsRegion": "us-east-1",
        })
    };
    let records: Vec<Value> = [started, beat].into_iter().enumerate().map(record).collect();
    json!({"Records": records})
}
