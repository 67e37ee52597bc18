//! What goes to replicas: outcomes only, in plain commands, with absolute times.

use crate::harness::*;
use crate::reliability::sentinels::signal;

/// What a command leads to.
enum Effect {
    Nothing,
    /// A lock with this JSON, or, where the server's clock is in it, with what is found in the key.
    Set(&'static str, Option<&'static str>, i64),
    Del(&'static str),
}
use Effect::{Del, Nothing, Set};

const OLD: &str = r#"{"roleIds":["3","7"],"queryTime":"2024-09-12T02:50:53.000Z"}"#;

/// One after the other on one server. The number is the ttl in milliseconds.
const STORY: &[(&str, Effect)] = &[
    ("QUOTELOCK.SET a 3,7 2024-09-12T02:50:53.000Z", Set("a", Some(OLD), 360_000)),
    (r#"QUOTELOCK.SET a [3,"7"] 2024-09-12T02:50:53.000Z NX"#, Nothing),
    ("QUOTELOCK.GET a", Nothing),
    ("QUOTELOCK.GET a AT 2024-09-12T02:50:53.000Z JSON", Nothing),
    ("QUOTELOCK.ACQUIRE a 4 * IFMISSING", Nothing),
    ("QUOTELOCK.ACQUIRE a 4 2024-09-12T10:50:53.000+08:00", Nothing),
    ("QUOTELOCK.ACQUIRE a 4 2024-09-12T02:50:52.999Z JSON", Nothing),
    (
        "QUOTELOCK.ACQUIRE a 4 2024-09-12T10:50:53.001+08:00",
        Set("a", Some(r#"{"roleIds":["4"],"queryTime":"2024-09-12T10:50:53.001+08:00"}"#), 360_000),
    ),
    (
        "QUOTELOCK.ACQUIRE a 4 2024-09-12T03:02:03+00:00 ALIGN 300",
        Set("a", Some(r#"{"roleIds":["4"],"queryTime":"2024-09-12T03:00:00.000Z"}"#), 360_000),
    ),
    ("QUOTELOCK.ACQUIRE a 5 *", Set("a", None, 360_000)),
    ("QUOTELOCK.ACQUIRE a 6 *", Nothing),
    ("QUOTELOCK.ACQUIRE a 6 * JSON", Nothing),
    ("QUOTELOCK.SET a 7 * XX PX 5000000 BUFFER 0", Set("a", None, 5_000_000)),
    ("QUOTELOCK.SET a 7 * LAG 1000 EX 20", Set("a", None, 20_000)),
    ("QUOTELOCK.SET b 7 * XX", Nothing),
    ("QUOTELOCK.GET b", Nothing),
    ("QUOTELOCK.DEL b", Nothing),
    ("QUOTELOCK.ACQUIRE b 3 * IFMISSING EX 315360000 ALIGN 60", Set("b", None, 315_360_000_000)),
    ("QUOTELOCK.DEL b IFEQ 2024-09-12T02:50:53.000Z", Nothing),
    ("QUOTELOCK.DEL b", Del("b")),
    ("QUOTELOCK.DEL b", Nothing),
    ("QUOTELOCK.SET b 3,7 2024-09-12T02:50:53.000Z NX", Set("b", Some(OLD), 360_000)),
    ("QUOTELOCK.DEL b IFEQ 2024-09-12T02:50:53.000Z", Del("b")),
    ("QUOTELOCK.SET c 3 * EX 0", Nothing),
    ("QUOTELOCK.SET c 3", Nothing),
    ("QUOTELOCK.ACQUIRE c [[]] *", Nothing),
    ("QUOTELOCK.ACQUIRE c 3 * FOO", Nothing),
    ("QUOTELOCK.DEL a IFEQ", Nothing),
    ("QUOTELOCK.GET a AT soon", Nothing),
];

#[apply(each_server)]
fn only_outcomes_are_sent(#[case] kind: Kind) {
    let primary = primary(kind);
    let con = &mut primary.connection();
    let mut fake = FakeReplica::of(&primary);
    let replica = replica_of(&primary, Server::builder(kind).without_module());
    let monitor = &mut replica.connection();
    cmd(monitor, "MONITOR");

    for (command, effect) in STORY {
        let earliest = now();
        let _reply = reply(con, *command);
        let latest = now();
        let sent = fake.lines(con);
        let expected = match effect {
            Nothing => vec![],
            Del(key) => vec![format!("DEL {key}")],
            Set(key, json, ttl) => {
                let (held, expiry) = stored(con, key);
                assert!((earliest + ttl..=latest + ttl).contains(&expiry), "{command}: {expiry}");
                assert!(json.is_none_or(|json| json == held), "{command}: {held}");
                vec![format!("SET {key} {held} PXAT {expiry}")]
            }
        };
        assert_eq!(sent, expected, "sent after {command}");
        let run: Vec<String> = monitored(monitor, con).iter().map(line).collect();
        assert_eq!(run, expected, "as a replica ran after {command}");
        assert!(fake.sent(con).is_empty());
    }
    in_step(con, 1);
    assert_eq!(keyspace(&mut replica.connection()), keyspace(con));
}

#[apply(each_server)]
fn bytes_are_sent_as_they_are(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let mut fake = FakeReplica::of(server);
    let key = &b"user:\r\n\0\xff \"'%s"[..];
    let roles = "[\"\\u0000\\n\",\"é\u{100}😀%n\"]";
    cmd(con, &[b"QUOTELOCK.SET", key, roles.as_bytes(), b"2024-09-12t02:50:53.1234567-00:00"]);
    let expiry = int(con, &[b"PEXPIRETIME", key]).to_string();
    let json =
        "{\"roleIds\":[\"\\u0000\\n\",\"é\u{100}😀%n\"],\"queryTime\":\"2024-09-12t02:50:53.1234567-00:00\"}";
    let set = [b"SET", key, json.as_bytes(), b"PXAT", expiry.as_bytes()].map(<[u8]>::to_vec);
    assert_eq!(fake.sent(con), [set.to_vec()]);
    cmd(con, &[b"QUOTELOCK.DEL", key]);
    assert_eq!(fake.sent(con), [vec![b"DEL".to_vec(), key.to_vec()]]);
}

/// A lock is written over another of its length in place, but not where the other one has still to be sent.
#[apply(each_server)]
fn what_is_overwritten_in_a_transaction_is_sent_as_it_was(#[case] kind: Kind) {
    const TIME: &str = "2024-09-12T02:50:53.000Z";
    let lock = |role: i32| format!(r#"{{"roleIds":["{role}"],"queryTime":"{TIME}"}}"#);
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let mut fake = FakeReplica::of(server);
    cmd(con, "MULTI");
    cmd(con, &["SET", "a", &lock(1)]);
    for role in 2..5 {
        cmd(con, &format!("QUOTELOCK.SET a {role} {TIME}"));
    }
    cmd(con, "EXEC");
    let expiry = stored(con, "a").1;
    let mut expected = vec!["MULTI".to_owned(), format!("SET a {}", lock(1))];
    expected.extend((2..5).map(|role| format!("SET a {} PXAT {expiry}", lock(role))));
    expected.push("EXEC".to_owned());
    assert_eq!(fake.lines(con), expected);
}

/// The server deletes what has expired before the command writes, and says so to its replicas.
#[apply(each_server)]
fn an_expired_lock_goes_before_the_next_one(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "DEBUG SET-ACTIVE-EXPIRE 0");
    let mut fake = FakeReplica::of(server);
    for (write, replied) in [
        ("QUOTELOCK.ACQUIRE a 4 2024-09-12T02:50:53.000Z JSON", r#""outcome":"Created""#),
        ("QUOTELOCK.SET a 4 * NX", "OK"),
    ] {
        cmd(con, "QUOTELOCK.SET a 3 * PX 1");
        rest(5);
        let _set_with_px_1 = fake.lines(con);
        assert!(text(con, write).contains(replied));
        let (held, expiry) = stored(con, "a");
        let mut sent = fake.lines(con);
        sent.retain(|line| line != "MULTI" && line != "EXEC");
        assert!(["DEL a", "UNLINK a"].contains(&sent[0].as_str()), "{sent:?}");
        assert_eq!(sent[1..], [format!("SET a {held} PXAT {expiry}")], "{write}");
    }
}

#[apply(each_server)]
fn a_replica_answers_and_refuses_to_write(#[case] kind: Kind) {
    let primary = primary(kind);
    let replica = replica_of(&primary, Server::builder(kind));
    let (con, there) = (&mut primary.connection(), &mut replica.connection());
    cmd(con, "QUOTELOCK.SET a 3,7 *");
    in_step(con, 1);
    let held = keyspace(con);
    assert_eq!(keyspace(there), held);
    for form in ["QUOTELOCK.GET a", "QUOTELOCK.GET a JSON", "QUOTELOCK.GET b"] {
        assert_eq!(reply(there, form), reply(con, form));
    }
    for write in [
        "QUOTELOCK.SET a 3 *",
        "QUOTELOCK.SET a 3 * NX",
        "QUOTELOCK.ACQUIRE a 3 *",
        "QUOTELOCK.ACQUIRE b 3 * IFMISSING",
        "QUOTELOCK.DEL a",
        "QUOTELOCK.DEL b",
    ] {
        assert_eq!(error(there, write), "READONLY You can't write against a read only replica.", "{write}");
    }
    assert_eq!(keyspace(there), held);
}

/// The primary is kept from saying that the lock is gone: the replica still has it, and doesn't show it.
#[apply(each_server)]
fn a_replica_hides_an_expired_lock(#[case] kind: Kind) {
    let primary = primary(kind);
    let replica = replica_of(&primary, Server::builder(kind));
    let (con, there) = (&mut primary.connection(), &mut replica.connection());
    cmd(con, "DEBUG SET-ACTIVE-EXPIRE 0");
    cmd(con, "QUOTELOCK.SET a 3 * PX 1000");
    let expiry = int(con, "PEXPIRETIME a");
    in_step(con, 1);
    let before = reply(there, "QUOTELOCK.GET a JSON");
    assert!(before.contains("roleIds") || now() >= expiry, "{before}");
    eventually(TIMEOUT, || (now() > expiry).then_some(()));
    assert_eq!(reply(there, "QUOTELOCK.GET a"), "nil");
    assert_eq!(reply(there, "QUOTELOCK.GET a JSON"), r#""null""#);
    assert_eq!(int(there, "DBSIZE"), 1, "the key is still there");
}

#[apply(each_server)]
fn replicas_hold_what_the_primary_holds(#[case] kind: Kind) {
    const SEED: u64 = 20240912;
    let primary = primary(kind);
    let with_module = replica_of(&primary, Server::builder(kind));
    let without = replica_of(&primary, Server::builder(kind).without_module());
    let con = &mut primary.connection();
    let mut rng = Rng::seeded(SEED);
    let mut refused = 0;
    const COMMANDS: i32 = 5000;
    for _ in 0..COMMANDS {
        refused += i32::from(try_cmd(con, &lock_command(&mut rng)).is_err());
    }
    assert!((COMMANDS / 20..COMMANDS * 9 / 10).contains(&refused), "{refused} commands were refused");
    in_step(con, 2);
    for replica in [with_module, without] {
        let there = &mut replica.connection();
        // Short locks of the last few commands end on either side meanwhile.
        eventually(TIMEOUT, || {
            let (held, copied) = (keyspace(con), keyspace(there));
            (held.len() > 10 && held == copied).then_some(())
        });
    }
}

/// A replica may swap in a new copy while it goes on answering from the old one, if every module says that it
/// can.
#[apply(each_server)]
fn a_replica_loads_with_no_detour_over_the_disk(#[case] kind: Kind) {
    let primary = primary(kind);
    cmd(&mut primary.connection(), "QUOTELOCK.SET a 3 *");
    let replica = replica_of(&primary, Server::builder(kind).conf("repl-diskless-load swapdb"));
    assert_eq!(keyspace(&mut replica.connection()), keyspace(&mut primary.connection()));
    assert!(!replica.log().contains("Skipping diskless-load"), "{}", replica.log());
}

/// docs/explanation/replication.md tells of it: what another pod has just written is on no replica yet.
#[apply(each_server)]
fn wait_waits_for_writes_of_its_own_connection_alone(#[case] kind: Kind) {
    let primary = primary(kind);
    let replica = replica_of(&primary, Server::builder(kind));
    let (writer, reader) = (&mut primary.connection(), &mut primary.connection());
    in_step(writer, 1);
    let process = info(&mut replica.connection(), "server")["process_id"].clone();
    signal(&process, "-STOP");
    let acquired = reply(writer, "QUOTELOCK.ACQUIRE a 3 *");
    assert!(acquired.contains("Created"), "{acquired}");
    assert_eq!(int(writer, "WAIT 1 100"), 0);
    for command in ["QUOTELOCK.ACQUIRE a 4 *", "QUOTELOCK.GET a"] {
        let read = reply(reader, command);
        assert!(read.contains("Effective"), "{command}: {read}");
        let on_replicas = i64::from(kind != Kind::REDIS_7_0);
        assert_eq!(int(reader, "WAIT 1 100"), on_replicas, "{command}");
    }
    signal(&process, "-CONT");
    in_step(writer, 1);
}
