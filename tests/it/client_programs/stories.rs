//! What programs go through: one finds no prices and fetches them, or all wait for those that another pod fetches.

use std::collections::BTreeSet;

use chrono::DateTime;
use redis::Value;
use serde_json::Value as Json;

use super::place::{Mode, Place};
use super::programs::{Program, Routing};
use super::run::Running;
use crate::harness::*;

const MINUTE_MS: i64 = 60_000;
/// What the programs fetch, and what another pod does.
pub(super) const THEIRS: &str = "571";
pub(super) const OURS: &str = "580";

/// What a program prints at its end, having fetched rows or not.
fn printed(program: &Program, protocol: u8, price: &str) -> String {
    let asked = if price == THEIRS { "asked 4711,4712\n" } else { "" };
    let lock = program.shape(protocol);
    format!("{asked}map 3,7 {price},{price}\nreserve Match lock as {lock}\n")
}

/// In each protocol: the program creates the lock, and fills its table with rows that outlive it.
#[track_caller]
pub(super) fn fills(place: &Place<'_>, program: &Program) {
    for protocol in program.protocols(place.mode()) {
        fills_in(place, program, *protocol);
    }
}

#[track_caller]
fn fills_in(place: &Place<'_>, program: &Program, protocol: u8) {
    let what = format!("{} in RESP{protocol}, {}", program.client, place.mode().name());
    for mut con in place.each() {
        // A replica refuses it, and follows.
        let _refused = try_cmd(&mut con, "FLUSHALL");
    }
    let user = (42..).map(|user| user.to_string()).find(|user| place.has_elsewhere(&lock_of(user))).unwrap();
    let before = place.redirections("MOVED");
    let said = Running::start(program, protocol, place, &user).said();
    let moved = place.redirections("MOVED") - before;
    assert_eq!(said, Ok(printed(program, protocol, THEIRS)), "{what}");
    if place.mode() == Mode::Cluster {
        let expected = match program.routing {
            Routing::Itself | Routing::Told => 0..=0,
            Routing::ToldAndSentOn => 1..=1,
            // Each time that the lock and its table are on two nodes.
            Routing::Program => 1..=6,
        };
        assert!(expected.contains(&moved), "{what}: sent on {moved} times");
    }

    let lock = place.text(&["GET", &lock_of(&user)]);
    let lock: Json = serde_json::from_str(&lock).unwrap();
    let moment = lock["queryTime"].as_str().unwrap();
    let unix_ms = DateTime::parse_from_rfc3339(moment).unwrap().timestamp_millis();
    assert_eq!(unix_ms % MINUTE_MS, 0, "{what}: {moment}");
    let expires = place.cmd(&["PEXPIRETIME", &table_of(moment)]);
    assert_eq!(expires, Value::Int(unix_ms + 60_000 + 360_000), "{what}");
}

/// What the server refuses is an error of the program, with what the server said: `WRONGTYPE`, which coredis makes a class.
#[track_caller]
pub(super) fn is_refused(place: &Place<'_>, program: &Program) {
    let [protocol, ..] = program.protocols else { panic!("{} speaks nothing", program.client) };
    place.cmd(&["HSET", &lock_of("refused"), "no", "lock"]);
    let said = Running::start(program, *protocol, place, "refused").said();
    assert!(
        said.as_ref().is_err_and(|error| error.contains("wrong kind of value")),
        "{}: {said:?}",
        program.client
    );
}

/// A program that waits for rows that another pod has claimed.
pub(super) struct Waiting<'a> {
    pub(super) program: &'a Program,
    protocol: u8,
    pub(super) lock: String,
    pub(super) table: String,
    token: String,
    running: Running,
}

/// How many start at a time: each waits until all do.
const BATCH: usize = 5;

/// Has all programs wait, each under a lock of its own, some at a time; then goes on with these.
#[track_caller]
pub(super) fn while_each_waits<'a>(
    place: &Place<'_>,
    programs: &'a [Program],
    mut go_on: impl FnMut(Vec<Waiting<'a>>),
) {
    let mut slots = BTreeSet::new();
    let mut fresh =
        |key: &str| place.has_elsewhere(key) && place.slot(key).is_none_or(|slot| slots.insert(slot));
    let (mut users, mut minutes) = (0.., now() / MINUTE_MS + 1..);
    let protocols = |program: &'a Program| {
        program.protocols(place.mode()).iter().map(move |protocol| (program, *protocol))
    };
    let runs: Vec<_> = programs.iter().flat_map(protocols).collect();
    for runs in runs.chunks(BATCH) {
        let waiting: Vec<_> = runs
            .iter()
            .map(|(program, protocol)| {
                let user = users
                    .by_ref()
                    .map(|user: u64| user.to_string())
                    .find(|user| fresh(&lock_of(user)))
                    .unwrap();
                let mut moments = minutes.by_ref().map(|minute| moment(minute * MINUTE_MS));
                let moment = moments.find(|moment| fresh(&table_of(moment))).unwrap();
                Waiting::start(place, program, *protocol, &user, &moment)
            })
            .collect();
        let all = waiting.len() as u64;
        eventually(TIMEOUT, || (place.count("quotelock", "quotelock_claims_waiting") == all).then_some(()));
        go_on(waiting);
    }
}

impl<'a> Waiting<'a> {
    /// There is a lock, and another pod has claimed the rows of its table.
    fn start(place: &Place<'_>, program: &'a Program, protocol: u8, user: &str, moment: &str) -> Self {
        let (lock, table) = (lock_of(user), table_of(moment));
        place.cmd(&["QUOTELOCK.SET", &lock, "3,7", moment]);
        let claim = place.text(&["VEHPRICE.CLAIM", &table, "PX", "60000", "JSON", "IDS", "4711", "4712"]);
        let claim: Json = serde_json::from_str(&claim).unwrap();
        let token = claim["token"].as_str().unwrap().to_owned();
        Self {
            program,
            protocol,
            lock,
            table,
            token,
            running: Running::start(program, protocol, place, user),
        }
    }

    /// The other pod brings its rows.
    #[track_caller]
    pub(super) fn store(&self, place: &Place<'_>) {
        let rows = ["4711", "4712"].map(|id| format!(r#""{id}":{{"pricingId":"{OURS}"}}"#)).join(",");
        let stored =
            place.cmd(&["VEHPRICE.MSET", &self.table, "TOKEN", &self.token, "JSON", &format!("{{{rows}}}")]);
        assert_eq!(stored, Value::Int(2), "{}", self.program.client);
    }

    /// Waits until it ends: it has shown these prices, or fails.
    #[track_caller]
    pub(super) fn ends(self, price: &str, fails: bool) {
        let what = format!("{} in RESP{}", self.program.client, self.protocol);
        let said = self.running.said();
        if fails {
            assert!(said.is_err(), "{what}: {said:?}");
        } else {
            assert_eq!(said, Ok(printed(self.program, self.protocol, price)), "{what}");
        }
    }
}

fn lock_of(user: &str) -> String {
    format!("hermes:LockedQuoteInfo:{user}")
}

fn table_of(moment: &str) -> String {
    format!("hermes:prices:{{{moment}}}:3,7")
}
