//! What goes to replicas: rows as they were stored, with the moment they expire.

use redis::Connection;

use crate::harness::*;

/// A command and what is sent for it. `@id` stands for the moment when that row of `t` expires.
pub(super) type Step = (&'static str, &'static [&'static str]);

/// One after the other on one server, all on the table `t`.
const STORY: &[Step] = &[
    ("VEHPRICE.SET t a FIELDS 2 x 1 y 2", &["VEHPRICE.MSET t PXAT @a FIELDS 2 x y ROWS a 1 2"]),
    ("VEHPRICE.SET t a NX FIELDS 1 x 9", &[]),
    ("VEHPRICE.SET t b XX FIELDS 1 x 9", &[]),
    ("VEHPRICE.SET t b XX PXAT 1 FIELDS 1 x 9", &[]),
    (
        "VEHPRICE.SET t b PXAT 4000000000000 FIELDS 1 x 9",
        &["VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 x ROWS b 9"],
    ),
    (
        "VEHPRICE.SET t b EXAT 4000000001 FIELDS 1 x 9",
        &["VEHPRICE.MSET t PXAT 4000000001000 FIELDS 1 x ROWS b 9"],
    ),
    ("VEHPRICE.SET t b MERGE FIELDS 1 y 8", &["VEHPRICE.MSET t PXAT 4000000001000 FIELDS 2 x y ROWS b 9 8"]),
    ("VEHPRICE.SET t b MERGE EX 1000 FIELDS 1 x 7", &["VEHPRICE.MSET t PXAT @b FIELDS 2 x y ROWS b 7 8"]),
    ("VEHPRICE.SET t b KEEPTTL FIELDS 1 z 1", &["VEHPRICE.MSET t PXAT @b FIELDS 1 z ROWS b 1"]),
    ("VEHPRICE.SET t c KEEPTTL FIELDS 1 z 1", &["VEHPRICE.MSET t PXAT @c FIELDS 1 z ROWS c 1"]),
    ("VEHPRICE.SET t c NX MERGE KEEPTTL FIELDS 1 z 1", &[]),
    ("VEHPRICE.SET t new MERGE FIELDS 1 z 1", &["VEHPRICE.MSET t PXAT @new FIELDS 1 z ROWS new 1"]),
    (
        "VEHPRICE.MSET t NX PX 500000 FIELDS 2 x y ROWS a 1 2 d 3 4 e 5 6 c 7 8",
        &["VEHPRICE.MSET t PXAT @d FIELDS 2 x y ROWS d 3 4 e 5 6"],
    ),
    (
        "VEHPRICE.MSET t XX EX 500 FIELDS 2 y x ROWS nope 1 2 e 3 4 d 5 6",
        &["VEHPRICE.MSET t PXAT @e FIELDS 2 y x ROWS e 3 4 d 5 6"],
    ),
    ("VEHPRICE.MSET t NX FIELDS 1 x ROWS a 1 d 2", &[]),
    ("VEHPRICE.MSET t XX FIELDS 1 x ROWS nope 1", &[]),
    // An id given twice is stored once, as it was given last.
    (
        "VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 x ROWS f 1 f 2",
        &["VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 x ROWS f 2"],
    ),
    ("VEHPRICE.MSET t NX EX 600 FIELDS 1 x ROWS g 1 g 2", &["VEHPRICE.MSET t PXAT @g FIELDS 1 x ROWS g 2"]),
    // Rows that keep different expiries or fields are sent one after the other.
    (
        "VEHPRICE.MSET t KEEPTTL FIELDS 1 x ROWS f 3 g 3",
        &[
            "VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 x ROWS f 3",
            "VEHPRICE.MSET t PXAT @g FIELDS 1 x ROWS g 3",
        ],
    ),
    (
        "VEHPRICE.MSET t MERGE PXAT 4000000000000 FIELDS 2 y w ROWS e 7 8 f 9 10",
        &[
            "VEHPRICE.MSET t PXAT 4000000000000 FIELDS 3 y x w ROWS e 7 4 8",
            "VEHPRICE.MSET t PXAT 4000000000000 FIELDS 3 x y w ROWS f 3 9 10",
        ],
    ),
    ("VEHPRICE.DEL t d nope g", &["VEHPRICE.DEL t d g"]),
    ("VEHPRICE.DEL t d d", &[]),
    ("VEHPRICE.DEL t e e", &["VEHPRICE.DEL t e"]),
    ("VEHPRICE.SET t c PXAT 1 FIELDS 1 x 1", &["VEHPRICE.DEL t c"]),
    ("VEHPRICE.SET t c EXAT 1 MERGE FIELDS 1 x 1", &[]),
    ("VEHPRICE.SET t b NX PXAT 1 FIELDS 1 x 1", &[]),
    ("VEHPRICE.MSET t PXAT 1 FIELDS 1 x ROWS nope 1 new 2 b 3", &["VEHPRICE.DEL t new b"]),
    // Nothing is sent for what only reads, or fails.
    ("VEHPRICE.GET t a", &[]),
    ("VEHPRICE.GET t a JSON", &[]),
    ("VEHPRICE.MGET t a b", &[]),
    ("VEHPRICE.GETALL t", &[]),
    ("VEHPRICE.SCAN t 0", &[]),
    ("VEHPRICE.LEN t", &[]),
    ("VEHPRICE.PTTL t a", &[]),
    ("VEHPRICE.VERIFY t a x 1", &[]),
    ("VEHPRICE.INFO t", &[]),
    ("VEHPRICE.MGETHASH nope", &[]),
    ("VEHPRICE.SET t a FIELDS 2 x 1 x 2", &[]),
    ("VEHPRICE.SET t a EX 0 FIELDS 1 x 1", &[]),
    ("VEHPRICE.SET t a FOO FIELDS 1 x 1", &[]),
    ("VEHPRICE.MSET t FIELDS 2 x y ROWS a 1 2 b 3", &[]),
    ("VEHPRICE.SET t a PXAT -1 FIELDS 1 x 1", &[]),
    // The end of a table is its key's end.
    ("VEHPRICE.DEL t a", &["VEHPRICE.DEL t a"]),
    ("VEHPRICE.DEL t f", &["DEL t"]),
    ("VEHPRICE.DEL t f", &[]),
    ("VEHPRICE.CLEAR t", &[]),
    ("VEHPRICE.SET t a PXAT 1 FIELDS 1 x 1", &[]),
    ("VEHPRICE.SET t a EX 100 FIELDS 1 x 1", &["VEHPRICE.MSET t PXAT @a FIELDS 1 x ROWS a 1"]),
    ("VEHPRICE.SET t a PXAT 1 FIELDS 1 x 1", &["DEL t"]),
    ("VEHPRICE.MSET t EX 100 FIELDS 1 x ROWS a 1 b 2", &["VEHPRICE.MSET t PXAT @a FIELDS 1 x ROWS a 1 b 2"]),
    ("VEHPRICE.MSET t PXAT 1 FIELDS 1 x ROWS a 1 b 2", &["DEL t"]),
    ("VEHPRICE.SET t a EX 100 FIELDS 1 x 1", &["VEHPRICE.MSET t PXAT @a FIELDS 1 x ROWS a 1"]),
    ("VEHPRICE.CLEAR t", &["DEL t"]),
    // Without a default expiry.
    ("CONFIG SET quotelock.price-ttl-ms 0", &[]),
    ("VEHPRICE.SET t a FIELDS 1 x 1", &["VEHPRICE.MSET t PERSIST FIELDS 1 x ROWS a 1"]),
    ("VEHPRICE.SET t a KEEPTTL FIELDS 1 x 2", &["VEHPRICE.MSET t PERSIST FIELDS 1 x ROWS a 2"]),
    ("VEHPRICE.SET t a MERGE FIELDS 1 y 2", &["VEHPRICE.MSET t PERSIST FIELDS 2 x y ROWS a 2 2"]),
    ("VEHPRICE.SET t b EX 100 FIELDS 1 x 1", &["VEHPRICE.MSET t PXAT @b FIELDS 1 x ROWS b 1"]),
    ("VEHPRICE.SET t d PERSIST FIELDS 1 x 1", &["VEHPRICE.MSET t PERSIST FIELDS 1 x ROWS d 1"]),
    ("VEHPRICE.DEL t d", &["VEHPRICE.DEL t d"]),
    (
        "VEHPRICE.MSET t MERGE FIELDS 1 y ROWS a 3 b 4 c 5",
        &[
            "VEHPRICE.MSET t PERSIST FIELDS 2 x y ROWS a 2 3",
            "VEHPRICE.MSET t PXAT @b FIELDS 2 x y ROWS b 1 4",
            "VEHPRICE.MSET t PERSIST FIELDS 1 y ROWS c 5",
        ],
    ),
];

/// `@id` by the moment that row expires.
fn resolved(line: &str, held: &Rows) -> String {
    let word = |word: &str| match word.strip_prefix('@') {
        Some(id) => held[id].1.to_string(),
        None => word.to_owned(),
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The commands without the frame that several commands of one call come in; which of them goes first is all
/// one.
fn unframed(mut sent: Vec<String>) -> Vec<String> {
    if sent.first().is_some_and(|first| first == "MULTI") {
        assert_eq!(sent.pop().as_deref(), Some("EXEC"));
        sent.remove(0);
        sent.sort();
    }
    sent
}

#[apply(each_server)]
fn only_outcomes_are_sent(#[case] kind: Kind) {
    sends(kind, STORY);
}

/// Each step sends what it says, a replica runs that and nothing else, and holds the same table then.
#[track_caller]
pub(super) fn sends(kind: Kind, story: &[Step]) {
    let primary = primary(kind);
    let con = &mut primary.connection();
    let mut fake = FakeReplica::of(&primary);
    let replica = Server::start(kind);
    follow(&replica, &primary);
    let there = &mut replica.connection();
    let monitor = &mut replica.connection();
    cmd(monitor, "MONITOR");

    for (command, sends) in story {
        let _reply = reply(con, *command);
        let sent = fake.lines(con);
        assert!(sends.len() < 2 || sent[0] == "MULTI", "{command}: several commands, no frame: {sent:?}");
        let held = live_rows(con, "t");
        let mut expected: Vec<_> = sends.iter().map(|line| resolved(line, &held)).collect();
        expected.sort();
        assert_eq!(unframed(sent), expected, "sent after {command}");
        let run = monitored(monitor, con).iter().map(line).collect();
        assert_eq!(unframed(run), expected, "as a replica ran after {command}");
        in_step(con, 1);
        assert_eq!(table(there, "t"), table(con, "t"), "after {command}");
        // Not even a look at them is sent on.
        assert!(fake.sent(con).is_empty());
        monitored(monitor, con);
    }
}

#[apply(each_server)]
fn what_a_command_does_not_say_is_sent_resolved(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (expiry, ttl) in [("", 120_000), ("EX 7", 7000), ("PX 7001", 7001), ("KEEPTTL", 120_000)] {
        cmd(con, "DEL t");
        let mut fake = FakeReplica::of(server);
        let command = format!("VEHPRICE.SET t a {expiry} FIELDS 1 x 1").replace("  ", " ");
        let earliest = now();
        cmd(con, &command);
        let latest = now();
        let sent = fake.lines(con);
        let moment = sent[0].strip_prefix("VEHPRICE.MSET t PXAT ").unwrap();
        let moment: i64 = moment.strip_suffix(" FIELDS 1 x ROWS a 1").unwrap().parse().unwrap();
        assert!((earliest + ttl..=latest + ttl).contains(&moment), "{command}: {sent:?}");
        assert_eq!(int(con, "PEXPIRETIME t"), moment, "{command}");
    }
}

#[apply(each_server)]
fn bytes_are_sent_as_they_are(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let mut fake = FakeReplica::of(server);
    let (key, id, name, value) =
        (&b"t\r\n\0\xff \"'%s"[..], "é\r\n\0%n".as_bytes(), "ü \0".as_bytes(), "\"\\😀\n".as_bytes());
    let far = LATEST_EXPIRY.to_string();
    cmd(con, &[b"VEHPRICE.SET", key, id, b"PXAT", far.as_bytes(), b"FIELDS", b"1", name, value]);
    let expected: &[&[u8]] =
        &[b"VEHPRICE.MSET", key, b"PXAT", far.as_bytes(), b"FIELDS", b"1", name, b"ROWS", id, value];
    assert_eq!(fake.sent(con), [expected.iter().map(|word| word.to_vec()).collect::<Vec<_>>()]);
    cmd(con, &[b"VEHPRICE.DEL", key, id]);
    assert_eq!(fake.sent(con), [vec![b"DEL".to_vec(), key.to_vec()]]);
}

/// A primary, a replica in step with it, and one that tells what it is sent.
pub(super) fn followed(kind: Kind) -> (Server, Server, FakeReplica) {
    let primary = primary(kind);
    let replica = Server::start(kind);
    follow(&replica, &primary);
    let fake = FakeReplica::of(&primary);
    (primary, replica, fake)
}

/// Stores 500 rows that a test needn't wait for to be over.
fn soon_over() -> String {
    let rows: String = (0..500).map(|id| format!(" {id} 1")).collect();
    format!("VEHPRICE.MSET t PX 30 FIELDS 1 x ROWS{rows}")
}

/// A primary that sweeps a row and a replica that hasn't yet, and the other way round, hold the same table.
#[apply(each_server)]
fn sweeping_is_not_sent(#[case] kind: Kind) {
    let (primary, replica, mut fake) = followed(kind);
    let (con, there) = (&mut primary.connection(), &mut replica.connection());
    cmd(con, "VEHPRICE.MSET t PXAT 4000000000000 FIELDS 1 x ROWS a 1 b 2");
    cmd(con, &soon_over());
    in_step(con, 1);
    let _filled = fake.sent(con);
    rest(40);
    for sweeping in [&mut *there, con] {
        for _ in 0..20 {
            assert_eq!(int(sweeping, "VEHPRICE.LEN t"), 2);
            cmd(sweeping, "VEHPRICE.SCAN t 0");
        }
    }
    assert_eq!(table(there, "t"), table(con, "t"));
    assert!(fake.sent(con).is_empty());
    // What has expired is not there to be deleted.
    assert_eq!(int(con, "VEHPRICE.DEL t 1 2 a"), 1);
    assert_eq!(fake.lines(con), ["VEHPRICE.DEL t a"]);
}

/// The primary's last live row goes while the replica still holds rows that have expired.
#[apply(each_server)]
fn the_end_of_a_table_is_sent_as_its_keys_end(#[case] kind: Kind) {
    let (primary, replica, mut fake) = followed(kind);
    let (con, there) = (&mut primary.connection(), &mut replica.connection());
    for end in [
        "VEHPRICE.DEL t last",
        "VEHPRICE.DEL t 1 last 2",
        "VEHPRICE.SET t last PXAT 1 FIELDS 1 x 1",
        "VEHPRICE.CLEAR t",
    ] {
        cmd(con, &soon_over());
        cmd(con, "VEHPRICE.SET t last PXAT 4000000000000 FIELDS 1 x 1");
        in_step(con, 1);
        let _filled = fake.sent(con);
        rest(40);
        cmd(con, end);
        assert_eq!(fake.lines(con), ["DEL t"], "after {end}");
        in_step(con, 1);
        for con in [&mut *there, con] {
            assert_eq!(int(con, "EXISTS t"), 0, "after {end}");
            assert_eq!(int(con, "DBSIZE"), 0, "after {end}");
        }
    }
}

/// With no write, the key's own expiry ends it: at its longest-lived row, on the primary and so on the
/// replica.
#[apply(each_server)]
fn the_keys_own_expiry_ends_a_table(#[case] kind: Kind) {
    let (primary, replica, mut fake) = followed(kind);
    let (con, there) = (&mut primary.connection(), &mut replica.connection());
    cmd(con, "VEHPRICE.MSET t PX 20 FIELDS 1 x ROWS a 1");
    cmd(con, "VEHPRICE.MSET t PX 60 FIELDS 1 x ROWS b 1");
    eventually(TIMEOUT, || (int(con, "DBSIZE") == 0).then_some(()));
    let sent = fake.lines(con);
    assert!(["DEL t", "UNLINK t"].contains(&sent.last().unwrap().as_str()), "{sent:?}");
    in_step(con, 1);
    assert_eq!(int(there, "DBSIZE"), 0);
}

/// What a hand does to the key's expiry is the same on the replica, and holds until the next write.
#[apply(each_server)]
fn a_hand_at_the_keys_expiry(#[case] kind: Kind) {
    let primary = primary(kind);
    let con = &mut primary.connection();
    let replica = Server::start(kind);
    follow(&replica, &primary);
    let there = &mut replica.connection();
    cmd(con, "VEHPRICE.SET t a PXAT 4000000000000 FIELDS 1 x 1");
    let dump = match cmd(con, "DUMP t") {
        redis::Value::BulkString(dump) => dump,
        other => panic!("{}", show(&other)),
    };
    let mut check = |con: &mut Connection, key: &str, expiry: i64| {
        in_step(con, 1);
        assert_eq!(int(con, &["PEXPIRETIME", key]), expiry, "{key}");
        assert_eq!(table(there, key), table(con, key), "{key}");
    };
    check(con, "t", 4_000_000_000_000);
    for (hand, expiry) in [("PEXPIREAT t 3900000000000", 3_900_000_000_000), ("PERSIST t", -1)] {
        cmd(con, hand);
        check(con, "t", expiry);
        assert_eq!(int(con, "VEHPRICE.SET t a NX FIELDS 1 x 1"), 0);
        check(con, "t", expiry);
        cmd(con, "VEHPRICE.SET t b PXAT 3900000000000 FIELDS 1 x 1");
        check(con, "t", 4_000_000_000_000);
    }
    cmd(con, &[b"RESTORE", &b"r"[..], b"0", &dump]);
    check(con, "r", -1);
    cmd(con, &[b"RESTORE", &b"r"[..], b"3800000000000", &dump, b"ABSTTL", b"REPLACE"]);
    check(con, "r", 3_800_000_000_000);
    cmd(con, "VEHPRICE.DEL r nope");
    check(con, "r", 3_800_000_000_000);
    cmd(con, "VEHPRICE.MSET r PXAT 4100000000000 FIELDS 1 x ROWS b 1");
    check(con, "r", 4_100_000_000_000);
    cmd(con, "VEHPRICE.DEL r b");
    check(con, "r", 4_000_000_000_000);
}
