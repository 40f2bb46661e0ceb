//! What an invocation costs at list prices: its time, its request and its calls.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use wiretap::{Answer, Call, Tape};

/// A round trip to AWS takes this long. Our estimate, as in the test `fleet` of crates/lambda.
const ROUND_TRIP: Duration = Duration::from_millis(40);
/// Megabytes for one vCPU (AWS Lambda Developer Guide, "Configure Lambda function memory").
const MB_FOR_A_VCPU: f64 = 1_769.0;
/// Bytes that Lambda itself writes to the log about an invocation, unless it is told not to: that it starts, and its report.
/// Our estimate.
const PLATFORM_LOG: f64 = 750.0;

/// Units of each price of `prices.json`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bill(BTreeMap<&'static str, f64>);

impl Bill {
    /// One invocation of a function with this configuration.
    pub(crate) fn of(tape: &Tape, answer: &Answer, configuration: &Value) -> Self {
        let mut bill = Self::default();
        let memory_mb = memory_mb(configuration);
        bill.wait(tape.trips().len() as f64, configuration);
        let worked = answer.worked.as_secs_f64() * MB_FOR_A_VCPU / memory_mb;
        bill.add("lambda-arm64-duration", worked * memory_mb / 1024.0);
        bill.add("lambda-requests", 1.0);
        let is_silent = configuration["LoggingConfig"]["SystemLogLevel"] == "WARN";
        let platform = if is_silent { 0.0 } else { PLATFORM_LOG };
        bill.add(
            "cloudwatch-logs-ingestion",
            (answer.logged as f64 + platform) / 1e9,
        );
        for call in &tape.0 {
            bill.call(call);
        }
        bill
    }

    /// So many round trips of a function with this configuration.
    pub(crate) fn wait(&mut self, trips: f64, configuration: &Value) {
        let waited = ROUND_TRIP.as_secs_f64() * trips;
        self.add(
            "lambda-arm64-duration",
            waited * memory_mb(configuration) / 1024.0,
        );
    }

    /// So many units of this.
    pub(crate) fn add(&mut self, price: &'static str, units: f64) {
        *self.0.entry(price).or_default() += units;
    }

    /// So many of these.
    pub(crate) fn times(&self, count: f64) -> Self {
        Self(
            self.0
                .iter()
                .map(|(price, units)| (*price, units * count))
                .collect(),
        )
    }

    /// Both.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        for (price, units) in &other.0 {
            self.add(price, *units);
        }
        self
    }

    /// USD of each price that is not nothing.
    pub(crate) fn usd(&self) -> BTreeMap<&'static str, f64> {
        let usd = |(price, units): (&&'static str, &f64)| (*price, units * usd(price));
        self.0.iter().map(usd).filter(|(_, usd)| *usd > 0.0).collect()
    }

    pub(crate) fn total(&self) -> f64 {
        self.usd().values().sum()
    }

    fn call(&mut self, call: &Call) {
        let (request, response) = (call.request(), call.response());
        match call.operation.as_str() {
            "GetItem" => self.read(&request, size(&response["Item"])),
            "Query" => self.read(&request, sizes(&response["Items"])),
            "BatchGetItem" => {
                for item in response["Responses"]
                    .as_object()
                    .into_iter()
                    .flat_map(|tables| tables.values())
                {
                    for item in item.as_array().into_iter().flatten() {
                        self.read(&Value::Null, size(item));
                    }
                }
            }
            "PutItem" => self.write(size(&request["Item"]), 1.0),
            // Items of a kilobyte at most.
            "UpdateItem" | "DeleteItem" => self.write(1.0, 1.0),
            "TransactWriteItems" => {
                for item in request["TransactItems"].as_array().into_iter().flatten() {
                    self.write(size(&item["Put"]["Item"]), 2.0);
                }
            }
            "Publish" => self.add("sns-publishes", 1.0),
            "GetMetricData" => {
                let queries = request["MetricDataQueries"].as_array().map_or(1, Vec::len);
                self.add("cloudwatch-metrics-read", queries as f64);
            }
            // Calls of ECS, EC2, load balancers and the tagging API are free; what a timer's steps cost is reckoned apart.
            _ => {}
        }
    }

    /// Units of 4 KB, half as dear if what was written just before may be missing (Amazon DynamoDB Developer Guide,
    /// "DynamoDB on-demand capacity mode").
    fn read(&mut self, request: &Value, bytes: f64) {
        let units = (bytes / 4096.0).ceil().max(1.0);
        let is_consistent = request["ConsistentRead"] != false && !request["ConsistentRead"].is_null();
        self.add("dynamodb-reads", if is_consistent { units } else { units / 2.0 });
    }

    /// Units of a kilobyte.
    fn write(&mut self, bytes: f64, times: f64) {
        self.add("dynamodb-writes", (bytes / 1024.0).ceil().max(1.0) * times);
    }
}

fn memory_mb(configuration: &Value) -> f64 {
    configuration["MemorySize"].as_f64().expect("its memory")
}

/// USD for one unit.
pub(crate) fn usd(price: &str) -> f64 {
    let text = include_str!("../../crates/xtask/src/bench/prices.json");
    let file: Value = serde_json::from_str(text).expect("JSON");
    let price = &file["prices"][price];
    let number = |name: &str| {
        price[name]
            .as_f64()
            .unwrap_or_else(|| panic!("no {name}: {price}"))
    };
    number("usd") / number("per")
}

fn sizes(items: &Value) -> f64 {
    items.as_array().into_iter().flatten().map(size).sum()
}

/// Bytes of an item: its names and values as text, which is what they are here, or nearly (Amazon DynamoDB Developer Guide,
/// "DynamoDB item sizes and formats").
fn size(item: &Value) -> f64 {
    let attributes = item.as_object().into_iter().flatten();
    let bytes = attributes.map(|(name, value)| name.len() + value_size(value));
    bytes.sum::<usize>() as f64
}

fn value_size(value: &Value) -> usize {
    match value {
        Value::Object(typed) => typed.values().map(value_size).sum(),
        Value::Array(values) => values.iter().map(value_size).sum(),
        Value::String(text) => text.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}
