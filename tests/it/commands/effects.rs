//! What the commands leave behind besides the lock: events, signals to watchers and caches, counters; and
//! that reads leave nothing.

use redis::{Connection, Value};

use super::*;

#[apply(each_server)]
fn events_are_those_of_a_string_and_the_modules_own(#[case] kind: Kind) {
    const SET: [&str; 3] = ["set user:1", "expire user:1", "quotelock.set user:1"];
    const DEL: [&str; 2] = ["del user:1", "quotelock.del user:1"];
    let old = lock(r#"["1"]"#, TIME);
    // What the key holds; the command; the events.
    let cases: [(Option<&str>, &str, &[&str]); 17] = [
        (None, "QUOTELOCK.SET user:1 3 {NOW}", &SET),
        (Some(&old), "QUOTELOCK.SET user:1 3 * EX 10", &SET),
        (Some("x"), "QUOTELOCK.SET user:1 3 *", &SET),
        (Some("x"), "QUOTELOCK.SET user:1 3 * NX", &[]),
        (None, "QUOTELOCK.SET user:1 3 * XX", &[]),
        (None, "QUOTELOCK.ACQUIRE user:1 3 *", &SET),
        (Some("x"), "QUOTELOCK.ACQUIRE user:1 3 *", &SET),
        (Some(&old), "QUOTELOCK.ACQUIRE user:1 3 *", &SET),
        (Some(&old), "QUOTELOCK.ACQUIRE user:1 3 * IFMISSING", &[]),
        (Some(&old), "QUOTELOCK.GET user:1", &[]),
        (Some("x"), "QUOTELOCK.GET user:1 JSON", &[]),
        (None, "QUOTELOCK.GET user:1", &[]),
        (Some(&old), "QUOTELOCK.DEL user:1", &DEL),
        (Some(&old), "QUOTELOCK.DEL user:1 IFEQ 2024-09-12T02:50:53.000Z", &DEL),
        (Some(&old), "QUOTELOCK.DEL user:1 IFEQ 2024-09-12T02:50:53Z", &[]),
        (Some("x"), "QUOTELOCK.DEL user:1", &DEL),
        (None, "QUOTELOCK.DEL user:1", &[]),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (held, words, expected) in cases {
        // What a test sets up is not listened to: events are on for the command alone.
        cmd(con, "CONFIG SET notify-keyspace-events KEA");
        cmd(con, "DEL user:1");
        if let Some(held) = held {
            cmd(con, &["SET", "user:1", held]);
        }
        let (answer, events) = events(server, con, &words.replace("{NOW}", &moment(now())));
        assert_eq!(events, expected, "{words} on {held:?} answered {answer}");
    }
    // The module's own have class d.
    cmd(con, "CONFIG SET notify-keyspace-events Ed");
    assert_eq!(events(server, con, "QUOTELOCK.SET user:1 3 *").1, ["quotelock.set user:1"]);
    assert_eq!(events(server, con, "QUOTELOCK.DEL user:1").1, ["quotelock.del user:1"]);
    cmd(con, "CONFIG SET notify-keyspace-events E$");
    assert_eq!(events(server, con, "QUOTELOCK.SET user:1 3 *").1, ["set user:1"]);
    cmd(con, "CONFIG SET notify-keyspace-events Eg");
    assert_eq!(events(server, con, "QUOTELOCK.SET user:1 3 *").1, ["expire user:1"]);
    assert_eq!(events(server, con, "QUOTELOCK.DEL user:1").1, ["del user:1"]);
}

/// How often a lock is used, by which an LFU policy evicts, is not forgotten when it is overwritten: `SET` keeps it too.
#[apply(each_server)]
fn how_often_a_lock_is_used_is_kept(#[case] kind: Kind) {
    let server = &Server::builder(kind).conf("maxmemory-policy allkeys-lfu").start();
    let con = &mut server.connection();
    let old = lock(r#"["1"]"#, TIME);
    for held in [&old, &lock(r#"["1","2","3"]"#, TIME), "x"] {
        for words in [
            &format!("SET user:1 {old}"),
            "QUOTELOCK.SET user:1 3 *",
            "QUOTELOCK.SET user:1 3,4,5,6,7 * EX 100",
            "QUOTELOCK.ACQUIRE user:1 3 *",
            "QUOTELOCK.ACQUIRE user:1 3,4,5,6,7 *",
        ] {
            cmd(con, &["SET", "user:1", held]);
            let Value::BulkString(dump) = cmd(con, "DUMP user:1") else { panic!("no dump") };
            cmd(con, &[b"RESTORE".as_slice(), b"user:1", b"0", dump.as_slice(), b"REPLACE", b"FREQ", b"35"]);
            cmd(con, words);
            // Each use adds one by chance.
            let frequency = int(con, "OBJECT FREQ user:1");
            assert!((35..38).contains(&frequency), "{words} on {held}: {frequency}");
        }
    }
    cmd(con, "QUOTELOCK.SET new 3 *");
    assert!(int(con, "OBJECT FREQ new") < 10);
}

/// The commands that change nothing, on a key of each kind, and those that do.
const READS: [(&str, &str); 9] = [
    ("lock", "QUOTELOCK.GET lock"),
    ("lock", "QUOTELOCK.GET lock JSON"),
    ("lock", "QUOTELOCK.ACQUIRE lock 3 * IFMISSING"),
    ("lock", "QUOTELOCK.ACQUIRE lock 3 2000-01-01T00:00:00Z"),
    ("lock", "QUOTELOCK.SET lock 3 * NX"),
    ("lock", "QUOTELOCK.DEL lock IFEQ 2000-01-01T00:00:00Z"),
    ("short", "QUOTELOCK.GET short"),
    ("absent", "QUOTELOCK.SET absent 3 * XX"),
    ("absent", "QUOTELOCK.DEL absent"),
];
const WRITES: [(&str, &str); 6] = [
    ("lock", "QUOTELOCK.SET lock 3 *"),
    ("lock", "QUOTELOCK.ACQUIRE lock 3 *"),
    ("lock", "QUOTELOCK.DEL lock"),
    ("short", "QUOTELOCK.ACQUIRE short 3 *"),
    ("short", "QUOTELOCK.DEL short"),
    ("absent", "QUOTELOCK.ACQUIRE absent 3 *"),
];

fn fill(con: &mut Connection) {
    cmd(con, "FLUSHALL");
    cmd(con, &["SET", "lock", &lock(r#"["1"]"#, TIME)]);
    cmd(con, "SET short x");
}

fn calls() -> Vec<Call> {
    let reads = READS.map(|(key, words)| (key, words, false));
    reads.into_iter().chain(WRITES.map(|(key, words)| (key, words, true))).collect()
}

#[apply(each_server)]
fn only_a_change_aborts_a_watch(#[case] kind: Kind) {
    only_changes_abort_a_watch(&Server::start(kind), fill, &calls());
}

/// A read by QUOTELOCK.GET is remembered as one by GET is.
#[apply(each_server)]
fn only_a_change_empties_a_clients_cache(#[case] kind: Kind) {
    only_changes_empty_a_cache(&Server::start(kind), fill, &["GET {K}", "QUOTELOCK.GET {K}"], &calls());
}

#[apply(each_server)]
fn reads_leave_a_string_as_it_is_kept(#[case] kind: Kind) {
    // How a server keeps a string depends on its form and its length: a read must not turn one way into
    // another. (What is long enough for a lock is read in place, and Valkey 9.1 keeps some of that embedded
    // until then.)
    let shorter_than_a_lock = (0..49).map(|length| "x".repeat(length));
    let strings: Vec<_> = shorter_than_a_lock.chain(["17".to_owned(), "-1".to_owned()]).collect();
    let locks = [lock("[]", "2024-09-12T02:50:53Z"), lock(r#"["3","7"]"#, TIME), lock("[3]", TIME)];
    let commands = [
        "QUOTELOCK.GET user:1",
        "QUOTELOCK.GET user:1 JSON",
        "QUOTELOCK.SET user:1 3 * NX",
        "QUOTELOCK.DEL user:1 IFEQ 2000-01-01T00:00:00Z",
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for stored in &strings {
        cmd(con, &["SET", "user:1", stored]);
        let look =
            |con: &mut Connection| ["DEBUG DIGEST", "OBJECT ENCODING user:1"].map(|words| text(con, words));
        let before = look(con);
        for words in commands {
            cmd(con, words);
            assert_eq!(look(con), before, "{words} on {stored:?}");
        }
    }
    for stored in &locks {
        cmd(con, &["SET", "user:1", stored]);
        let before = text(con, "DEBUG DIGEST");
        for words in commands {
            cmd(con, words);
            assert_eq!(text(con, "DEBUG DIGEST"), before, "{words} on {stored:?}");
        }
    }
    fill(con);
    let before = changes(con);
    for (_, words) in READS {
        cmd(con, words);
        assert_eq!(changes(con), before, "{words}");
    }
}

#[apply(each_server)]
fn a_lock_is_in_the_database_that_is_selected(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "SELECT 3");
    assert_eq!(reply(con, "QUOTELOCK.SET user:1 3 *"), "OK");
    cmd(con, "SELECT 0");
    assert_eq!(reply(con, "QUOTELOCK.GET user:1"), "nil");
    assert_eq!(int(con, "QUOTELOCK.DEL user:1"), 0);
    assert!(text(con, "QUOTELOCK.ACQUIRE user:1 7 * JSON").ends_with(r#""outcome":"Created"}"#));
    cmd(con, "SELECT 3");
    assert!(text(con, "QUOTELOCK.GET user:1 JSON").starts_with(r#"{"roleIds":["3"],"#));
    assert_eq!(int(con, "QUOTELOCK.DEL user:1"), 1);
}

#[apply(each_server)]
fn info_counts_what_was_answered(#[case] kind: Kind) {
    const COUNTERS: [&str; 9] = [
        "locks_set",
        "locks_created",
        "locks_refreshed",
        "locks_held",
        "locks_effective",
        "locks_close_to_expired",
        "locks_missing",
        "locks_invalid",
        "locks_deleted",
    ];
    // In one session: the command, and the counters it moves by one.
    let cases: [(&str, &[&str]); 22] = [
        ("QUOTELOCK.GET user:1", &["locks_missing"]),
        ("QUOTELOCK.SET user:1 3 {T} XX", &[]),
        ("QUOTELOCK.SET user:1 3 {T}", &["locks_set"]),
        ("QUOTELOCK.SET user:1 3 {T} NX", &[]),
        ("QUOTELOCK.SET user:1 3 {T} EX 0", &[]),
        ("QUOTELOCK.GET user:1 JSON", &["locks_close_to_expired"]),
        ("QUOTELOCK.GET user:1 AT {T}", &["locks_effective"]),
        ("QUOTELOCK.ACQUIRE user:1 3 {T}", &["locks_held"]),
        ("QUOTELOCK.ACQUIRE user:1 3 * IFMISSING", &["locks_held"]),
        ("QUOTELOCK.ACQUIRE user:1 3 *", &["locks_refreshed"]),
        ("QUOTELOCK.ACQUIRE user:1 3 * JSON", &["locks_held"]),
        ("QUOTELOCK.GET user:1", &["locks_effective"]),
        ("QUOTELOCK.DEL user:1 IFEQ {T}", &[]),
        ("QUOTELOCK.DEL user:1", &["locks_deleted"]),
        ("QUOTELOCK.DEL user:1", &[]),
        ("QUOTELOCK.ACQUIRE user:1 3 *", &["locks_created"]),
        ("SET user:1 x", &[]),
        ("QUOTELOCK.GET user:1", &["locks_invalid", "locks_missing"]),
        ("QUOTELOCK.DEL user:1 IFEQ x", &["locks_invalid"]),
        ("QUOTELOCK.SET user:1 3 * NX", &[]),
        ("QUOTELOCK.ACQUIRE user:1 3 *", &["locks_created", "locks_invalid"]),
        ("QUOTELOCK.GET user:1 NOWORD", &[]),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let section = text(con, "INFO quotelock");
    assert!(section.starts_with("# quotelock\r\n"), "{section}");
    let of_locks = section.lines().filter(|line| line.starts_with("quotelock_locks_")).count();
    assert_eq!(of_locks, COUNTERS.len(), "{section}");
    for (words, moved) in cases {
        let expected = COUNTERS.map(|name| i64::from(moved.contains(&name)));
        assert_eq!(growth(con, &COUNTERS, &words.replace("{T}", TIME)), expected, "{words}");
    }
    assert!(text(con, "INFO everything").contains("quotelock_locks_set:1\r\n"));
    assert!(!text(con, "INFO server").contains("quotelock_"));
}
