//! What the two commands refuse, in its very words, and that nothing is touched by it.

use super::*;

const NAMES: [&str; 2] = ["priceplan.tag", "priceplan.route"];
const WRONGTYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";

fn bad_id(shown: &str) -> String {
    format!("ERR invalid id '{shown}', expected 1 to 256 bytes of UTF-8, _old at its end not counted")
}

fn bad_toggle(shown: &str) -> String {
    format!("ERR invalid value '{shown}' in the toggle, expected 1 or old, 2 or new, 3 or both, 4 or back")
}

#[apply(each_server)]
fn what_is_no_id(#[case] kind: Kind) {
    let (x_32, long) = ("x".repeat(32) + "...", "\u{100}".repeat(129));
    let cases: [(&[u8], String); 9] = [
        (b"", String::new()),
        (b"_old", "_old".to_owned()),
        (&[b'x'; 257], x_32.clone()),
        (&[[b'x'; 257].as_slice(), b"_old"].concat(), x_32.clone()),
        (long.as_bytes(), r"\xc4\x80".repeat(16) + "..."),
        (b"\xff", r"\xff".to_owned()),
        (b"\xff_old", r"\xff_old".to_owned()),
        (b"it's\\\xed\xa0\x80%s%n\0", r"it\x27s\x5c\xed\xa0\x80%s%n\x00".to_owned()),
        (&vec![b'x'; 8 << 20], x_32),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "SET toggle 3");
    cmd(con, "SET broken 5");
    cmd(con, "RPUSH list x");
    let before = keyspace(con);
    for name in NAMES {
        for (id, shown) in &cases {
            // Alone, among others, and before what is wrong with the toggle.
            for (toggle, before, after) in
                [("toggle", "", ""), ("toggle", "571", "572_old"), ("broken", "571", ""), ("list", "", "571")]
            {
                let mut words = [name, toggle].map(|word| word.as_bytes()).to_vec();
                words.extend([before.as_bytes()].iter().filter(|word| !word.is_empty()));
                words.push(id);
                words.extend([after.as_bytes()].iter().filter(|word| !word.is_empty()));
                assert_eq!(error(con, &words), bad_id(shown), "{name} {toggle} {before} {after}");
            }
        }
        // The first one is named.
        assert_eq!(error(con, &[name, "toggle", "571", "_old", ""]), bad_id("_old"));
    }
    assert_eq!(keyspace(con), before);
    assert_eq!(reply(con, "PING"), "PONG");
}

#[apply(each_server)]
fn what_a_toggle_can_not_hold(#[case] kind: Kind) {
    let large = vec![b'3'; 8 << 20];
    let cases: [(&[u8], &str); 16] = [
        (b"", ""),
        (b"0", "0"),
        (b"5", "5"),
        (b"-1", "-1"),
        (b"12", "12"),
        (b"01", "01"),
        (b"3.0", "3.0"),
        (b"3 ", "3 "),
        (b"3\n", r"3\x0a"),
        (b"\"3\"", r#""3""#),
        (b"it's", r"it\x27s"),
        (b"legacy", "legacy"),
        (b"old_", "old_"),
        (b"\xff\0", r"\xff\x00"),
        (b"9223372036854775807", "9223372036854775807"),
        (&large, "33333333333333333333333333333333..."),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (value, shown) in &cases {
        cmd(con, &[b"SET".as_slice(), b"toggle", value]);
        for name in NAMES {
            assert_eq!(error(con, &[name, "toggle", "571"]), bad_toggle(shown));
            assert_eq!(error(con, &[name, "toggle", "571", "572_old"]), bad_toggle(shown));
        }
        assert_eq!(cmd(con, "GET toggle"), redis::Value::BulkString(value.to_vec()));
    }
}

#[apply(each_server)]
fn what_is_no_toggle_and_no_call(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for other in [
        "RPUSH toggle 3",
        "HSET toggle 3 3",
        "SADD toggle 3",
        "ZADD toggle 3 3",
        "XADD toggle 1-1 3 3",
        "VEHPRICE.SET toggle 3 FIELDS 1 a 3",
    ] {
        cmd(con, "FLUSHALL");
        cmd(con, other);
        let before = keyspace(con);
        for name in NAMES {
            assert_eq!(error(con, &[name, "toggle", "571"]), WRONGTYPE, "{other}");
        }
        assert_eq!(keyspace(con), before);
    }
    for name in NAMES {
        let arity = format!("ERR wrong number of arguments for '{name}' command");
        assert_eq!(error(con, name), arity);
        assert_eq!(error(con, &[name, "toggle"]), arity);
    }
}

#[apply(each_server)]
fn batches_larger_than_the_setting(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, "SET broken 5");
    cmd(con, "CONFIG SET quotelock.max-batch 2");
    for name in NAMES {
        let many = "ERR too many ids, 3 are more than quotelock.max-batch, 2";
        assert_eq!(error(con, &[name, "toggle", "1", "2", "3"]), many);
        assert_eq!(error(con, &[name, "toggle", "1", "1", "1"]), many);
        // Before what is in it, and before the toggle.
        assert_eq!(error(con, &[name, "broken", "1", "", "3"]), many);
        cmd(con, &[name, "toggle", "1", "2"]);
    }
}
