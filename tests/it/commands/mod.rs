//! What the commands do, as tables of cases, on every server.

mod acquire;
mod del;
mod effects;
mod get;
mod roles;
mod set;
mod stored;

use redis::Connection;

use crate::harness::*;

const TIME: &str = "2024-09-12T02:50:53.000Z";

/// The string a lock is stored as, its roles given as JSON.
fn lock(roles: &str, query_time: &str) -> String {
    format!(r#"{{"roleIds":{roles},"queryTime":"{query_time}"}}"#)
}

/// Checks that a key expires `ttl` after the commands that ran since `before`, both in milliseconds.
#[track_caller]
fn assert_expires(con: &mut Connection, key: &str, before: i64, ttl: i64) {
    let expiry = int(con, &["PEXPIRETIME", key]);
    let expected = before + ttl..=now() + ttl;
    assert!(expected.contains(&expiry), "{key} expires at {expiry}, not in {expected:?}");
}

/// The queryTime of the lock a key holds, in milliseconds since 1970.
#[track_caller]
fn moment_of(con: &mut Connection, key: &str) -> i64 {
    let stored = text(con, &["GET", key]);
    let (_, rest) = stored.split_once(r#""queryTime":""#).unwrap();
    let (moment, _) = rest.split_once('"').unwrap();
    assert_eq!(moment.len(), TIME.len(), "{stored}");
    chrono::DateTime::parse_from_rfc3339(moment).unwrap().timestamp_millis()
}
