//! What `INFO quotelock` tells of all tables together: how many there are, their rows and bytes, however they
//! come and go; how late expired rows are swept; who waits longest; and of which size calls are.

use std::time::Instant;

use super::claims::{Asked, claim, count};
use super::keys::NO_EXPIRY;
use super::*;

const TOTALS: [&str; 3] = ["tables", "tables_rows", "tables_bytes"];

/// What a table's history takes while nothing has been deleted.
const HISTORY: i64 = 80;

/// The same, table by table.
#[track_caller]
fn counted(con: &mut Connection) -> [i64; 3] {
    let mut sums = [0; 3];
    // Of a cluster a node may have one database only.
    let dbs = if info(con, "cluster")["cluster_enabled"] == "1" { &[0][..] } else { &[1, 0] };
    for db in dbs {
        cmd(con, &format!("SELECT {db}"));
        let Value::Array(keys) = cmd(con, "KEYS *") else { panic!("no keys") };
        for key in keys.iter().map(|key| show(key).trim_matches('"').to_owned()) {
            if reply(con, &["TYPE", &key]) == "vehprice1" {
                let facts = pairs(&cmd(con, &["VEHPRICE.INFO", &key]));
                let fact = |name: &str| facts[name].parse::<i64>().unwrap();
                sums = [sums[0] + 1, sums[1] + fact("\"rows\""), sums[2] + fact("\"bytes\"")];
            }
        }
    }
    sums
}

/// Both agree, once what is freed on other threads is.
#[track_caller]
pub(super) fn agree(con: &mut Connection, tables: i64, what: &str) {
    eventually(TIMEOUT, || (info(con, "memory")["lazyfree_pending_objects"] == "0").then_some(()));
    // Before the tables are asked: each updates its share then, and may begin a history.
    let found = TOTALS.map(|name| count(con, name));
    let expected = counted(con);
    assert_eq!(found[..2], expected[..2], "{what}");
    let histories = expected[2] - found[2];
    assert!((0..=tables * HISTORY).contains(&histories), "{what}: {found:?} {expected:?}");
    assert_eq!(TOTALS.map(|name| count(con, name)), expected, "{what}");
    assert_eq!(expected.map(|sum| sum > 0), [tables > 0; 3], "{what}");
    assert_eq!(expected[0], tables, "{what}");
}

fn rows(count: usize, value: &str) -> String {
    (0..count).map(|id| format!(" {id} {value}{id}")).collect()
}

/// A table of many rows, one of long rows, and one of a row.
fn fill(con: &mut Connection) {
    cmd(con, &format!("VEHPRICE.MSET a FIELDS 1 x ROWS{}", rows(5000, "v")));
    cmd(con, &format!("VEHPRICE.MSET b FIELDS 1 y ROWS{}", rows(300, &"long".repeat(200))));
    cmd(con, "VEHPRICE.SET c 1 FIELDS 1 z 1");
}

#[apply(each_server)]
fn tables_come_and_go(#[case] kind: Kind) {
    // In one session: the command, and how many tables there are then.
    let story = [
        ("VEHPRICE.SET a 1 FIELDS 2 x 1 new 2", 3),
        ("VEHPRICE.MSET a MERGE FIELDS 1 more ROWS 1 x 2 xyz 9999 z", 3),
        ("VEHPRICE.DEL a 1 2 3 4 5", 3),
        ("VEHPRICE.CHANGES a 0", 3),
        ("VEHPRICE.DEL a 6 7 8", 3),
        ("VEHPRICE.SET d 1 PXAT 1 FIELDS 1 x 1", 3),
        ("VEHPRICE.SET d 1 XX FIELDS 1 x 1", 3),
        ("VEHPRICE.DEL c 1", 2),
        ("COPY a d", 3),
        ("COPY b d REPLACE", 3),
        ("COPY a e DB 1", 4),
        ("RENAME b c", 4),
        ("RENAME d c", 3),
        ("MOVE c 1", 3),
        ("SWAPDB 0 1", 3),
        ("FLUSHDB SYNC", 1),
        ("SWAPDB 0 1", 1),
        ("VEHPRICE.CLEAR a", 0),
        ("FILL", 3),
        ("SET a x", 2),
        ("RESTORE b a", 3),
        ("RESTORE b new", 4),
        ("DEL new", 3),
        ("UNLINK b", 2),
        ("FLUSHALL ASYNC", 0),
        ("FILL", 3),
        ("DEBUG RELOAD", 3),
        ("DEBUG LOADAOF", 3),
        ("PEXPIREAT a 1", 2),
        ("FLUSHDB ASYNC", 0),
        ("FILL", 3),
    ];
    let server = Server::builder(kind).module_args(NO_EXPIRY).conf("enable-debug-command yes");
    let server = &mut server.conf("appendonly yes").start();
    let con = &mut server.connection();
    agree(con, 0, "at first");
    fill(con);
    agree(con, 3, "filled");
    for (words, tables) in story {
        match words.split(' ').collect::<Vec<_>>()[..] {
            ["FILL"] => fill(con),
            ["RESTORE", from, to] => {
                let Value::BulkString(dump) = cmd(con, &["DUMP", from]) else { panic!("no dump") };
                cmd(con, &[&b"RESTORE"[..], to.as_bytes(), b"0", &dump, b"REPLACE"]);
            }
            _ => drop(cmd(con, words)),
        }
        agree(con, tables, words);
    }
    // On a replica that had tables of its own; after a restart; and where memory has run out.
    let replica = &Server::builder(kind).module_args(NO_EXPIRY).start();
    fill(&mut replica.connection());
    follow(replica, server);
    in_step(con, 1);
    agree(&mut replica.connection(), 3, "copied");
    server.restart();
    let con = &mut server.connection();
    agree(con, 3, "loaded");
    cmd(con, "CONFIG SET maxmemory-policy allkeys-random");
    cmd(con, "CONFIG SET maxmemory 1");
    let _refused = try_cmd(con, "SET x 1");
    eventually(TIMEOUT, || (int(con, "DBSIZE") == 0).then_some(()));
    agree(con, 0, "evicted");
}

#[apply(each_server)]
fn expired_rows_count_until_they_are_swept(#[case] kind: Kind) {
    let server = &Server::builder(kind).module_args(NO_EXPIRY).start();
    let con = &mut server.connection();
    cmd(con, "VEHPRICE.SET t stays FIELDS 1 x 1");
    let before = TOTALS.map(|name| count(con, name));
    cmd(con, &format!("VEHPRICE.MSET t PX 100 FIELDS 1 x ROWS{}", rows(2000, "v")));
    let full = TOTALS.map(|name| count(con, name));
    assert_eq!((full[0], full[1]), (1, 2001));
    rest(300);
    assert_eq!(TOTALS.map(|name| count(con, name)), full, "nothing has used the table since");
    eventually(TIMEOUT, || {
        cmd(con, "VEHPRICE.GET t stays");
        (count(con, "rows_expired") == 2000).then_some(())
    });
    let after = TOTALS.map(|name| count(con, name));
    assert_eq!((after[0], after[1]), (1, 1));
    assert!(after[2] < full[2] / 10 && after[2] < before[2] * 10, "{before:?} {full:?} {after:?}");
    // Each was swept 200 ms too late or somewhat more.
    let late = count(con, "rows_expired_late_ms");
    assert!((2000 * 200..2000 * 10_000).contains(&late), "{late}");
}

#[apply(each_server)]
fn who_came_first_waits_longest(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let longest = |con: &mut Connection| count(con, "claims_longest_wait_ms");
    assert_eq!(longest(con), 0);
    claim(con, "t", "IDS 1 2");
    let mut first = Asked::of(server, "VEHPRICE.MGET t BLOCK 0 IDS 1");
    eventually(TIMEOUT, || (count(con, "claims_waiting") == 1).then_some(()));
    rest(300);
    let began = Instant::now();
    let mut second = Asked::of(server, "VEHPRICE.MGET t BLOCK 0 IDS 2");
    eventually(TIMEOUT, || (count(con, "claims_waiting") == 2).then_some(()));
    let both = longest(con);
    assert!((300..60_000).contains(&both), "{both}");
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 x 1");
    assert_eq!(first.answer(), r#"[["x", "1"]]"#);
    // It is the second's now, which waits no longer than since it was sent.
    eventually(TIMEOUT, || {
        (u128::try_from(longest(con)).unwrap() <= began.elapsed().as_millis()).then_some(())
    });
    rest(50);
    assert!((50..60_000).contains(&longest(con)));
    cmd(con, "VEHPRICE.SET t 2 FIELDS 1 x 1");
    assert_eq!(second.answer(), r#"[["x", "1"]]"#);
    assert_eq!(longest(con), 0);
}

/// The members of a line such as `calls=1,sum=8,le_1=0,…`.
#[track_caller]
fn sizes(con: &mut Connection, name: &str) -> BTreeMap<String, i64> {
    let line = info(con, "quotelock")[&format!("quotelock_sizes_{name}")].clone();
    let members = line.split(',').map(|member| member.split_once('=').unwrap());
    members.map(|(name, count)| (name.to_owned(), count.parse().unwrap())).collect()
}

#[apply(each_server)]
fn sizes_of_calls(#[case] kind: Kind) {
    // In one session: the command, which sizes count it, and its size.
    let cases = [
        (format!("VEHPRICE.MSET t FIELDS 1 x ROWS{}", rows(65, "v")), "mset", 65),
        (r#"VEHPRICE.MSET t NX JSON {"0":{"x":"1"},"70":{"x":"1"}}"#.to_owned(), "mset", 2),
        ("VEHPRICE.MGET t 1 2 none".to_owned(), "mget", 3),
        ("VEHPRICE.MGET t LIST []".to_owned(), "mget", 0),
        ("VEHPRICE.GETALL t".to_owned(), "getall", 66),
        ("VEHPRICE.CLAIM t PX 9 IDS 1 none".to_owned(), "claim", 2),
        ("VEHPRICE.CHANGES t 0".to_owned(), "changes", 66),
        ("VEHPRICE.MGET t JSON IDS 1".to_owned(), "reply", r#"[{"x":"v1"}]"#.len()),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (words, name, size) in cases {
        let before = sizes(con, name);
        cmd(con, &words);
        let after = sizes(con, name);
        assert_eq!(after.len(), 16);
        for (member, count) in after {
            let by = match member.strip_prefix("le_").map(|bound| bound.parse::<usize>().unwrap()) {
                Some(bound) => i64::from(size <= bound),
                None if member == "calls" => 1,
                None => size.try_into().unwrap(),
            };
            assert_eq!(count - before[&member], by, "{words}: {member}");
        }
    }
    // What is refused counts nowhere.
    cmd(con, "CONFIG SET quotelock.max-reply-bytes 2097152");
    cmd(con, &format!("VEHPRICE.MSET long FIELDS 1 x ROWS{}", rows(3000, &"long".repeat(200))));
    for (words, name) in [
        ("VEHPRICE.MGET t LIST [5,]", "mget"),
        ("VEHPRICE.GETALL long", "getall"),
        ("VEHPRICE.GETALL long JSON", "getall"),
        ("VEHPRICE.GETALL long COLUMNS", "getall"),
    ] {
        let figures = |con: &mut Connection| (sizes(con, name), count(con, "rows_read"));
        let before = figures(con);
        error(con, words);
        assert_eq!(figures(con), before, "{words}");
    }
}
