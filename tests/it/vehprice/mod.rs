//! VEHPRICE: what the commands of the price table do, as tables of cases, on every server.

mod batch_replication;
mod changes;
mod children;
pub(crate) mod claims;
mod clear;
mod clocks;
mod columns;
mod defrag;
mod del;
mod effects;
mod errors;
mod expiry;
mod get;
mod getall;
mod info;
pub(crate) mod introspection;
mod json_rows;
mod keys;
mod limits;
mod lists;
mod loading;
mod mget;
mod mgethash;
mod mset;
mod persistence;
mod pttl;
mod races;
mod replication;
mod restore;
mod round_trips;
mod scan;
mod scripting;
mod set;
mod settings;
pub(crate) mod slots;
mod sync;
mod totals;
mod upgrade;
mod values;
mod verify;

use std::collections::BTreeMap;

use redis::{Connection, Value};

use crate::harness::*;

const WRONGTYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";

/// So far in the future that nothing that ends then ends during a test.
const FAR: i64 = 9_999_999_999_999;

/// A client of each protocol.
struct Clients {
    resp2: Connection,
    resp3: Connection,
}

impl Clients {
    fn of(server: &Server) -> Self {
        Self { resp2: server.connection(), resp3: server.connection_resp3() }
    }

    /// Checks a reply that is not JSON in both protocols; it is written as JSON here.
    #[track_caller]
    fn check<W: Words + ?Sized>(&mut self, words: &W, expected: &str) {
        let shown = brief(&words.words());
        assert_eq!(reply(&mut self.resp2, words), as_shown(expected, false), "{shown}");
        assert_eq!(reply(&mut self.resp3, words), as_shown(expected, true), "{shown}");
    }

    /// Checks a reply that is one bulk of JSON, the same in both protocols.
    #[track_caller]
    fn check_json<W: Words + ?Sized>(&mut self, words: &W, expected: &str) {
        let shown = brief(&words.words());
        for con in [&mut self.resp2, &mut self.resp3] {
            assert_eq!(reply(con, words), format!("\"{expected}\""), "{shown}");
        }
    }
}

/// A reply written as JSON in the words of `show`: an object is a map in RESP3, and names and values in turn
/// in RESP2.
fn as_shown(json: &str, resp3: bool) -> String {
    let mut shown = String::new();
    let mut rest = json;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let mut texts = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            let text = texts.next().unwrap().unwrap();
            shown.push_str(&format!("\"{text}\""));
            rest = &rest[texts.byte_offset()..];
        } else if let Some(after) = rest.strip_prefix("null") {
            shown.push_str("nil");
            rest = after;
        } else {
            match first {
                '{' if !resp3 => shown.push('['),
                '}' if !resp3 => shown.push(']'),
                ':' if resp3 => shown.push_str(": "),
                ',' | ':' => shown.push_str(", "),
                other => shown.push(other),
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    shown
}

/// The JSON replied.
#[track_caller]
fn json<W: Words + ?Sized>(con: &mut Connection, words: &W) -> serde_json::Value {
    let reply = text(con, words);
    serde_json::from_str(&reply).unwrap_or_else(|error| panic!("{error}: {reply}"))
}

/// A text of JSON, to be compared whatever the order of its members.
#[track_caller]
fn parsed(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// All live rows of a table.
#[track_caller]
fn rows(con: &mut Connection, key: &str) -> serde_json::Value {
    json(con, &["VEHPRICE.GETALL", key, "JSON"])
}

/// A reply of names and values, by name, each value as `show` writes it.
#[track_caller]
fn pairs(reply: &Value) -> BTreeMap<String, String> {
    match reply {
        Value::Map(pairs) => pairs.iter().map(|(name, value)| (show(name), show(value))).collect(),
        Value::Array(flat) => flat.chunks(2).map(|pair| (show(&pair[0]), show(&pair[1]))).collect(),
        other => panic!("no pairs: {}", show(other)),
    }
}

/// A command in words, `rest` split at its spaces after what holds a space or any byte.
fn words<T: AsRef<[u8]>>(first: &[T], rest: &str) -> Vec<Vec<u8>> {
    let first = first.iter().map(|word| word.as_ref().to_vec());
    first
        .chain(rest.split(' ').filter(|word| !word.is_empty()).map(|word| word.as_bytes().to_vec()))
        .collect()
}

/// The integers replied.
#[track_caller]
fn int_list<W: Words + ?Sized>(con: &mut Connection, words: &W) -> Vec<i64> {
    redis::from_redis_value(cmd(con, words)).unwrap()
}
