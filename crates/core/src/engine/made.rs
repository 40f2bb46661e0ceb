//! Turns for tests of what tells of them.

use crate::engine::Turn;
use crate::ids::GroupName;
use crate::observation::Observation;
use crate::reason::Reason;
use crate::record::{Phase, Record};
use crate::settings::GroupSettings;

impl Turn {
    /// A turn of the group `dev`, which has no services, that found it in this phase and left it so.
    pub(crate) fn made(phase: Phase, now: jiff::Timestamp) -> Self {
        let name = GroupName::parse("dev").expect("a name");
        let mut record = Record::unseen(now);
        (record.version, record.phase) = (3, phase);
        Self {
            settings: GroupSettings::of(&name, Vec::new()),
            record,
            before: phase,
            woke: false,
            seen: Observation::default(),
            reason: Reason::StillWaking,
            superseded: false,
            effects: Vec::new(),
            drift: Vec::new(),
            door_changes: Vec::new(),
            would: None,
            needed: Vec::new(),
            problems: Vec::new(),
            look_again: None,
            now,
        }
    }
}
