//! Events that are as large as they get.

use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dormouse_testkit::START;
use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// A payload of a subscription that has so many bytes when it is compressed, of lines as a web server writes them.
pub(crate) fn lines(bytes: usize) -> Value {
    let mut random = Rng::with_seed(1);
    let mut count = 1_000;
    loop {
        let lines: Vec<Value> = (0..count).map(|number| line(number, &mut random)).collect();
        let payload = json!({
            "messageType": "DATA_MESSAGE",
            "owner": "123456789012",
            "logGroup": "/ecs/web",
            "logStream": "ecs/web/1",
            "subscriptionFilters": ["all"],
            "logEvents": lines,
        });
        let zipped = zipped(payload.to_string().as_bytes());
        if zipped.len() >= bytes {
            return json!({"awslogs": {"data": BASE64_STANDARD.encode(zipped)}});
        }
        count = count * bytes / zipped.len() + 100;
    }
}

fn line(number: usize, random: &mut Rng) -> Value {
    let message = format!(
        "198.51.100.{} - - \"GET /api/v1/items/{:08x}?page={} HTTP/1.1\" 200 {} \"-\" \"Mozilla/5.0\" {:.3}",
        random.u8(..),
        random.u32(..),
        random.u8(..),
        random.u16(..),
        random.f32()
    );
    json!({"id": format!("{number:056}"), "timestamp": START * 1000 + number as i64, "message": message})
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}
