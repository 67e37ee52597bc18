//! A client's own book: what it wrote, what it was answered, and so what a server must hold.
//!
//! Each writer has locks and a table to itself, so its book alone says what is there. Every write leaves
//! something else than any write before it, so what a server holds shows how many of the writes it has run.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Instant;

use redis::{Connection, ConnectionLike, RedisResult, Value};

use crate::harness::*;

/// Locks and tables of the book outlive the test: what goes is lost, or deleted.
pub(crate) const SETTINGS: &str = "lock-ttl-ms 86400000 price-ttl-ms 0";
const TTL_MS: i64 = 86_400_000;

/// How far the server's clock, as a reply shows it, may be from the moment we read ours.
const SLACK_MS: i64 = 2000;

/// A lock or a row of a writer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Lock(String),
    Row(String),
}

/// What a place holds: a lock's JSON or a row's fields, and when it expires.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) text: String,
    pub(crate) expiry: RangeInclusive<i64>,
}

pub(crate) type State = BTreeMap<Place, Held>;

/// What a server was found to hold.
pub(crate) type Found = BTreeMap<Place, (String, i64)>;

/// Commands sent at once, which the server runs as one or not at all.
#[derive(Clone)]
pub(crate) struct Write {
    pub(crate) commands: Vec<Vec<String>>,
    pub(crate) answers: Vec<String>,
    pub(crate) after: Vec<(Place, Option<Held>)>,
    /// When it was answered.
    pub(crate) acknowledged: Option<Instant>,
}

pub(crate) struct Book {
    pub(crate) writer: u64,
    /// What was there before the writes.
    before: State,
    /// What is there after them.
    state: State,
    /// In order; at most the last one is not acknowledged.
    pub(crate) writes: Vec<Write>,
}

impl Book {
    pub(crate) fn of(writer: u64) -> Self {
        Self { writer, before: State::new(), state: State::new(), writes: Vec::new() }
    }

    /// All that is in the slot of the writer.
    pub(crate) fn table(&self) -> String {
        format!("prices:{{{}}}", self.writer)
    }

    pub(crate) fn lock(&self, number: u64) -> String {
        format!("user:{{{}}}:{number}", self.writer)
    }

    pub(crate) fn held(&self, place: &Place) -> Option<&Held> {
        self.state.get(place)
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// One more write, and whether it was answered: not if the connection is gone, or the server refuses what
    /// writes. A wrong answer fails the test.
    pub(crate) fn write(&mut self, con: &mut Connection, rng: &mut Rng) -> RedisResult<()> {
        let mut write = self.plan(rng);
        let sent = now();
        let replies = send(con, &write.commands);
        let answered = now();
        for (_, held) in &mut write.after {
            // A lock lives from when the server ran the command, which is between these two.
            if let Some(held) = held.as_mut().filter(|held| held.expiry == UNKNOWN) {
                held.expiry = sent + TTL_MS - SLACK_MS..=answered + TTL_MS + SLACK_MS;
            }
        }
        if let Ok(replies) = &replies {
            let answers: Vec<String> = replies.iter().map(show).collect();
            assert_eq!(answers, write.answers, "{:?}", write.commands);
            write.acknowledged = Some(Instant::now());
        }
        for (place, held) in write.after.clone() {
            put(&mut self.state, place, held);
        }
        self.writes.push(write);
        replies.map(drop)
    }

    /// How many of the writes the server has run, if what it holds is what that many of them left.
    pub(crate) fn kept(&self, found: &Found) -> Option<usize> {
        self.all_kept(found).pop()
    }

    /// Each number of writes that would leave what was found.
    pub(crate) fn all_kept(&self, found: &Found) -> Vec<usize> {
        let mut state = self.before.clone();
        let same = |state: &State, place: &Place| match (state.get(place), found.get(place)) {
            (None, None) => true,
            (Some(held), Some((text, expiry))) => held.text == *text && held.expiry.contains(expiry),
            _ => false,
        };
        let places = state.keys().chain(found.keys()).chain(self.writes.iter().flat_map(Write::places));
        let mut different: std::collections::BTreeSet<Place> =
            places.filter(|place| !same(&state, place)).cloned().collect();
        let mut kept = Vec::from_iter(different.is_empty().then_some(0));
        for (number, write) in (1..).zip(&self.writes) {
            for (place, held) in write.after.clone() {
                put(&mut state, place.clone(), held);
                if same(&state, &place) {
                    different.remove(&place);
                } else {
                    different.insert(place);
                }
            }
            if different.is_empty() {
                kept.push(number);
            }
        }
        kept
    }

    /// Goes on from what the first `kept` writes left; the others, which are lost, are returned.
    pub(crate) fn go_on_from(&mut self, kept: usize) -> Vec<Write> {
        let lost = self.writes.split_off(kept);
        for write in std::mem::take(&mut self.writes) {
            for (place, held) in write.after {
                put(&mut self.before, place, held);
            }
        }
        self.state = self.before.clone();
        lost
    }

    /// What the server holds at the writer's keys.
    pub(crate) fn find(&self, con: &mut Connection) -> Found {
        let mut found = Found::new();
        for number in 0..super::load::LOCKS {
            let key = self.lock(number);
            let (json, expiry) = stored(con, &key);
            if expiry != -2 {
                found.insert(Place::Lock(key), (json, expiry));
            }
        }
        for (id, (fields, expiry)) in live_rows(con, &self.table()) {
            found.insert(Place::Row(id), (row(&fields), expiry));
        }
        found
    }

    /// Says where what was found is nothing that any number of the writes leaves.
    #[track_caller]
    pub(crate) fn kept_or_fail(&self, found: &Found, what: &str) -> usize {
        self.kept(found).unwrap_or_else(|| {
            let places = self.state.keys().chain(found.keys());
            let differ = places.filter(|place| match (self.state.get(place), found.get(place)) {
                (Some(held), Some((text, expiry))) => held.text != *text || !held.expiry.contains(expiry),
                _ => true,
            });
            let differ: Vec<_> =
                differ.map(|place| (place, self.state.get(place), found.get(place))).collect();
            panic!("{what}: what is there is no prefix of what writer {} sent: {differ:?}", self.writer)
        })
    }
}

impl Write {
    fn places(&self) -> impl Iterator<Item = &Place> {
        self.after.iter().map(|(place, _)| place)
    }
}

fn put(state: &mut State, place: Place, held: Option<Held>) {
    match held {
        Some(held) => drop(state.insert(place, held)),
        None => drop(state.remove(&place)),
    }
}

/// The expiry of a lock until it is sent.
pub(crate) const UNKNOWN: RangeInclusive<i64> = 0..=i64::MAX;

/// A row's fields as one text.
pub(crate) fn row(fields: &[(String, String)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn send(con: &mut Connection, commands: &[Vec<String>]) -> RedisResult<Vec<Value>> {
    let mut bytes = Vec::new();
    for command in commands {
        pack(&mut bytes, command);
    }
    let replies = con.req_packed_commands(&bytes, 0, commands.len())?;
    match replies.iter().find(|reply| matches!(reply, Value::ServerError(error) if is_refusal(error.code())))
    {
        Some(refusal) => Err(refusal.clone().extract_error().unwrap_err()),
        None => Ok(replies),
    }
}

/// Of a primary that has too few replicas, of a node that sees too few others, or knows that it was replaced.
fn is_refusal(code: &str) -> bool {
    ["NOREPLICAS", "CLUSTERDOWN", "MOVED"].contains(&code)
}
