//! Anything at any moment: scale-ins with events that are drawn from a seed.

use std::time::Duration;

use serde_json::json;

use crate::account::{Account, Act, Call, Part, When};
use crate::scene::{ALONE, BALANCED, Scene};
use crate::sim::{Sim, minutes, seconds};

/// Numbers from a seed (Marsaglia's xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// What happens, with numbers that choose the task or the amount.
#[derive(Clone, Copy, Debug)]
enum Event {
    Begin(u64),
    End(u64),
    Crash(u64),
    Wake,
    WakeWith(u32),
    Busy,
    Tick,
    Low,
    Outage(Part, u64),
    AppProtects(u64),
    AppLetsGo(u64),
    Deploy,
    ByHand(u32),
    Sleep,
    Die,
    Fail,
    Abort,
    StartByHand,
    Late(u64),
}

fn event(random: &mut Random) -> Event {
    let n = random.below(1000);
    match random.below(25) {
        0..3 => Event::Begin(n),
        3..5 => Event::End(n),
        5 => Event::Crash(n),
        6 => Event::Wake,
        7 => Event::WakeWith(5 + (n % 5) as u32),
        8 => Event::Busy,
        9 => Event::Tick,
        10 => Event::Low,
        11..13 => Event::Outage(
            random.of(&[Part::Table, Part::Ecs, Part::Elb, Part::Other]),
            1 + n % 200,
        ),
        13 => Event::AppProtects(n),
        14 => Event::AppLetsGo(n),
        15 => Event::Deploy,
        16 => Event::ByHand(6 + (n % 3) as u32),
        17 => Event::Sleep,
        18..20 => Event::Die,
        20..22 => Event::Fail,
        22 => Event::Abort,
        23 => Event::Late(1 + n % 9),
        _ => Event::StartByHand,
    }
}

fn one(account: &Account, n: u64) -> String {
    let alive = account.alive();
    alive
        .get(n as usize % alive.len().max(1))
        .cloned()
        .unwrap_or_default()
}

impl Event {
    /// Lets it happen, wherever it can happen at any moment.
    fn happen(self, account: &Account) {
        match self {
            Event::Begin(n) => {
                account.begin_session(&one(account, n));
            }
            Event::End(n) => account.end_sessions(&one(account, n)),
            Event::Crash(n) => account.crash(&one(account, n)),
            Event::Wake => account.wake(None),
            Event::WakeWith(count) => account.wake(Some(count)),
            Event::Busy => account.busy_tick(),
            Event::Tick => account.tick(),
            Event::Low => account.set_cpu(10.0),
            Event::Outage(part, length) => account.outage(part, seconds(length)),
            Event::AppProtects(n) => account.app_protects(&one(account, n), 30 + n as i64 % 100),
            Event::AppLetsGo(n) => account.app_lets_go(&one(account, n)),
            Event::Deploy => account.deploy(),
            Event::ByHand(count) => account.set_by_hand(count.max(account.desired())),
            Event::Sleep => account.sleep(),
            Event::StartByHand => {
                let name = format!("by-hand-{}", account.executions.borrow().len());
                account.begin(&name, json!({"group": "dev", "service": "dev/web", "to": 2}));
            }
            Event::Die | Event::Fail | Event::Abort | Event::Late(_) => {}
        }
    }

    /// Whether it can come between two calls of one step without our being able to do anything about it.
    fn is_a_race(self, scene: Scene) -> bool {
        match self {
            Event::AppProtects(_) | Event::AppLetsGo(_) | Event::Abort => true,
            Event::Begin(_) => !scene.balanced,
            _ => false,
        }
    }
}

pub(crate) fn run(seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let scene = Scene {
        tasks: 4 + random.below(5) as u32,
        delay: random.of(&[0, 30, 60, 300]),
        reregister_after: random.of(&[None, None, None, Some(seconds(20)), Some(seconds(70))]),
        ..random.of(&[BALANCED, BALANCED, ALONE])
    };
    let mut sim = scene.begun();
    sim.account.note(&format!("-- seed {seed}: {scene:?}"));
    sim.account
        .latency
        .set(Duration::from_millis(random.of(&[0, 50, 400, 1500])));
    sim.account.lag.set(seconds(random.of(&[0, 0, 0, 1, 3])));
    sim.set_scheduler(random.of(&[1, 1, 3, 9, 20]));
    for _ in 0..=random.below(5) {
        let event = event(&mut random);
        if let Event::Late(by) = event {
            let lowers = |call: &Call| call.step == "lower" && call.port == "set_desired";
            sim.account.plan_for(lowers, Act::Late(seconds(by)));
            continue;
        }
        let in_a_step = random.below(2) == 0 || matches!(event, Event::Die | Event::Fail);
        if in_a_step && !event.is_a_race(scene) {
            let when = random.of(&[When::Before, When::After]);
            let act = match event {
                Event::Die => Act::Die,
                Event::Fail => Act::Fail,
                event => Act::run(move |account| event.happen(account)),
            };
            sim.account
                .plan_for(nth(1 + random.below(60) as usize, when), act);
        } else {
            let longest = random.of(&[5, 60, 400]);
            sim.run(seconds(random.below(longest)));
            match event {
                Event::Abort => sim.abort_last(),
                event => event.happen(&sim.account),
            }
        }
    }
    sim.run(minutes(10));
    sim.account.set_cpu(50.0);
    sim.run(minutes(10));
    sim.finish();
    // What an app protects may hold a deployment up for two hours.
    for _ in 0..24 {
        if sim.account.left_behind().is_some() {
            sim.run(minutes(5));
        }
    }
    sim.must_be_clean();
}

impl Sim {
    fn abort_last(&mut self) {
        if let Some(n) = self
            .executions
            .iter()
            .rposition(|execution| execution.end.is_none())
        {
            self.abort(n);
        }
    }
}

#[test]
fn whatever_happens_nobody_is_cut_off_and_nothing_is_left_behind() {
    (0..300).for_each(run);
}

/// The `n`th call that steps make.
fn nth(n: usize, when: When) -> impl Fn(&Call) -> bool {
    move |call| call.step != "tick" && call.n == n && call.when == when
}
