//! Services whose connections decide: the function stays for most of a minute, and reads them every three seconds.

mod deaths;
mod direct;
mod interplay;
mod leases;
mod lulls;
mod ranges;
mod scene;
mod slow;
mod spikes;
mod unknown;

use crate::sim::Sim;

/// Who was told of which changes.
fn told(sim: &Sim) -> Vec<(u32, u32)> {
    let notices = sim.account.notices.borrow();
    notices.iter().map(|notice| (notice.from, notice.to)).collect()
}

/// People were told of each change once, and nothing is left behind.
fn must_be_told_once(sim: &Sim) {
    let (told, set) = (told(sim), sim.account.counts_set());
    if told != set {
        sim.account.fail(&format!("set {set:?}, told {told:?}"));
    }
}
