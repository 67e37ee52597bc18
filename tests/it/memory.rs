//! Memory: what happens at its end, and that it comes back.

use redis::Connection;

use crate::harness::*;

fn used(con: &mut Connection) -> i64 {
    info(con, "memory")["used_memory"].parse().unwrap()
}

/// A role id of 256 bytes, so that a lock takes some room.
fn role() -> String {
    "r".repeat(256)
}

#[apply(each_server)]
fn at_maxmemory_locks_are_read_and_deleted_but_not_written(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let limit = used(con) + 2_000_000;
    cmd(con, &format!("CONFIG SET maxmemory {limit} maxmemory-policy noeviction"));
    let mut locks = 0;
    let refused = loop {
        match try_cmd(con, &format!("QUOTELOCK.SET user:{locks} {} *", role())) {
            Ok(_) => locks += 1,
            Err(error) => break error,
        }
        assert!(locks < 100_000, "the limit is never reached");
    };
    let oom = "OOM command not allowed when used memory > 'maxmemory'";
    assert!(refused.starts_with(oom), "{refused}");
    // Well over the limit, so that buffers of clients that come and go make no difference.
    cmd(con, &format!("CONFIG SET maxmemory {}", limit - 1_000_000));
    let held = keyspace(con);
    assert_eq!(held.len(), locks);

    for write in
        ["QUOTELOCK.SET user:0 3 *", "QUOTELOCK.ACQUIRE user:new 3 *", "QUOTELOCK.ACQUIRE user:0 3 *"]
    {
        let refused = error(con, write);
        assert!(refused.starts_with(oom), "{write}: {refused}");
        let words: Vec<String> = write.split(' ').map(|word| format!("'{word}'")).collect();
        let script = format!("return redis.call({})", words.join(", "));
        let refused = error(con, &["EVAL", &script, "0"]);
        assert!(refused.contains(oom), "{script}: {refused}");
    }
    assert_eq!(keyspace(con), held);

    assert!(text(con, "QUOTELOCK.GET user:0 JSON").contains(&role()));
    let script = "return redis.call('QUOTELOCK.GET', KEYS[1], 'JSON')";
    assert!(text(con, &["EVAL", script, "1", "user:0"]).contains(&role()));
    assert_eq!(int(con, &["EVAL", "return redis.call('QUOTELOCK.DEL', KEYS[1])", "1", "user:0"]), 1);
    for lock in 1..locks {
        assert_eq!(int(con, &format!("QUOTELOCK.DEL user:{lock}")), 1);
    }
    assert_eq!(reply(con, "QUOTELOCK.SET user:0 3 *"), "OK");
}

/// Runs the commands a thousand at a time.
fn run(con: &mut Connection, commands: impl Iterator<Item = Vec<String>>) {
    let mut commands = commands.peekable();
    while commands.peek().is_some() {
        let mut batch = redis::pipe();
        batch.ignore_errors();
        for words in commands.by_ref().take(1000) {
            batch.cmd(&words[0]).arg(&words[1..]);
        }
        batch.query::<redis::Value>(con).unwrap();
    }
}

/// The memory in use when no key is left, measured twice in the same state.
fn used_when_empty(con: &mut Connection) -> i64 {
    cmd(con, "FLUSHALL SYNC");
    cmd(con, "SCRIPT FLUSH SYNC");
    used(con)
}

/// What the servers' own bookkeeping (errors by name, buffers of clients) may differ by.
const SLACK: i64 = 300_000;

/// As docs/explanation/memory.md says: a lock of two roles takes 150 to 200 bytes.
#[apply(each_server)]
fn a_lock_takes_150_to_200_bytes(#[case] kind: Kind) {
    const LOCKS: i64 = 50_000;
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let set = |lock| {
        vec![
            "QUOTELOCK.SET".to_owned(),
            format!("hermes:LockedQuoteInfo:{lock}"),
            "3,7".to_owned(),
            "*".to_owned(),
        ]
    };
    run(con, (0..1000).map(set));
    let before = used_when_empty(con);
    run(con, (0..LOCKS).map(set));
    let each = (used(con) - before) / LOCKS;
    assert!((130..=220).contains(&each), "{each} bytes");
}

#[apply(each_server)]
fn memory_returns_when_locks_are_deleted(#[case] kind: Kind) {
    const LOCKS: i64 = 20_000;
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let words = |line: String| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let set = |lock| words(format!("QUOTELOCK.SET user:{lock} {} *", role()));
    run(con, (0..1000).map(set));
    let before = used_when_empty(con);
    run(con, (0..LOCKS).map(set));
    let grown = used(con) - before;
    assert!(grown > LOCKS * 300, "{grown} bytes for {LOCKS} locks");
    run(con, (0..LOCKS).map(|lock| words(format!("QUOTELOCK.DEL user:{lock}"))));
    assert_eq!(int(con, "DBSIZE"), 0);
    let left = used_when_empty(con) - before;
    assert!(left < SLACK, "{left} of {grown} bytes are still there");
}

#[apply(each_server)]
fn random_commands_leave_nothing_behind(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let mut rng = Rng::seeded(20240912);
    let mut commands = |count| -> Vec<_> { (0..count).map(|_| lock_command(&mut rng)).collect() };
    run(con, commands(10_000).into_iter());
    let before = used_when_empty(con);
    run(con, commands(100_000).into_iter());
    let left = used_when_empty(con) - before;
    assert!(left < SLACK, "{left} bytes left");
}
