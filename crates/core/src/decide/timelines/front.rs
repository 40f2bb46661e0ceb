//! The app's own address: where its doors lead, and when.

use super::*;
use crate::front::{Door, DoorChange, DoorId, Forward, Place, What};

const APP: &str = "tg/app";
const WAKE: &str = "tg/wake";
const RULE: &str = "rule/1";

/// A load balancer with the doors of one service, and the group behind them.
struct Fronted {
    timeline: Timeline,
    doors: BTreeMap<DoorId, Door>,
    /// What a request through the load balancer finds.
    answers: Result<(), Error>,
}

pub(super) fn place() -> Place {
    Place {
        host: "lb.example".to_owned(),
        tls: true,
        port: 443,
        priority: Some(10),
        conditions: Vec::new(),
        authenticates: false,
    }
}

fn rule(name: &str) -> DoorId {
    DoorId(name.to_owned())
}

impl Fronted {
    /// Awake since 30 s.
    fn awake(count: u32) -> Self {
        let mut timeline = Timeline::awake(&["web"], count);
        timeline.group.services[0].front = true;
        let door = Door {
            forward: Forward::to(APP),
            place: place(),
            wake: Ok(WAKE.to_owned()),
        };
        let mut fronted = Self {
            timeline,
            doors: BTreeMap::from([(rule(RULE), door)]),
            answers: Ok(()),
        };
        fronted.runs(count, count);
        fronted
    }

    /// So many tasks wanted, and so many that answer.
    fn runs(&mut self, desired: u32, ready: u32) -> &mut Self {
        self.timeline.sees("web", service(desired, ready, true));
        self.timeline.changes("web", |state| {
            state.target_groups = vec![APP.to_owned()];
            for task in &mut state.tasks {
                task.targets = vec![Health::Healthy];
            }
        });
        self
    }

    /// Decides, asks what it wants to know, and does what it decides.
    fn decide(&mut self, seconds: i64, action: Action) -> Decision {
        let decision = self.decide_only(seconds, action);
        for effect in &decision.effects {
            if let Effect::Lead(lead) = effect {
                let Lead {
                    door: id, from, to, ..
                } = &**lead;
                let door = self.doors.get_mut(id).expect("a door");
                assert!(door.forward.is_as(from), "nothing is overwritten blindly");
                door.forward = to.clone();
                let led = self.timeline.record.front.doors.get_mut(id);
                let led = led.expect("what is led is remembered");
                led.arrived_at = Some(at(seconds));
                led.posted = lead.posted.left_at.is_none().then(|| lead.posted.place.clone());
            }
        }
        decision
    }

    /// The same, and dies before it does anything.
    fn decide_only(&mut self, seconds: i64, action: Action) -> Decision {
        self.timeline.seen.doors = None;
        self.timeline.seen.proofs.clear();
        let before = self.timeline.record.clone();
        loop {
            self.timeline.record = before.clone();
            let decision = self.timeline.decide(seconds, action.clone());
            if decision.wants.is_nothing() {
                return decision;
            }
            if decision.wants.doors {
                self.timeline.seen.doors = Some(Ok(self.doors.clone()));
            }
            for door in &decision.wants.proofs {
                let led_away = self.doors[door].forward.leads_to(WAKE);
                let proof = match led_away {
                    true => self.answers.clone(),
                    false => Err(Error::new(Code::FrontUnproven, "the app answered")),
                };
                self.timeline.seen.proofs.insert(door.clone(), proof);
            }
        }
    }

    fn tick(&mut self, seconds: i64) -> Decision {
        self.decide(seconds, Action::Tick)
    }

    fn forward(&self) -> &Forward {
        &self.doors[&rule(RULE)].forward
    }

    fn leads_away(&self) -> bool {
        self.forward().leads_to(WAKE) && !self.forward().leads_to(APP)
    }

    fn owner_leads(&mut self, forward: Forward) -> &mut Self {
        self.doors.get_mut(&rule(RULE)).expect("a door").forward = forward;
        self
    }

    fn phase(&self) -> Phase {
        self.timeline.record.phase
    }

    /// Asleep since 720 s.
    fn asleep() -> Self {
        let mut t = Self::awake(2);
        t.tick(700);
        assert_eq!(counts(&t.tick(706)), web(0));
        t.runs(0, 0);
        t.tick(720);
        assert_eq!(t.phase(), Phase::Asleep);
        t
    }
}

fn refusal() -> Error {
    Error::new(Code::AccessDenied, "ModifyRule: no")
}

#[test]
fn counts_go_only_once_the_wake_function_answers_at_the_address() {
    let mut t = Fronted::awake(2);
    let first = t.tick(700);
    assert_eq!((t.phase(), counts(&first)), (Phase::FallingAsleep, vec![]));
    assert!(t.leads_away());
    assert_eq!(t.forward().weight(APP), Some(0), "its health is still checked");
    assert_eq!(t.tick(702).reason, Reason::LeadingAway, "not everywhere yet");
    let last = t.tick(706);
    assert_eq!(counts(&last), web(0));
    assert!(t.timeline.record.front.doors[&rule(RULE)].proven_at.is_some());
}

#[test]
fn a_visitor_of_the_last_moment_finds_the_app_still_there() {
    let mut t = Fronted::awake(2);
    t.tick(700);
    let wake = t.decide(703, Action::wake());
    assert_eq!((t.phase(), counts(&wake)), (Phase::Waking, vec![]));
    assert_eq!(t.decide(704, Action::Look).reason, Reason::BecameReady);
    assert_eq!((t.phase(), t.forward()), (Phase::Awake, &Forward::to(APP)));
    assert!(t.timeline.record.front.is_empty());
}

#[test]
fn while_nobody_answers_there_it_stays_awake_and_is_led_back() {
    let mut t = Fronted::awake(2);
    t.answers = Err(Error::new(Code::FrontUnproven, "502"));
    for seconds in [700, 706, 760, 819] {
        assert_eq!(t.tick(seconds).counts(), (0, 0));
        assert_eq!(t.phase(), Phase::FallingAsleep);
    }
    let last = t.tick(820);
    assert!(
        matches!(&last.reason, Reason::FrontStuck { why, .. } if why.contains("502")),
        "{last:?}"
    );
    assert_eq!((t.phase(), t.forward()), (Phase::Awake, &Forward::to(APP)));
    assert!(
        matches!(t.tick(900).reason, Reason::FrontStuck { .. }),
        "not at once again"
    );
    t.answers = Ok(());
    t.tick(820 + 899);
    assert_eq!(t.phase(), Phase::Awake);
    t.tick(820 + 900);
    assert_eq!(t.phase(), Phase::FallingAsleep);
}

#[test]
fn once_a_count_has_gone_doors_that_cannot_be_led_wake_nobody() {
    let mut t = Fronted::awake(2);
    t.tick(700);
    assert_eq!(counts(&t.tick(706)), web(0));
    t.timeline.seen.doors = Some(Err(refusal()));
    let later = t.timeline.tick(830);
    assert_eq!(
        (later.reason, later.front_error),
        (Reason::LeadingAway, Some(refusal()))
    );
    assert_eq!(t.phase(), Phase::FallingAsleep);
}

#[test]
fn a_service_that_nobody_wants_to_run_does_not_keep_the_others_from_staying_awake() {
    let mut t = Fronted::awake(2);
    let worker = ServiceSettings::of(id("worker"), &Defaults::default());
    t.timeline.group.services.push(worker);
    t.timeline.sees("worker", service(0, 0, false));
    t.timeline
        .seen
        .bounds
        .as_mut()
        .expect("bounds")
        .insert(id("worker"), Ok(None));
    t.answers = Err(Error::new(Code::FrontUnproven, "502"));
    t.decide(700, Action::Sleep);
    assert_eq!(t.phase(), Phase::FallingAsleep);
    t.tick(821);
    assert_eq!((t.phase(), t.forward()), (Phase::Awake, &Forward::to(APP)));
}

#[test]
fn a_door_that_cannot_be_led_keeps_all_of_them_and_the_group_as_they_are() {
    let mut t = Fronted::awake(2);
    let other = Door {
        wake: Err(refusal()),
        ..t.doors[&rule(RULE)].clone()
    };
    t.doors.insert(rule("rule/2"), other);
    let tick = t.tick(700);
    assert_eq!((t.phase(), tick.effects), (Phase::Awake, vec![]));
    assert!(matches!(tick.reason, Reason::FrontStuck { .. }));
    assert_eq!(tick.front_error, Some(refusal()));
}

#[test]
fn a_door_needs_room_for_one_more_target_group() {
    let others = ["tg/1", "tg/2", "tg/3", "tg/4"];
    for (others, fits) in [(&others[..3], true), (&others[..], false)] {
        let mut t = Fronted::awake(2);
        let shares = [APP].iter().chain(others).map(|target_group| (*target_group, 1));
        t.owner_leads(Forward::weighted(shares, None));
        let tick = t.tick(700);
        assert_eq!(t.leads_away(), fits);
        let why = tick.front_error.map(|error| error.message);
        let told = why.is_some_and(|why| why.contains("forwards to 5 target groups already"));
        assert_eq!(told, !fits);
    }
}

#[test]
fn doors_that_cannot_be_looked_at_put_nothing_to_sleep() {
    let mut t = Fronted::awake(2);
    t.timeline.seen.doors = Some(Err(refusal()));
    let tick = t.timeline.tick(700);
    assert_eq!((counts(&tick), tick.front_error), (vec![], Some(refusal())));
}

#[test]
fn the_address_leads_to_the_app_again_once_half_of_it_answers() {
    let mut t = Fronted::asleep();
    assert_eq!(counts(&t.decide(800, Action::wake())), web(2));
    t.runs(2, 0);
    let look = t.decide(805, Action::Look);
    assert!(t.leads_away() && look.effects.is_empty());
    t.timeline.record.service(&id("web")).wanted = Some(4);
    t.runs(4, 1).decide(810, Action::Look);
    assert!(t.leads_away(), "one of four");
    t.runs(4, 2).decide(815, Action::Look);
    assert_eq!(t.forward(), &Forward::to(APP));
    assert_eq!(t.phase(), Phase::Waking, "and it is confirmed");
    assert_eq!(t.decide(817, Action::Look).reason, Reason::BecameReady);
    assert!(t.timeline.record.front.is_empty());
}

#[test]
fn while_nothing_answers_nobody_is_asked_for_doors() {
    let mut t = Fronted::asleep();
    t.decide(800, Action::wake());
    t.runs(2, 0);
    t.timeline.seen.doors = None;
    assert!(!t.timeline.decide(805, Action::Look).wants.doors);
}

#[test]
fn a_crash_before_any_change_is_made_good_by_the_next_look() {
    let mut t = Fronted::awake(2);
    t.decide_only(700, Action::Tick);
    assert_eq!(t.forward(), &Forward::to(APP));
    assert_eq!(counts(&t.tick(715)), vec![], "it may still be on its way");
    assert_eq!(t.forward(), &Forward::to(APP));
    assert!(t.tick(721).door_changes.is_empty(), "nobody else did anything");
    assert!(t.leads_away());
    assert_eq!(counts(&t.tick(727)), web(0));
    t.runs(0, 0);
    t.tick(730);
    t.decide(800, Action::wake());
    t.runs(2, 2);
    t.decide_only(810, Action::Look);
    assert!(t.leads_away());
    t.decide(825, Action::Look);
    assert!(t.leads_away(), "it may still be on its way");
    t.decide(831, Action::Look);
    assert_eq!(t.forward(), &Forward::to(APP));
    assert_eq!(t.decide(832, Action::Look).reason, Reason::BecameReady);
}

#[test]
fn counts_wait_from_the_moment_at_which_the_rule_is_known_to_lead_away() {
    let mut t = Fronted::awake(2);
    t.decide_only(700, Action::Tick);
    // The call lands long after it was decided.
    let away = t.timeline.record.front.doors[&rule(RULE)].set.clone();
    t.owner_leads(away);
    for seconds in [708, 712] {
        assert_eq!(counts(&t.tick(seconds)), vec![], "{seconds}");
    }
    assert_eq!(counts(&t.tick(713)), web(0));
}

#[test]
fn a_rule_does_not_lead_back_while_a_count_may_still_go() {
    let mut t = Fronted::awake(2);
    t.tick(700);
    assert_eq!(counts(&t.tick(706)), web(0));
    // The count has not gone yet when a visitor comes.
    t.decide(707, Action::wake());
    t.decide(712, Action::Look);
    assert!(t.leads_away());
    t.decide(722, Action::Look);
    assert_eq!(t.forward(), &Forward::to(APP));
}

#[test]
fn a_call_of_the_other_way_that_may_still_land_is_waited_for() {
    let mut t = Fronted::awake(2);
    t.decide_only(700, Action::Tick);
    // The visitor finds the rule as it was; the call of the sleep is still on its way.
    t.decide(702, Action::wake());
    assert!(!t.timeline.record.front.is_empty(), "it is not forgotten");
    let away = t.timeline.record.front.doors[&rule(RULE)]
        .original
        .away(&[APP.to_owned()].into(), WAKE);
    t.owner_leads(away);
    t.decide(704, Action::Look);
    t.decide(712, Action::Look);
    assert_eq!(t.forward(), &Forward::to(APP));
    t.decide(713, Action::Look);
    assert_eq!(t.phase(), Phase::Awake);
}

#[test]
fn a_call_that_never_came_is_forgotten_once_it_cannot_land() {
    let mut t = Fronted::awake(2);
    t.decide_only(700, Action::Tick);
    t.decide(702, Action::wake());
    t.decide(719, Action::Look);
    assert!(!t.timeline.record.front.doors.is_empty());
    t.decide(720, Action::Look);
    assert!(t.timeline.record.front.doors.is_empty());
}

#[test]
fn a_door_is_led_again_once_the_call_of_before_cannot_land() {
    let mut t = Fronted::awake(2);
    t.decide_only(700, Action::Tick);
    assert_eq!(t.decide_only(719, Action::Tick).effects, []);
    assert_eq!(t.decide_only(720, Action::Tick).effects.len(), 1);
}

#[test]
fn a_deploy_that_puts_the_rule_back_is_noticed_and_the_address_led_away_anew() {
    let mut t = Fronted::asleep();
    assert_eq!(t.tick(780).effects, vec![]);
    t.owner_leads(Forward::to(APP));
    let tick = t.tick(840);
    let change = DoorChange {
        door: rule(RULE),
        what: What::PutBack,
    };
    assert_eq!((tick.door_changes, t.phase()), (vec![change], Phase::Asleep));
    assert!(t.leads_away());
}

#[test]
fn what_somebody_changed_meanwhile_is_kept_through_the_wake() {
    let mut t = Fronted::asleep();
    let mut changed = t.forward().clone();
    changed.shares.push(crate::front::Share {
        target_group: "tg/canary".to_owned(),
        weight: 3,
    });
    t.owner_leads(changed);
    assert_eq!(t.tick(780).door_changes[0].what, What::Changed);
    t.decide(800, Action::wake());
    t.runs(2, 2).decide(810, Action::Look);
    let weights = |forward: &Forward| {
        (
            forward.weight(APP),
            forward.weight("tg/canary"),
            forward.weight(WAKE),
        )
    };
    assert_eq!(weights(t.forward()), (Some(1), Some(3), None));
}

#[test]
fn what_somebody_led_elsewhere_or_removed_is_left_alone() {
    let mut t = Fronted::asleep();
    t.owner_leads(Forward::to("tg/new"));
    let tick = t.tick(780);
    assert_eq!(tick.door_changes[0].what, What::LedElsewhere);
    let [Effect::Post(posted)] = &tick.effects[..] else {
        panic!("the wake function is told: {:?}", tick.effects)
    };
    assert!(posted.left_at.is_some());
    let mut t = Fronted::asleep();
    t.doors.clear();
    assert_eq!(t.tick(780).door_changes[0].what, What::Removed);
    t.decide(800, Action::wake());
    t.runs(2, 2);
    assert_eq!(t.decide(810, Action::Look).reason, Reason::BecameReady);
}

#[test]
fn a_rule_that_is_new_while_it_sleeps_leads_to_the_wake_function_too() {
    let mut t = Fronted::asleep();
    let door = Door {
        forward: Forward::to(APP),
        ..t.doors[&rule(RULE)].clone()
    };
    t.doors.insert(rule("rule/2"), door);
    t.tick(780);
    assert!(t.doors[&rule("rule/2")].forward.leads_to(WAKE));
}

#[test]
fn without_the_tag_the_rules_end_as_their_owner_made_them() {
    let mut t = Fronted::asleep();
    t.timeline.group.services[0].front = false;
    t.tick(780);
    assert_eq!(t.forward(), &Forward::to(APP));
    t.tick(791);
    assert!(t.timeline.record.front.is_empty());
    let mut t = Fronted::asleep();
    t.timeline.group.services.clear();
    t.tick(780);
    assert_eq!(t.forward(), &Forward::to(APP), "nor without any tag");
}

#[test]
fn an_observed_group_leaves_its_doors_alone() {
    let mut t = Fronted::awake(2);
    t.timeline.group.services[0].mode = Mode::Observe;
    let tick = t.tick(700);
    assert_eq!((tick.effects, t.forward()), (vec![], &Forward::to(APP)));
    assert_eq!(
        tick.would.expect("a sleep").counts.values().collect::<Vec<_>>(),
        [&0]
    );
}

#[test]
fn a_group_put_to_sleep_by_others_gets_its_wait_page_too() {
    let mut t = Fronted::awake(2);
    t.runs(0, 0);
    t.tick(300);
    assert!(t.leads_away());
    t.tick(306);
    assert_eq!(t.phase(), Phase::Asleep);
}

#[test]
fn a_rule_whose_conditions_change_while_it_sleeps_is_told_to_the_wake_function_anew() {
    let mut t = Fronted::asleep();
    let door = t.doors.get_mut(&rule(RULE)).expect("a door");
    door.place.priority = Some(20);
    door.place.authenticates = true;
    let tick = t.tick(780);
    let [Effect::Post(posted)] = &tick.effects[..] else {
        panic!("{:?}", tick.effects)
    };
    assert_eq!((posted.place.priority, posted.left_at), (Some(20), None));
}

#[test]
fn a_rule_that_cannot_be_tried_is_not_led_away_at_all() {
    let mut t = Fronted::awake(2);
    let block = crate::front::Condition::Source(vec!["10.0.0.0/8".to_owned()]);
    t.doors.get_mut(&rule(RULE)).expect("a door").place.conditions = vec![block];
    let tick = t.tick(700);
    assert_eq!((t.phase(), tick.effects), (Phase::Awake, vec![]));
    assert_eq!(tick.front_error.expect("why").code, Code::FrontUnproven);
}

#[test]
fn of_two_groups_behind_one_rule_only_one_sleeps_at_a_time() {
    let mut t = Fronted::awake(2);
    t.owner_leads(Forward::weighted([(APP, 1), ("tg/other", 0), (WAKE, 1)], None));
    let tick = t.tick(700);
    assert_eq!((t.phase(), tick.effects), (Phase::Awake, vec![]));
    assert!(tick.front_error.expect("why").message.contains("another group"));
}

#[test]
fn a_new_rule_without_its_tag_does_not_hold_the_others_back() {
    let mut t = Fronted::asleep();
    let untagged = Door {
        forward: Forward::to(APP),
        wake: Err(refusal()),
        ..t.doors[&rule(RULE)].clone()
    };
    t.doors.insert(rule("rule/2"), untagged);
    t.owner_leads(Forward::to(APP));
    let tick = t.tick(780);
    assert!(t.leads_away());
    assert_eq!(tick.front_error, Some(refusal()), "and it is told");
    t.decide(800, Action::wake());
    t.runs(2, 2).decide(821, Action::Look);
    assert_eq!(t.forward(), &Forward::to(APP));
}

#[test]
fn a_rule_that_nobody_remembers_to_have_led_away_is_found_and_led_back() {
    let mut t = Fronted::awake(2);
    let away = Forward::to(APP).away(&[APP.to_owned()].into(), WAKE);
    t.owner_leads(away);
    t.tick(700);
    assert_eq!(t.phase(), Phase::FallingAsleep);
    t.decide(720, Action::wake());
    t.decide(722, Action::Look);
    t.decide(724, Action::Look);
    assert_eq!((t.phase(), t.forward()), (Phase::Awake, &Forward::to(APP)));
}

#[test]
fn what_was_led_away_before_it_was_only_observed_leads_back_when_its_app_answers() {
    let mut t = Fronted::asleep();
    t.timeline.group.services[0].mode = Mode::Observe;
    t.tick(780);
    assert!(t.leads_away(), "not into an app that sleeps");
    let wake = t.decide(800, Action::wake());
    assert_eq!(counts(&wake), [], "nothing else is done");
    let would = wake.would.map(|would| would.counts);
    assert_eq!(would, Some(BTreeMap::from([(id("web"), 2)])));
    t.runs(2, 2);
    for seconds in [840, 900, 960] {
        t.tick(seconds);
    }
    assert_eq!(t.forward(), &Forward::to(APP));
    assert!(t.timeline.record.front.doors.is_empty());
}

#[test]
fn that_an_observed_group_has_its_door_back_is_told_to_the_wake_function() {
    let mut t = Fronted::asleep();
    t.timeline.group.services[0].mode = Mode::Observe;
    t.runs(2, 2).owner_leads(Forward::to(APP));
    let told = [780, 840, 900].map(|seconds| t.tick(seconds).effects);
    let left = told.iter().flatten().filter(|effect| match effect {
        Effect::Post(posted) => posted.left_at.is_some(),
        _ => false,
    });
    assert_eq!(left.count(), 1, "{told:?}");
    assert!(t.timeline.record.front.doors.is_empty());
}

#[test]
fn a_door_that_nobody_remembers_is_left_as_it_is_in_a_group_that_is_only_observed() {
    let mut t = Fronted::awake(2);
    t.timeline.group.services[0].mode = Mode::Observe;
    let away = Forward::to(APP).away(&[APP.to_owned()].into(), WAKE);
    t.owner_leads(away);
    for seconds in [700, 760] {
        assert_eq!(t.tick(seconds).effects, []);
    }
    assert!(t.leads_away());
}
