//! What the table holds: whatever reads it may have been written by another version, or by hand.

use dormouse_core::eta::Wakes;
use dormouse_core::front::{Asked, Posted, find};
use dormouse_core::ids::GroupName;
use dormouse_core::look::Look;
use dormouse_core::ports::Store;
use dormouse_core::record::Record;
use dormouse_core::scale_in::plan::Plan;
use dormouse_core::scaling::connections::window::Window;
use dormouse_core::sessions::Row;
use dormouse_core::settings::GroupSettings;
use dormouse_core::why::Entry;
use dormouse_testkit::{START, World, config, event};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::messages::discover;
use super::{Decoder, REQUEST, wait};

pub(super) const DECODERS: &[Decoder] = &[Decoder {
    name: "what the table holds",
    folders: &["crates/fuzz/corpus/stored"],
    decode: stored,
    cases: 1500,
    longest: 128 << 10,
    memory: 200,
}];

/// Every type over the same body. A record or settings that can be read are also acted upon.
fn stored(bytes: &[u8]) {
    let now = Timestamp::from_second(START).unwrap_or_default();
    read::<Look>(bytes);
    read::<Plan>(bytes);
    read::<Window>(bytes);
    read::<Entry>(bytes);
    read::<Wakes>(bytes);
    if let Some(mut row) = read::<Row>(bytes) {
        let _ = (row.live(now), row.in_use(now));
        row.prune(now);
    }
    if let Some(posted) = read::<Posted>(bytes) {
        let asked = Asked {
            port: 443,
            method: "GET",
            host: "dev.example.com",
            path: "/a/b",
            query: vec![("a", "b")],
            header: &|_| Some("x".to_owned()),
            source: "198.51.100.7".parse().ok(),
        };
        let wake = posted.wake.clone();
        let _ = posted.place.sample("word");
        let _ = find(&[posted], &wake, &asked);
    }
    if let Some(record) = read::<Record>(bytes) {
        act(Some(record), None);
    }
    if let Some(settings) = read::<GroupSettings>(bytes) {
        act(None, Some(settings));
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

/// A visitor, a tick and a sleep by hand over such a group.
fn act(record: Option<Record>, settings: Option<GroupSettings>) {
    let group = settings.as_ref().map(|settings| settings.name.clone());
    let Ok(group) = group.map_or_else(|| GroupName::parse("dev"), Ok) else {
        return;
    };
    let world = World::with(&["dev/web", "dev/db"], &[("dormouse:group", group.as_str())], 1);
    wait(async {
        discover(&world).await;
        if let Some(record) = record {
            // The first version: nothing is stored yet that it would have to be the next one of.
            let stored = world.load(&group).await.unwrap_or_default();
            let version = stored.record.map_or(0, |record| record.version);
            let _ = world
                .save_record(&group, &Record { version, ..record }, None)
                .await;
        }
        if let Some(settings) = settings {
            let _ = world.save_settings(&settings).await;
        }
        for event in [
            event("http-api-status.json"),
            event("http-api-browser.json"),
            event("http-api-groups.json"),
            json!({"group": group, "action": "sleep"}),
            json!({"group": group, "action": "wake"}),
        ] {
            let _ = wake::handle(&world, &config(&[]), event, REQUEST).await;
        }
        let tick = json!({"group": group, "action": "tick"});
        let _ = auto_sleep::handle(&world, &config(&[]), tick, REQUEST).await;
    });
}
