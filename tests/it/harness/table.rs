//! What a price table holds, read in full, to be compared with what it or a copy of it holds elsewhere.

use std::collections::BTreeMap;

use quotelock_testkit::pack;
use redis::{Connection, ConnectionLike, Value};

use super::call::{Words, cmd, int, show, text};
use super::clock::now;

/// Id → the row's fields in order, and when it expires in unix milliseconds (-1: never).
pub(crate) type Rows = BTreeMap<String, (Vec<(String, String)>, i64)>;

/// A table as a client finds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    /// What `DEBUG DIGEST-VALUE` gives.
    pub(crate) digest: String,
    /// The key's own expiry, as `PEXPIRETIME` gives it.
    pub(crate) expiry: i64,
    pub(crate) rows: Rows,
}

/// The end of 9999, the latest moment a row can expire at.
pub(crate) const LATEST_EXPIRY: i64 = 253_402_300_799_999;

/// How far the server's clock, as a reply shows it, may be from the moment we read ours.
const SLACK_MS: i64 = 2000;

/// All of a table; without a live row, all there is to say is that.
#[track_caller]
pub(crate) fn table(con: &mut Connection, key: &str) -> Table {
    let rows = live_rows(con, key);
    if rows.is_empty() {
        return Table { digest: String::new(), expiry: -2, rows };
    }
    Table { digest: digest(con, key), expiry: int(con, &["PEXPIRETIME", key]), rows }
}

#[track_caller]
pub(crate) fn digest(con: &mut Connection, key: &str) -> String {
    show(&cmd(con, &["DEBUG", "DIGEST-VALUE", key]))
}

/// The live rows. What expires while we look is not there.
#[track_caller]
pub(crate) fn live_rows(con: &mut Connection, key: &str) -> Rows {
    let fields = all_fields(cmd(con, &["VEHPRICE.GETALL", key]));
    if fields.is_empty() {
        assert_eq!(int(con, &["VEHPRICE.LEN", key]), 0, "{key}");
        return Rows::new();
    }
    let ids = fields.keys().map(String::as_str);
    let expiries = expiries(con, key, &ids.collect::<Vec<_>>());
    let rows = fields.into_iter().zip(expiries);
    rows.filter_map(|((id, fields), expiry)| Some((id, (fields, expiry?)))).collect()
}

/// When rows expire: `-1` never, `None` for a row that isn't there.
///
/// `VEHPRICE.PTTL` tells how long rows have left, `VEHPRICE.INFO` when the longest-lived one ends: in one
/// transaction, in which the clock stands still, the two tell to the millisecond when each row expires.
#[track_caller]
fn expiries(con: &mut Connection, key: &str, ids: &[&str]) -> Vec<Option<i64>> {
    let mut pttl = vec!["VEHPRICE.PTTL", key];
    pttl.extend(ids);
    let asked = [vec!["MULTI"], pttl, vec!["VEHPRICE.INFO", key], vec!["EXEC"]];
    let earliest = now();
    let mut replies = pipelined(con, &asked);
    let latest = now();
    let Some(Value::Array(both)) = replies.pop() else { panic!("EXEC gave no array") };
    let [Value::Array(left), info] = both.as_slice() else {
        panic!("{key}: {}", both.iter().map(show).collect::<String>())
    };
    let left: Vec<i64> = left.iter().map(number).collect();
    assert_eq!(left.len(), ids.len());
    let longest = left.iter().copied().max().unwrap();
    let clock = if longest < 0 {
        0
    } else {
        let clock = latest_expiry(info) - longest;
        let near = earliest - SLACK_MS..=latest + SLACK_MS;
        assert!(near.contains(&clock), "{key}: a row with {longest} ms left, {}", show(info));
        clock
    };
    let expiry = |left: i64| match left {
        -2 => None,
        -1 => Some(-1),
        left => Some(clock + left),
    };
    left.into_iter().map(expiry).collect()
}

fn latest_expiry(info: &Value) -> i64 {
    let Value::Array(fields) = info else { panic!("VEHPRICE.INFO gave {}", show(info)) };
    let mut pairs = fields.chunks(2);
    let found = pairs.find(|pair| pair[0] == Value::BulkString(b"latestExpiry".to_vec()));
    number(&found.unwrap_or_else(|| panic!("{}", show(info)))[1])
}

/// `[id, [field, value, …], …]`, as RESP2 has GETALL's reply.
#[track_caller]
fn all_fields(reply: Value) -> BTreeMap<String, Vec<(String, String)>> {
    let list = |value: Value| match value {
        Value::Array(values) => values,
        other => panic!("no array but {}", show(&other)),
    };
    let mut held = BTreeMap::new();
    let mut rows = list(reply).into_iter();
    while let (Some(id), Some(row)) = (rows.next(), rows.next()) {
        let mut words = list(row).into_iter().map(string);
        let mut fields = Vec::new();
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            fields.push((name, value));
        }
        let id = string(id);
        assert!(held.insert(id.clone(), fields).is_none(), "row {id:?} is there twice");
    }
    held
}

fn string(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("no string but {}", show(&other)),
    }
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        other => panic!("no number but {}", show(other)),
    }
}

/// The names of the tables a server keeps.
fn tables(con: &mut Connection) -> Vec<String> {
    let Value::Array(keys) = cmd(con, "KEYS *") else { panic!("KEYS gave no array") };
    let mut keys: Vec<String> = keys.into_iter().map(string).collect();
    keys.retain(|key| text(con, &["TYPE", key]) == "vehprice1");
    keys.sort();
    keys
}

/// All tables with a live row.
pub(crate) fn all_tables(con: &mut Connection) -> BTreeMap<String, Table> {
    let keys = tables(con).into_iter().map(|key| (key.clone(), table(con, &key)));
    keys.filter(|(_, table)| !table.rows.is_empty()).collect()
}

/// The replies to commands sent all at once; an error is a reply too.
#[track_caller]
pub(crate) fn pipelined<W: Words>(con: &mut Connection, commands: &[W]) -> Vec<Value> {
    let mut bytes = Vec::new();
    for command in commands {
        pack(&mut bytes, &command.words());
    }
    pipelined_bytes(con, &bytes, commands.len())
}

/// The replies to as many commands that are packed already.
#[track_caller]
pub(crate) fn pipelined_bytes(con: &mut Connection, bytes: &[u8], commands: usize) -> Vec<Value> {
    let replies = con.req_packed_commands(bytes, 0, commands);
    replies.unwrap_or_else(|error| {
        panic!("{error} after {}", String::from_utf8_lossy(&bytes[..bytes.len().min(200)]))
    })
}
