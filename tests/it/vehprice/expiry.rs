//! When rows end, when the key ends with them, and that nothing tells of a row after its end.

use super::*;

/// When a row ends.
#[derive(Clone, Copy, Debug)]
enum Ends {
    Never,
    /// At this moment in unix milliseconds.
    At(i64),
    /// This many milliseconds after the command.
    In(i64),
}
use Ends::{At, In, Never};

/// Checks when the one row of table `t` ends, by the key and by VEHPRICE.PTTL.
#[track_caller]
fn assert_ends(con: &mut Connection, before: i64, ends: Ends, shown: &str) {
    let expiry = int(con, "PEXPIRETIME t");
    let left = int_list(con, "VEHPRICE.PTTL t 1")[0];
    let after = now();
    match ends {
        Never => assert_eq!((expiry, left), (-1, -1), "{shown}"),
        At(moment) => assert_eq!(expiry, moment, "{shown}"),
        In(ttl) => assert!((before + ttl..=after + ttl).contains(&expiry), "{shown}: {expiry}"),
    }
    if !matches!(ends, Never) {
        assert!((expiry - after..=expiry - before).contains(&left), "{shown}: {left} ms left of {expiry}");
    }
}

#[apply(each_server)]
fn is_what_the_words_say(#[case] kind: Kind) {
    let cases = [
        ("", In(120_000)),
        ("EX 5", In(5000)),
        ("EX 100", In(100_000)),
        ("ex 315360000", In(315_360_000_000)),
        ("PX 5000", In(5000)),
        ("PX 315360000000", In(315_360_000_000)),
        ("EXAT 9999999999", At(9_999_999_999_000)),
        ("EXAT 253402300799", At(253_402_300_799_000)),
        ("PXAT 9999999999999", At(FAR)),
        ("PXAT 253402300799999", At(253_402_300_799_999)),
        ("NX PXAT 9999999999999", At(FAR)),
        ("PXAT 9999999999999 MERGE", At(FAR)),
        ("KEEPTTL", In(120_000)),
        ("MERGE", In(120_000)),
        ("MERGE KEEPTTL NX", In(120_000)),
        ("PERSIST", Never),
        ("NX persist MERGE", Never),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (words, ends) in cases {
        for (head, tail) in [("VEHPRICE.SET t 1", "FIELDS 1 a x"), ("VEHPRICE.MSET t", "FIELDS 1 a ROWS 1 x")]
        {
            cmd(con, "DEL t");
            let before = now();
            assert_eq!(int(con, &format!("{head} {words} {tail}").replace("  ", " ")), 1, "{words}");
            assert_ends(con, before, ends, &format!("{head} {words}"));
        }
    }
}

/// A table whose one row has expired, and which is still there because someone took its expiry off.
fn held_beyond_its_row(con: &mut Connection, id: &str, field: &str) {
    // In a transaction, in which no time passes.
    cmd(con, "MULTI");
    cmd(con, &format!("VEHPRICE.SET t {id} PX 1 FIELDS 1 {field} y"));
    cmd(con, "PERSIST t");
    assert_eq!(reply(con, "EXEC"), "[1, 1]");
    rest(3);
}

#[apply(each_server)]
fn of_a_row_that_is_written_again(#[case] kind: Kind) {
    // The expiry before; the words; the expiry after.
    let cases = [
        ("PXAT 9999999999999", "", In(120_000)),
        ("PXAT 9999999999999", "XX", In(120_000)),
        ("PXAT 9999999999999", "KEEPTTL", At(FAR)),
        ("PXAT 9999999999999", "keepttl xx", At(FAR)),
        ("PXAT 9999999999999", "MERGE", At(FAR)),
        ("PXAT 9999999999999", "MERGE KEEPTTL", At(FAR)),
        ("PXAT 9999999999999", "NX", At(FAR)),
        ("PXAT 9999999999999", "NX EX 5", At(FAR)),
        ("PXAT 9999999999999", "MERGE PXAT 9999999999990", At(9_999_999_999_990)),
        ("PXAT 9999999999999", "MERGE EX 500", In(500_000)),
        ("PXAT 9999999999999", "PX 60000", In(60_000)),
        ("PXAT 9999999999990", "PXAT 9999999999999", At(FAR)),
        ("PXAT 9999999999999", "PERSIST", Never),
        ("PXAT 9999999999999", "XX PERSIST MERGE", Never),
        ("PXAT 9999999999999", "NX PERSIST", At(FAR)),
        ("never", "", In(120_000)),
        ("never", "KEEPTTL", Never),
        ("never", "MERGE", Never),
        ("never", "MERGE KEEPTTL", Never),
        ("never", "NX", Never),
        ("never", "PERSIST", Never),
        ("never", "MERGE PX 60000", In(60_000)),
        ("never", "EXAT 9999999999", At(9_999_999_999_000)),
        // A row that has expired is no row: nothing of it is kept.
        ("PX 1", "KEEPTTL", In(120_000)),
        ("PX 1", "MERGE", In(120_000)),
        ("PX 1", "NX", In(120_000)),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (first, words, ends) in cases {
        for (head, tail) in [("VEHPRICE.SET t 1", "FIELDS 1 a x"), ("VEHPRICE.MSET t", "FIELDS 1 a ROWS 1 x")]
        {
            cmd(con, "DEL t");
            if first == "PX 1" {
                held_beyond_its_row(con, "1", "b");
            } else if first == "never" {
                cmd(con, "CONFIG SET quotelock.price-ttl-ms 0");
                cmd(con, "VEHPRICE.SET t 1 FIELDS 1 b y");
                cmd(con, "CONFIG SET quotelock.price-ttl-ms 120000");
            } else {
                cmd(con, &format!("VEHPRICE.SET t 1 {first} FIELDS 1 b y"));
            }
            let before = now();
            cmd(con, &format!("{head} {words} {tail}").replace("  ", " "));
            assert_ends(con, before, ends, &format!("{head} {words} after {first}"));
            if first == "PX 1" {
                assert_eq!(text(con, "VEHPRICE.GET t 1 JSON"), r#"{"a":"x"}"#, "{words}");
            }
        }
    }
}

#[apply(each_server)]
fn by_default_is_the_settings(#[case] kind: Kind) {
    let server = Server::builder(kind).module_args("price-ttl-ms 5000").start();
    let con = &mut server.connection();
    for (setting, ends) in
        [("", In(5000)), ("0", Never), ("315360000000", In(315_360_000_000)), ("1000", In(1000))]
    {
        if !setting.is_empty() {
            cmd(con, &format!("CONFIG SET quotelock.price-ttl-ms {setting}"));
        }
        for write in ["SET t 1 FIELDS 1 a x", "MSET t FIELDS 1 a ROWS 1 x", "SET t 1 NX KEEPTTL FIELDS 1 a x"]
        {
            cmd(con, "DEL t");
            let before = now();
            cmd(con, &format!("VEHPRICE.{write}"));
            assert_ends(con, before, ends, &format!("{write} with {setting}"));
        }
    }
}

#[apply(each_server)]
fn in_the_past_deletes_the_row(#[case] kind: Kind) {
    let past = [
        "PXAT 1".to_owned(),
        "EXAT 1".to_owned(),
        format!("PXAT {}", now() - 1),
        format!("EXAT {}", now() / 1000),
        format!("MERGE PXAT {}", now() - 1),
        format!("XX PXAT {}", now() - 1),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for words in &past {
        for (head, tail) in
            [("VEHPRICE.SET t 1", "FIELDS 1 a x"), ("VEHPRICE.MSET t", "FIELDS 1 a ROWS 1 x 3 x")]
        {
            let write = format!("{head} {words} {tail}");
            cmd(con, "VEHPRICE.MSET t FIELDS 1 a ROWS 1 old 2 old");
            assert_eq!(int(con, &write), 0, "{write}");
            assert_eq!(text(con, "VEHPRICE.GETALL t JSON"), r#"{"2":{"a":"old"}}"#, "{write}");
            // The table goes with its last row, and none is made for a row that is none.
            cmd(con, "VEHPRICE.DEL t 2");
            cmd(con, "VEHPRICE.MSET t FIELDS 1 a ROWS 1 old");
            assert_eq!((int(con, &write), int(con, "EXISTS t")), (0, 0), "{write}");
            assert_eq!((int(con, &write), int(con, "EXISTS t")), (0, 0), "{write}");
        }
    }
    // What NX leaves as it is, it leaves.
    cmd(con, "VEHPRICE.SET t 1 FIELDS 1 a old");
    assert_eq!(int(con, "VEHPRICE.SET t 1 NX PXAT 1 FIELDS 1 a x"), 0);
    assert_eq!(text(con, "VEHPRICE.GET t 1 JSON"), r#"{"a":"old"}"#);
}

#[apply(each_server)]
fn a_row_is_seen_until_its_end_and_never_after(#[case] kind: Kind) {
    const READS: [(&str, &str, &str); 7] = [
        ("VEHPRICE.GET t 1 JSON", r#""{"a":"x"}""#, r#""null""#),
        ("VEHPRICE.MGET t 1", r#"[["a", "x"]]"#, "[nil]"),
        ("VEHPRICE.GETALL t FIELDS 1 a", r#"["1", ["x"], "2", ["y"]]"#, r#"["2", ["y"]]"#),
        ("VEHPRICE.SCAN t 0 FIELDS 1 a", r#"["0", ["1", ["x"], "2", ["y"]]]"#, r#"["0", ["2", ["y"]]]"#),
        ("VEHPRICE.LEN t", "2", "1"),
        (
            "VEHPRICE.VERIFY t 1 a x JSON",
            r#""{"verdict":"Match","row":{"a":"x"}}""#,
            r#""{"verdict":"Missing","row":null}""#,
        ),
        ("VEHPRICE.GET t 1", r#"["a", "x"]"#, "nil"),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let mut seen = 0;
    for (read, live, over) in READS {
        // Whichever of the two rows comes first.
        let flipped = live.replace(r#""1", ["x"], "2", ["y"]"#, r#""2", ["y"], "1", ["x"]"#);
        let ends_at = now() + 80;
        cmd(con, &format!("VEHPRICE.SET t 1 PXAT {ends_at} FIELDS 1 a x"));
        cmd(con, "VEHPRICE.SET t 2 FIELDS 1 a y");
        loop {
            let asked_at = now();
            let answer = reply(con, read);
            let answered_at = now();
            if asked_at >= ends_at {
                assert_eq!(answer, over, "{read}, {} ms after the end", asked_at - ends_at);
            } else if answered_at < ends_at {
                assert!(
                    answer == live || answer == flipped,
                    "{read}: {answer}, {} ms before the end",
                    ends_at - answered_at
                );
                seen += 1;
            }
            if asked_at > ends_at + 5 {
                break;
            }
        }
        cmd(con, "DEL t");
    }
    assert!(seen > 0, "never asked before the end");
}

#[apply(each_server)]
fn expired_rows_are_counted_nowhere(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let clients = &mut Clients::of(server);
    let long: Vec<String> = (0..500).map(|id| format!("long:{id} {id}")).collect();
    let short: Vec<String> = (0..500).map(|id| format!("short:{id} {id}")).collect();
    let ends_at = now() + 60;
    let con = &mut clients.resp2;
    cmd(con, &format!("VEHPRICE.MSET t FIELDS 1 a ROWS {}", long.join(" ")));
    cmd(con, &format!("VEHPRICE.MSET t PXAT {ends_at} FIELDS 1 a ROWS {}", short.join(" ")));
    let length = int(con, "VEHPRICE.LEN t");
    assert!(length == 1000 || now() >= ends_at, "{length}");
    while now() <= ends_at {
        rest(1);
    }
    assert_eq!(int(con, "VEHPRICE.LEN t"), 500);
    let all = rows(con, "t");
    assert!(all.as_object().unwrap().keys().all(|id| id.starts_with("long:")));
    assert_eq!(all.as_object().unwrap().len(), 500);
    assert!(text(con, "VEHPRICE.SCAN t 0 COUNT 100000 JSON").matches("\"a\":").count() == 500);
    clients.check("VEHPRICE.PTTL t short:1 short:2", "[-2,-2]");
    clients.check_json("VEHPRICE.MGET t JSON IDS short:1 long:1", r#"[null,{"a":"1"}]"#);
    let con = &mut clients.resp2;
    assert_eq!(int(con, "VEHPRICE.DEL t short:1 short:2 long:0"), 1);
    assert_eq!(int(con, "VEHPRICE.MSET t XX FIELDS 1 a ROWS short:3 x short:4 x long:1 y"), 1);
    assert_eq!(int(con, "VEHPRICE.MSET t NX FIELDS 1 a ROWS short:3 x short:4 x long:1 z"), 2);
    assert_eq!(int(con, "VEHPRICE.SET t short:5 MERGE FIELDS 1 b x"), 1);
    clients.check_json(
        "VEHPRICE.MGET t JSON IDS short:3 short:5 short:6 long:1",
        r#"[{"a":"x"},{"b":"x"},null,{"a":"y"}]"#,
    );
    assert_eq!(int(&mut clients.resp2, "VEHPRICE.LEN t"), 502);
}

#[apply(each_server)]
fn digests_and_dumps_are_of_live_rows(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    let given: Vec<String> = (0..300).map(|id| format!("{id} {id}")).collect();
    let given = given.join(" ");
    let ends_at = now() + 60;
    for key in ["t", "plain"] {
        cmd(con, &format!("VEHPRICE.MSET {key} PXAT {FAR} FIELDS 1 a ROWS {given}"));
    }
    let digest = |con: &mut Connection| reply(con, "DEBUG DIGEST-VALUE t plain");
    let halves = |digests: &str| digests.trim_matches(['[', ']']).split_once(", ").map(|(a, b)| a == b);
    assert_eq!(halves(&digest(con)), Some(true));
    let short = given.replace(' ', " s").replacen("0 ", "s0 ", 1);
    cmd(con, &format!("VEHPRICE.MSET t PXAT {ends_at} FIELDS 1 other ROWS {short}"));
    assert!(halves(&digest(con)) == Some(false) || now() >= ends_at);
    while now() <= ends_at {
        rest(1);
    }
    assert_eq!(halves(&digest(con)), Some(true), "{}", digest(con));
    let Value::BulkString(dump) = cmd(con, "DUMP t") else { panic!("no dump") };
    cmd(con, &[b"RESTORE".as_slice(), b"restored", b"0", &dump]);
    assert_eq!(int(con, "VEHPRICE.LEN restored"), 300);
    assert_eq!(rows(con, "restored"), rows(con, "plain"));
    cmd(con, "COPY t copy");
    assert_eq!(rows(con, "copy"), rows(con, "plain"));
}

/// The key ends with its longest-lived row; what is set by hand holds until the next write.
#[apply(each_server)]
fn the_key_ends_with_its_longest_lived_row(#[case] kind: Kind) {
    // Commands in one session; when the key ends after each (-1: never, -2: it is gone).
    let story = [
        ("VEHPRICE.MSET t PXAT 9999999999990 FIELDS 1 x ROWS a 1 b 1", 9_999_999_999_990),
        ("VEHPRICE.SET t c PXAT 9999999999995 FIELDS 1 x 1", 9_999_999_999_995),
        ("VEHPRICE.SET t d PXAT 9999999999980 FIELDS 1 x 1", 9_999_999_999_995),
        ("VEHPRICE.SET t c PXAT 9999999999981 FIELDS 1 x 1", 9_999_999_999_990),
        ("VEHPRICE.DEL t a", 9_999_999_999_990),
        ("VEHPRICE.DEL t b", 9_999_999_999_981),
        ("VEHPRICE.SET t c PXAT 1 FIELDS 1 x 1", 9_999_999_999_980),
        ("CONFIG SET quotelock.price-ttl-ms 0", 9_999_999_999_980),
        ("VEHPRICE.SET t never FIELDS 1 x 1", -1),
        ("VEHPRICE.SET t e PXAT 9999999999999 FIELDS 1 x 1", -1),
        ("VEHPRICE.SET t never MERGE FIELDS 1 y 1", -1),
        ("VEHPRICE.DEL t never", 9_999_999_999_999),
        // By hand.
        ("PEXPIREAT t 9999999999970", 9_999_999_999_970),
        ("VEHPRICE.GET t d", 9_999_999_999_970),
        ("VEHPRICE.GETALL t JSON", 9_999_999_999_970),
        ("VEHPRICE.PTTL t d e", 9_999_999_999_970),
        ("VEHPRICE.SET t d PXAT 9999999999980 FIELDS 1 x 2", 9_999_999_999_999),
        ("PERSIST t", -1),
        ("VEHPRICE.MGET t d e", -1),
        ("VEHPRICE.DEL t d", 9_999_999_999_999),
        ("PERSIST t", -1),
        ("VEHPRICE.SET t e KEEPTTL FIELDS 1 x 2", 9_999_999_999_999),
        ("VEHPRICE.DEL t e", -2),
        ("VEHPRICE.SET t a FIELDS 1 x 1", -1),
        ("VEHPRICE.CLEAR t", -2),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (words, expiry) in story {
        cmd(con, words);
        assert_eq!(int(con, "PEXPIRETIME t"), expiry, "{words}");
    }
    cmd(con, "CONFIG SET quotelock.price-ttl-ms 120000");
    // An end by hand takes all rows along.
    cmd(con, "VEHPRICE.MSET t FIELDS 1 x ROWS a 1 b 1");
    cmd(con, "PEXPIRE t 1");
    rest(3);
    assert_eq!(int(con, "VEHPRICE.LEN t"), 0);
    assert_eq!(reply(con, "VEHPRICE.MGET t a b"), "[nil, nil]");
    assert_eq!(int(con, "EXISTS t"), 0);
}

#[apply(each_server)]
fn the_key_goes_with_its_last_live_row(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    // Nobody touches it: the server's own expiry takes it.
    cmd(con, "VEHPRICE.MSET t PX 20 FIELDS 1 x ROWS a 1 b 1");
    cmd(con, "VEHPRICE.SET t c PX 40 FIELDS 1 x 1");
    eventually(TIMEOUT, || (int(con, "DBSIZE") == 0).then_some(()));
    // Held by hand beyond its rows it has no rows, and the next write takes it.
    for write in ["VEHPRICE.DEL t a", "VEHPRICE.DEL t none", "VEHPRICE.SET t a PXAT 1 FIELDS 1 x 1"] {
        held_beyond_its_row(con, "a", "x");
        assert_eq!(int(con, "EXISTS t"), 1, "{write}");
        assert_eq!(int(con, "VEHPRICE.LEN t"), 0);
        assert_eq!(text(con, "VEHPRICE.GETALL t JSON"), "{}");
        assert_eq!(reply(con, "VEHPRICE.GET t a"), "nil");
        assert_eq!(int(con, "EXISTS t"), 1, "{write}");
        assert_eq!(int(con, write), 0, "{write}");
        assert_eq!(int(con, "EXISTS t"), 0, "{write}");
    }
}
