//! Carries packets between machines, late or not at all where it is told so.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use tappers::Tun;

use super::machines::machine_at;
use crate::harness::Rng;

/// What befalls packets between machines.
pub(super) struct Switch(Arc<Mutex<Rules>>);

struct Rules {
    /// From which machine to which nothing gets.
    cut: BTreeSet<(usize, usize)>,
    delay: Duration,
    /// How many of a hundred packets are lost.
    loss: u64,
    rng: Rng,
    lost: u64,
}

impl Switch {
    pub(super) fn between(tuns: Vec<Tun>) -> Self {
        let rules =
            Rules { cut: BTreeSet::new(), delay: Duration::ZERO, loss: 0, rng: Rng::seeded(17), lost: 0 };
        let (rules, tuns) = (Arc::new(Mutex::new(rules)), Arc::new(tuns));
        let (wire, arriving) = channel();
        for from in 0..tuns.len() {
            let (rules, tuns, wire) = (rules.clone(), tuns.clone(), wire.clone());
            spawn(move || take(from, &rules, &tuns, &wire));
        }
        spawn(move || deliver(&arriving, &tuns));
        Self(rules)
    }

    /// From now on nothing gets from these machines to those, nor an error that says so.
    pub(super) fn cut(&self, from: &[usize], to: &[usize]) {
        let mut rules = self.0.lock().unwrap();
        for from in from {
            rules.cut.extend(to.iter().map(|to| (*from, *to)));
        }
    }

    /// From now on nothing gets from one side to the other, nor back.
    pub(super) fn part(&self, one: &[usize], other: &[usize]) {
        self.cut(one, other);
        self.cut(other, one);
    }

    pub(super) fn heal(&self) {
        self.0.lock().unwrap().cut.clear();
    }

    /// From now on each packet takes this long, and this many of a hundred are lost.
    pub(super) fn worsen(&self, delay: Duration, loss: u64) {
        let mut rules = self.0.lock().unwrap();
        (rules.delay, rules.loss) = (delay, loss);
    }

    /// How many packets were lost otherwise than by a cut.
    pub(super) fn lost(&self) -> u64 {
        self.0.lock().unwrap().lost
    }
}

impl Rules {
    fn lets_pass(&mut self, from: usize, to: usize) -> bool {
        if self.cut.contains(&(from, to)) {
            return false;
        }
        let is_lost = self.rng.below(100) < self.loss;
        self.lost += u64::from(is_lost);
        !is_lost
    }
}

/// A packet, where it goes, and when it is due there.
type Sent = (Instant, usize, Vec<u8>);

/// Takes what a machine sends, as long as there is the machine.
fn take(from: usize, rules: &Mutex<Rules>, tuns: &[Tun], wire: &Sender<Sent>) {
    let mut packet = [0; 65536];
    while let Ok(length) = tuns[from].recv(&mut packet) {
        let packet = &packet[..length];
        let Some(to) = destination(packet).filter(|to| *to < tuns.len()) else { continue };
        let mut rules = rules.lock().unwrap();
        if rules.lets_pass(from, to) {
            // In order, as long as all take as long.
            let _gone = wire.send((Instant::now() + rules.delay, to, packet.to_vec()));
        }
    }
}

/// In the order in which they were sent, as each takes as long.
fn deliver(arriving: &Receiver<Sent>, tuns: &[Tun]) {
    for (due, to, packet) in arriving {
        sleep(due.saturating_duration_since(Instant::now()));
        // A machine that is gone gets nothing.
        let _gone = tuns[to].send(&packet);
    }
}

/// The machine that a packet of IPv4 is for.
fn destination(packet: &[u8]) -> Option<usize> {
    let address: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
    (packet[0] >> 4 == 4).then(|| machine_at(Ipv4Addr::from(address)))
}
