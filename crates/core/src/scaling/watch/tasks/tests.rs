//! Which tasks are asked, and what their answers mean.

use super::*;
use crate::error::Code;
use crate::observation::TaskAddress;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a moment")
}

fn task(number: usize) -> TaskState {
    TaskState {
        id: format!("t{number}"),
        stage: TaskStage::Running,
        health: None,
        targets: Vec::new(),
        probe: None,
        address: TaskAddress::Unknown,
        private: None,
        times: Default::default(),
    }
}

fn state(running: u32) -> ServiceState {
    ServiceState {
        desired: running,
        running,
        ..ServiceState::default()
    }
}

fn listed(count: usize) -> Known {
    let mut known = Known::default();
    let tasks = (0..count).map(task).collect();
    known.list(Ok(tasks), &state(count as u32), at(0));
    known
}

/// What all known tasks answer.
fn answers(of: &[Option<u64>]) -> Answers {
    let answer = |(number, answer): (usize, &Option<u64>)| {
        (format!("t{number}"), answer.ok_or_else(|| "timed out".to_owned()))
    };
    Answers {
        drawn_from: of.len() as u32,
        answers: of.iter().enumerate().map(answer).collect(),
    }
}

#[test]
fn tasks_are_listed_when_the_counts_change_and_otherwise_seldom() {
    let known = listed(2);
    assert!(!known.is_due(&state(2), at(60)));
    assert!(known.is_due(&state(3), at(60)));
    assert!(!known.is_due(&state(3), at(5)), "not at once again");
    assert!(known.is_due(&state(2), at(300)));
    assert!(
        !Known::default().is_due(&state(0), at(0)),
        "there is nothing to list"
    );
    assert!(Known::default().is_due(&state(1), at(0)));
}

#[test]
fn a_list_that_does_not_fit_the_counts_or_a_task_that_falls_silent_calls_for_another() {
    let mut known = Known::default();
    known.list(Ok(vec![task(0)]), &state(2), at(0));
    assert!(known.is_due(&state(2), at(6)), "one of two is missing");
    let mut known = listed(2);
    known
        .read(answers(&[Some(1), Some(1)]), &state(2))
        .expect("a reading");
    assert!(!known.is_due(&state(2), at(6)));
    known
        .read(answers(&[Some(1), None]), &state(2))
        .expect("a reading");
    assert!(known.is_due(&state(2), at(6)));
    known
        .read(answers(&[Some(1), Some(1)]), &state(2))
        .expect("a reading");
    assert!(!known.is_due(&state(2), at(6)));
}

#[test]
fn a_list_that_failed_leaves_what_was_known() {
    let mut known = listed(2);
    let error = Error::new(Code::Throttled, "ListTasks".to_owned());
    known.list(Err(error), &state(3), at(10));
    assert_eq!(known.sample(&mut Rng::with_seed(1)).len(), 2);
    assert!(!known.is_due(&state(3), at(15)) && known.is_due(&state(3), at(16)));
}

#[test]
fn a_task_that_never_answered_is_starting_and_one_that_did_is_unknown() {
    let mut known = listed(4);
    let reading = known
        .read(answers(&[Some(100), Some(100), None, None]), &state(4))
        .expect("a reading");
    assert_eq!(
        (reading.tasks(), reading.asked(), reading.total()),
        (2, 2, 200),
        "no share for those that start"
    );
    assert!(reading.doubt().is_some(), "but they prove no lull");
    known
        .read(answers(&[Some(50), Some(50), Some(50), Some(50)]), &state(4))
        .expect("a reading");
    let reading = known
        .read(answers(&[Some(50), Some(50), Some(50), None]), &state(4))
        .expect("a reading");
    assert_eq!(
        (reading.tasks(), reading.answered(), reading.total()),
        (4, 3, 200),
        "it has its share"
    );
    assert!(reading.doubt().is_some());
}

#[test]
fn a_task_that_is_not_listed_yet_is_a_doubt() {
    let mut known = listed(2);
    let reading = known
        .read(answers(&[Some(1), Some(1)]), &state(3))
        .expect("a reading");
    assert_eq!((reading.total(), reading.doubt().is_some()), (2, true));
}

#[test]
fn tasks_that_are_listed_while_others_are_asked_have_no_share() {
    let mut known = listed(2);
    let asked = answers(&[Some(300), Some(300)]);
    known.list(Ok((0..6).map(task).collect()), &state(6), at(6));
    let reading = known.read(asked, &state(6)).expect("a reading");
    assert_eq!((reading.total(), reading.doubt().is_some()), (600, true));
}

#[test]
fn tasks_that_fall_silent_because_they_leave_are_not_missed() {
    let mut known = listed(6);
    known
        .read(answers(&[Some(100); 6]), &state(6))
        .expect("a reading");
    let left = [Some(100), Some(100), Some(100), Some(100), None, None];
    let reading = known.read(answers(&left), &state(6)).expect("a reading");
    assert_eq!(reading.total(), 600, "nobody wants them gone");
    let lowered = ServiceState {
        desired: 4,
        ..state(6)
    };
    let reading = known.read(answers(&left), &lowered).expect("a reading");
    assert_eq!((reading.total(), reading.doubt().is_some()), (400, true));
    assert!(known.is_due(&lowered, at(6)));
    let one_more = [Some(100), Some(100), Some(100), None, None, None];
    let reading = known.read(answers(&one_more), &lowered).expect("a reading");
    assert_eq!(reading.total(), 400, "one of those that stay is silent");
}

#[test]
fn nothing_is_never_zero() {
    let mut known = listed(2);
    let said = known.read(answers(&[None, None]), &state(2));
    assert_eq!(said, Err("none of 2 tasks answered: timed out".to_owned()));
    assert_eq!(
        Known::default().read(Answers::default(), &state(0)),
        Err("no task runs that could be asked".to_owned())
    );
    let said = Known::default().read(Answers::default(), &state(2));
    assert_eq!(
        said,
        Err("2 tasks run, and their addresses are not known yet".to_owned())
    );
}

#[test]
fn of_many_tasks_a_sample_is_asked_and_stands_for_all() {
    let mut known = listed(400);
    let mut random = Rng::with_seed(7);
    let first: BTreeSet<String> = known
        .sample(&mut random)
        .into_iter()
        .map(|task| task.id)
        .collect();
    let second: BTreeSet<String> = known
        .sample(&mut random)
        .into_iter()
        .map(|task| task.id)
        .collect();
    assert_eq!((first.len(), second.len()), (100, 100), "each once");
    assert_ne!(first, second, "drawn anew");
    let answers = first.into_iter().enumerate();
    let answers = answers.map(|(n, id)| (id, if n < 10 { Err("no".to_owned()) } else { Ok(5) }));
    let asked = Answers {
        drawn_from: 400,
        answers: answers.collect(),
    };
    let reading = known.read(asked, &state(400)).expect("a reading");
    assert_eq!(
        (reading.tasks(), reading.total()),
        (360, 1800),
        "a tenth of them is starting"
    );
}
