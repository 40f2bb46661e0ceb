//! What a run consists of: the services, what people do and when, and what goes wrong. All of it is drawn from the seed,
//! and each part can be left out without changing the others.

use std::fmt;

use crate::dice::Dice;
use crate::faults::Faults;
use crate::sabotage::Sabotage;

/// A run, before it happens.
#[derive(Clone, Debug)]
pub struct Script {
    /// The seed of everything.
    pub seed: u64,
    /// The services.
    pub services: Vec<ServiceScene>,
    /// What happens, by the second at which it does.
    pub happenings: Vec<(u64, Happening)>,
    /// What goes wrong while it does.
    pub faults: Faults,
    /// A bug that is put in on purpose, if any.
    pub sabotage: Option<Sabotage>,
    /// From this second on nothing happens and nothing goes wrong any more.
    pub calm_from: u64,
}

/// A service as its owner set it up.
#[derive(Clone, Debug)]
pub struct ServiceScene {
    /// Its name, in cluster `dev`.
    pub name: String,
    /// Its group; none: it has no tag of ours and is none of our business.
    pub group: Option<String>,
    /// Its count.
    pub count: u32,
    /// Its tags beside that of its group, without the prefix.
    pub tags: Vec<(String, String)>,
    /// Whether it is behind a load balancer.
    pub balanced: bool,
    /// Whether Application Auto Scaling scales it.
    pub scalable: bool,
}

impl ServiceScene {
    /// The value of a tag.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        let mut tags = self.tags.iter();
        tags.find(|(tag, _)| tag == name).map(|(_, value)| &**value)
    }

    /// Whether its address wakes it.
    #[must_use]
    pub fn is_fronted(&self) -> bool {
        self.tag("front") == Some("on")
    }

    /// Whether its owner lists this signal.
    #[must_use]
    pub fn listens_to(&self, signal: &str) -> bool {
        self.tag("signals")
            .is_some_and(|signals| signals.split(' ').any(|one| one == signal))
    }
}

/// Something that people, or the world, do.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// Somebody opens a group, uses it for so many seconds and leaves.
    Visit {
        /// The group.
        group: String,
        /// Whether it is a browser.
        browser: bool,
        /// For how many seconds.
        stays: u64,
    },
    /// A direct call.
    Call {
        /// The group.
        group: String,
        /// The action.
        action: &'static str,
        /// For how many minutes, where the action has an end.
        minutes: Option<u64>,
    },
    /// An alarm of a service's target group.
    Alarm(String),
    /// A line in the log of a service, of something else than a visit.
    LogLine(String),
    /// A pipeline's stage.
    Job {
        /// The group.
        group: String,
        /// Whether the stage waits until it is ready.
        waits: bool,
    },
    /// Somebody sets a count behind our back.
    SetCount(String, u32),
    /// A deployment.
    Deploy(String),
    /// A task dies.
    Crash(String),
    /// Somebody stops a task.
    StopTask(String),
    /// Somebody writes a tag that breaks its rule; it is mended with the calm.
    BadTag(String),
    /// Fargate has no capacity for so many seconds.
    NoCapacity(u64),
    /// The CPU of a service from now on, percent.
    Cpu(String, u32),
    /// A tick comes once more.
    Tick,
}

impl Happening {
    /// The group or service that it is about.
    fn subject(&self) -> Option<&str> {
        match self {
            Self::Visit { group, .. } | Self::Call { group, .. } | Self::Job { group, .. } => Some(group),
            Self::Alarm(service)
            | Self::LogLine(service)
            | Self::SetCount(service, _)
            | Self::Deploy(service)
            | Self::Crash(service)
            | Self::StopTask(service)
            | Self::BadTag(service)
            | Self::Cpu(service, _) => Some(service),
            Self::NoCapacity(_) | Self::Tick => None,
        }
    }
}

const GROUPS: [&str; 3] = ["a", "b", "c"];

impl Script {
    /// The run of a seed.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let services = draw_services(seed);
        let mut dice = Dice::of(seed, "script");
        let length = dice.one_of(&[1800, 3600, 7200]);
        let count = dice.between(3, 24);
        let mut happenings: Vec<(u64, Happening)> = (0..count)
            .map(|n| {
                let mut dice = Dice::of(seed, &format!("happening {n}"));
                (dice.below(length), draw_happening(&mut dice, &services))
            })
            .collect();
        happenings.sort_by_key(|(at, _)| *at);
        Self {
            seed,
            happenings,
            faults: Faults::draw(seed, length),
            services,
            sabotage: None,
            calm_from: length,
        }
    }

    /// The names of its groups.
    #[must_use]
    pub fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = self.services.iter().filter_map(|s| s.group.clone()).collect();
        groups.sort();
        groups.dedup();
        groups
    }

    /// The same without a service, and without what is about it alone; none if it is the last one of all, or needed.
    pub(crate) fn without_service(&self, name: &str) -> Option<Self> {
        let mut script = self.clone();
        script.services.retain(|service| service.name != name);
        let groups = script.groups();
        let known = |subject: &str| {
            groups.iter().any(|group| group == subject) || script.services.iter().any(|s| s.name == subject)
        };
        script
            .happenings
            .retain(|(_, happening)| happening.subject().is_none_or(known));
        let needed = script.services.iter().any(|service| {
            let mut needs = service
                .tag("needs")
                .into_iter()
                .flat_map(|needs| needs.split(' '));
            needs.any(|need| need.rsplit('/').next() == Some(name))
        });
        (!needed && !groups.is_empty()).then_some(script)
    }
}

fn draw_services(seed: u64) -> Vec<ServiceScene> {
    let mut dice = Dice::of(seed, "scene");
    let mut services = Vec::new();
    let groups = dice.between(1, GROUPS.len() as u64) as usize;
    for group in &GROUPS[..groups] {
        for n in 0..dice.one_of(&[1, 1, 2, 3]) {
            let earlier = services.last().cloned();
            services.push(draw_service(&mut dice, group, n, earlier.as_ref()));
        }
    }
    services.push(ServiceScene {
        name: "bystander".to_owned(),
        group: None,
        count: 2,
        tags: Vec::new(),
        balanced: true,
        scalable: true,
    });
    services
}

fn draw_service(dice: &mut Dice, group: &str, n: u64, earlier: Option<&ServiceScene>) -> ServiceScene {
    let mut tags: Vec<(String, String)> = Vec::new();
    let mut tag = |name: &str, value: &str| tags.push((name.to_owned(), value.to_owned()));
    let name = format!("{group}{n}");
    let balanced = dice.below(3) > 0;
    let count = dice.between(1, 5) as u32;
    tag("url", &format!("https://{name}.example.com"));
    tag("idle-after", dice.one_of(&["3m", "5m", "12m"]));
    tag("grace", dice.one_of(&["1m", "5m"]));
    let log = format!("/ecs/{name}");
    let mut signals = Vec::new();
    for (signal, possible) in [
        ("requests", balanced),
        ("sessions", true),
        ("logs", true),
        ("connections", true),
        ("protection", true),
    ] {
        if possible && dice.below(3) == 0 {
            signals.push(signal);
        }
    }
    if signals.contains(&"logs") {
        tag("log-group", &log);
    }
    if signals.contains(&"connections") {
        tag("connections", ":8080/nginx_status");
    }
    let signals = if signals.is_empty() {
        "none".to_owned()
    } else {
        signals.join(" ")
    };
    tag("signals", &signals);
    let scales = dice.below(2) == 0;
    if scales {
        tag("min", "1");
        tag("max", dice.one_of(&["4", "6"]));
        tag("cpu", "30-70");
    }
    if !scales && dice.below(4) == 0 {
        tag("wake-count", &dice.between(1, 3).to_string());
        tag("max", "4");
    }
    if balanced && dice.below(3) == 0 {
        tag("front", "on");
    }
    if let Some(earlier) = earlier
        && dice.below(2) == 0
    {
        let own = earlier.group.as_deref() == Some(group);
        let theirs = format!(
            "{}/{}",
            earlier.group.as_deref().unwrap_or_default(),
            earlier.name
        );
        tag("needs", if own { &earlier.name } else { &theirs });
    }
    ServiceScene {
        name,
        group: Some(group.to_owned()),
        count,
        tags,
        balanced,
        scalable: !scales && dice.below(4) == 0,
    }
}

fn draw_happening(dice: &mut Dice, services: &[ServiceScene]) -> Happening {
    let ours: Vec<&ServiceScene> = services.iter().filter(|s| s.group.is_some()).collect();
    let service = dice.one_of(&ours);
    let (name, group) = (service.name.clone(), service.group.clone().unwrap_or_default());
    match dice.below(40) {
        0..16 => Happening::Visit {
            group,
            browser: dice.below(3) > 0,
            stays: dice.one_of(&[0, 60, 400, 1500]),
        },
        16..19 => Happening::Call {
            group,
            action: "wake",
            minutes: None,
        },
        19..22 => Happening::Call {
            group,
            action: "sleep",
            minutes: None,
        },
        22 => Happening::Call {
            group,
            action: "keep-awake",
            minutes: Some(dice.between(1, 15)),
        },
        23 => Happening::Call {
            group,
            action: "sleep",
            minutes: Some(dice.between(1, 10)),
        },
        24 => Happening::Alarm(name),
        25..27 => Happening::LogLine(name),
        27 => Happening::Job {
            group,
            waits: dice.below(2) == 0,
        },
        28 => Happening::SetCount(name, dice.below(5) as u32),
        29 => Happening::Deploy(name),
        30..32 => Happening::Crash(name),
        32 => Happening::StopTask(name),
        33 => Happening::BadTag(name),
        34 => Happening::NoCapacity(dice.between(30, 400)),
        35..39 => Happening::Cpu(name, dice.one_of(&[5, 20, 50, 90])),
        _ => Happening::Tick,
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        for service in &self.services {
            let tags: Vec<String> = service
                .tags
                .iter()
                .map(|(tag, value)| format!("{tag}={value}"))
                .collect();
            writeln!(
                f,
                "  service {} of group {}: {} tasks{}{}, {}",
                service.name,
                service.group.as_deref().unwrap_or("-"),
                service.count,
                if service.balanced { ", balanced" } else { "" },
                if service.scalable { ", scalable" } else { "" },
                tags.join(", ")
            )?;
        }
        writeln!(f, "  faults: {}", self.faults)?;
        for (at, happening) in &self.happenings {
            writeln!(f, "  {at:>5} s {happening:?}")?;
        }
        write!(f, "  calm from {} s", self.calm_from)
    }
}
