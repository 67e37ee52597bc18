//! QUOTELOCK.GET: its forms, and the state at the edges.

use super::*;

#[apply(each_server)]
fn answers_in_every_form(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let (resp2, resp3) = (&mut server.connection(), &mut server.connection_resp3());
    let absent = [("QUOTELOCK.GET user:0", "nil"), ("QUOTELOCK.GET user:0 JSON", r#""null""#)];
    for (words, expected) in absent {
        assert_eq!((reply(resp2, words), reply(resp3, words)), (expected.into(), expected.into()), "{words}");
    }
    cmd(resp2, &["SET", "user:1", &lock(r#"["3","7"]"#, TIME)]);
    for (time, state) in
        [("2024-09-12T02:50:54Z", "Effective"), ("2024-09-12T10:59:00+08:00", "CloseToExpired")]
    {
        let words = format!("QUOTELOCK.GET user:1 AT {time}");
        let flat = format!(r#"["roleIds", ["3", "7"], "queryTime", "{TIME}", "state", "{state}"]"#);
        let map = format!(r#"{{"roleIds": ["3", "7"], "queryTime": "{TIME}", "state": "{state}"}}"#);
        let json = format!(r#""{{"roleIds":["3","7"],"queryTime":"{TIME}","state":"{state}"}}""#);
        assert_eq!(reply(resp2, &words), flat);
        assert_eq!(reply(resp3, &words), map);
        for words in [format!("{words} JSON"), format!("quotelock.get user:1 json at {time}")] {
            assert_eq!(reply(resp2, &words), json);
            assert_eq!(reply(resp3, &words), json);
        }
    }
    // Without AT the clock decides.
    cmd(resp2, &["SET", "user:1", &lock(r#"[]"#, TIME)]);
    let flat = format!(r#"["roleIds", [], "queryTime", "{TIME}", "state", "CloseToExpired"]"#);
    assert_eq!(reply(resp2, "QUOTELOCK.GET user:1"), flat);
    let json = format!(r#""{{"roleIds":[],"queryTime":"{TIME}","state":"CloseToExpired"}}""#);
    assert_eq!(reply(resp2, "QUOTELOCK.GET user:1 JSON"), json);
    for (age, state) in
        [(-3_600_000, "Effective"), (0, "Effective"), (290_000, "Effective"), (301_000, "CloseToExpired")]
    {
        let moment = moment(now() - age);
        cmd(resp2, &["SET", "user:1", &lock("[]", &moment)]);
        let map = format!(r#"{{"roleIds": [], "queryTime": "{moment}", "state": "{state}"}}"#);
        assert_eq!(reply(resp3, "QUOTELOCK.GET user:1"), map);
    }
}

#[apply(each_server)]
fn tells_the_state_by_whole_seconds(#[case] kind: Kind) {
    const HOUR: i64 = 3_600_000;
    // The members a lock of its own carries; the last age in milliseconds that is Effective; the first that
    // isn't.
    let cases = [
        ("", 300_999, 301_000),
        (r#","ttlMs":100000"#, 40_999, 41_000),
        (r#","ttlMs":100000,"bufferMs":10000"#, 90_999, 91_000),
        (r#","bufferMs":0"#, 360_999, 361_000),
        (r#","bufferMs":360000"#, 999, 1_000),
        (r#","bufferMs":315360000000"#, 999, 1_000),
        (r#","ttlMs":100000,"bufferMs":0"#, 100_999, 101_000),
        (r#","ttlMs":100000,"bufferMs":100000"#, 999, 1_000),
        (r#","ttlMs":1"#, 999, 1_000),
        (r#","ttlMs":2500,"bufferMs":1000"#, 1_999, 2_000),
        (r#","ttlMs":2999,"bufferMs":1000"#, 1_999, 2_000),
        (r#","ttlMs":3000,"bufferMs":1000"#, 2_999, 3_000),
        (r#","ttlMs":315360000000,"bufferMs":0"#, 315_360_000_999, 315_360_001_000),
        (r#","ttlMs":null,"bufferMs":null"#, 300_999, 301_000),
        (r#","ttlMs":null,"bufferMs":10000"#, 350_999, 351_000),
    ];
    let held = 1_726_109_453_000;
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (members, last, first) in cases {
        let stored = format!(r#"{{"roleIds":["3"],"queryTime":"{}"{members}}}"#, moment(held));
        cmd(con, &["SET", "user:1", &stored]);
        let effective = [-HOUR, -1, 0, last - 1000, last - 999, last].map(|age| (age, "Effective"));
        let closing = [first, first + 58_000, first + 60_000, first + 365 * 24 * HOUR]
            .map(|age| (age, "CloseToExpired"));
        for (age, state) in effective.into_iter().chain(closing) {
            let answer = reply(con, &format!("QUOTELOCK.GET user:1 AT {}", moment(held + age)));
            assert!(answer.ends_with(&format!(r#""state", "{state}"]"#)), "{members} at {age} ms: {answer}");
        }
    }
}

#[apply(each_server)]
fn tells_the_state_to_the_end_of_time(#[case] kind: Kind) {
    // The moment; as of when; the state.
    let cases = [
        ("0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "CloseToExpired"),
        ("9999-12-31T23:59:59.999Z", "0000-01-01T00:00:00Z", "Effective"),
        ("9999-12-31T23:59:59.999999999-23:59", "9999-12-31T23:59:59Z", "Effective"),
        ("0000-01-01T00:00:00+23:59", "0000-01-01T00:00:00Z", "CloseToExpired"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:05:00.999Z", "Effective"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:05:01Z", "CloseToExpired"),
        ("2024-02-29T00:00:00+08:00", "2024-02-28T16:05:00.999Z", "Effective"),
        ("2024-02-29T00:00:00+08:00", "2024-02-28T16:05:01Z", "CloseToExpired"),
        ("2024-09-12T02:50:53.999Z", "2024-09-12T02:55:54.998Z", "Effective"),
        ("2024-09-12T02:50:53.999Z", "2024-09-12T02:55:54.999Z", "CloseToExpired"),
    ];
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for (moment, at, state) in cases {
        cmd(con, &["SET", "user:1", &lock("[]", moment)]);
        let json = format!(r#""{{"roleIds":[],"queryTime":"{moment}","state":"{state}"}}""#);
        assert_eq!(reply(con, &format!("QUOTELOCK.GET user:1 JSON AT {at}")), json, "at {at}");
    }
}

#[apply(each_server)]
fn any_bytes_are_a_key(#[case] kind: Kind) {
    let server = &Server::start(kind);
    let con = &mut server.connection();
    for key in &odd_keys() {
        assert_eq!(reply(con, &[b"QUOTELOCK.SET".as_slice(), key, b"3", TIME.as_bytes()]), "OK");
        assert_eq!(text(con, &[b"GET".as_slice(), key]), lock(r#"["3"]"#, TIME));
        let held = format!(r#""{{"roleIds":["3"],"queryTime":"{TIME}","state":"CloseToExpired"}}""#);
        assert_eq!(reply(con, &[b"QUOTELOCK.GET".as_slice(), key, b"JSON"]), held);
        let acquired = held.replace("}", r#","outcome":"Held"}"#);
        let acquire = [b"QUOTELOCK.ACQUIRE".as_slice(), key, b"4", b"*", b"IFMISSING", b"JSON"];
        assert_eq!(reply(con, &acquire), acquired);
        assert_eq!(reply(con, &[b"QUOTELOCK.DEL".as_slice(), key]), "1");
    }
    assert_eq!(reply(con, "DBSIZE"), "0");
}
