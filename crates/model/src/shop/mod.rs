//! A user of a shop whose screens are answered by pods, over one server with a replica and an upstream whose prices are
//! seen late: a model whose every interleaving stateright goes through.
//!
//! A step of a pod is one command, or one question to upstream. Time goes on by whole seconds, whenever nothing forbids it.
//! The replica is in step until it stalls: which of the primary's writes it has when it takes over is all that counts.

mod check;
mod pod;
mod server;
mod upstream;

use std::fmt::{self, Display, Formatter};

use quotelock_core::lock::{State as LockState, Terms};
use quotelock_core::timestamp::Timestamp;
use stateright::{Model, Property};

pub use check::{Checked, Counterexample};

use pod::{Pod, Request, Screen};
use server::Server;
use upstream::Upstream;

/// A moment, a clock or a duration, in seconds. The shop opens at 0.
type Seconds = i64;

/// The bound of the model, and how the shop is set up.
#[derive(Clone, Debug)]
pub struct Shop {
    /// How many pods there are.
    pub pods: usize,
    /// How many screens the user opens.
    pub screens: usize,
    /// How often a price changes.
    pub changes: usize,
    /// How often a pod crashes.
    pub crashes: usize,
    /// How often the replica takes over.
    pub failovers: usize,
    /// When time ends.
    pub until: Seconds,
    /// How long upstream takes at most to commit a change, from the moment it counts from on.
    pub commit: Seconds,
    /// How far a server's clock may be ahead of upstream's, or behind.
    pub skew: Seconds,
    /// `LAG`.
    pub lag: Seconds,
    /// What is done wrong.
    pub fault: Option<Fault>,
}

/// What a shop does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The moment is that of the pod's clock, which may be so far ahead of upstream's.
    PodClock(Seconds),
    /// Locks are taken by `GET` and `SET`.
    GetThenSet,
}

/// A lock lives for three seconds, and is closing once it is more than two seconds old.
const TERMS: Terms = Terms { ttl_ms: 3000, buffer_ms: 1000 };

impl Shop {
    /// What must hold at every instant.
    pub const SILENT: &str = "no screen shows another price than the one before without saying so";
    /// As above.
    pub const REPLACED: &str = "a lock in force is not replaced";

    fn lag_ms(&self) -> i64 {
        self.lag * 1000
    }
}

/// All there is at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    now: Seconds,
    upstream: Upstream,
    primary: Server,
    replica: Replica,
    /// Those that are alike are interchangeable, so they are kept in order.
    pods: Vec<Pod>,
    seen: Option<Seen>,
    opened: usize,
    crashes: usize,
    failovers: usize,
    broken: Option<&'static str>,
}

/// What the user sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Seen {
    moment: Seconds,
    price: usize,
}

/// The server that may take over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Replica {
    /// How far its clock is ahead of upstream's.
    ahead: Seconds,
    /// What it has, once it has stalled. Until then it has what the primary has.
    stalled: Option<Server>,
}

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A second passes.
    Tick,
    /// A price changes from now on.
    Change,
    /// Upstream commits the change: from now on it is seen.
    Commit,
    /// The user opens a screen at an idle pod.
    Open(Pod, Screen),
    /// A pod does its next step.
    Step(Pod),
    /// A pod forgets what it did.
    Crash(Pod),
    /// The replica gets nothing any more.
    Stall,
    /// The primary is lost with what the replica has not, and the replica takes over.
    Failover,
}

impl Model for Shop {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let clocks = || -self.skew..=self.skew;
        let pods = (0..self.pods).map(|pod| match self.fault {
            Some(Fault::PodClock(ahead)) if pod % 2 == 1 => Pod::idle(ahead),
            _ => Pod::idle(0),
        });
        let pods: Vec<Pod> = pods.collect();
        let pairs = clocks().flat_map(|primary| clocks().map(move |replica| (primary, replica)));
        let state = |(primary, replica)| State {
            now: 0,
            upstream: Upstream::default(),
            primary: Server::new(primary),
            replica: Replica { ahead: replica, stalled: None },
            pods: pods.clone(),
            seen: None,
            opened: 0,
            crashes: 0,
            failovers: 0,
            broken: None,
        };
        pairs.map(state).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.now < self.until && state.upstream.may_tick(state.now, self.commit) {
            actions.push(Action::Tick);
        }
        if state.upstream.changes() < self.changes {
            actions.push(Action::Change);
        }
        if state.upstream.has_unseen() {
            actions.push(Action::Commit);
        }
        if state.failovers < self.failovers {
            actions.push(Action::Failover);
            if state.replica.stalled.is_none() {
                actions.push(Action::Stall);
            }
        }
        for (index, pod) in state.pods.iter().enumerate() {
            if index > 0 && state.pods[index - 1] == *pod {
                continue;
            }
            if pod.request.is_some() {
                actions.push(Action::Step(pod.clone()));
                if state.crashes < self.crashes {
                    actions.push(Action::Crash(pod.clone()));
                }
            } else if state.opened < self.screens {
                let screens = [Screen::Map, Screen::Page, Screen::Reserve];
                let opens =
                    screens.into_iter().filter(|screen| *screen != Screen::Reserve || state.seen.is_some());
                actions.extend(opens.map(|screen| Action::Open(pod.clone(), screen)));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Tick => state.now += 1,
            Action::Change => state.upstream.change(state.now),
            Action::Commit => state.upstream.commit(),
            Action::Open(pod, screen) => {
                state.opened += 1;
                let request = pod.open(screen, self, &mut state);
                state.replace(&pod, request);
            }
            Action::Step(pod) => {
                let request = pod.step(self, &mut state);
                state.replace(&pod, request);
            }
            Action::Crash(pod) => {
                state.crashes += 1;
                state.replace(&pod, None);
            }
            Action::Stall => state.replica.stalled = Some(state.primary.clone()),
            Action::Failover => {
                state.failovers += 1;
                state.fail_over();
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(Self::SILENT, |_, state: &State| state.broken != Some(Self::SILENT)),
            Property::always(Self::REPLACED, |_, state: &State| state.broken != Some(Self::REPLACED)),
            Property::sometimes("another price is shown, and it is said", |_, state: &State| {
                let seen = state.seen;
                seen.is_some_and(|seen| {
                    state.pods.iter().any(|pod| pod.shows_another(seen.moment, seen.price))
                })
            }),
            Property::sometimes("a pod waits for another", |_, state: &State| {
                state.pods.iter().any(Pod::is_waiting)
            }),
            Property::sometimes("a lock outlives its row", |_, state: &State| {
                state.seen.is_some_and(|seen| state.primary.has_lost_row(seen.moment, state.now))
            }),
            Property::sometimes("a lock follows another", |_, state: &State| state.primary.tables() > 1),
        ]
    }
}

impl State {
    /// Gives a pod another request to work on.
    fn replace(&mut self, pod: &Pod, request: Option<Request>) {
        let index = self.pods.iter().position(|each| each == pod).unwrap();
        self.pods[index].request = request;
        self.pods.sort();
    }

    /// The replica becomes the primary, and the other follows it.
    fn fail_over(&mut self) {
        let next = self.replica.stalled.take().unwrap_or_else(|| self.primary.clone());
        let ahead = self.primary.ahead;
        self.primary = next.taken_over_by(self.replica.ahead);
        self.replica.ahead = ahead;
    }

    /// A new lock is stored. None may be there that is in force.
    fn set_lock(&mut self, moment: Timestamp) {
        let now = at_ms(self.primary.clock_ms(self.now));
        if let Some(held) = self.primary.lock(self.now)
            && held != moment
            && LockState::at(now, held, TERMS) == LockState::Effective
        {
            self.broken = Some(Shop::REPLACED);
        }
        self.primary.set_lock(moment, self.now);
    }

    /// A screen shows a price. The app sees for itself whether the moment is another.
    fn show(&mut self, moment: Seconds, price: usize, said: bool) {
        let differs = |before: Seen| before.moment == moment && before.price != price;
        if self.seen.is_some_and(differs) && !said {
            self.broken = Some(Shop::SILENT);
        }
        self.seen = Some(Seen { moment, price });
    }
}

fn at_ms(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms)
}

/// A line of a counterexample.
impl Display for Action {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tick => f.write_str("a second passes"),
            Self::Change => f.write_str("a price changes from now on, which upstream has yet to commit"),
            Self::Commit => f.write_str("upstream commits the change"),
            Self::Open(_, screen) => write!(f, "{screen:?}: the user opens it, and a pod takes the lock"),
            Self::Step(pod) => write!(f, "{pod}"),
            Self::Crash(pod) => write!(f, "crashes: {pod}"),
            Self::Stall => f.write_str("the replica gets nothing any more"),
            Self::Failover => f.write_str("the replica takes over, without what it was not sent"),
        }
    }
}
