//! All that a server keeps, to be compared with what it or another one keeps later.

use std::collections::BTreeMap;

use redis::{Connection, Value};

use super::call::{cmd, int, text};

/// Key → what DUMP gives, and when it expires in unix milliseconds (-1: never).
pub(crate) type Keyspace = BTreeMap<Vec<u8>, (Value, i64)>;

pub(crate) fn keyspace(con: &mut Connection) -> Keyspace {
    let Value::Array(keys) = cmd(con, "KEYS *") else { panic!("KEYS gave no array") };
    let keys = keys.into_iter().map(|key| match key {
        Value::BulkString(key) => key,
        other => panic!("no key: {other:?}"),
    });
    let mut held = Keyspace::new();
    for key in keys {
        let dump = cmd(con, &[b"DUMP", key.as_slice()]);
        let expiry = int(con, &[b"PEXPIRETIME", key.as_slice()]);
        // What expires while we look is not there.
        if dump != Value::Nil && expiry != -2 {
            held.insert(key, (dump, expiry));
        }
    }
    held
}

/// The string at a key and its expiry in unix milliseconds.
#[track_caller]
pub(crate) fn stored(con: &mut Connection, key: &str) -> (String, i64) {
    (text(con, &["GET", key]), int(con, &["PEXPIRETIME", key]))
}
