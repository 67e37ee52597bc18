//! QUOTELOCK.SET: the bytes it stores, the expiry it sets, when it does not.

use super::*;

#[apply(each_server)]
fn stores_what_the_services_write(#[case] kind: Kind) {
    // The words after the key; the string stored; the time to live in milliseconds.
    let cases = [
        ("3,7 {T}", r#"{"roleIds":["3","7"],"queryTime":"{T}"}"#, 360_000),
        ("3,7 {T} EX 100", r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":100000}"#, 100_000),
        ("3,7 {T} EX 360", r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":360000}"#, 360_000),
        ("3,7 {T} PX 99999", r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":99999}"#, 99_999),
        ("3,7 {T} BUFFER 10", r#"{"roleIds":["3","7"],"queryTime":"{T}","bufferMs":10000}"#, 360_000),
        ("3,7 {T} PBUFFER 1", r#"{"roleIds":["3","7"],"queryTime":"{T}","bufferMs":1}"#, 360_000),
        ("3,7 {T} BUFFER 0", r#"{"roleIds":["3","7"],"queryTime":"{T}","bufferMs":0}"#, 360_000),
        (
            "3,7 {T} BUFFER 100 EX 100",
            r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":100000,"bufferMs":100000}"#,
            100_000,
        ),
        (
            "3,7 {T} px 99999 pbuffer 5 align 53",
            r#"{"roleIds":["3","7"],"queryTime":"2024-09-12T02:50:06.000Z","ttlMs":99999,"bufferMs":5}"#,
            99_999,
        ),
        (
            "3,7 {T} EX 315360000",
            r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":315360000000}"#,
            315_360_000_000,
        ),
        (
            "3,7 {T} PX 315360000000 PBUFFER 315360000000",
            r#"{"roleIds":["3","7"],"queryTime":"{T}","ttlMs":315360000000,"bufferMs":315360000000}"#,
            315_360_000_000,
        ),
        (
            "3,7 {T} BUFFER 315360000",
            r#"{"roleIds":["3","7"],"queryTime":"{T}","bufferMs":315360000000}"#,
            360_000,
        ),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (words, stored, ttl) in cases {
        for command in ["QUOTELOCK.SET", "quotelock.acquire"] {
            cmd(con, "DEL user:1");
            let before = now();
            cmd(con, &format!("{command} user:1 {words}").replace("{T}", TIME));
            assert_eq!(text(con, "GET user:1"), stored.replace("{T}", TIME), "{command} {words}");
            assert_expires(con, "user:1", before, ttl);
        }
    }
}

#[apply(each_server)]
fn keeps_the_moment_byte_for_byte(#[case] kind: Kind) {
    let moments = [
        "2024-09-12T02:50:53Z",
        "2024-09-12t02:50:53z",
        "2024-09-12T02:50:53.1Z",
        "2024-09-12T02:50:53.12+00:00",
        "2024-09-12T02:50:53.123456-00:00",
        "2024-09-12T02:50:53.123456789+08:00",
        "2024-02-29T10:50:53-23:59",
        "2016-12-31T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "1969-12-31T23:59:59.999Z",
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for moment in moments {
        assert_eq!(reply(con, &["QUOTELOCK.SET", "user:1", "3", moment]), "OK");
        assert_eq!(text(con, "GET user:1"), lock(r#"["3"]"#, moment));
        let answer = reply(con, "QUOTELOCK.GET user:1 AT 1969-01-01T00:00:00Z");
        let state = if moment.starts_with("0000") { "CloseToExpired" } else { "Effective" };
        assert_eq!(answer, format!(r#"["roleIds", ["3"], "queryTime", "{moment}", "state", "{state}"]"#));
    }
}

#[apply(each_server)]
fn aligns_an_explicit_moment(#[case] kind: Kind) {
    let cases = [
        ("2024-09-12T02:50:53.999Z ALIGN 1", "2024-09-12T02:50:53.000Z"),
        ("2024-09-12T02:50:53.999Z ALIGN 300", "2024-09-12T02:50:00.000Z"),
        ("2024-09-12T02:49:59.999Z ALIGN 300", "2024-09-12T02:45:00.000Z"),
        ("2024-09-12T10:50:53+08:00 ALIGN 60", "2024-09-12T02:50:00.000Z"),
        ("2024-09-12T02:50:00Z ALIGN 60", "2024-09-12T02:50:00.000Z"),
        ("2016-12-31T23:59:60Z ALIGN 60", "2017-01-01T00:00:00.000Z"),
        ("1969-12-31T23:59:59.999Z ALIGN 60", "1969-12-31T23:59:00.000Z"),
        ("1969-12-31T23:59:59.999Z ALIGN 1", "1969-12-31T23:59:59.000Z"),
        ("9999-12-31T23:59:59.999Z ALIGN 300", "9999-12-31T23:55:00.000Z"),
        ("2024-09-12T02:50:53Z EX 7260 ALIGN 7200", "2024-09-12T02:00:00.000Z"),
        ("2024-09-12T02:50:53Z BUFFER 0 ALIGN 360", "2024-09-12T02:48:00.000Z"),
        ("2024-09-12T02:50:53Z PX 61999 ALIGN 1", "2024-09-12T02:50:53.000Z"),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (words, moment) in cases {
        assert_eq!(reply(con, &format!("QUOTELOCK.SET user:1 3 {words}")), "OK", "{words}");
        let stored = text(con, "GET user:1");
        assert!(stored.contains(&format!(r#""queryTime":"{moment}""#)), "{words}: {stored}");
    }
}

#[apply(each_server)]
fn takes_the_moment_from_the_clock_of_the_server(#[case] kind: Kind) {
    // The words; how far behind the clock the moment is; what it is a multiple of, in milliseconds.
    let cases = [
        ("*", 0, 1),
        ("* LAG 0", 0, 1),
        ("* LAG 1500", 1500, 1),
        ("* ALIGN 1", 0, 1000),
        ("* ALIGN 300", 0, 300_000),
        ("* LAG 90000 ALIGN 60", 90_000, 60_000),
        ("* LAG 315360000000", 315_360_000_000, 1),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (words, lag, step) in cases {
        let floor = |moment: i64| moment / step * step;
        let before = now();
        assert_eq!(reply(con, &format!("QUOTELOCK.SET user:1 3 {words}")), "OK", "{words}");
        let expected = floor(before - lag)..=floor(now() - lag);
        let moment = moment_of(con, "user:1");
        assert!(expected.contains(&moment), "{words}: {moment} is not in {expected:?}");
        assert_expires(con, "user:1", before, 360_000);
    }
}

#[apply(each_server)]
fn minds_what_the_key_holds(#[case] kind: Kind) {
    // What the key holds (nothing, a lock, another string); a word; whether it is stored.
    let held = lock(r#"["1"]"#, TIME);
    let cases = [
        (None, "", "OK"),
        (None, "NX", "OK"),
        (None, "XX", "nil"),
        (Some(held.as_str()), "", "OK"),
        (Some(&held), "NX", "nil"),
        (Some(&held), "XX", "OK"),
        (Some("not a lock"), "", "OK"),
        (Some("not a lock"), "NX", "nil"),
        (Some("not a lock"), "xx", "OK"),
        (Some(""), "NX", "nil"),
        (Some("12"), "NX", "nil"),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (held, word, expected) in cases {
        cmd(con, "DEL user:1");
        if let Some(held) = held {
            cmd(con, &["SET", "user:1", held, "PXAT", "9999999999999"]);
        }
        let before = now();
        let words = format!("QUOTELOCK.SET user:1 2 {TIME} {word}");
        assert_eq!(reply(con, words.trim_end()), expected, "{word} on {held:?}");
        if expected == "OK" {
            assert_eq!(text(con, "GET user:1"), lock(r#"["2"]"#, TIME));
            assert_expires(con, "user:1", before, 360_000);
        } else {
            assert_eq!(text(con, "GET user:1"), held.unwrap_or("nil"));
            assert_eq!(int(con, "PEXPIRETIME user:1"), if held.is_some() { 9_999_999_999_999 } else { -2 });
        }
    }
}

#[apply(each_server)]
fn a_lock_goes_when_its_time_is_up(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    cmd(con, &format!("QUOTELOCK.SET user:1 3 {TIME} PX 20"));
    eventually(TIMEOUT, || (int(con, "EXISTS user:1") == 0).then_some(()));
    assert_eq!(reply(con, "QUOTELOCK.GET user:1"), "nil");
    assert_eq!(reply(con, "QUOTELOCK.GET user:1 JSON"), r#""null""#);
    assert_eq!(reply(con, &format!("QUOTELOCK.SET user:1 3 {TIME} XX")), "nil");
}

#[apply(each_server)]
fn takes_its_words_in_any_order_and_case(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for words in ["NX EX 90 BUFFER 30 ALIGN 60", "align 60 buffer 30 ex 90 nx", "Buffer 30 nX Align 60 eX 90"]
    {
        cmd(con, "DEL user:1");
        assert_eq!(reply(con, &format!("qUoTeLoCk.SeT user:1 3 {TIME} {words}")), "OK");
        let stored =
            r#"{"roleIds":["3"],"queryTime":"2024-09-12T02:50:00.000Z","ttlMs":90000,"bufferMs":30000}"#;
        assert_eq!(text(con, "GET user:1"), stored);
    }
}
