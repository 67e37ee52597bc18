//! Another module that deletes, renames and rewrites our keys when it is told of a change, in the midst of
//! the command that makes the change.

use redis::Connection;

use crate::harness::*;

/// A lock's moment, long ago: what is answered and stored doesn't depend on the clock.
const TIME: &str = "2024-09-12T02:50:53Z";

/// A writing command on `k`.
struct Write {
    setup: &'static [&'static str],
    words: &'static str,
    events: &'static [&'static str],
}

const LOCK: &str = "QUOTELOCK.SET k 1 {T}";
const ROW: &str = "VEHPRICE.SET k 1 PXAT 9999999999999 FIELDS 2 a x b y";
const ROWS: &str = "VEHPRICE.MSET k PXAT 9999999999998 FIELDS 1 a ROWS 1 x 2 y";

const SET: &[&str] = &["set", "expire", "quotelock.set"];
const DEL: &[&str] = &["del", "quotelock.del"];

const WRITES: [Write; 16] = [
    Write { setup: &[], words: "QUOTELOCK.SET k 3 {T}", events: SET },
    Write { setup: &[LOCK], words: "QUOTELOCK.SET k 3 {T}", events: SET },
    Write { setup: &[LOCK], words: "QUOTELOCK.SET k 3,17 {T} EX 500", events: SET },
    Write { setup: &[], words: "QUOTELOCK.ACQUIRE k 3 {T} EX 315360000", events: SET },
    Write { setup: &["SET k x"], words: "QUOTELOCK.ACQUIRE k 3 {T} EX 315360000 JSON", events: SET },
    Write { setup: &[LOCK], words: "QUOTELOCK.DEL k", events: DEL },
    Write { setup: &[LOCK], words: "QUOTELOCK.DEL k IFEQ {T}", events: DEL },
    Write { setup: &[], words: ROW, events: &["vehprice.set"] },
    Write { setup: &[ROWS], words: ROW, events: &["vehprice.set"] },
    Write { setup: &[], words: ROWS, events: &["vehprice.set"] },
    Write {
        setup: &[ROWS],
        words: "VEHPRICE.MSET k MERGE KEEPTTL FIELDS 1 c ROWS 1 z 2 z",
        events: &["vehprice.set"],
    },
    Write { setup: &[ROWS], words: "VEHPRICE.SET k 1 PXAT 1 FIELDS 1 a x", events: &["vehprice.del"] },
    Write { setup: &[ROW], words: "VEHPRICE.SET k 1 PXAT 1 FIELDS 1 a x", events: &["del", "vehprice.del"] },
    Write { setup: &[ROWS], words: "VEHPRICE.DEL k 1 3", events: &["vehprice.del"] },
    Write { setup: &[ROWS], words: "VEHPRICE.DEL k 1 2", events: &["del", "vehprice.del"] },
    Write { setup: &[ROWS], words: "VEHPRICE.CLEAR k", events: &["del", "vehprice.clear"] },
];

/// Whether the server runs a job after a callback.
fn ways(kind: Kind) -> &'static [&'static str] {
    if kind.version() < (7, 2) { &["now"] } else { &["now", "after"] }
}

fn with_time(words: &str) -> String {
    words.replace("{T}", TIME)
}

/// A key's value, and whether it expires; empty if it is absent.
fn held(con: &mut Connection, key: &str) -> String {
    if int(con, &["EXISTS", key]) == 0 {
        return String::new();
    }
    format!("{} {}", digest(con, key), int(con, &["PEXPIRETIME", key]) > 0)
}

fn count(con: &mut Connection, name: &str) -> i64 {
    info(con, "quotelock")[&format!("quotelock_{name}")].parse().unwrap()
}

/// Starts over with what a write finds, and then with the meddler's rule.
fn prepare(con: &mut Connection, setup: &[&str], rule: Option<&str>) {
    cmd(con, "MEDDLE.STOP");
    cmd(con, "FLUSHALL");
    for words in setup {
        cmd(con, &with_time(words));
    }
    if let Some(rule) = rule {
        cmd(con, &format!("MEDDLE {rule}"));
    }
}

#[track_caller]
fn server_with_meddler(builder: Builder) -> Server {
    let server = builder.start();
    load_beside(&mut server.connection(), "meddler");
    server
}

/// Makes each write while the meddler does each deed at each of its events. The reply is as without it, what
/// is left is what the deed leaves, and a replica has the same.
#[track_caller]
fn writes_stand_and_so_do_the_deeds(server: &Server, replica: Option<&Server>) {
    let con = &mut server.connection();
    for Write { setup, words, events } in &WRITES {
        prepare(con, setup, None);
        let words = &with_time(words);
        let expected = reply(con, words);
        let written = held(con, "k");
        prepare(con, &["SET k other"], None);
        let other = held(con, "k");
        // The deed, and what it leaves at the key and elsewhere.
        let deeds = [
            ("DEL %", "", ""),
            ("UNLINK %", "", ""),
            ("RENAME % elsewhere", "", written.as_str()),
            ("SET % other", other.as_str(), ""),
            ("FLUSHALL", "", ""),
        ];
        for event in *events {
            for way in ways(server.kind()) {
                for (deed, left, elsewhere) in deeds {
                    let rule = &format!("{event} {way} {deed}");
                    prepare(con, setup, Some(rule));
                    assert_eq!(reply(con, words), expected, "{words}: {rule}");
                    assert_eq!(held(con, "k"), left, "{words}: {rule}");
                    assert_eq!(held(con, "elsewhere"), elsewhere, "{words}: {rule}");
                    if let Some(replica) = replica {
                        in_step(con, 1);
                        let there = text(&mut replica.connection(), "DEBUG DIGEST");
                        assert_eq!(there, text(con, "DEBUG DIGEST"), "{words}: {rule}");
                    }
                }
            }
        }
    }
}

#[apply(each_server)]
fn at_each_event_of_each_write(#[case] kind: Kind) {
    let server = server_with_meddler(Server::builder(kind).conf("repl-diskless-sync-delay 0"));
    let replica = replica_of(&server, Server::builder(kind));
    writes_stand_and_so_do_the_deeds(&server, Some(&replica));
}

/// No byte is read or written that went with the key.
#[test]
fn under_valgrind() {
    let mut server = server_with_meddler(Server::builder(Kind::DEFAULT).under(&VALGRIND));
    writes_stand_and_so_do_the_deeds(&server, None);
    server.stop();
    clean_under_valgrind(&server);
}

/// The key was not there when the command opened it, whatever came there while the server said so.
#[apply(each_server)]
fn while_the_key_is_opened(#[case] kind: Kind) {
    const WRITES: [&str; 4] =
        ["QUOTELOCK.SET k 3 {T}", "QUOTELOCK.ACQUIRE k 3 {T} EX 315360000 JSON", ROW, ROWS];
    let server = server_with_meddler(Server::builder(kind));
    let con = &mut server.connection();
    cmd(con, "DEBUG SET-ACTIVE-EXPIRE 0");
    let expired = |con: &mut Connection, setup: &str, event: &str, deed: &str| {
        let deed = with_time(deed).replace(" k ", " % ");
        prepare(con, &[setup], Some(&format!("{event} now {deed}")));
        cmd(con, "PEXPIRE k 1");
        rest(5);
    };
    // Where a callback writes the key Valkey 9.1 loses what comes then, a plain SET too.
    for words in WRITES.iter().filter(|_| !(kind.is_valkey() && kind.version() >= (9, 0))) {
        let words = &with_time(words);
        prepare(con, &[], None);
        let (expected, written) = (reply(con, words), held(con, "k"));
        for deed in ["SET % other", ROWS, LOCK] {
            expired(con, if words.starts_with('Q') { LOCK } else { ROW }, "expired", deed);
            assert_eq!(reply(con, words), expected, "{words}: {deed}");
            assert_eq!(held(con, "k"), written, "{words}: {deed}");
        }
    }
    for deed in ["SET % other", ROWS, "VEHPRICE.CLEAR %"] {
        for event in ["expired", "keymiss"] {
            expired(con, ROWS, event, deed);
            let answer = text(con, "VEHPRICE.CLAIM k PX 600000 JSON IDS 1 2");
            assert!(answer.ends_with(r#""claimed":["1","2"],"pending":[]}"#), "{event} {deed}: {answer}");
            prepare(con, &[], None);
            assert_eq!(count(con, "claims_pending"), 0, "{event} {deed}");
        }
    }
}

/// What another module claims when it is told of a deletion is claimed: the command drops the claims
/// before that.
#[apply(each_server)]
fn a_claim_made_on_the_way_stands(#[case] kind: Kind) {
    let server = server_with_meddler(Server::builder(kind));
    let con = &mut server.connection();
    for Write { setup, words, events } in WRITES.iter().filter(|write| write.words.starts_with("VEHPRICE")) {
        for event in *events {
            for way in ways(kind) {
                let rule = format!("{event} {way} VEHPRICE.CLAIM % PX 600000 IDS 1 3");
                prepare(con, setup, None);
                cmd(con, "VEHPRICE.CLAIM k PX 600000 REFRESH 315360000000 IDS 1 2");
                cmd(con, &format!("MEDDLE {rule}"));
                cmd(con, *words);
                let missing =
                    if reply(con, "VEHPRICE.GET k 1") == "nil" { r#"["1","3"]"# } else { r#"["3"]"# };
                cmd(con, "MEDDLE.STOP");
                let pending = text(con, "VEHPRICE.CLAIM k PX 1 LIMIT 1 JSON IDS 1 3");
                assert!(
                    pending.ends_with(&format!(r#""pending":{missing}}}"#)),
                    "{words}: {rule}: {pending}"
                );
            }
        }
    }
}

/// Whoever waits for a row is answered when its table is taken away in the midst of the write, and waits on
/// where the row is claimed anew.
#[apply(each_server)]
fn no_client_waits_for_nothing(#[case] kind: Kind) {
    let server = server_with_meddler(Server::builder(kind));
    let con = &mut server.connection();
    for way in ways(kind) {
        for (words, rule, answer) in [
            (ROW, "vehprice.set {W} DEL %", "[null]"),
            (ROW, "vehprice.set {W} RENAME % elsewhere", "[null]"),
            ("VEHPRICE.DEL k 2", "vehprice.del {W} DEL %", "[null]"),
            ("VEHPRICE.DEL k 2", "vehprice.del {W} VEHPRICE.SET % 1 FIELDS 1 a x", r#"[{"a":"x"}]"#),
            ("VEHPRICE.CLEAR k", "vehprice.clear {W} VEHPRICE.SET % 1 FIELDS 1 a x", r#"[{"a":"x"}]"#),
        ] {
            let rule = rule.replace("{W}", way);
            prepare(con, &["VEHPRICE.MSET k FIELDS 1 a ROWS 2 y 3 z"], Some(&rule));
            cmd(con, "VEHPRICE.CLAIM k PX 600000 IDS 1");
            let mut waiting = RawConnection::connect(server.port()).unwrap();
            waiting.send(b"VEHPRICE.MGET k JSON BLOCK 0 IDS 1\r\n").unwrap();
            eventually(TIMEOUT, || (count(con, "claims_waiting") == 1).then_some(()));
            cmd(con, words);
            let told = waiting.receive().unwrap();
            assert_eq!(show(&told), format!("\"{answer}\""), "{words}: {rule}");
            assert_eq!(
                (count(con, "claims_waiting"), count(con, "claims_pending")),
                (0, 0),
                "{words}: {rule}"
            );
        }
        prepare(con, &["VEHPRICE.MSET k FIELDS 1 a ROWS 2 y 3 z"], None);
        cmd(con, "VEHPRICE.CLAIM k PX 600000 IDS 1");
        cmd(con, &format!("MEDDLE vehprice.clear {way} VEHPRICE.CLAIM % PX 600000 IDS 1"));
        let mut waiting = RawConnection::connect(server.port()).unwrap();
        waiting.send(b"VEHPRICE.MGET k JSON BLOCK 0 IDS 1\r\n").unwrap();
        eventually(TIMEOUT, || (count(con, "claims_waiting") == 1).then_some(()));
        cmd(con, "VEHPRICE.CLEAR k");
        rest(50);
        assert_eq!((count(con, "claims_waiting"), count(con, "claims_pending")), (1, 1), "{way}");
        cmd(con, "VEHPRICE.SET k 1 FIELDS 1 a x");
        assert_eq!(show(&waiting.receive().unwrap()), r#""[{"a":"x"}]""#, "{way}");
    }
}
