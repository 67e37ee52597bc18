//! 16 clients at a few keys at once: what they are answered is what each key would have answered to one client after
//! the other, also where the server is killed or another takes over.

use std::fmt::Debug;
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use quotelock_model::{LockCall, LockKey, PriceTable, SequentialSpec, TableCall};
use redis::{Connection, ConnectionLike, Value};

use super::linear_board::{Asked, Board, Judgement};
use super::linear_calls::{Judged, SETTINGS};
use super::linear_disasters::{Calm, Disaster, Failover, Restart};
use super::{full, report, seed_of};
use crate::harness::*;

const CLIENTS: usize = 16;
/// The client that knows of the disasters.
const DISASTER: usize = CLIENTS;

/// How clients make a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// They send it.
    Plain,
    /// They send it, and wait until a replica has all that the answer is about.
    Waiting,
    /// In place of `QUOTELOCK.ACQUIRE` they send `GET`, decide as it does, and send `SET`.
    GetThenSet,
}

/// What clients share.
struct Shop {
    locks: Board<LockKey>,
    tables: Board<PriceTable>,
    way: Way,
    asked: AtomicUsize,
    total: usize,
    /// Where the primary is, while there is one.
    primary: RwLock<Option<u16>>,
}

impl Shop {
    /// One client's work, until all have made `total` calls together.
    fn work(&self, client: usize, mut rng: Rng) {
        let mut con = self.connect();
        while self.asked.fetch_add(1, Ordering::Relaxed) < self.total {
            let answered = if self.way == Way::GetThenSet || rng.below(2) == 0 {
                let asked = self.locks.ask(client, &mut rng);
                match (&*asked.call, self.way) {
                    (LockCall::Acquire { .. }, Way::GetThenSet) => get_then_set(&mut con, asked),
                    _ => self.send(&mut con, asked),
                }
            } else {
                self.send(&mut con, self.tables.ask(client, &mut rng))
            };
            if !answered {
                con = self.connect();
            }
        }
    }

    /// Sends a call. Returns whether the connection lived to see the answer.
    fn send<S: Judged>(&self, con: &mut Connection, asked: Asked<S>) -> bool
    where
        S::Call: Debug,
    {
        let mut bytes = packed(&S::words(&asked.call, &asked.key()));
        let mut count = 1;
        if self.way == Way::Waiting {
            // WAIT waits for the client's own last write, so that one comes after whatever the answer is about.
            pack(&mut bytes, &["INCR", "fence"]);
            pack(&mut bytes, &["WAIT", "1", "60000"]);
            count = 3;
        }
        let Ok(replies) = con.req_packed_commands(&bytes, 0, count) else {
            return false;
        };
        if self.way == Way::Waiting {
            assert_ne!(replies[2], Value::Int(0), "no replica within a minute");
        }
        asked.answer(&show(&replies[0]));
        true
    }

    fn connect(&self) -> Connection {
        eventually(TIMEOUT, || {
            let primary = self.primary.read().unwrap();
            let client = redis::Client::open(format!("redis://127.0.0.1:{}/", (*primary)?)).unwrap();
            let connection = client.get_connection_with_timeout(TIMEOUT).ok()?;
            connection.set_read_timeout(Some(TIMEOUT)).unwrap();
            Some(connection)
        })
    }

    /// The primary dies, and is there again or another is. Claims end with it.
    fn strike(&self, disaster: &mut impl Disaster) {
        *self.primary.write().unwrap() = None;
        let mut port = 0;
        let asked = self.tables.ask_all(DISASTER, || TableCall::Failover, || port = disaster.strike());
        asked.into_iter().for_each(|asked| asked.answer(""));
        *self.primary.write().unwrap() = Some(port);
    }
}

/// What services do without `QUOTELOCK.ACQUIRE`.
fn get_then_set(con: &mut Connection, asked: Asked<LockKey>) -> bool {
    let read: Option<Vec<u8>> = redis::cmd("GET").arg(asked.key()).query(con).unwrap();
    let mut found = LockKey::fresh().with_stored(read.clone());
    let answer = found.invoke(&asked.call);
    if found.stored() != read.as_deref() {
        cmd(con, &[b"SET", asked.key().as_bytes(), found.stored().unwrap()]);
    }
    asked.answer(&answer);
    true
}

/// Has the clients make `total` calls while disasters strike now and then; then judges.
fn judge_calls(
    seed: u64,
    way: Way,
    total: usize,
    disasters: usize,
    mut disaster: impl Disaster,
) -> Judgement {
    let shop = Shop {
        locks: Board::new(),
        tables: Board::new(),
        way,
        asked: AtomicUsize::new(0),
        total,
        primary: RwLock::new(Some(disaster.port())),
    };
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (shop, rng) = (&shop, Rng::seeded(seed * 100 + client as u64));
            scope.spawn(move || shop.work(client, rng));
        }
        for number in 1..=disasters {
            disaster.prepare();
            let due = total * number / (disasters + 1);
            eventually(10 * TIMEOUT, || (shop.asked.load(Ordering::Relaxed) >= due).then_some(()));
            shop.strike(&mut disaster);
        }
    });
    shop.locks.judge().and(shop.tables.judge())
}

#[track_caller]
fn all_linearizable(kind: Kind, what: &str, judgement: &Judgement) {
    if let Some(first) = judgement.refused.first() {
        panic!("{what}: of {} keys {} have no order:\n{first}", judgement.keys, judgement.refused.len());
    }
    let Judgement { keys, calls, unanswered, .. } = judgement;
    report(kind, what, &format!("{calls} calls of {keys} keys, {unanswered} of them without an answer"));
}

#[apply(each_server)]
fn one_server(#[case] kind: Kind) {
    let total = if full() { 100_000 } else { 3000 };
    let server = Calm(Server::builder(kind).module_args(SETTINGS).start());
    all_linearizable(kind, "linear", &judge_calls(seed_of(kind), Way::Plain, total, 0, server));
}

#[apply(each_server)]
fn a_server_that_is_killed_and_started_again(#[case] kind: Kind) {
    let (total, kills) = if full() { (100_000, 50) } else { (1500, 2) };
    let judgement = judge_calls(seed_of(kind), Way::Plain, total, kills, Restart::start(kind));
    assert!(judgement.unanswered > 0);
    all_linearizable(kind, "linear, kills", &judgement);
}

#[apply(each_server)]
fn failovers_with_wait(#[case] kind: Kind) {
    let (total, failovers) = if full() { (100_000, 25) } else { (1500, 2) };
    let judgement = judge_calls(seed_of(kind), Way::Waiting, total, failovers, Failover::start(kind));
    assert!(judgement.unanswered > 0);
    all_linearizable(kind, "linear, failovers", &judgement);
}

/// The same test finds out a lock that is broken.
#[apply(each_server)]
fn get_then_set_is_refused(#[case] kind: Kind) {
    let total = 600;
    let server = |kind| Calm(Server::builder(kind).module_args(SETTINGS).start());
    let judgement = judge_calls(seed_of(kind), Way::GetThenSet, total, 0, server(kind));
    assert!(!judgement.refused.is_empty(), "GET then SET passed for ACQUIRE");
    let figures =
        format!("GET then SET: of {} keys {} have no order", judgement.keys, judgement.refused.len());
    report(kind, "linear", &figures);
    all_linearizable(kind, "linear", &judge_calls(seed_of(kind), Way::Plain, total, 0, server(kind)));
}
