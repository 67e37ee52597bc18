//! What is on disk: RDB, AOF in its forms, and what a kill -9 leaves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use redis::{Connection, Value};

use crate::harness::*;

/// Locks of every form; the commands that leave nothing behind too.
fn fill(con: &mut Connection) {
    for command in [
        r#"QUOTELOCK.SET user:plain ["3","7"] 2024-09-12T02:50:53.000Z"#,
        r#"QUOTELOCK.SET user:own ["é","\u0000"] 2024-09-12T10:50:53+08:00 PX 3000000 BUFFER 5"#,
        r#"QUOTELOCK.SET user:years [] * EX 315360000"#,
        "QUOTELOCK.ACQUIRE user:created 3,7 *",
        "QUOTELOCK.SET user:refreshed 3 2024-09-12T02:50:53.000Z",
        "QUOTELOCK.ACQUIRE user:refreshed 4 * ALIGN 300",
        "QUOTELOCK.ACQUIRE user:refreshed 5 *",
        "QUOTELOCK.SET user:deleted 3 *",
        "QUOTELOCK.DEL user:deleted",
    ] {
        cmd(con, command);
    }
    cmd(con, &[&b"QUOTELOCK.SET"[..], b"user:\r\n\0\xff", b"[]", b"*"]);
    cmd(con, "SET user:text text");
}

/// What a server keeps and how its locks are answered, before and after a restart.
fn seen(server: &Server) -> (impl PartialEq + std::fmt::Debug + use<>, Vec<String>) {
    let con = &mut server.connection();
    let held = keyspace(con);
    let at = "2024-09-12T02:55:00Z";
    let locks = ["plain", "own", "years", "created", "refreshed", "deleted"];
    let answers = locks.map(|key| reply(con, &format!("QUOTELOCK.GET user:{key} AT {at}")));
    (held, answers.to_vec())
}

#[track_caller]
fn survives(server: &mut Server, restart: impl Fn(&mut Server)) {
    let before = seen(server);
    restart(server);
    assert_eq!(seen(server), before);
}

/// What is acknowledged is in the file; with `everysec` the server may write it a little later.
fn with_aof(kind: Kind) -> Builder {
    Server::builder(kind).conf("appendonly yes").conf("appendfsync always")
}

#[apply(each_server)]
fn rdb_keeps_locks_and_their_expiry(#[case] kind: Kind) {
    let mut server = Server::start(kind);
    fill(&mut server.connection());
    cmd(&mut server.connection(), "SAVE");
    survives(&mut server, Server::kill_and_restart);
}

#[apply(each_server)]
fn aof_keeps_locks_and_their_expiry(#[case] kind: Kind) {
    for preamble in ["yes", "no"] {
        let mut server = with_aof(kind).conf(format!("aof-use-rdb-preamble {preamble}")).start();
        fill(&mut server.connection());
        survives(&mut server, Server::restart);

        cmd(&mut server.connection(), "QUOTELOCK.SET user:later [] *");
        rewrite(&mut server.connection());
        cmd(&mut server.connection(), "QUOTELOCK.SET user:plain [] * EX 1000");
        survives(&mut server, Server::kill_and_restart);
    }
}

#[apply(each_server)]
fn aof_holds_plain_commands_that_any_server_loads(#[case] kind: Kind) {
    let mut server = with_aof(kind).conf("aof-use-rdb-preamble no").start();
    let con = &mut server.connection();
    let mut expected = Vec::new();
    let mut run = |con: &mut Connection, command: &str, key: &str| {
        cmd(con, command);
        let (json, expiry) = stored(con, key);
        expected.push(match expiry {
            -2 => format!("DEL {key}"),
            _ => format!("SET {key} {json} PXAT {expiry}"),
        });
    };
    run(con, r#"QUOTELOCK.SET a ["3","7"] 2024-09-12T02:50:53.000Z NX"#, "a");
    run(con, "QUOTELOCK.SET a 3,7 * EX 100 PBUFFER 20 XX", "a");
    run(con, "QUOTELOCK.ACQUIRE b 3 * ALIGN 300 JSON", "b");
    run(con, "QUOTELOCK.SET b 3 2024-09-12T10:50:53+08:00", "b");
    run(con, "QUOTELOCK.ACQUIRE b 4 *", "b");
    run(con, "QUOTELOCK.DEL a", "a");
    for leaves_nothing in [
        "QUOTELOCK.SET a 3 * XX",
        "QUOTELOCK.SET b 3 * NX",
        "QUOTELOCK.ACQUIRE b 5 *",
        "QUOTELOCK.GET b JSON",
        "QUOTELOCK.DEL a",
        "QUOTELOCK.DEL b IFEQ soon",
        "QUOTELOCK.SET b 3 soon",
    ] {
        let _reply = reply(con, leaves_nothing);
    }
    assert_eq!(aof_lines(&server, ".incr."), expected);

    let held = keyspace(con);
    server.stop();
    let plain = Server::builder(kind)
        .without_module()
        .conf("appendonly yes")
        .conf("aof-use-rdb-preamble no")
        .conf(format!("dir {}", server.dir().display()))
        .start();
    assert_eq!(keyspace(&mut plain.connection()), held);

    // A rewritten file has the servers' own form, which is that of plain strings.
    rewrite(&mut plain.connection());
    let base = aof_lines(&server, ".base.");
    assert!(base[0].starts_with(r#"SET b {"roleIds":["4"],"queryTime":""#), "{base:?}");
    assert!(base.iter().all(|command| !command.contains("QUOTELOCK")), "{base:?}");
}

/// What a writer knows to be at its keys: the string and its expiry, `None` where it has deleted the lock.
type Book = BTreeMap<String, Option<(String, i64)>>;

/// Writes until the server is gone. What was acknowledged goes into the book;
/// what was under way when the server died may be there or not, so its key leaves the book.
fn write_until_killed(con: &mut Connection, writer: u64, rng: &mut Rng, book: &mut Book, done: &AtomicUsize) {
    loop {
        let key = format!("user:{writer}:{}", rng.below(10));
        let role = rng.below(1_000_000);
        let old = moment(now() - 400_000);
        let write = match rng.below(5) {
            0 | 1 => format!("QUOTELOCK.SET {key} {role} *"),
            2 => format!("QUOTELOCK.SET {key} {role} {old} PX 900000"),
            3 => format!("QUOTELOCK.ACQUIRE {key} {role} *"),
            _ => format!("QUOTELOCK.DEL {key}"),
        };
        // In one transaction, so that the book has the very expiry.
        let mut transaction = redis::pipe();
        transaction.atomic();
        for command in [write, format!("GET {key}"), format!("PEXPIRETIME {key}")] {
            let words: Vec<&str> = command.split(' ').collect();
            transaction.cmd(words[0]).arg(&words[1..]);
        }
        book.remove(&key);
        let Ok((_reply, held, expiry)) = transaction.query::<(Value, Option<String>, i64)>(con) else {
            return;
        };
        book.insert(key, held.map(|held| (held, expiry)));
        done.fetch_add(1, Ordering::SeqCst);
    }
}

#[apply(each_server)]
fn kill_9_loses_nothing_acknowledged(#[case] kind: Kind) {
    const WRITERS: u64 = 4;
    let mut server = with_aof(kind).start();
    let mut books = vec![Book::new(); WRITERS as usize];
    for round in 0..if kind == Kind::DEFAULT { 6 } else { 2 } {
        let done = &AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for (writer, book) in (0..).zip(&mut books) {
                let mut con = server.connection();
                let mut rng = Rng::seeded(round * WRITERS + writer);
                scope.spawn(move || write_until_killed(&mut con, writer, &mut rng, book, done));
            }
            eventually(TIMEOUT, || (done.load(Ordering::SeqCst) > 300).then_some(()));
            server.kill();
        });
        server.restart();
        let con = &mut server.connection();
        for (key, held) in books.iter().flatten() {
            let (json, expiry) = stored(con, key);
            let found = (expiry != -2).then_some((json, expiry));
            assert_eq!(&found, held, "round {round}, {key}");
        }
        assert!(books.iter().flatten().count() > 30, "{books:?}");
    }
}
